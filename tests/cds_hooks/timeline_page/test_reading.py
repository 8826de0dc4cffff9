"""A reading: what is asked, what would be stored, what it changes; what is on record stays there."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import replace
from typing import Any

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from cds_hooks.rulebook import evaluator_here
from cds_hooks.timeline_page.comparison import outcome_of
from cds_hooks.timeline_page.fixtures import chart_of
from cds_hooks.timeline_page.form import form
from cds_hooks.timeline_page.reading import Proposed, proposed, read_reading
from fhir_profiles import samples
from fhir_profiles.check import check
from fhir_profiles.reading import REPLACES
from plugin.chart import Chart
from plugin.decide import decide
from plugin.decision import Decision
from plugin.errors import CallError
from plugin.settings import Rules, Settings
from rules.evaluate import Evaluator

SETTINGS = Settings(rules=Rules(engine="reference"))
READER = "Practitioner/vestige-test-reader"
SILENT = samples.sample("report-silent")


@pytest.fixture(scope="module")
def evaluator() -> Iterator[Evaluator]:
    with evaluator_here(SETTINGS, timeout=60.0) as made:
        yield made


class Room:
    """A chart with its decision, and the readings that are made of it."""

    def __init__(self, chart: Chart, evaluator: Evaluator, sample: samples.Sample = SILENT) -> None:
        self.chart, self.evaluator, self.sample = chart, evaluator, sample
        self.decision = self.decided(chart)
        self.form = form(self.decision, SETTINGS, None)

    def decided(self, chart: Chart) -> Decision:
        return decide(chart, self.evaluator, today=self.sample.anchor, settings=SETTINGS)

    def read(self, **reading: Any) -> Proposed:
        sent = read_reading({"study": self.form["study"], **reading})
        return proposed(self.chart, self.decision, sent, READER, SETTINGS)

    def after(self, **reading: Any) -> Decision:
        return self.decided(self.read(**reading).chart)

    def then(self, **reading: Any) -> Room:
        return Room(self.read(**reading).chart, self.evaluator, self.sample)

    def status(self, lesion: str) -> str:
        return next(one.status for one in self.decision.lesions if one.id == lesion)


@pytest.fixture(scope="module")
def room(evaluator: Evaluator) -> Room:
    return Room(chart_of(SILENT), evaluator)


@pytest.fixture(scope="module")
def asked(room: Room) -> str:
    return str(room.form["asks"][0]["lesion"])


def observations(made: Proposed) -> list[dict[str, Any]]:
    resources = [entry["resource"] for entry in made.bundle["entry"]]
    return [one for one in resources if one["resourceType"] == "Observation"]


def replaced(resource: Mapping[str, Any]) -> list[str]:
    return [
        one["valueReference"]["reference"] for one in resource.get("extension", ()) if one["url"] == REPLACES
    ]


def refused(room: Room, match: str, **reading: Any) -> None:
    with pytest.raises(CallError, match=match) as error:
        room.read(**reading)
    assert error.value.status == 422


# ------------------------------------------------------------------------------------------ the form


def test_the_form_asks_what_keeps_a_lesion_from_being_decided(room: Room) -> None:
    undecided = {one.id for one in room.decision.lesions if one.status == "CANNOT_DECIDE"}
    assert {one["lesion"] for one in room.form["asks"]} == undecided
    assert {one["study"] for one in room.form["asks"]} == {room.form["study"]}
    by_id = {one["id"]: one for one in room.form["lesions"]}
    assert {name for name, one in by_id.items() if one["asked"]} == undecided


def test_the_form_is_filled_in_with_what_is_known(room: Room) -> None:
    stated = {one.lesion: one for one in room.decision.timeline.sightings if one.study == room.form["study"]}
    known = {one["id"]: one["known"] for one in room.form["lesions"] if one["known"]}
    assert set(known) == set(stated)
    assert all(one["sources"] for one in known.values())
    assert room.form["examination"]["known"]["source"].startswith("Observation/")


def test_a_study_that_is_not_there_has_no_form(room: Room) -> None:
    with pytest.raises(CallError, match="no such study"):
        form(room.decision, SETTINGS, "ImagingStudy/none")


# ------------------------------------------------------------------------------------------ what is stored


def test_seen_with_a_size_is_two_statements_and_who_made_them(room: Room, asked: str) -> None:
    made = room.read(lesions=[{"lesion": asked, "visibility": "seen", "mm": 7.5}])
    said, sized = observations(made)
    assert said["valueCodeableConcept"]["coding"][0]["code"] == "52101004"
    assert sized["component"][0]["valueQuantity"] == {
        "value": 7.5,
        "unit": "mm",
        "system": "http://unitsofmeasure.org",
        "code": "mm",
    }
    for one in (said, sized):
        assert one["status"] == "final"
        assert one["performer"] == [{"reference": READER}]
        assert one["partOf"] == [{"reference": room.form["study"]}]
        assert one["focus"] == [{"reference": asked}]
    signed = made.bundle["entry"][-1]["resource"]
    urls = [entry["fullUrl"] for entry in made.bundle["entry"][:-1]]
    assert [one["reference"] for one in signed["target"]] == urls
    assert signed["agent"][0]["who"]["reference"] == READER


@pytest.mark.parametrize(
    "said",
    [
        {"visibility": "seen", "mm": 12},
        {"visibility": "seen", "tooSmall": True},
        {"visibility": "sought-not-seen"},
        {"visibility": "indeterminate"},
        {"visibility": "not-assessed"},
    ],
)
def test_every_reading_is_valid_fhir_and_reads_as_it_was_meant(
    room: Room, asked: str, said: dict[str, Any]
) -> None:
    made = room.read(lesions=[{"lesion": asked, **said}])
    assert check(made.bundle) == ()
    for entry in made.bundle["entry"]:
        assert check(entry["resource"]) == ()
        assert entry["request"] == {"method": "POST", "url": entry["resource"]["resourceType"]}
    found = [
        one for one in room.decided(made.chart).timeline.of_lesion(asked) if one.study == room.form["study"]
    ]
    assert len(found) == 1
    meant = {"seen": "visible", "sought-not-seen": "not-visible"}
    assert found[0].visibility == meant.get(said["visibility"], said["visibility"])
    assert found[0].mm == said.get("mm")
    assert found[0].ttsm is (True if said.get("tooSmall") else None)


def test_the_decision_before_and_after(room: Room, asked: str) -> None:
    after = room.after(lesions=[{"lesion": asked, "visibility": "seen", "mm": 7}])
    told = outcome_of(room.decision, after, SETTINGS)
    changed = {one["lesion"]: (one["before"], one["after"]) for one in told["changes"]}
    assert changed[asked][0] == "CANNOT_DECIDE"
    assert changed[asked][1] in ("VISIBLE", "SMALL_RESIDUAL", "RESIDUAL_TINY", "REAPPEARED")
    assert told["before"]["cards"] != told["after"]["cards"]


def test_a_correction_names_what_it_replaces_and_leaves_it_there(room: Room, asked: str) -> None:
    first = room.then(lesions=[{"lesion": asked, "visibility": "seen", "mm": 7}])
    kept = list(first.chart.resources)
    made = first.read(lesions=[{"lesion": asked, "visibility": "sought-not-seen"}])
    (correction,) = observations(made)
    assert correction["status"] == "amended"
    ours = {
        f"Observation/{one['id']}" for one in first.chart.resources if one.get("performer") and "id" in one
    }
    assert set(replaced(correction)) == ours
    assert len(ours) == 2
    assert list(made.chart.resources[: len(kept)]) == kept
    signed = made.bundle["entry"][-1]["resource"]
    assert {one["what"]["reference"] for one in signed["entity"]} == ours
    later = Room(made.chart, room.evaluator)
    (said,) = [one for one in later.decision.timeline.of_lesion(asked) if one.study == room.form["study"]]
    assert (said.visibility, said.mm) == ("not-visible", None)


def test_a_new_size_replaces_the_size_and_not_the_statement(room: Room, asked: str) -> None:
    first = room.then(lesions=[{"lesion": asked, "visibility": "seen", "mm": 7}])
    made = first.read(lesions=[{"lesion": asked, "visibility": "seen", "mm": 9}])
    (sized,) = observations(made)
    assert sized["code"]["coding"][0]["code"] == "21889-1"
    assert len(replaced(sized)) == 1
    later = Room(made.chart, room.evaluator)
    said = [one for one in later.decision.timeline.of_lesion(asked) if one.study == room.form["study"]]
    assert [(one.visibility, one.mm) for one in said] == [("visible", 9)]


def test_a_correction_of_the_examination_keeps_what_it_does_not_say(room: Room) -> None:
    made = room.read(examination={"adequacy": "limited", "dwi": False})
    (one,) = observations(made)
    study = next(each for each in room.decision.timeline.studies if each.id == room.form["study"])
    assert study.adequacy is not None
    assert replaced(one) == [study.adequacy.key]
    after = room.decided(made.chart)
    read = next(each for each in after.timeline.studies if each.id == study.id).adequacy
    assert read is not None
    assert (read.adequacy, read.dwi) == ("limited", False)
    kept = ("agent", "hbp", "hbp_quality", "max_b", "slice_mm", "coverage", "artefact", "reticulation")
    assert [getattr(read, name) for name in kept] == [getattr(study.adequacy, name) for name in kept]


# ------------------------------------------------------------------------------------------ what is refused


def test_what_is_on_record_already_is_not_stored_twice(room: Room, asked: str) -> None:
    first = room.then(lesions=[{"lesion": asked, "visibility": "seen", "mm": 7}])
    refused(
        first, "nothing that is not on record", lesions=[{"lesion": asked, "visibility": "seen", "mm": 7}]
    )
    refused(room, "nothing that is not on record", lesions=[])


@pytest.mark.parametrize("mm", [0, -1, 301, 1e9])
def test_an_impossible_size_is_refused(room: Room, asked: str, mm: float) -> None:
    refused(room, "a size is above 0", lesions=[{"lesion": asked, "visibility": "seen", "mm": mm}])


@pytest.mark.parametrize("said", ["sought-not-seen", "indeterminate", "not-assessed"])
def test_only_what_is_seen_has_a_size(room: Room, asked: str, said: str) -> None:
    refused(room, "only a lesion that is seen", lesions=[{"lesion": asked, "visibility": said, "mm": 5}])
    refused(
        room, "only a lesion that is seen", lesions=[{"lesion": asked, "visibility": said, "tooSmall": True}]
    )


def test_a_lesion_or_study_that_is_not_there_is_refused(room: Room, asked: str) -> None:
    refused(room, "no such lesion", lesions=[{"lesion": "BodyStructure/none", "visibility": "seen"}])
    refused(
        room, "no such study", study="ImagingStudy/none", lesions=[{"lesion": asked, "visibility": "seen"}]
    )
    twice = [{"lesion": asked, "visibility": "seen"}, {"lesion": asked, "visibility": "sought-not-seen"}]
    refused(room, "named twice", lesions=twice)


def test_a_lesion_whose_identity_is_contradicted_is_refused(room: Room, asked: str) -> None:
    timeline = room.decision.timeline
    lesions = tuple(replace(one, tainted=True) if one.id == asked else one for one in timeline.lesions)
    decision = replace(room.decision, timeline=replace(timeline, lesions=lesions))
    sent = read_reading({"study": room.form["study"], "lesions": [{"lesion": asked, "visibility": "seen"}]})
    with pytest.raises(CallError, match="identity is contradicted"):
        proposed(room.chart, decision, sent, READER, SETTINGS)


def test_a_partial_coverage_may_name_its_segments(room: Room) -> None:
    whole = {"adequacy": "limited", "coverage": "whole-liver", "excludedSegments": ["VI"]}
    refused(room, "only a partial coverage", examination=whole)
    partial = {"adequacy": "limited", "coverage": "partial", "excludedSegments": ["VI"]}
    after = room.after(examination=partial)
    read = next(one for one in after.timeline.studies if one.id == room.form["study"]).adequacy
    assert read is not None
    assert (read.coverage, read.excluded_segments) == ("partial", ("VI",))


@pytest.mark.parametrize(
    "sent",
    [
        None,
        [],
        "x",
        {},
        {"study": ""},
        {"study": "s", "lesions": [{"lesion": "l"}]},
        {"study": "s", "lesions": [{"lesion": "l", "visibility": "absent"}]},
        {"study": "s", "lesions": [{"lesion": "l", "visibility": "seen", "mm": "many"}]},
        {"study": "s", "lesions": [{"lesion": "l", "visibility": "seen", "size": 3}]},
        {"study": "s", "patient": "another"},
        {"study": "s", "examination": {}},
        {"study": "s", "examination": {"adequacy": "good"}},
    ],
)
def test_a_reading_of_another_shape_is_refused(sent: Any) -> None:
    with pytest.raises(CallError, match="the reading is not usable") as error:
        read_reading(sent)
    assert error.value.status == 422


# ------------------------------------------------------------------------------------------ laws


@settings(max_examples=20, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(
    said=st.lists(
        st.sampled_from(["seen", "sought-not-seen", "indeterminate", "not-assessed"]), min_size=1, max_size=4
    )
)
def test_the_last_reading_of_a_lesion_is_the_one_that_counts(room: Room, asked: str, said: list[str]) -> None:
    here = room
    for one in said:
        try:
            here = here.then(lesions=[{"lesion": asked, "visibility": one}])
        except CallError as error:
            assert "nothing that is not on record" in str(error)  # noqa: PT017
    stated = [each for each in here.decision.timeline.of_lesion(asked) if each.study == room.form["study"]]
    meant = {"seen": "visible", "sought-not-seen": "not-visible"}
    assert [each.visibility for each in stated] == [meant.get(said[-1], said[-1])]


def test_a_reading_that_says_not_assessed_never_makes_a_lesion_gone(room: Room, asked: str) -> None:
    after = room.then(lesions=[{"lesion": asked, "visibility": "not-assessed"}])
    assert after.status(asked) == "CANNOT_DECIDE"
