"""What every reader shares: the call's context, the fields all records carry, and refusals."""

from __future__ import annotations

from typing import Any, NamedTuple
from zoneinfo import ZoneInfo

from fhir_profiles.read.element import Json, day, extensions, has_timed, obj, objs, text, timed
from fhir_profiles.read.reference import CORE, contained, normalise, shortened, tokens
from fhir_profiles.records import DayRange, Rejected

_NOT_FINAL = frozenset({"preliminary", "registered", "partial"})

_REPLACING = [CORE + name for name in ("observation-replaces", "diagnosticReport-addendumOf", "replaces")]


class Context(NamedTuple):
    """The FHIR base of a resource, if known, the site's time zone, and the resource's own key and status."""

    base: str | None
    timezone: ZoneInfo
    key: str
    status: str | None


class Refused(Exception):
    """Raised inside the reader when a resource is not used; becomes a Rejected."""

    def __init__(self, reason: str, detail: str = "") -> None:
        super().__init__(reason)
        self.reason = reason
        self.detail = detail


def key(resource: Json) -> str:
    """Gives "Type/id"; "Type/?" without an id."""
    kind = text(resource.get("resourceType")) or "?"
    given = text(resource.get("id"))
    return f"{kind}/{shortened(given) if given else '?'}"


def token(resource: Json) -> str:
    """Gives "Type/id", with "/_history/version" where the resource tells its version."""
    version = text(obj(resource.get("meta")).get("versionId"))
    return f"{key(resource)}/_history/{version}" if version else key(resource)


def subject_of(resource: Json, base: str | None = None) -> str | None:
    """The patient a resource belongs to as "Patient/id", whatever its element is called; None when it
    does not say."""
    if resource.get("resourceType") == "Patient":
        return key(resource) if text(resource.get("id")) else None
    plain = resource.get("subject")
    if type(plain) is dict:
        target = normalise(plain.get("reference"), base)
        if target is not None and not target.startswith("#"):
            return target
    for name in ("subject", "patient", "beneficiary", "individual", "for"):
        for reference in objs(resource.get(name)):
            target = normalise(reference.get("reference"), base)
            if target is None or target.startswith("#"):
                inner = contained(resource, target)
                target = key(inner) if inner.get("resourceType") == "Patient" else None
            if target is not None:
                return target
    for participant in objs(resource.get("participant")):
        for target in tokens(participant.get("actor"), base, "Patient"):
            return target
    return None


def stated(
    resource: Json, ctx: Context, *, day: DayRange | None = None, flags: tuple[str, ...] = ()
) -> dict[str, Any]:
    """The fields every record carries."""
    meta = obj(resource.get("meta"))
    version = text(meta.get("versionId"))
    fields = {
        "source": f"{ctx.key}/_history/{version}" if version else ctx.key,
        "status": ctx.status,
        "subject": subject_of(resource, ctx.base),
        "day": day,
        "version": version,
        "updated": text(meta.get("lastUpdated")),
        "flags": flags,
    }
    if "identifier" in resource:
        fields["identifiers"] = _identifiers(resource)
    if "extension" in resource or "replaces" in resource:
        fields["replaces"] = _replaces(resource, ctx.base)
    raised = _flags(resource, meta, ctx.status)
    if raised:
        fields["flags"] = tuple(dict.fromkeys((*raised, *flags)))
    return fields


def _identifiers(resource: Json) -> tuple[str, ...]:
    pairs = ((text(item.get("system")), text(item.get("value"))) for item in objs(resource.get("identifier")))
    return tuple(f"{system or ''}|{value}" for system, value in pairs if value is not None)


def _replaces(resource: Json, base: str | None) -> tuple[str, ...]:
    found = [obj(item.get("valueReference")) for item in extensions(resource, *_REPLACING)]
    return tokens([*found, *objs(resource.get("replaces"))], base)


def _flags(resource: Json, meta: Json, status: str | None) -> list[str]:
    flags = []
    if "tag" in meta and any(text(tag.get("code")) == "SUBSETTED" for tag in objs(meta["tag"])):
        flags.append("subsetted")
    if status is None:
        if resource.get("resourceType") in ("Observation", "DiagnosticReport"):
            flags.append("no-status")
    elif status in _NOT_FINAL:
        flags.append("preliminary")
    return flags


def when(resource: Json, ctx: Context) -> tuple[DayRange | None, tuple[str, ...]]:
    """The day an Observation or report speaks of, and how it was found: effective, else issued with a flag.

    An effective time that is there but unreadable is no day at all: a later `issued` must not stand in
    for it.
    """
    found = timed(resource, "effective", ctx.timezone)
    if found is not None:
        return found, ()
    if has_timed(resource, "effective"):
        return None, ("bad-date",)
    issued = day(resource.get("issued"), ctx.timezone)
    return (issued, ("day-from-issued",)) if issued is not None else (None, ("no-date",))


def rejected(resource: Json, reason: str, detail: str = "", base: str | None = None) -> Rejected:
    """A refusal that names the resource."""
    return Rejected(
        source=token(resource),
        resource_type=text(resource.get("resourceType")) or "?",
        reason=reason,
        detail=detail,
        subject=subject_of(resource, base),
    )
