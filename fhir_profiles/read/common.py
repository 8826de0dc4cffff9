"""What every reader shares: the call's context, the fields all records carry, and refusals."""

from __future__ import annotations

from typing import Any
from zoneinfo import ZoneInfo

from msgspec import Struct
from msgspec.structs import asdict

from fhir_profiles.read.element import Json, Pair, day, extensions, has_timed, obj, objs, text, timed
from fhir_profiles.read.reference import CORE, contained, normalise, shortened, tokens
from fhir_profiles.records import DayRange, Rejected

_NOT_FINAL = frozenset({"preliminary", "registered", "partial"})

_REPLACING = [CORE + name for name in ("observation-replaces", "diagnosticReport-addendumOf", "replaces")]


class Context(Struct, frozen=True, gc=False):
    """The FHIR base of a resource, if known, the site's time zone, the resource's own key and status, and the
    codes of an Observation."""

    base: str | None
    timezone: ZoneInfo
    key: str
    status: str | None
    code: tuple[Pair, ...] = ()


class Shared(Struct, frozen=True, gc=False):
    """The fields every record carries, under their names in the record."""

    source: str
    status: str | None
    subject: str | None
    day: DayRange | None
    version: str | None
    updated: str | None
    identifiers: tuple[str, ...]
    replaces: tuple[str, ...]
    flags: tuple[str, ...]


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
    if plain is None:
        plain = resource.get("patient")
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
    """The fields every record carries, by name."""
    return asdict(shared(resource, ctx, day, flags))


def shared(resource: Json, ctx: Context, day: DayRange | None = None, flags: tuple[str, ...] = ()) -> Shared:
    """The fields every record carries; given each by name, a record costs a fifth of one made of a dict."""
    meta = obj(resource.get("meta"))
    version, status = text(meta.get("versionId")), ctx.status
    if status is None or status in _NOT_FINAL or "tag" in meta:
        flags = tuple(dict.fromkeys((*_flags(resource, meta, status), *flags)))
    return Shared(
        f"{ctx.key}/_history/{version}" if version else ctx.key,
        status,
        subject_of(resource, ctx.base),
        day,
        version,
        text(meta.get("lastUpdated")),
        _identifiers(resource) if "identifier" in resource else (),
        _replaces(resource, ctx.base) if "extension" in resource or "replaces" in resource else (),
        flags,
    )


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
    given = resource.get("effectiveDateTime")
    found = day(given, ctx.timezone) if given is not None else None
    if found is None:
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
