"""Checks of hook calls: complete ones, with what else a call may hold, and several at a time."""

from __future__ import annotations

import json
import uuid
from collections.abc import Iterator, Mapping
from concurrent.futures import ThreadPoolExecutor
from statistics import median
from typing import Any

from cds_hooks.conformance.checks import Problem, Skip, check
from cds_hooks.conformance.exchange import NotJson, is_loopback
from cds_hooks.conformance.items import without_ids
from cds_hooks.conformance.listener import listening
from cds_hooks.conformance.services import Call
from cds_hooks.conformance.subject import Subject

MEGABYTES = 2 * 1024 * 1024
_EPIC = {
    "internal.epic.cdshooks.request.bpa-trigger-action": "60",
    "com.epic.cdshooks.request.fhir-version": "R4",
}


@check("calls.answers", 51, 24, 107)
def answers(subject: Subject) -> Iterator[Problem]:
    """Every service answers a complete call with 200 (412 is looked at by calls.prefetch-alone)."""
    for call in subject.calls:
        if call.answer.status not in (200, 412):
            yield Problem(f"{named(call)}: {call.answer.said}", call.answer)


@check("calls.prefetch-alone", 77)
def prefetch_alone(subject: Subject) -> Iterator[Problem]:
    """A call with all the prefetch that was asked for needs no FHIR server."""
    for call in subject.calls:
        if call.answer.status == 412:
            yield Problem(f"{named(call)}: 412 although every template was filled", call.answer)


@check("calls.cards", 107, 108)
def cards(subject: Subject) -> Iterator[Problem]:
    """Every answer is an object with the list cards."""
    for call in subject.answered:
        try:
            document = call.answer.document
        except NotJson:
            continue
        if not isinstance(document, dict) or not isinstance(document.get("cards"), list):
            yield Problem(f"{named(call)}: no object with the list cards", call.answer)
        elif not all(isinstance(card, dict) for card in document["cards"]):
            yield Problem(f"{named(call)}: a card is no object", call.answer)


@check("calls.own-answer", 51, strength="silent")
def own_answer(subject: Subject) -> Iterator[Problem]:
    """Services on one hook give answers of their own: the last one does not answer for all."""
    by_id: dict[tuple[str, str], dict[str, Call]] = {}
    for call in subject.answered:
        by_id.setdefault((call.service.hook, call.service.id), {})[call.patient.id] = call
    pairs = [(a, b) for a in by_id for b in by_id if a < b and a[0] == b[0]]
    if not pairs:
        raise Skip("no two services listen to one hook")
    for one, other in pairs:
        shared = [patient for patient in by_id[one] if patient in by_id[other]]
        said = [[without_ids(by_id[key][patient].cards) for patient in shared] for key in (one, other)]
        if any(said[0]) and said[0] == said[1]:
            text = f"{one[1]} and {other[1]} show the same cards for every patient: one may answer for both"
            yield Problem(text, by_id[one][shared[0]].answer)


@check("calls.unknown-members", 64)
def unknown_members(subject: Subject) -> Iterator[Problem]:
    """Members that the specification does not know are ignored."""
    call = subject.probe
    context = {**call.body["context"], "conformanceField": {"value": 1}}
    yield from still_answered(subject, call, context=context, conformanceMember="x", redirect="y")


@check("calls.extension", 65)
def extension(subject: Subject) -> Iterator[Problem]:
    """An extension object in the call is accepted, whatever it holds."""
    yield from still_answered(subject, subject.probe, extension={**_EPIC, "org.example.x": {"deep": [1]}})


@check("calls.repeated", 66, 69, strength="silent")
def repeated(subject: Subject) -> Iterator[Problem]:
    """The same call twice gives the same cards, uuids apart."""
    call = subject.probe
    again = subject.post(call.service, call.body)
    if again.status != 200:
        yield Problem(f"{named(call)}: the second time {again.said}", again)
    elif without_ids(again.object) != without_ids(call.answer.object):
        yield Problem(f"{named(call)}: the same call gave another answer", again)


@check("calls.utf8", 8)
def utf8(subject: Subject) -> Iterator[Problem]:
    """Text beyond ASCII and a byte order mark are read."""
    call = subject.probe
    text = json.dumps({**call.body, "conformanceMember": "Zoë 肝 🜚"}, ensure_ascii=False)
    for name, body in {"unescaped": text.encode(), "with byte order mark": text.encode("utf-8-sig")}.items():
        answer = subject.post(call.service, None, body=body)
        if answer.status != 200:
            yield Problem(f"UTF-8 {name}: {answer.said}", answer)


@check("calls.charset", 58)
def charset(subject: Subject) -> Iterator[Problem]:
    """A content type with a charset is JSON all the same."""
    call = subject.probe
    headers = {"Content-Type": "application/json;charset=utf-8"}
    answer = subject.post(call.service, call.body, headers=headers)
    if answer.status != 200:
        yield Problem(f"Content-Type: application/json;charset=utf-8: {answer.said}", answer)


@check("calls.large", 9)
def large(subject: Subject) -> Iterator[Problem]:
    """A call of two megabytes is answered."""
    yield from still_answered(subject, subject.probe, conformanceMember="x" * MEGABYTES)


@check("calls.slow", 67)
def slow(subject: Subject) -> Iterator[Problem]:
    """Answers take about half a second; none takes longer than the limit given."""
    times = [(call.answer.seconds, call) for call in subject.calls]
    limit = subject.options.slow
    for seconds, call in times:
        if seconds > limit:
            middle = median(seconds for seconds, _ in times)
            text = f"{named(call)}: {seconds:.1f} s, limit {limit:g} s, median {middle:.2f} s"
            yield Problem(text, call.answer)


@check("calls.at-once", 68)
def at_once(subject: Subject) -> Iterator[Problem]:
    """Calls for several patients at the same time are not mixed up."""
    service = subject.probe.service
    alone = [call for call in subject.answered if call.service == service]
    said = [without_ids(call.cards) for call in alone]
    if len(alone) < 2 or all(one == said[0] for one in said):
        raise Skip("no two patients with different cards")
    with ThreadPoolExecutor(4) as pool:
        again = list(pool.map(lambda call: subject.post(service, call.body), alone * 2))
    for call, expected, answer in zip(alone * 2, said * 2, again, strict=True):
        got = without_ids(answer.object.get("cards"))
        if answer.status != 200:
            yield Problem(f"{named(call)}: at the same time as others {answer.said}", answer)
        elif got != expected and got in said:
            yield Problem(f"{named(call)}: got the cards of another patient", answer)


@check("calls.token-echo", 71)
def token_echo(subject: Subject) -> Iterator[Problem]:
    """The access token of a call does not come back in its answer."""
    call = subject.probe
    secret = f"conformance-{uuid.uuid4()}"
    with listening() as ehr:
        answer = subject.post(call.service, {**call.body, **access(ehr.address, secret)})
    if secret.encode() in answer.body or any(secret in text for text in answer.headers.values()):
        yield Problem("the access token stands in the answer", answer)
    elif answer.error is not None:
        yield Problem(f"a call with fhirServer and fhirAuthorization: {answer.said}", answer)


@check("calls.unlisted-server", 75)
def unlisted_server(subject: Subject) -> Iterator[Problem]:
    """A FHIR server that nobody allowed is not called, whoever names it."""
    on_this_machine(subject)
    call = subject.probe
    with listening() as ehr:
        body = {name: held for name, held in call.body.items() if name != "prefetch"}
        answer = subject.post(call.service, {**body, **access(ehr.address, "conformance")})
        if ehr.asked:
            yield Problem(f"the service asked it {len(ehr.asked)} times", answer)


def named(call: Call) -> str:
    """Returns which call this is, in a few words."""
    return f"{call.service.id}, {call.patient.name}"


def on_this_machine(subject: Subject) -> None:
    """Raises Skip where the service cannot reach an address of this machine."""
    if not is_loopback(subject.options.base):
        raise Skip("the service runs on another machine, which cannot reach the address of this check")


def access(base: str, secret: str) -> Mapping[str, Any]:
    """Returns the members of a call that give access to a FHIR server."""
    authorization = {
        "access_token": secret,
        "token_type": "Bearer",
        "expires_in": 60,
        "scope": "patient/*.rs",
        "subject": "conformance-check",
    }
    return {"fhirServer": base, "fhirAuthorization": authorization}


def still_answered(subject: Subject, call: Call, **changes: Any) -> Iterator[Problem]:
    """Yields a problem unless the call with these changes is answered with 200."""
    answer = subject.post(call.service, {**call.body, **changes})
    if answer.status != 200:
        yield Problem(f"{named(call)}: {answer.said}", answer)
