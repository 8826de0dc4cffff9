"""Checks of FHIR access: a FHIR server of the checker's own, and what the service asks of it."""

from __future__ import annotations

import json
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from typing import Any
from uuid import uuid4

from cds_hooks.conformance.calls import access, on_this_machine
from cds_hooks.conformance.checks import Problem, Skip, check
from cds_hooks.conformance.exchange import Answer
from cds_hooks.conformance.items import without_ids
from cds_hooks.conformance.listener import Asked, Respond, constant, listening
from cds_hooks.conformance.patients import SyntheticPatient
from cds_hooks.conformance.services import Call
from cds_hooks.conformance.subject import Subject
from cds_hooks.page.records import SEARCHES

PATH = "/fhir"
_FAULT = {"resourceType": "OperationOutcome", "issue": [{"severity": "error", "code": "exception"}]}


@check("fhir.alone", 78)
def alone(subject: Subject) -> Iterator[Problem]:
    """A call without prefetch is answered from the FHIR server."""
    for call in _calls(subject):
        answer, _ = _asked(subject, call, prefetch=None)
        if answer.status != 200:
            yield Problem(f"{call.service.id}: without prefetch, with a FHIR server: {answer.said}", answer)


@check("fhir.same", 94, strength="silent")
def same(subject: Subject) -> Iterator[Problem]:
    """Prefetch and FHIR server give the same cards for the same data."""
    call = _calls(subject)[0]
    answer, asked = _asked(subject, call, prefetch=None)
    if answer.status != 200 or not asked:
        raise Skip(f"the FHIR server alone did not do: {answer.said}")
    if without_ids(answer.object.get("cards")) != without_ids(call.cards):
        yield Problem(f"{call.service.id}: other cards than with prefetch", answer)


@check("fhir.bearer", 98)
def bearer(subject: Subject) -> Iterator[Problem]:
    """Every request for patient data carries the access token of the call."""
    call = _calls(subject)[0]
    token = _token()
    answer, asked = _asked(subject, call, prefetch=None, token=token)
    if not asked:
        raise Skip("the service asked for nothing")
    for one in asked:
        if one.authorization != f"Bearer {token}":
            yield Problem(f"{one.method} {_kind(one)}: without the token of the call", answer)


@check("fhir.only-missing", 79)
def only_missing(subject: Subject) -> Iterator[Problem]:
    """What was prefetched is not asked for again."""
    call = _calls(subject)[0]
    kinds = {key: _type(template) for key, template in _templates(subject, call).items()}
    given = call.body["prefetch"]
    if len(given) < 2:
        raise Skip("the service has one template only")
    left_out = list(given)[-1]
    kept = {key: held for key, held in given.items() if key != left_out}
    answer, asked = _asked(subject, call, prefetch=kept)
    needless = {_kind(one) for one in asked} & ({kinds[key] for key in kept} - {kinds[left_out]})
    if needless:
        yield Problem(f"asked again for {', '.join(sorted(needless))}, which was prefetched", answer)


@check("fhir.failing", 81)
def failing(subject: Subject) -> Iterator[Problem]:
    """A FHIR server that fails gives 412 or a card, neither a fault nor an empty list of cards."""
    call = _calls(subject)[0]
    for status in (500, 401, 404):
        respond = constant(json.dumps(_FAULT).encode(), status)
        answer, asked = _asked(subject, call, prefetch=None, respond=respond)
        if not asked:
            raise Skip("the service asked for nothing")
        what = f"the FHIR server answered with {status}"
        if answer.status == 200 and answer.object.get("cards") == [] and call.cards:
            yield Problem(f"{what}: an empty list of cards; with prefetch it had some", answer)
        elif answer.status not in (200, 412):
            yield Problem(f"{what}: {answer.said}", answer, mild=answer.refused or answer.status == 503)


@check("fhir.token-type", 99)
def token_type(subject: Subject) -> Iterator[Problem]:
    """A token of a type other than Bearer is not used as one."""
    call = _calls(subject)[0]
    answer, asked = _asked(subject, call, prefetch=None, token_type="mac")  # noqa: S106 - no secret
    if any("Bearer" in one.authorization for one in asked):
        yield Problem("a token of type mac was sent as a bearer token", answer)


@check("fhir.expired", 100, 101, strength="silent")
def expired(subject: Subject) -> Iterator[Problem]:
    """A token without lifetime is not used."""
    call = _calls(subject)[0]
    answer, asked = _asked(subject, call, prefetch=None, expires_in=0)
    if any("Bearer" in one.authorization for one in asked):
        yield Problem("a token with expires_in 0 was sent", answer)


def _calls(subject: Subject) -> list[Call]:
    if subject.options.fhir_port is None:
        raise Skip("give --fhir-port, and let the service ask http://127.0.0.1:PORT/fhir")
    on_this_machine(subject)
    found = [call for call in subject.probes if "prefetch" in call.body]
    if not found:
        raise Skip("no service asks for prefetch")
    return sorted(found, key=lambda call: not call.cards)


def _templates(subject: Subject, call: Call) -> Mapping[str, str]:
    return call.service.templates or subject.options.prefetch


def _asked(
    subject: Subject,
    call: Call,
    *,
    prefetch: Mapping[str, Any] | None,
    respond: Respond | None = None,
    token: str | None = None,
    **authorization: Any,
) -> tuple[Answer, list[Asked]]:
    """The answer to a call with access to the FHIR server, and what was asked there for patient data."""
    body = {name: held for name, held in call.body.items() if name != "prefetch"}
    if prefetch is not None:
        body["prefetch"] = prefetch
    with _serving(subject, call.patient, respond) as (base, asked):
        given = access(base, token or _token())
        given["fhirAuthorization"].update(patient=call.patient.id, **authorization)
        answer = subject.post(call.service, {**body, **given})
        return answer, [one for one in asked if _kind(one) not in ("metadata", ".well-known")]


@contextmanager
def _serving(
    subject: Subject, patient: SyntheticPatient, respond: Respond | None
) -> Iterator[tuple[str, list[Asked]]]:
    port = subject.options.fhir_port or 0
    base = f"http://127.0.0.1:{port}{PATH}"
    try:
        with listening(respond or _records(patient, base), port) as listener:
            yield base, listener.asked
    except OSError as error:
        raise Skip(f"port {port} cannot be listened on: {error.strerror}") from None


def _records(patient: SyntheticPatient, base: str) -> Respond:
    """A FHIR server with the records of one patient: metadata, read, and search by GET and POST."""

    def respond(asked: Asked) -> tuple[int, bytes]:
        path = asked.path.removeprefix(f"{PATH}/")
        if path.partition("?")[0] == "metadata":
            return 200, json.dumps(_statement(patient)).encode()
        if path.endswith("/_search"):
            path = f"{path.removesuffix('/_search')}?{asked.body.decode('utf-8', 'replace')}"
        found = patient.fill(path, {}, base)
        return (404, json.dumps(_FAULT).encode()) if found is None else (200, json.dumps(found).encode())

    return respond


def _statement(patient: SyntheticPatient) -> dict[str, Any]:
    params = [{"name": name, "type": "token"} for name in SEARCHES]
    resources = [
        {"type": kind, "interaction": [{"code": "read"}, {"code": "search-type"}], "searchParam": params}
        for kind in patient.records.types
    ]
    return {
        "resourceType": "CapabilityStatement",
        "status": "active",
        "date": "2026-01-01",
        "kind": "instance",
        "fhirVersion": "4.0.1",
        "format": ["json"],
        "rest": [{"mode": "server", "resource": resources}],
    }


def _kind(asked: Asked) -> str:
    """The resource type that a request asks for."""
    return _type(asked.path.removeprefix(f"{PATH}/"))


def _type(path: str) -> str:
    return path.partition("?")[0].partition("/")[0]


def _token() -> str:
    return f"conformance-{uuid4()}"
