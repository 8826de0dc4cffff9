"""Intake: what is rejected and listed, whose records count, and what drafts replace."""

from typing import Any

import pytest

from fhir_profiles.codes import Disposition, Operation, Topic
from plugin.chart import Chart
from plugin.timeline import build
from tests.plugin.history import TODAY, UTC, History, of_kind, one, to


def reasons(h: History) -> list[tuple[str, str]]:
    return [(each.source, each.reason) for each in h.timeline().rejected]


def test_a_day_after_today_rejects_that_record_only() -> None:
    h = History()
    lesion = h.lesion("L1", "VI")
    h.seen(lesion, h.study("2026-01-05", "CT"))
    late = h.seen(lesion, None, "not-visible", day="2026-10-11", method="CT")
    assert reasons(h) == [(f"Observation/{late['id']}", "after-today")]
    assert len(h.timeline().sightings) == 1


def test_a_finding_without_day_in_a_study_after_today_has_no_day() -> None:
    h = History()
    lesion = h.lesion("L1", "VI")
    study = h.study("2026-12-01", "CT")
    h.seen(lesion, {**study, "started": None}, "not-visible")
    assert "day" not in one(h.facts(), "sighting")


def test_a_day_before_birth_rejects_that_record() -> None:
    h = History(birth="1990-06-01")
    lesion = h.lesion("L1", "VI")
    early = h.seen(lesion, None, day="1990-05-31", method="CT")
    assert reasons(h) == [(f"Observation/{early['id']}", "before-birth")]


def test_another_patients_resources_are_listed_and_never_used() -> None:
    h = History()
    lesion = h.lesion("L1", "VI")
    h.seen(lesion, h.study("2026-01-05", "CT"))
    other = History("history-2")
    foreign = other.seen(lesion, other.study("2026-04-05", "MRI"), "not-visible")
    h.resources += other.resources
    timeline = h.timeline()
    assert [each.visibility for each in timeline.sightings] == ["visible"]
    assert len(timeline.studies) == 1
    assert (f"Observation/{foreign['id']}", "wrong-patient") in reasons(h)


@pytest.mark.parametrize("length", [64, 65, 192])
def test_a_patient_id_longer_than_fhir_allows_is_still_the_patients_own(length: int) -> None:
    """Epic's ids may be longer; a record that is dropped for that would be silence."""
    name = ("eVGcPm4Q.rTVn-3f" * 12)[:length]
    h = History(name)
    lesion = h.lesion("L1", "VI")
    h.seen(lesion, h.study("2026-01-05", "CT"))
    assert len(h.timeline().sightings) == 1
    assert reasons(h) == []
    other = History(name[:-1] + "x")
    foreign = other.seen(lesion, other.study("2026-04-05", "MRI"), "not-visible")
    h.resources += other.resources
    assert [each.visibility for each in h.timeline().sightings] == ["visible"]
    assert [why for source, why in reasons(h) if foreign["id"] in source] == ["wrong-patient"]


def test_a_broken_resource_costs_itself_only() -> None:
    h = History()
    lesion = h.lesion("L1", "VI")
    h.seen(lesion, h.study("2026-01-05", "CT"))
    h.resources += [{"resourceType": "Observation", "id": 7, "code": 5}, {"no": "type"}]
    assert len(h.timeline().sightings) == 1


def test_a_lost_statement_on_a_lesion_is_a_decisive_gap() -> None:
    h = History()
    lesion = h.lesion("L1", "VI")
    study = h.study("2026-01-05", "CT")
    odd = h.seen(lesion, study)
    odd["valueCodeableConcept"] = {"text": "probably"}
    gap = one(h.facts(), "gap")
    assert (gap["resource"], gap["reason"], gap["decisive"]) == ("Observation", "unreadable", "yes")


def test_an_odd_performance_status_is_no_gap() -> None:
    h = History()
    h.observation(Topic.ECOG, "2026-01-05", valueString="well")
    assert not of_kind(h.facts(), "gap")
    assert len(h.timeline().rejected) == 1


def test_a_draft_takes_the_place_of_the_stored_order_with_its_id() -> None:
    h = History()
    h.order(Operation.HEPATECTOMY, "2026-11-01", id="op")
    assert one(h.facts(), "plan")["opDay"].isoformat() == "2026-11-01"
    h.order(Operation.HEPATECTOMY, "2026-12-01", draft=True, id="op")
    plan = one(h.facts(), "plan")
    assert (plan["opDay"].isoformat(), plan["opDraft"]) == ("2026-12-01", "yes")


def test_a_draft_decision_beats_a_later_stored_one() -> None:
    h = History()
    lesion = h.lesion("L1", "VI")
    h.decide(lesion, Disposition.RESECT, "2026-10-09")
    h.order(Disposition.WATCH_AND_WAIT, draft=True, lesions=[lesion], authoredOn="2026-10-01")
    fact = one(h.facts(), "lesion")
    assert (fact["disposition"], fact["dispositionDraft"]) == ("watch-and-wait", "yes")


def test_medication_by_reference_is_resolved() -> None:
    h = History()
    drug = {"coding": [{"system": "http://www.nlm.nih.gov/research/umls/rxnorm", "code": "32592"}]}
    h.resources.append({"resourceType": "Medication", "id": "m1", "code": drug})
    h.add(
        "MedicationAdministration",
        status="completed",
        medicationReference={"reference": "Medication/m1"},
        effectiveDateTime="2026-02-01",
    )
    assert one(h.facts(), "dose")["agent"] == "oxaliplatin"


def test_references_to_the_chart_by_absolute_address() -> None:
    h = History()
    lesion = h.lesion("L1", "VI")
    finding = h.seen(lesion, h.study("2026-01-05", "CT"))
    base = "https://fhir.example.org/r4"
    for reference in (finding["focus"][0], finding["derivedFrom"][0], finding["subject"]):
        reference["reference"] = f"{base}/{reference['reference']}"
    chart = Chart(patient_id=h.patient, resources=tuple(h.resources), base=base)
    timeline = build(chart, today=TODAY, timezone=UTC)
    assert [each.lesion for each in timeline.sightings] == [to(lesion)["reference"]]
    assert len(timeline.studies) == 1


REPLACES = "http://hl7.org/fhir/StructureDefinition/observation-replaces"


def replacing(resource: dict[str, Any], *others: dict[str, Any]) -> None:
    resource["extension"] = [{"url": REPLACES, "valueReference": to(other)} for other in others]


def visibilities(h: History) -> list[str | None]:
    return sorted(str(each.visibility) for each in h.timeline().sightings)


@pytest.mark.parametrize("count", [1, 2, 3, 5])
def test_statements_that_replace_each_other_in_a_ring_all_stay(count: int) -> None:
    h = History()
    lesion, study = h.lesion("L1", "VI"), h.study("2026-01-05", "CT")
    ring = [h.seen(lesion, study) for _ in range(count)]
    for number, each in enumerate(ring):
        replacing(each, ring[(number + 1) % count])
    assert visibilities(h) == ["visible"]
    assert len(h.timeline().sightings[0].sources) == count


def test_of_a_chain_of_corrections_the_last_one_stays() -> None:
    h = History()
    lesion, study = h.lesion("L1", "VI"), h.study("2026-01-05", "CT")
    first, second, third = (
        h.seen(lesion, study, each) for each in ("visible", "not-visible", "indeterminate")
    )
    replacing(second, first)
    replacing(third, second)
    assert visibilities(h) == ["indeterminate"]


@pytest.mark.parametrize("status", ["preliminary", "entered-in-error", "cancelled", "unknown", None])
def test_a_statement_that_does_not_count_replaces_nothing(status: str | None) -> None:
    h = History()
    lesion, study = h.lesion("L1", "VI"), h.study("2026-01-05", "CT")
    seen, gone = h.seen(lesion, study), h.seen(lesion, study, "not-visible")
    gone["status"] = status
    replacing(gone, seen)
    assert visibilities(h) == ["visible"]


def test_a_finding_is_replaced_by_a_finding_only() -> None:
    h = History()
    lesion, study = h.lesion("L1", "VI"), h.study("2026-01-05", "CT")
    seen = h.seen(lesion, study)
    h.treat("2026-02-01", lesion, replaces=[to(seen)])
    assert visibilities(h) == ["visible"]


def test_what_is_no_resource_is_left_aside() -> None:
    h = History()
    h.seen(h.lesion("L1", "VI"), h.study("2026-01-05", "CT"))
    odd: list[Any] = ["x", None, 3, [], {}]
    chart = Chart(patient_id=h.patient, resources=(*h.resources, *odd))
    timeline = build(chart, today=TODAY, timezone=UTC)
    assert [each.visibility for each in timeline.sightings] == ["visible"]
    assert {each.reason for each in timeline.unreadable} == {"not-an-object", "no-type"}


def test_a_stored_resource_and_a_draft_without_ids_are_two() -> None:
    h = History()
    finding = h.seen(h.lesion("L1", "VI"), h.study("2026-01-05", "CT"))
    nameless = {name: value for name, value in finding.items() if name != "id"}
    draft = {"resourceType": "ServiceRequest", "status": "draft", "subject": to(h.resources[0])}

    def findings(*drafts: dict[str, Any]) -> int:
        others = [each for each in h.resources if each is not finding]
        chart = Chart(patient_id="history-1", resources=(nameless, *others), drafts=drafts)
        timeline = build(chart, today=TODAY, timezone=UTC)
        lost = [each for each in timeline.rejected if each.resource_type == "Observation"]
        return len(timeline.sightings) + len(lost)

    assert findings() == 1
    assert findings(draft) == 1
