"""From a FHIR server, a prefetch or files to the status of every lesion: whatever the road, the same answer.

Any history, served over real HTTP in pages of any size; what is lost on the way, or is of another patient, never
makes a lesion gone.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from datetime import timedelta
from typing import Any
from urllib.parse import parse_qsl, urlencode

import pytest
from hypothesis import find, given, settings
from hypothesis import strategies as st

from fhir_profiles.codes import Cea, Operation
from fhir_profiles.read.element import codings
from plugin.chart import Chart
from plugin.decide import decide
from plugin.decision import Decision
from plugin.pull import PREFETCH, HookInput, pull
from plugin.settings import Settings
from rules.evaluate import Evaluator
from rules.language import load_pack
from tests.plugin.drawn import START, course, followed, history, told
from tests.plugin.fhir import settings as settings_for
from tests.plugin.history import TODAY, History
from tests.servers.hostile import Hostile, Reply, Request, bundle, resource, searchset, serving, status

Resources = list[dict[str, Any]]
PATIENT = "history-1"
CASES = settings(max_examples=15, deadline=None)
OFFLINE = settings(max_examples=30, deadline=None)
GONE = {"CONFIRMED_DLM", "MISSING_IOUS", "MISSING_CEIOUS"}
"""What the laws of the status are about; APPARENT_DLM itself says that the evidence is weak."""
CATEGORY = "http://terminology.hl7.org/CodeSystem/observation-category"
REPORTS = "http://terminology.hl7.org/CodeSystem/v2-0074"
TYPES = sorted({template.partition("?")[0].partition("/")[0] for template in PREFETCH.values()})
treated = st.one_of(st.none(), st.integers(0, 40))  # the week in which the first lesion was resected


@pytest.fixture(scope="module")
def rules() -> Iterator[Evaluator]:
    with Evaluator(load_pack(), mode="reference", timeout=60) as evaluator:
        yield evaluator


def resources_of(drawn: Any, week: int | None = None, patient: str = PATIENT, **how: bool) -> Resources:
    """The resources of a drawn history, with the categories by which an EHR finds them."""
    return _completed(told(drawn, patient=patient, **how), week)


def vanishing(drawn: Any, week: int | None = None) -> Resources:
    """The resources of a lesion that is followed, and often gone at the end."""
    return _completed(followed(drawn)[0], week)


def _completed(h: History, week: int | None) -> Resources:
    if week is not None:
        lesion = next(one for one in h.resources if one["resourceType"] == "BodyStructure")
        day = (START + timedelta(weeks=week)).isoformat()
        h.treat(day, lesion, kind=Operation.HEPATECTOMY, id="operation")
    for one in h.resources:
        if one["resourceType"] == "Observation":
            marker = bool(set(codings(one["code"])) & {(code.system, code.code) for code in Cea})
            category = "laboratory" if marker else "imaging"
            one["category"] = [{"coding": [{"system": CATEGORY, "code": category}]}]
        if one["resourceType"] == "DiagnosticReport":
            one["category"] = [{"coding": [{"system": REPORTS, "code": "RAD"}]}]
    return h.resources


resources = st.one_of(st.builds(resources_of, history, treated), st.builds(vanishing, course, treated))


class Record:
    """A FHIR server with these resources: answers searches by code and category, in pages of the drawn sizes."""

    def __init__(
        self,
        resources: Resources,
        sizes: list[int],
        fails: str | None = None,
        others: Resources | None = None,
    ) -> None:
        self.resources, self.sizes, self.fails, self.others = resources, sizes, fails, others or []

    def __call__(self, request: Request, server: Hostile) -> Reply:
        kind, _, own = request.path.removeprefix("/fhir/").partition("/")
        if kind == self.fails:
            return status(500)
        if own:
            found = [one for one in self.resources if one["resourceType"] == kind and one["id"] == own]
            return resource(found[0]) if found else status(404)
        query = {name: value for name, (value, *_) in request.query.items()}
        found = self.matches(kind, query)
        page = int(query.get("page", "0"))
        sizes = self.sizes[: page + 1]
        first, last = sum(sizes[:-1]), sum(sizes) if len(self.sizes) > page else len(found)
        more = urlencode({**query, "page": str(page + 1)})
        next_url = f"{server.base}/{kind}?{more}" if last < len(found) else None
        return bundle(*found[first:last], next_url=next_url)

    def matches(self, kind: str, query: Mapping[str, str]) -> Resources:
        found = [one for one in [*self.others, *self.resources] if one["resourceType"] == kind]
        for name in ("code", "category"):
            if name in query and kind in ("Observation", "DiagnosticReport"):
                wanted = {one.rpartition("|")[2] for one in query[name].split(",")}
                found = [one for one in found if {code for _, code in codings(one[name])} & wanted]
        return found

    def prefetch(self) -> dict[str, Any]:
        """What an EHR puts into the prefetch, all of it."""
        answers: dict[str, Any] = {}
        for key, template in PREFETCH.items():
            kind, _, query = template.partition("?")
            if kind.startswith("Patient/"):
                answers[key] = next(one for one in self.resources if one["resourceType"] == "Patient")
            else:
                answers[key] = searchset(*self.matches(kind, dict(parse_qsl(query))))
        return answers


def pulled(server: Hostile, prefetch: dict[str, Any] | None = None) -> Chart:
    asked = HookInput(hook="patient-view", patient_id=PATIENT, fhir_server=server.base, prefetch=prefetch)
    return pull(asked, settings_for(server.base, open=True, budget=20.0, read_timeout=10.0, max_pages=200))


def decided(chart: Chart, rules: Evaluator) -> Decision:
    return decide(chart, rules, today=TODAY, settings=Settings())


def answer(chart: Chart, rules: Evaluator) -> tuple[Any, ...]:
    """Everything that a decision says, but how it was read."""
    made = decided(chart, rules)
    return made.lesions, made.patient_status, made.findings, made.facts, made.gaps


def of_files(resources: Resources) -> Chart:
    return Chart(patient_id=PATIENT, resources=tuple(resources))


def gone(decision: Decision) -> set[str]:
    return {lesion.id for lesion in decision.lesions if lesion.status in GONE}


@given(resources=resources, sizes=st.lists(st.integers(0, 5), max_size=6), random=st.randoms())
@CASES
def test_every_road_leads_to_the_same_answer(
    resources: Resources, sizes: list[int], random: Any, rules: Evaluator
) -> None:
    expected = answer(of_files(resources), rules)
    shuffled = list(resources)
    random.shuffle(shuffled)
    record = Record(shuffled, sizes)
    prefetch = record.prefetch()
    some = {key: prefetch[key] for key in prefetch if random.random() < 0.5}
    with serving(record) as server:
        assert answer(pulled(server), rules) == expected
        assert answer(pulled(server, some), rules) == expected
        assert answer(pulled(server, prefetch), rules) == expected


@given(
    drawn=course, week=treated, fails=st.sampled_from(TYPES), sizes=st.lists(st.integers(0, 5), max_size=3)
)
@CASES
def test_a_search_that_fails_never_makes_a_lesion_gone(
    drawn: Any, week: int | None, fails: str, sizes: list[int], rules: Evaluator
) -> None:
    resources = vanishing(drawn, week)
    before = gone(decided(of_files(resources), rules))
    with serving(Record(resources, sizes, fails)) as server:
        assert gone(decided(pulled(server), rules)) <= before


@given(resources=resources, foreign=history, sizes=st.lists(st.integers(0, 5), max_size=3))
@CASES
def test_what_a_server_gives_of_another_patient_is_never_used(
    resources: Resources, foreign: Any, sizes: list[int], rules: Evaluator
) -> None:
    others = [one for one in resources_of(foreign, patient="history-2") if one["resourceType"] != "Patient"]
    alone = decided(of_files(resources), rules)
    with serving(Record(resources, sizes, others=others)) as server:
        chart = pulled(server)
    assert not {str(one["id"]) for one in others} & {str(one["id"]) for one in chart.resources}
    made = decided(chart, rules)
    assert [fact for fact in made.facts if fact.kind != "gap"] == list(alone.facts)
    assert gone(made) <= gone(alone)
    assert {lesion.id for lesion in made.lesions} == {lesion.id for lesion in alone.lesions}


@given(drawn=history, week=treated)
@OFFLINE
def test_centimetres_give_the_same_status(drawn: Any, week: int | None, rules: Evaluator) -> None:
    in_mm, in_cm = (of_files(resources_of(drawn, week, centimetres=cm)) for cm in (False, True))
    assert answer(in_cm, rules) == answer(in_mm, rules)


@given(drawn=course, week=treated, data=st.data())
@OFFLINE
def test_dropping_what_speaks_for_absence_never_makes_a_lesion_gone(
    drawn: Any, week: int | None, data: Any, rules: Evaluator
) -> None:
    """A negative statement, a statement of quality, or a dose that was never recorded."""
    resources = vanishing(drawn, week)
    droppable = [one for one in resources if speaks_for_absence(one)]
    dropped = data.draw(st.lists(st.sampled_from(droppable), unique_by=id)) if droppable else []
    kept = [one for one in resources if one not in dropped]
    assert gone(decided(of_files(kept), rules)) <= gone(decided(of_files(resources), rules))


def speaks_for_absence(one: dict[str, Any]) -> bool:
    coded = {code for _, code in codings(one.get("valueCodeableConcept"))}
    return one["resourceType"] == "MedicationAdministration" or bool(coded & {"260415000", "adequate"})


def test_lesions_that_are_gone_are_among_the_drawn_ones(rules: Evaluator) -> None:
    """Else the laws above would hold of nothing."""
    find(course, lambda drawn: bool(gone(decided(of_files(vanishing(drawn)), rules))))
