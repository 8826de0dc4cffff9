"""What a self link shows of a search: strict where it is certain, and silent about what servers rewrite."""

from __future__ import annotations

from urllib.parse import unquote

import pytest

from plugin.capture.pseudonym import Pseudonyms
from plugin.chart import GapReason
from plugin.pull.prefetch import State, judge
from plugin.pull.queries import BY_KEY, LESION_CODES, path
from plugin.pull.self_link import as_wide, ignores_patient, narrows
from tests.plugin.fhir import PATIENT, observation, searchset

BASE = "https://ehr.example/fhir"
IMAGING = f"{BASE}/Observation?patient={PATIENT}&category=imaging"
FINDINGS = f"{BASE}/{path(BY_KEY['findings'].template, PATIENT)}"
FEWER = LESION_CODES.rpartition(",")[0]

# What real servers make of a search: none of it leaves anything out.
AS_WIDE = {
    "as asked": ("findings", FINDINGS),
    "not encoded": ("findings", unquote(FINDINGS)),
    "in another order": ("imaging", f"{BASE}/Observation?category=imaging&patient={PATIENT}"),
    "by subject": ("imaging", f"{BASE}/Observation?subject=Patient/{PATIENT}&category=imaging"),
    "patient absolute": ("imaging", f"{BASE}/Observation?patient={BASE}/Patient/{PATIENT}"),
    "both": ("imaging", f"{IMAGING}&subject:Patient={PATIENT}"),
    "by POST": ("imaging", f"{BASE}/Observation/_search?patient={PATIENT}&category=imaging"),
    "with pages, order and format": (
        "imaging",
        f"{IMAGING}&_count=50&_sort=-date&_format=json&_summary=false&_total=none&_elements=&pageContext=0",
    ),
    "with a system": (
        "imaging",
        f"{BASE}/Observation?patient={PATIENT}&category=http%3A%2F%2Fx.example%7Cimaging",
    ),
    "a list written one by one": (
        "findings",
        f"{BASE}/Observation?patient={PATIENT}&" + "&".join(f"code={one}" for one in LESION_CODES.split(",")),
    ),
    "the category dropped": ("imaging", f"{BASE}/Observation?patient={PATIENT}"),
    "more categories": ("imaging", f"{IMAGING},laboratory"),
    "without what is in error": ("imaging", f"{IMAGING}&status:not=entered-in-error"),
    "a chained patient": ("imaging", f"{IMAGING}&patient.identifier=x%7C1"),
    "no parameters": ("imaging", f"{BASE}/Observation"),
    "a paging token": ("imaging", f"{BASE}?_getpages=1&date=2026"),
    "of another type": ("imaging", f"{BASE}/Condition?patient={PATIENT}&date=2026"),
    "no address": ("imaging", "http://[ehr.example/fhir/Observation?date=2026"),
    "unknown parameters": ("imaging", f"{IMAGING}&x-session=1"),
}
LESS = {
    "until a day": ("imaging", f"{IMAGING}&date=le2026-10-31"),
    "changed since": ("imaging", f"{IMAGING}&_lastUpdated=gt2026-10-31"),
    "studies since": ("studies", f"{BASE}/ImagingStudy?patient={PATIENT}&started=ge2026"),
    "one modality": ("studies", f"{BASE}/ImagingStudy?patient={PATIENT}&modality=CT"),
    "final only": ("imaging", f"{IMAGING}&status=final"),
    "all but": ("imaging", f"{IMAGING}&status:not=preliminary"),
    "of one lesion": ("imaging", f"{IMAGING}&focus=BodyStructure/1"),
    "of one encounter": ("imaging", f"{IMAGING}&encounter=Encounter/1"),
    "of one code": ("imaging", f"{IMAGING}&code=21889-1"),
    "of another code": ("findings", f"{BASE}/Observation?patient={PATIENT}&code=nothing"),
    "of fewer codes": ("findings", f"{BASE}/Observation?patient={PATIENT}&code={FEWER}"),
    "of all codes and one of them": ("findings", f"{FINDINGS}&code=21889-1"),
    "of all codes but": ("findings", f"{FINDINGS}&code:not=21889-1"),
    "of another category": ("imaging", f"{BASE}/Observation?patient={PATIENT}&category=laboratory"),
    "of another patient, too": ("imaging", f"{IMAGING}&subject=Patient/somebody"),
}


@pytest.mark.parametrize("case", AS_WIDE)
def test_what_servers_rewrite_is_no_narrower(case: str) -> None:
    key, link = AS_WIDE[case]
    query = BY_KEY[key]
    assert not narrows(link, query, (query.template,), PATIENT)
    bundle = searchset(observation(), link=[{"relation": "self", "url": link}])
    if key != "studies":
        assert judge(query, {key: bundle}, PATIENT).state is State.PRESENT


@pytest.mark.parametrize("case", LESS)
def test_less_than_was_asked_is_truncated(case: str) -> None:
    key, link = LESS[case]
    query = BY_KEY[key]
    answer = judge(query, {key: searchset(link=[{"relation": "self", "url": link}])}, PATIENT)
    assert answer.state is State.FAILED
    assert [(gap.reason, gap.decisive) for gap in answer.gaps] == [(GapReason.TRUNCATED, True)]


# Another patient is left out of a capture.
@pytest.mark.parametrize("case", [case for case in AS_WIDE | LESS if "another patient" not in case])
def test_a_pseudonymised_link_says_as_much(case: str) -> None:
    key, link = (AS_WIDE | LESS)[case]
    names = Pseudonyms(BASE, PATIENT)
    query, own = BY_KEY[key], names.own(PATIENT)
    moved = names.self_link(link)
    assert ignores_patient(moved, query, own) is ignores_patient(link, query, PATIENT)
    assert narrows(moved, query, as_wide(query), own) is narrows(link, query, as_wide(query), PATIENT)
    assert PATIENT not in moved and "2026" not in moved


def test_a_client_may_ask_in_another_way_that_leaves_out_no_code() -> None:
    findings = BY_KEY["findings"]
    assert as_wide(findings) == (findings.template, findings.alternatives[0])
    assert as_wide(BY_KEY["imaging"]) == (BY_KEY["imaging"].template, *BY_KEY["imaging"].alternatives)


def test_a_part_of_the_record_says_that_it_is_one() -> None:
    bundle = searchset(observation(), link=[{"relation": "self", "url": LESS["until a day"][1]}])
    answer = judge(BY_KEY["imaging"], {"imaging": bundle}, PATIENT)
    assert answer.state is State.INCOMPLETE
    assert answer.resources == (observation(),)
