"""Loads a patient into a FHIR server: by transaction, else one by one, else without what is refused."""

from __future__ import annotations

import re
import uuid
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any
from urllib.parse import quote

from cds_hooks.interop.manifest import Manifest, Planned
from cds_hooks.interop.patients import RUN_IDENTIFIER, Subject, mark, rewritten
from fhir_profiles.read.reference import with_references
from plugin.chart import GapReason
from plugin.errors import FhirError
from plugin.probe.asker import Asker, Reply

_LOCATION = re.compile(
    r"(?:^|/)(?P<kind>[A-Z][A-Za-z]+)/(?P<id>[A-Za-z0-9._-]{1,256})(?:/_history/[^/]+)?/?$"
)
_REFUSALS = frozenset({400, 403, 404, 405, 409, 412, 415, 422, 501})


CREATING = "a transaction of conditional creates"
PUTTING = "a transaction of updates under ids of our own"
SINGLY = "resources one by one"


@dataclass(kw_only=True)
class Loading:
    """How patients were loaded: the `way` in use, and what the server refused, type by type."""

    way: str = CREATING
    refused: dict[str, str] = field(default_factory=dict)
    notes: list[str] = field(default_factory=list)
    created: int = 0


@dataclass(frozen=True, kw_only=True)
class Loaded:
    """A patient as he lies on the server: its ids, without what it refused; `told` is he as he was sent."""

    subject: Subject
    told: Subject
    ids: Mapping[str, str]
    missing: tuple[str, ...]


def load(subject: Subject, asker: Asker, manifest: Manifest, loading: Loading) -> Loaded:
    """Creates the resources of a marked patient, each named in the manifest before it is sent.

    Raises FhirError where the patient himself cannot be created.
    """
    wanted = tuple(one for one in subject.resources if one["resourceType"] not in loading.refused)
    ids: dict[str, str] | None = None
    while ids is None and loading.way in (CREATING, PUTTING):
        ids = _transaction(wanted, asker, manifest, loading)
    if ids is None:
        ids = _singly(wanted, asker, manifest, loading)
    if f"Patient/{subject.patient_id}" not in ids:
        raise FhirError(GapReason.NOT_FETCHED, f"{subject.name}: the server did not create the patient")
    missing = tuple(sorted({one["resourceType"] for one in subject.resources} & set(loading.refused)))
    return Loaded(subject=_as_loaded(subject, ids), told=subject, ids=ids, missing=missing)


def planned(one: Mapping[str, Any], own: str | None = None) -> Planned:
    """Returns the line of the manifest for a resource."""
    kind = str(one["resourceType"])
    return Planned(type=kind, identifier=mark(kind, str(one["id"])), id=own)


def _transaction(
    wanted: Sequence[Mapping[str, Any]], asker: Asker, manifest: Manifest, loading: Loading
) -> dict[str, str] | None:
    """Returns the ids that the server gave; None, and another way, where it does not take the transaction."""
    puts = loading.way == PUTTING
    manifest.plan(planned(one, str(one["id"]) if puts else None) for one in wanted)
    entries = [_put(one) for one in wanted] if puts else _posts(wanted, manifest.run)
    bundle = {"resourceType": "Bundle", "type": "transaction", "entry": entries}
    reply = asker.send("POST", "", bundle, about="load")
    if reply.status not in (200, 201):
        if reply.status not in _REFUSALS:
            raise FhirError(GapReason.SERVER_ERROR, f"the patient could not be loaded: {_why(reply)}")
        after = SINGLY if puts else PUTTING
        loading.notes.append(f"{loading.way}: refused ({_why(reply)}); tried instead: {after}")
        loading.way = after
        return None
    ids: dict[str, str] = {}
    answers = (reply.resource or {}).get("entry", [])
    for one, answer in zip(wanted, answers if isinstance(answers, list) else [], strict=False):
        response = answer.get("response", {}) if isinstance(answer, Mapping) else {}
        own = _location(response.get("location"))
        if own is None and puts:
            own = (str(one["resourceType"]), str(one["id"]))
        _took(one, str(response.get("status", "")), own, ids, manifest, loading)
    return ids


def _put(one: Mapping[str, Any]) -> dict[str, Any]:
    return {"resource": one, "request": {"method": "PUT", "url": f"{one['resourceType']}/{one['id']}"}}


def _posts(wanted: Sequence[Mapping[str, Any]], run: str) -> list[dict[str, Any]]:
    urns = {_name(one): f"urn:uuid:{_uuid(place, run)}" for place, one in enumerate(wanted)}
    pointing = [with_references(one, lambda name: urns.get(name, name)) for one in wanted]
    return [
        {
            "fullUrl": urns[_name(one)],
            "resource": {key: value for key, value in resource.items() if key != "id"},
            "request": {"method": "POST", "url": one["resourceType"], "ifNoneExist": _condition(one)},
        }
        for one, resource in zip(wanted, pointing, strict=True)
    ]


def _singly(
    wanted: Sequence[Mapping[str, Any]], asker: Asker, manifest: Manifest, loading: Loading
) -> dict[str, str]:
    """Creates one by one, what is referred to first; a type that is refused is left out from then on."""
    ids: dict[str, str] = {}
    for one in in_order(wanted):
        kind = str(one["resourceType"])
        if kind in loading.refused:
            continue
        body = _at(one, ids)
        manifest.plan([planned(one)])
        headers = {"If-None-Exist": _condition(one), "Prefer": "return=minimal"}
        bare = {key: value for key, value in body.items() if key != "id"}
        reply = asker.send("POST", kind, bare, headers=headers, about="load")
        own = _location(_header(reply, "location")) or _location(_header(reply, "content-location"))
        if reply.status in _REFUSALS:
            # A server that cannot search by identifier may still let us name the resource ourselves.
            manifest.plan([planned(one, str(one["id"]))])
            reply = asker.send("PUT", _name(one), body, about="load")
            own = (kind, str(one["id"]))
        if reply.status in _REFUSALS:
            if kind == "Patient":
                raise FhirError(GapReason.UNSUPPORTED, f"no patient can be created here: {_why(reply)}")
            loading.refused[kind] = _why(reply)
            loading.notes.append(f"{kind} cannot be created here ({_why(reply)}): loaded without")
            manifest.gone([planned(one)])
            continue
        _took(one, str(reply.status), own, ids, manifest, loading)
    return ids


def _took(
    one: Mapping[str, Any],
    status: str,
    own: tuple[str, str] | None,
    ids: dict[str, str],
    manifest: Manifest,
    loading: Loading,
) -> None:
    """Notes that a resource was created; anything but 201 with a place is no creation of ours."""
    if not status.startswith("201") or own is None or own[0] != one["resourceType"]:
        # 200 would be another's resource that matched: it is neither used nor ever deleted.
        raise FhirError(
            GapReason.UNREADABLE,
            f"the server did not say that and where it created a {one['resourceType']} (status {status[:3]})",
        )
    ids[_name(one)] = own[1]
    loading.created += 1
    manifest.created([planned(one, own[1])])


def in_order(resources: Iterable[Mapping[str, Any]]) -> list[Mapping[str, Any]]:
    """Returns the resources so that what is referred to comes first; a circle is broken where it must be."""
    left = {_name(one): one for one in resources}
    done: list[Mapping[str, Any]] = []
    while left:
        free = [name for name, one in left.items() if not (references(one) - {name}) & set(left)]
        for name in free or [min(left, key=lambda name: (len(references(left[name]) & set(left)), name))]:
            done.append(left.pop(name))
    return done


def references(value: Any) -> set[str]:
    """Returns every "Type/id" that a resource refers to."""
    if isinstance(value, Mapping):
        own = value.get("reference")
        found = {own} if isinstance(own, str) else set()
        return found.union(*(references(item) for item in value.values()))
    if isinstance(value, list | tuple):
        return set().union(*(references(item) for item in value))
    return set()


def _as_loaded(subject: Subject, ids: Mapping[str, str]) -> Subject:
    return Subject(
        name=subject.name,
        title=subject.title,
        resources=tuple(
            {**_at(one, ids), "id": ids[_name(one)]} for one in subject.resources if _name(one) in ids
        ),
        hook=subject.hook,
        context=_at(subject.context, ids) | {"patientId": ids[f"Patient/{subject.patient_id}"]},
        expected=subject.expected,
        today=subject.today,
    )


def _at(value: Any, ids: Mapping[str, str]) -> dict[str, Any]:
    found: dict[str, Any] = rewritten(value, ids)
    return found


def _condition(one: Mapping[str, Any]) -> str:
    """The search that finds this very resource: sent twice, it is created once."""
    value = mark(str(one["resourceType"]), str(one["id"]))
    return f"identifier={quote(RUN_IDENTIFIER, safe=':/.')}|{quote(value, safe='')}"


def _location(value: Any) -> tuple[str, str] | None:
    found = _LOCATION.search(value) if isinstance(value, str) else None
    return None if found is None else (found["kind"], found["id"])


def _header(reply: Reply, name: str) -> str | None:
    return next((value for key, value in reply.headers.items() if key.lower() == name), None)


def _name(one: Mapping[str, Any]) -> str:
    return f"{one['resourceType']}/{one['id']}"


def _why(reply: Reply) -> str:
    return reply.fault if reply.status == 0 else f"HTTP {reply.status}"


def _uuid(place: int, run: str) -> str:
    """A UUID for one entry of a transaction; it lives as long as that."""
    return str(uuid.uuid5(uuid.NAMESPACE_URL, f"{run}/{place}"))
