"""The decision table of a prefetch key: "no data", "not fetched" and "failed" are never mixed up."""

from __future__ import annotations

from typing import Any

import pytest

from plugin.chart import GapReason
from plugin.pull.chart_of import owned
from plugin.pull.owner import Identity
from plugin.pull.prefetch import Answer, State, judge
from plugin.pull.queries import BY_KEY
from tests.plugin.fhir import OTHER, PATIENT, lesion, observation, outcome, patient, searchset, study

ABSENT = object()
NO_RESULTS = {
    "resourceType": "OperationOutcome",
    "issue": [
        {"severity": "warning", "code": "informational", "details": {"coding": [{"code": "4101"}]}},
        {"severity": "warning", "code": "processing", "details": {"coding": [{"code": "4119"}]}},
    ],
}


def outcome_entry(resource: dict[str, Any]) -> dict[str, Any]:
    return {"resource": resource, "search": {"mode": "outcome"}}


def linked(relation: str, url: Any, *resources: Any) -> dict[str, Any]:
    return searchset(*resources, link=[{"relation": relation, "url": url}])


def judged(value: Any, key: str = "imaging") -> Answer:
    prefetch = {} if value is ABSENT else {key: value}
    return owned(judge(BY_KEY[key], prefetch, PATIENT), Identity(PATIENT))


FHIR = "https://ehr.example/fhir"
ROWS: dict[str, tuple[Any, State, GapReason | None]] = {
    "key absent": (ABSENT, State.MISSING, None),
    "null": (None, State.NONE, None),
    "total 0": ({"resourceType": "Bundle", "type": "searchset", "total": 0}, State.NONE, None),
    "no entry": (searchset(), State.NONE, None),
    "self link with our patient": (linked("self", f"{FHIR}/Observation?patient={PATIENT}"), State.NONE, None),
    "self link with Patient/id": (
        linked("self", f"{FHIR}/Observation?subject=Patient/{PATIENT}"),
        State.NONE,
        None,
    ),
    "self link with a paging token": (linked("self", f"{FHIR}?_getpages=1"), State.NONE, None),
    "self link bare": (linked("self", f"{FHIR}/Observation"), State.NONE, None),
    "self link of another patient": (
        linked("self", f"{FHIR}/Observation?patient={OTHER}"),
        State.FAILED,
        GapReason.UNREADABLE,
    ),
    "self link without patient": (
        linked("self", f"{FHIR}/Observation?category=imaging"),
        State.FAILED,
        GapReason.UNREADABLE,
    ),
    "self link with the token": (
        linked("self", f"{FHIR}/Observation?patient={{{{context.patientId}}}}"),
        State.FAILED,
        GapReason.UNREADABLE,
    ),
    "self link with the token encoded": (
        linked("self", f"{FHIR}/Observation?patient=%7B%7Bcontext.patientId%7D%7D"),
        State.FAILED,
        GapReason.UNREADABLE,
    ),
    "self link by POST of another patient": (
        linked("self", f"{FHIR}/Observation/_search?patient={OTHER}"),
        State.FAILED,
        GapReason.UNREADABLE,
    ),
    "self link elsewhere with the token": (
        linked("self", f"{FHIR}?patient=%7B%7Bcontext.patientId%7D%7D"),
        State.FAILED,
        GapReason.UNREADABLE,
    ),
    "only no results": ({"resourceType": "Bundle", "entry": [outcome_entry(NO_RESULTS)]}, State.NONE, None),
    "only a denial": (
        {"resourceType": "Bundle", "entry": [outcome_entry(outcome("error", "forbidden"))]},
        State.FAILED,
        GapReason.FORBIDDEN,
    ),
    "only a fatal error": (
        {"resourceType": "Bundle", "entry": [outcome_entry(outcome("fatal", "made-up"))]},
        State.FAILED,
        GapReason.SERVER_ERROR,
    ),
    "no results of a withheld sub-type": (
        {
            "resourceType": "Bundle",
            "entry": [outcome_entry(outcome("warning", "suppressed")), outcome_entry(NO_RESULTS)],
        },
        State.FAILED,
        GapReason.FORBIDDEN,
    ),
    "some, others withheld": (
        searchset(observation(), outcome("warning", "suppressed")),
        State.INCOMPLETE,
        GapReason.FORBIDDEN,
    ),
    "some, and no results": (searchset(observation(), NO_RESULTS), State.PRESENT, None),
    "an OperationOutcome": (outcome("error", "exception"), State.FAILED, GapReason.SERVER_ERROR),
    "an OperationOutcome of denial": (outcome("error", "login"), State.FAILED, GapReason.NOT_AUTHORISED),
    "an OperationOutcome in passing": (NO_RESULTS, State.FAILED, GapReason.NOT_FETCHED),
    "resources": (searchset(observation()), State.PRESENT, None),
    "a collection": ({**searchset(observation()), "type": "collection"}, State.PRESENT, None),
    "one resource for a search": (observation(), State.PRESENT, None),
    "next page": (linked("next", f"{FHIR}?_getpages=1", observation()), State.INCOMPLETE, None),
    "next page unreadable": (linked("next", None, observation()), State.INCOMPLETE, None),
    "total too large": (searchset(observation(), total=2), State.INCOMPLETE, GapReason.TRUNCATED),
    "total as text": (searchset(observation(), total="1"), State.PRESENT, None),
    "total as text, too large": (
        searchset(observation(), total="2"),
        State.INCOMPLETE,
        GapReason.TRUNCATED,
    ),
    "total 5.0 and nothing": (searchset(total=5.0), State.INCOMPLETE, GapReason.TRUNCATED),
    "total no number": (searchset(observation(), total="many"), State.INCOMPLETE, GapReason.UNREADABLE),
    "total below 0": (searchset(total=-1), State.FAILED, GapReason.UNREADABLE),
    "next page in no list": (
        searchset(observation(), link={"relation": "next", "url": f"{FHIR}?_getpages=1"}),
        State.INCOMPLETE,
        None,
    ),
    "links no objects": (searchset(observation(), link=["next"]), State.INCOMPLETE, None),
    "a link of no known kind": (
        searchset(observation(), link=[{"relation": ["next"], "url": FHIR}]),
        State.INCOMPLETE,
        None,
    ),
    "an outcome without an issue": (
        searchset(observation(), {"resourceType": "OperationOutcome"}),
        State.INCOMPLETE,
        GapReason.SERVER_ERROR,
    ),
    "an issue in no list": (
        searchset({"resourceType": "OperationOutcome", "issue": {"severity": "error", "code": "login"}}),
        State.FAILED,
        GapReason.NOT_AUTHORISED,
    ),
    "an issue of no severity": (
        searchset({"resourceType": "OperationOutcome", "issue": [{"code": "informational"}]}),
        State.FAILED,
        GapReason.SERVER_ERROR,
    ),
    "a Bundle of another type": (
        {"resourceType": "Bundle", "type": "batch-response"},
        State.FAILED,
        GapReason.UNREADABLE,
    ),
    "a Bundle of another type with results": (
        {**searchset(observation()), "type": "history"},
        State.INCOMPLETE,
        GapReason.UNREADABLE,
    ),
    "a Bundle of no known type": ({**searchset(), "type": 7}, State.FAILED, GapReason.UNREADABLE),
    "subset": (
        searchset(observation(meta={"tag": [{"code": "SUBSETTED"}]})),
        State.INCOMPLETE,
        GapReason.TRUNCATED,
    ),
    "wrong type": (study(), State.FAILED, GapReason.UNREADABLE),
    "wrong type in the Bundle": (searchset(study()), State.FAILED, GapReason.UNREADABLE),
    "another patient's": (searchset(observation(of=OTHER)), State.FAILED, GapReason.WRONG_PATIENT),
    "one of another patient's": (
        searchset(observation(), observation("x", OTHER)),
        State.PRESENT,
        GapReason.WRONG_PATIENT,
    ),
    "one of nobody's": (
        searchset(observation(), observation("x", subject=None)),
        State.PRESENT,
        GapReason.UNREADABLE,
    ),
    "one of a patient who cannot be told": (
        searchset(observation(), observation("x", subject={"reference": "urn:uuid:unresolved"})),
        State.PRESENT,
        GapReason.UNREADABLE,
    ),
    "one broken entry": (searchset(observation(), "broken"), State.INCOMPLETE, GapReason.UNREADABLE),
    "all entries broken": (searchset("broken", {"id": "no type"}), State.FAILED, GapReason.UNREADABLE),
    "entry no list": ({"resourceType": "Bundle", "entry": "x"}, State.FAILED, GapReason.UNREADABLE),
    "a text": ("none", State.FAILED, GapReason.UNREADABLE),
    "a list": ([observation()], State.FAILED, GapReason.UNREADABLE),
    "an empty object": ({}, State.FAILED, GapReason.UNREADABLE),
}


@pytest.mark.parametrize("row", ROWS)
def test_the_decision_table(row: str) -> None:
    value, state, reason = ROWS[row]
    answer = judged(value)
    assert answer.state is state
    assert {gap.reason for gap in answer.gaps} == ({reason} if reason else set())
    assert answer.usable is (state in (State.PRESENT, State.NONE, State.INCOMPLETE))
    assert all(one["subject"]["reference"] == f"Patient/{PATIENT}" for one in answer.resources)
    assert "secret" not in repr(answer.gaps)


def test_everything_that_failed_decides() -> None:
    for value, state, _ in ROWS.values():
        if state is State.FAILED:
            assert all(gap.decisive for gap in judged(value).gaps)


@pytest.mark.parametrize("reference", ["urn:uuid:unresolved", f"patient/{PATIENT}", PATIENT])
def test_what_may_be_ours_decides(reference: str) -> None:
    answer = judged(searchset(observation(), observation("x", subject={"reference": reference})))
    assert [(gap.reason, gap.decisive) for gap in answer.gaps] == [(GapReason.UNREADABLE, True)]


def test_a_query_that_decides_nothing_leaves_gaps_that_decide_nothing() -> None:
    assert not any(gap.decisive for gap in judged(outcome("error", "exception"), "markers").gaps)


def test_a_withheld_sub_type_says_nothing_of_a_search_across_all() -> None:
    answer = judged(searchset(observation(), outcome("warning", "suppressed")), "findings")
    assert answer.state is State.PRESENT
    assert [gap.decisive for gap in answer.gaps] == [False]


@pytest.mark.parametrize("value", [patient(), searchset(patient())])
def test_the_patient_may_come_alone_or_in_a_bundle(value: Any) -> None:
    assert judged(value, "patient").resources == (patient(),)


def test_the_patient_of_another_id_is_not_used() -> None:
    answer = judged(patient(OTHER), "patient")
    assert answer.resources == ()
    assert [gap.reason for gap in answer.gaps] == [GapReason.WRONG_PATIENT]


def test_references_by_uuid_are_resolved_inside_the_bundle() -> None:
    bundle = {
        "resourceType": "Bundle",
        "type": "collection",
        "entry": [
            {"fullUrl": "urn:uuid:9f0c", "resource": patient()},
            {
                "fullUrl": "urn:uuid:77aa",
                "resource": {**observation(), "id": None, "subject": {"reference": "urn:uuid:9f0c"}},
            },
            {"resource": {**lesion(), "patient": {"reference": "urn:uuid:unknown"}}},
        ],
    }
    answer = judged(bundle)
    assert [one["id"] for one in answer.resources] == ["77aa"]
    assert answer.resources[0]["subject"] == {"reference": f"Patient/{PATIENT}"}
