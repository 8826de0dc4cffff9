"""Asks a FHIR server each of our searches, read-only, and says what became of it."""

from __future__ import annotations

import re
import ssl
from collections.abc import Callable, Mapping
from concurrent.futures import ThreadPoolExecutor
from typing import Any

from plugin.dialects import Dialect
from plugin.probe.asker import Asker, Reply
from plugin.probe.examination import Attempt, Examination, Searched, Smart, Verdict
from plugin.probe.pages import next_form, unreliable
from plugin.probe.scopes import smallest
from plugin.probe.security import seen_security
from plugin.pull.bundle import page, worst
from plugin.pull.capability import Capability, capability_of, configured, plan
from plugin.pull.owner import Identity, Owner
from plugin.pull.queries import QUERIES, Query, path
from plugin.pull.self_link import ignores_patient, narrows

HARMLESS = "vestige-doctor-nobody"
"""The id of a patient that no server has: the right answer to every search is nothing."""
BY_REFERENCE = ("BodyStructure", "ImagingStudy", "Medication")
ORIGIN = "https://vestige.example"
_CODE = re.compile(r"[a-z-]{1,40}")
Told = Callable[[int, int, str], None]
"""Hears how far something is: done, of how many, and what it was."""


def examine(
    asker: Asker,
    *,
    patient: str = HARMLESS,
    dialect: Dialect | None = None,
    context: ssl.SSLContext | None = None,
    told: Told | None = None,
) -> Examination:
    """Returns what the server answers to all that is read of a patient; nothing is written.

    `told` hears how far it is. Raises FhirError where no token can be had.
    """
    first = asker.get("metadata", headers={"Origin": ORIGIN}, about="CapabilityStatement")
    found = first.resource
    statement = dict(found) if found and found.get("resourceType") == "CapabilityStatement" else None
    known = capability_of(statement, dialect) if statement is not None else configured(dialect)
    smart = _smart(asker)
    searches: tuple[Searched, ...] = ()
    if first.reached:
        searches = _searched(asker, known, patient, told)
    return Examination(
        base=asker.base,
        reached=first.reached,
        statement=statement,
        statement_detail="" if statement is not None else _no_statement(first),
        software=_software(statement),
        fhir_version=_text(statement, "fhirVersion"),
        dialect=None if known.dialect is None else known.dialect.name,
        smart=smart,
        security=seen_security(asker.base, context),
        cors=_header(first, "access-control-allow-origin"),
        strict=_strict(asker, patient) if first.reached else None,
        searches=searches,
        scopes=smallest(searches, smart),
        requests=len(asker.journal.entries),
        waits=asker.waits,
        fault="" if first.reached else first.fault,
    )


def _searched(asker: Asker, known: Capability, patient: str, told: Told | None) -> tuple[Searched, ...]:
    with ThreadPoolExecutor(asker.parallel, thread_name_prefix="vestige-doctor") as pool:
        waiting = [pool.submit(_query, asker, query, known, patient) for query in QUERIES]
        found = []
        try:
            for place, (query, future) in enumerate(zip(QUERIES, waiting, strict=True), start=1):
                found.append(future.result())
                if told is not None:
                    told(place, len(QUERIES), query.resource)
        except BaseException:
            asker.stop.set()
            for future in waiting:
                future.cancel()
            raise
    return tuple(found)


def _query(asker: Asker, query: Query, known: Capability, patient: str) -> Searched:
    if query.is_read:
        attempts = [_read(asker, query, patient)]
    else:
        planned = plan(query, known)
        if not planned.ways:
            return _settled(asker, query, known, [], Verdict.LACKING, planned.refusal)
        attempts = []
        for way in planned.ways:
            attempts.append(_search(asker, query, way, known, patient))
            if attempts[-1].verdict not in (Verdict.REFUSED, Verdict.IGNORED):
                break
    last = attempts[-1]
    leak = _leaks(asker, query, patient) if last.verdict is Verdict.REFUSED else None
    return _settled(asker, query, known, attempts, last.verdict, last.detail, leak)


def _settled(
    asker: Asker,
    query: Query,
    known: Capability,
    attempts: list[Attempt],
    verdict: Verdict,
    detail: str,
    leak: bool | None = None,
) -> Searched:
    readable = _readable(asker, query.resource, known) if query.resource in BY_REFERENCE else None
    return Searched(
        key=query.key,
        resource=query.resource,
        decisive=query.decisive,
        verdict=verdict,
        attempts=tuple(attempts),
        detail=detail,
        lenient_leak=leak,
        readable=readable,
    )


def _read(asker: Asker, query: Query, patient: str) -> Attempt:
    reply = asker.get(path(query.template, patient), about=query.key)
    found = reply.resource if reply.status == 200 else None
    if found is not None and found.get("id") != patient:
        verdict, detail = Verdict.IGNORED, "another resource came than the one asked for"
    elif found is not None:
        verdict, detail = Verdict.SUPPORTED, "read"
    elif reply.status in (404, 410):
        verdict, detail = Verdict.SUPPORTED, "there is none, as it should be"
    else:
        verdict, detail = _failure(reply)
    return _attempt(query.template, verdict, reply, detail, entries=int(found is not None))


def _search(asker: Asker, query: Query, way: str, known: Capability, patient: str) -> Attempt:
    count = known.count(query.resource)
    reply = asker.get(path(way if count is None else f"{way}&_count={count}", patient), about=query.key)
    found = reply.resource
    if reply.status != 200 or found is None or found["resourceType"] != "Bundle":
        verdict, detail = _failure(reply)
        return _attempt(way, verdict, reply, detail)
    taken = page(found)
    strangers = _strangers(taken.matches, asker.base, patient)
    remark = worst(taken.remarks)
    if strangers:
        verdict, detail = (
            Verdict.IGNORED,
            f"{strangers} of {len(taken.matches)} results are of other patients",
        )
    elif taken.self_url and ignores_patient(taken.self_url, query, patient):
        verdict, detail = Verdict.IGNORED, "its self link shows that the patient was left out of the search"
    elif taken.self_url and narrows(taken.self_url, query, (way,), patient):
        verdict, detail = Verdict.FAILED, "its self link shows a search for less than was asked"
    elif remark is not None and remark.fatal:
        verdict, detail = Verdict.FAILED, f"the Bundle holds an error ({remark.code})"
    elif (trouble := unreliable(taken)) is not None:
        verdict, detail = Verdict.FAILED, trouble
    elif not taken.matches and query.resource not in known.searches and known.listed is not None:
        verdict, detail = Verdict.REFUSED, "it found nothing, and the server lists no such search"
    else:
        verdict, detail = Verdict.SUPPORTED, f"{len(taken.matches)} results on the first page"
    form = None if taken.next_url is None else next_form(taken.next_url, asker.base, query.resource)
    return _attempt(way, verdict, reply, detail, len(taken.matches), strangers, form)


def _attempt(
    way: str,
    verdict: Verdict,
    reply: Reply,
    detail: str,
    entries: int = 0,
    strangers: int = 0,
    form: str | None = None,
) -> Attempt:
    return Attempt(
        template=way,
        verdict=verdict,
        status=reply.status,
        milliseconds=round(reply.milliseconds, 1),
        detail=detail,
        entries=entries,
        strangers=strangers,
        next_form=form,
    )


def _failure(reply: Reply) -> tuple[Verdict, str]:
    """Returns the verdict on an answer that is no Bundle, and the reason in words."""
    status = reply.status
    if status == 0:
        return Verdict.FAILED, reply.fault
    if status in (401, 403):
        return Verdict.FORBIDDEN, f"HTTP {status}: no right to it"
    if status == 429:
        return Verdict.THROTTLED, "HTTP 429, also after waiting"
    if 400 <= status < 500 or status == 501:
        return Verdict.REFUSED, _said(reply)
    return Verdict.FAILED, _said(reply)


def _said(reply: Reply) -> str:
    """Returns status and the issue types of an answer; its own words may hold anything and are left out."""
    if reply.status == 0:
        return reply.fault
    codes = _issues(reply)
    what = ", but no FHIR resource" if reply.status == 200 and reply.resource is None else ""
    return f"HTTP {reply.status}{what}" + (f" ({', '.join(codes)})" if codes else "")


def _no_statement(reply: Reply) -> str:
    return _said(reply) + (", but another resource" if reply.resource and reply.status == 200 else "")


def _issues(reply: Reply) -> tuple[str, ...]:
    """Returns the issue types of an OperationOutcome, each once."""
    found = reply.resource
    issues = found.get("issue") if found is not None else None
    codes = [
        one["code"]
        for one in (issues if isinstance(issues, list) else [])
        if isinstance(one, Mapping) and isinstance(one.get("code"), str) and _CODE.fullmatch(one["code"])
    ]
    return tuple(dict.fromkeys(codes))


def _strangers(matches: tuple[Mapping[str, Any], ...], base: str, patient: str) -> int:
    identity = Identity(patient, base)
    return sum(identity.owner(one) is Owner.OTHER for one in matches)


def _leaks(asker: Asker, query: Query, patient: str) -> bool:
    """Says whether the same search without strict handling gives data of others."""
    reply = asker.send("GET", path(query.template, patient), about=f"{query.key}, lenient", strict=False)
    found = reply.resource
    if reply.status != 200 or found is None or found["resourceType"] != "Bundle":
        return False
    taken = page(found)
    ignored = bool(taken.self_url) and ignores_patient(taken.self_url or "", query, patient)
    return ignored or _strangers(taken.matches, asker.base, patient) > 0


def _readable(asker: Asker, kind: str, known: Capability) -> bool:
    """Says whether a resource of this type can be read by its id, where others refer to it.

    A statement may leave out what the server has: then its own "not found" tells the type from an id.
    """
    if known.lacks(kind):
        return False
    reply = asker.get(f"{kind}/{HARMLESS}", about=f"read of {kind}")
    if reply.status not in (200, 404, 410):
        return False
    return known.listed is None or kind in known.listed or "not-found" in _issues(reply)


def _strict(asker: Asker, patient: str) -> bool | None:
    """Says whether the server refuses a parameter that it does not know when it is told to be strict."""
    reply = asker.get(f"Condition?patient={patient}&vestige-unknown=1", about="strict handling")
    return None if reply.status in (0, 401, 403, 404, 429) or reply.status >= 500 else reply.status >= 400


def _smart(asker: Asker) -> Smart:
    reply = asker.get(".well-known/smart-configuration", about="SMART configuration")
    found = reply.json if reply.status == 200 else {}
    able = _texts(found.get("capabilities"))
    methods = _texts(found.get("token_endpoint_auth_methods_supported"))
    endpoint = found.get("token_endpoint")
    return Smart(
        present=bool(found),
        token_endpoint=endpoint if isinstance(endpoint, str) else None,
        backend_services="private_key_jwt" in methods or "client-confidential-asymmetric" in able,
        algorithms=_texts(found.get("token_endpoint_auth_signing_alg_values_supported")),
        scopes_v2="permission-v2" in able,
        scopes_v1="permission-v1" in able,
    )


def _texts(value: Any) -> tuple[str, ...]:
    return tuple(one for one in value if isinstance(one, str)) if isinstance(value, list) else ()


def _software(statement: Mapping[str, Any] | None) -> str | None:
    software = (statement or {}).get("software")
    if not isinstance(software, Mapping):
        return None
    parts = [software.get(name) for name in ("name", "version")]
    return " ".join(one for one in parts if isinstance(one, str)) or None


def _text(statement: Mapping[str, Any] | None, name: str) -> str | None:
    value = (statement or {}).get(name)
    return value if isinstance(value, str) else None


def _header(reply: Reply, name: str) -> str | None:
    return next((value for key, value in reply.headers.items() if key.lower() == name), None)
