"""Checks of prefetch in every state: filled, null, empty, missing, failed, damaged, another patient's."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping
from typing import Any

from cds_hooks.conformance.calls import named, on_this_machine, still_answered
from cds_hooks.conformance.checks import Problem, Skip, check
from cds_hooks.conformance.exchange import Answer
from cds_hooks.conformance.items import without_ids
from cds_hooks.conformance.listener import listening
from cds_hooks.conformance.patients import searchset
from cds_hooks.conformance.services import Call
from cds_hooks.conformance.subject import Subject

_FAILED = {
    "resourceType": "OperationOutcome",
    "issue": [{"severity": "error", "code": "transient", "diagnostics": "conformance check: not read"}],
}


@check("calls.null", 83)
def null(subject: Subject) -> Iterator[Problem]:
    """Prefetch keys that are null mean no data, and are answered."""
    for call in _with_prefetch(subject):
        yield from still_answered(subject, call, prefetch=dict.fromkeys(call.body["prefetch"]))


@check("calls.empty-bundle", 83)
def empty_bundle(subject: Subject) -> Iterator[Problem]:
    """Searches that found nothing mean no data, and are answered."""
    for call in _with_prefetch(subject):
        emptied = {
            name: searchset([], held["link"][0]["url"]) if _is_bundle(held) else None
            for name, held in call.body["prefetch"].items()
        }
        yield from still_answered(subject, call, prefetch=emptied)


@check("calls.extra-key", 89)
def extra_key(subject: Subject) -> Iterator[Problem]:
    """A prefetch key that was not asked for is ignored."""
    call = subject.probe
    more = {**call.body.get("prefetch", {}), "conformanceExtra": {"resourceType": "Basic", "id": "x"}}
    yield from still_answered(subject, call, prefetch=more)


@check("calls.outcome-entry", 85)
def outcome_entry(subject: Subject) -> Iterator[Problem]:
    """An OperationOutcome among the results of a search is no result."""
    note = {"resourceType": "OperationOutcome", "issue": [{"severity": "warning", "code": "processing"}]}
    entry = {"resource": note, "search": {"mode": "outcome"}}

    def noted(held: Any) -> Any:
        return {**held, "entry": [*held.get("entry", []), entry]} if _is_bundle(held) else held

    call = _with_prefetch(subject)[0]
    yield from still_answered(subject, call, prefetch=_each(call, noted))


@check("calls.collection", 91)
def collection(subject: Subject) -> Iterator[Problem]:
    """A Bundle of type collection in place of a searchset is understood."""

    def collected(held: Any) -> Any:
        if not _is_bundle(held):
            return held
        entries = [{"resource": one["resource"]} for one in held.get("entry", [])]
        return {"resourceType": "Bundle", "type": "collection", **({"entry": entries} if entries else {})}

    call = _with_prefetch(subject)[0]
    yield from still_answered(subject, call, prefetch=_each(call, collected))


@check("calls.missing", 80)
def missing(subject: Subject) -> Iterator[Problem]:
    """Without prefetch and FHIR server the answer is 412 or a card, never an empty list of cards."""
    for call in _with_prefetch(subject):
        yield from _never_silent(subject, call, None, "without prefetch")


@check("calls.outcome", 70, 84)
def outcome(subject: Subject) -> Iterator[Problem]:
    """Prefetch that failed (an OperationOutcome) gives an error or a card, never an empty list of cards."""
    for call in _with_prefetch(subject):
        yield from _never_silent(subject, call, _each(call, lambda _: _FAILED), "with failed prefetch")


@check("calls.damaged", 70)
def damaged(subject: Subject) -> Iterator[Problem]:
    """Prefetch that is no FHIR at all gives an error or a card, never an empty list of cards."""
    for call in _with_prefetch(subject):
        yield from _never_silent(subject, call, _each(call, lambda _: "damaged"), "with damaged prefetch")


@check("calls.other-patient", 95)
def other_patient(subject: Subject) -> Iterator[Problem]:
    """Data of another patient are not used for the patient of the call."""
    call = next((one for one in _with_prefetch(subject) if one.cards), None)
    if call is None:
        raise Skip("no card was shown for any of the patients")
    nothing = subject.post(call.service, {**call.body, "prefetch": dict.fromkeys(call.body["prefetch"])})
    said = without_ids(call.cards)
    if without_ids(nothing.object.get("cards")) == said:
        raise Skip("the cards do not depend on prefetch")
    context = {**call.body["context"], "patientId": "conformance-other-patient"}
    answer = subject.post(call.service, {**call.body, "context": context})
    if answer.status == 200 and without_ids(answer.object.get("cards")) == said:
        yield Problem(
            "the call was for another patient than its prefetch, and the cards are the same", answer
        )
    elif answer.status == 0 or answer.status >= 500:
        yield Problem(f"prefetch of another patient: {answer.said}", answer)


@check("calls.foreign-page", 88)
def foreign_page(subject: Subject) -> Iterator[Problem]:
    """The next page of a prefetched Bundle is not fetched from another host."""
    on_this_machine(subject)
    call = _with_prefetch(subject)[0]
    with listening() as ehr:
        link = {"relation": "next", "url": f"{ehr.address}/fhir?page=2"}

        def paged(held: Any) -> Any:
            return {**held, "link": [*held.get("link", []), link]} if _is_bundle(held) else held

        answer = subject.post(call.service, {**call.body, "prefetch": _each(call, paged)})
        if ehr.asked:
            yield Problem("the service fetched the page", answer)
    if answer.status == 0 or answer.status >= 500:
        yield Problem(f"a Bundle with a next page: {answer.said}", answer)


def _is_bundle(held: Any) -> bool:
    return isinstance(held, dict) and held.get("resourceType") == "Bundle"


def _each(call: Call, change: Callable[[Any], Any]) -> dict[str, Any]:
    return {name: change(held) for name, held in call.body["prefetch"].items()}


def _with_prefetch(subject: Subject) -> list[Call]:
    found = [call for call in subject.probes if "prefetch" in call.body]
    if not found:
        raise Skip("no service asks for prefetch")
    return found


def _never_silent(
    subject: Subject, call: Call, prefetch: Mapping[str, Any] | None, how: str
) -> Iterator[Problem]:
    body = {name: held for name, held in call.body.items() if name != "prefetch"}
    answer = subject.post(call.service, body if prefetch is None else {**body, "prefetch": prefetch})
    if _silent(answer) and call.cards:
        text = f"{named(call)}: {how} the answer is an empty list of cards; with prefetch it had some"
        yield Problem(text, answer)
    elif answer.status == 0 or (answer.status >= 500 and answer.status != 503):
        yield Problem(f"{named(call)}: {how}: {answer.said}", answer, mild=answer.status != 0)


def _silent(answer: Answer) -> bool:
    return answer.status == 200 and answer.object.get("cards") == []
