"""Checks of errors: bad calls are refused, in JSON, and without a word of what was sent."""

from __future__ import annotations

import json
from collections.abc import Iterator
from typing import Any

from cds_hooks.conformance.calls import access
from cds_hooks.conformance.checks import Problem, Skip, check
from cds_hooks.conformance.exchange import Answer, NotJson
from cds_hooks.conformance.library import hooks
from cds_hooks.conformance.services import Call
from cds_hooks.conformance.subject import Subject

MARK = "Conformance-Echo-7141"


@check("errors.broken-json", 58)
def broken_json(subject: Subject) -> Iterator[Problem]:
    """A body that is no JSON object is refused."""
    whole = json.dumps(subject.probe.body).encode()
    for what, body in {
        "broken JSON": b'{"hook": ',
        "half a call": whole[: len(whole) // 2],
        "a list": b"[1]",
        "text": b'"x"',
        "bytes that are no UTF-8": b'{"hook": "\xff\xfe"}',
    }.items():
        yield from _refused(subject, what, body)


@check("errors.strict-json", 10)
def strict_json(subject: Subject) -> Iterator[Problem]:
    """NaN, a member named twice and bottomless nesting are refused with 400."""
    whole = json.dumps(subject.probe.body)
    bottomless = b'{"extension": ' + b"[" * 50_000 + b"]" * 50_000 + b"}"
    for what, body in {
        "NaN": whole.replace("{", '{"x": NaN, ', 1).encode(),
        "a member named twice": whole.replace("{", '{"hook": "x", ', 1).encode(),
        "50,000 levels of nesting": bottomless,
    }.items():
        yield from _refused(subject, what, body)


@check("errors.content-type", 58)
def content_type(subject: Subject) -> Iterator[Problem]:
    """A content type that is no JSON is refused with 415."""
    call = subject.probe
    for media_type in ("text/plain", "application/x-www-form-urlencoded", "application/xml"):
        answer = subject.post(call.service, call.body, headers={"Content-Type": media_type})
        if not answer.refused:
            yield Problem(f"{media_type}: {answer.said}, not 415", answer)


@check("errors.unknown-service", 57)
def unknown_service(subject: Subject) -> Iterator[Problem]:
    """A service that is not there is 404, in JSON and not in HTML."""
    call = subject.probe
    answer = subject.send("POST", "/cds-services/conformance-no-such-service", call.body)
    if answer.status != 404:
        yield Problem(f"a service that is not there: {answer.said}, not 404", answer)
    elif not _is_json(answer):
        yield Problem("404 is not explained in JSON", answer)


@check("errors.method", 59)
def method(subject: Subject) -> Iterator[Problem]:
    """GET on a service is refused with 405."""
    answer = subject.send("GET", subject.probe.service.path)
    if answer.status != 405:
        yield Problem(f"GET on a service: {answer.said}, not 405", answer)


@check("errors.other-hook", 56)
def other_hook(subject: Subject) -> Iterator[Problem]:
    """A call for another hook than the service's is refused."""
    served = {(one.id, one.hook) for one in subject.services}
    call = subject.probe
    for name in ("org.example.conformance-hook", "patient-view", "order-sign"):
        if (call.service.id, name) not in served:
            yield from _refused(subject, f"hook {name}", {**call.body, "hook": name})


@check("errors.no-hook", 52)
def no_hook(subject: Subject) -> Iterator[Problem]:
    """A call without hook, or with one that is no text, is refused."""
    yield from _member(subject, "hook", 7)


@check("errors.no-instance", 53)
def no_instance(subject: Subject) -> Iterator[Problem]:
    """A call without hookInstance is refused."""
    yield from _member(subject, "hookInstance", 7)


@check("errors.no-context", 54)
def no_context(subject: Subject) -> Iterator[Problem]:
    """A call without a context object is refused."""
    yield from _member(subject, "context", "text")


@check("errors.authorization-alone", 55)
def authorization_alone(subject: Subject) -> Iterator[Problem]:
    """fhirAuthorization without fhirServer is refused."""
    given = access("https://fhir.conformance.example", "conformance")
    body = {**subject.probe.body, "fhirAuthorization": given["fhirAuthorization"]}
    yield from _refused(subject, "fhirAuthorization without fhirServer", body)


@check("errors.context-field", 60)
def context_field(subject: Subject) -> Iterator[Problem]:
    """A context without one of the fields that its hook requires is refused."""
    for call in subject.probes:
        hook = hooks().get(call.service.hook)
        for field in hook.fields.values() if hook else ():
            if field.required and field.version in (None, call.service.entry.get("hookVersion")):
                context = {name: held for name, held in call.body["context"].items() if name != field.name}
                text = f"{call.service.id}: no context.{field.name}"
                yield from _refused(subject, text, {**call.body, "context": context}, call)


@check("errors.context-id", 61)
def context_id(subject: Subject) -> Iterator[Problem]:
    """A patientId that is no plain id, or a userId without its type, is refused."""
    for name, held in {"patientId": "Patient/../x", "userId": "nobody"}.items():
        call = next((one for one in subject.probes if name in one.body["context"]), None)
        if call is None:
            continue
        context = {**call.body["context"], name: held}
        yield from _refused(subject, f"context.{name} {held}", {**call.body, "context": context}, call)


@check("errors.echo", 56)
def echo(subject: Subject) -> Iterator[Problem]:
    """A refusal repeats nothing of what was sent: it could be patient data, or a script."""
    call = subject.probe
    context = {**call.body["context"], "patientId": f"{MARK}/<script>"}
    body = {**call.body, "context": context, "hook": f"{MARK}<script>"}
    for answer in (
        subject.post(call.service, body),
        subject.post(call.service, {**call.body, "context": context}),
        subject.send("POST", f"/cds-services/{MARK}", call.body),
    ):
        if answer.status >= 400 and MARK.encode() in answer.body:
            yield Problem(f"{answer.said}: the answer repeats what was sent", answer)


@check("errors.crash", 70, strength="silent")
def crash(subject: Subject) -> Iterator[Problem]:
    """Nonsense inside a call is a refusal, not a fault of the service."""
    call = subject.probe
    nonsense: dict[str, dict[str, Any]] = {
        "prefetch is a list": {"prefetch": [1]},
        "context.patientId is a number": {"context": {**call.body["context"], "patientId": 7}},
        "fhirServer is an object": {"fhirServer": {"x": 1}},
        "extension is a list": {"extension": [1]},
    }
    for what, changes in nonsense.items():
        answer = subject.post(call.service, {**call.body, **changes})
        if answer.status == 0 or answer.status >= 500:
            yield Problem(f"{what}: {answer.said}", answer)


def _member(subject: Subject, name: str, wrong: Any) -> Iterator[Problem]:
    body = {member: held for member, held in subject.probe.body.items() if member != name}
    yield from _refused(subject, f"no {name}", body)
    yield from _refused(subject, f"{name} is {type(wrong).__name__}", {**body, name: wrong})


def _refused(subject: Subject, what: str, body: Any, call: Call | None = None) -> Iterator[Problem]:
    service = (call or subject.probe).service
    raw = isinstance(body, bytes)
    answer = subject.post(service, None if raw else body, body=body if raw else None)
    if not answer.refused:
        yield Problem(f"{what}: {answer.said}, not refused", answer)


def _is_json(answer: Answer) -> bool:
    try:
        return isinstance(answer.document, dict)
    except NotJson:
        return False


def refusals(subject: Subject) -> list[Answer]:
    """Returns the answers to three bad calls, to see how they are explained."""
    call = subject.probe
    found = [
        subject.post(call.service, None, body=b"{"),
        subject.send("POST", "/cds-services/conformance-no-such-service", call.body),
    ]
    found += [one.answer for one in subject.calls if one.answer.status == 412][:1]
    if not any(answer.refused for answer in found):
        raise Skip("nothing was refused")
    return found
