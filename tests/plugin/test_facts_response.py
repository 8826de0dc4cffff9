"""Facts for other criteria of response, pathology and scores: pairs of recorded values, nothing concluded."""

from __future__ import annotations

from datetime import date
from decimal import Decimal
from pathlib import Path
from typing import Any

import pytest

from fhir_profiles.records import (
    DayRange,
    Dose,
    LesionRef,
    PathologyNodule,
    ResponseStatement,
    Treatment,
)
from plugin.facts import facts_of
from plugin.settings import Settings
from plugin.timeline import Lesion, LesionSighting, Study, Timeline
from plugin.timeline.model import Treated
from rules.admission import Admission
from rules.facts import Fact
from rules.language import load_pack

TODAY = date(2026, 10, 10)
PACK = load_pack(Path(__file__).parents[2] / "rules" / "crlm")
BEFORE, NOW, LATER = "2026-04-01", "2026-10-01", "2026-10-08"
THERAPY = (Dose(source="MedicationAdministration/d1", agent="oxaliplatin", day=DayRange(date(2026, 4, 10), date(2026, 4, 10))),)  # fmt: skip
ICI = (Dose(source="MedicationAdministration/d1", agent="ici", day=DayRange(date(2026, 4, 10), date(2026, 4, 10))),)  # fmt: skip


def on(day: str) -> DayRange:
    return DayRange(date.fromisoformat(day), date.fromisoformat(day))


def study(day: str, modality: str = "CT") -> Study:
    return Study(
        id=f"ImagingStudy/{modality}-{day}", day=on(day), modality=modality, final=True, liver=True, covers=True,
        adequacy=None, unmatched=0, synthetic=False, sources=(f"ImagingStudy/{modality}-{day}",),
    )  # fmt: skip


def sighting(lesion: str, day: str, modality: str = "CT", **values: Any) -> LesionSighting:
    given = {"visibility": "visible", **values}
    return LesionSighting(
        id=f"{lesion}/{modality}-{day}", lesion=lesion, study=f"ImagingStudy/{modality}-{day}", day=on(day),
        modality=modality, sources=(f"Observation/{lesion}-{modality}-{day}",), **given,
    )  # fmt: skip


def lesion(name: str, **values: Any) -> Lesion:
    return Lesion(id=f"BodyStructure/{name}", label=name, sources=(f"BodyStructure/{name}",), **values)


L1, L2 = "BodyStructure/L1", "BodyStructure/L2"


def facts(kind: str, *sightings: LesionSighting, **values: Any) -> list[Fact]:
    made = sorted({(each.study[-10:], each.modality or "CT") for each in sightings})
    studies = tuple(study(day, modality) for day, modality in made)
    timeline = Timeline(
        patient="p",
        today=TODAY,
        **{
            "lesions": (lesion("L1"), lesion("L2")),
            "doses": THERAPY,
            "studies": studies,
            "sightings": sightings,
            **values,
        },
    )
    found = facts_of(timeline, today=TODAY, settings=Settings())
    Admission(PACK).admit(found)
    return [each for each in found if each.kind == kind]


def test_morphology_groups_of_ct_are_paired() -> None:
    (pair,) = facts("morphology_pair", sighting(L1, BEFORE, morph_group=3), sighting(L1, NOW, morph_group=1))
    assert (pair.values["lesion"], pair.values["fromGroup"], pair.values["toGroup"]) == (L1, 3, 1)
    assert len(pair.sources) == 2


def test_morphology_on_mri_is_not_paired() -> None:
    told = (sighting(L1, BEFORE, "MRI", morph_group=3), sighting(L1, NOW, "MRI", morph_group=1))
    assert facts("morphology_pair", *told) == []


def test_density_is_paired_with_size() -> None:
    (pair,) = facts(
        "density_pair",
        sighting(L1, BEFORE, mm=Decimal(40), hu=Decimal(80)),
        sighting(L1, NOW, mm=Decimal(38), hu=Decimal(60)),
    )
    assert [pair.values[name] for name in ("fromHu", "toHu", "fromMm", "toMm")] == [80, 60, 40, 38]


def test_density_without_a_baseline_is_not_paired() -> None:
    assert facts("density_pair", sighting(L1, NOW, mm=Decimal(38), hu=Decimal(60))) == []


def test_the_hottest_lesion_counts_for_uptake() -> None:
    (pair,) = facts(
        "uptake_pair",
        sighting(L1, BEFORE, "PET", sul=Decimal("6.0")),
        sighting(L2, BEFORE, "PET", sul=Decimal("4.0")),
        sighting(L1, NOW, "PET", sul=Decimal("2.0"), pet_avid=True),
        sighting(L2, NOW, "PET", sul=Decimal("3.9")),
    )
    assert (pair.values["baseline"], pair.values["now"], pair.values["avid"]) == (
        Decimal("6.0"),
        Decimal("3.9"),
        "yes",
    )


def test_no_uptake_is_said_only_where_every_lesion_is_stated_not_avid() -> None:
    before = sighting(L1, BEFORE, "PET", sul=Decimal("6.0"))
    (pair,) = facts("uptake_pair", before, sighting(L1, NOW, "PET", visibility="not-visible", pet_avid=False))
    assert pair.values["avid"] == "no"
    assert "now" not in pair.values
    assert facts("uptake_pair", before, sighting(L1, NOW, "PET", visibility="not-visible")) == []


def test_a_diffusion_coefficient_is_a_fact_without_its_value() -> None:
    (found,) = facts("diffusion_recorded", sighting(L1, NOW, "MRI", adc=Decimal(1250)))
    assert set(found.values) == {"lesion", "exam", "day", "unit"}
    assert found.values["unit"] == "known"


def test_one_without_a_unit_is_recorded_as_that() -> None:
    (found,) = facts("diffusion_recorded", sighting(L1, NOW, "MRI", unusable=("adc", "hu")))
    assert found.values["unit"] == "unknown"
    assert facts("diffusion_recorded", sighting(L1, NOW, "MRI", unusable=("hu",))) == []


def test_a_density_without_a_unit_is_in_no_pair() -> None:
    before = sighting(L1, BEFORE, "CT", mm=Decimal(20), hu=Decimal(60))
    assert facts("density_pair", before, sighting(L1, NOW, "CT", mm=Decimal(20), unusable=("hu",))) == []


def test_categories_need_a_criterion_and_the_whole_patient() -> None:
    recorded = (
        ResponseStatement(source="Observation/r1", day=on(NOW), category="PR", criterion="recist11"),
        ResponseStatement(source="Observation/r2", day=on(NOW), category="CR"),
        ResponseStatement(
            source="Observation/r3", day=on(NOW), category="non-target-CR", criterion="recist11"
        ),
    )
    found = facts("recorded_response", responses=recorded)
    assert [(one.values["id"], one.values["category"]) for one in found] == [("Observation/r1", "PR")]


def test_irecist_needs_immune_therapy() -> None:
    told = (sighting(L1, BEFORE, mm=Decimal(50)), sighting(L1, NOW, mm=Decimal(64)))
    targets = {"lesions": (lesion("L1", target_role="target"),)}
    assert facts("immune_response", *told, **targets) == []
    (found,) = facts("immune_response", *told, **targets, doses=ICI)
    assert found.values["category"] == "iUPD"


@pytest.mark.parametrize(
    ("last", "category"),
    [
        (sighting(L2, LATER, mm=Decimal(20)), "iUPD"),
        (None, "iUPD"),  # not mentioned is not gone
        (sighting(L2, LATER, visibility="not-visible"), "iSD"),
    ],
)
def test_a_new_lesion_stays_new_until_a_study_says_that_it_is_gone(
    last: LesionSighting | None, category: str
) -> None:
    told = [sighting(L1, day, mm=Decimal(50)) for day in (BEFORE, NOW, LATER)]
    told.append(sighting(L2, NOW, mm=Decimal(20), new_statement="new"))
    told += [last] if last is not None else []
    lesions = (lesion("L1", target_role="target"), lesion("L2"))
    (found,) = facts("immune_response", *told, lesions=lesions, doses=ICI)
    assert found.values["category"] == category


def test_a_target_resected_later_counts_in_the_study_before() -> None:
    told = (sighting(L1, BEFORE, mm=Decimal(40)), sighting(L1, NOW, mm=Decimal(20)))
    resected = Treated(
        treatment=Treatment(source="Procedure/o", status="completed", type="resected", day=on(LATER)),
        lesions=(L1,),
    )
    targets = {"lesions": (lesion("L1", target_role="target"),)}
    (found,) = facts("target_sum", *told, **targets, treatments=(resected,))
    assert (found.values["evaluated"], found.values["now"]) == (1, 20)
    before = Treated(
        treatment=Treatment(source="Procedure/o", status="completed", type="resected", day=on(NOW)),
        lesions=(L1,),
    )
    (found,) = facts("target_sum", *told, **targets, treatments=(before,))
    assert found.values["evaluated"] == 0


# ------------------------------------------------------------------------------------------ pathology
def nodule(
    number: int, trg: int | None, viable: int | None, day: str = LATER, body: str = L1
) -> PathologyNodule:
    return PathologyNodule(
        source=f"Observation/n{number}",
        day=on(day),
        lesion=LesionRef(body=body),
        trg=trg,
        viable_percent=None if viable is None else Decimal(viable),
    )


def operation(day: str) -> Treated:
    return Treated(
        treatment=Treatment(source=f"Procedure/{day}", status="completed", type="resected", day=on(day)),
        lesions=(L1,),
    )


def test_worst_best_and_mean_of_the_nodules() -> None:
    nodules = (nodule(1, 2, 5), nodule(2, 5, 80, body=L2))
    (found,) = facts("pathology", pathology=nodules, treatments=(operation("2026-10-05"),))
    assert [found.values[name] for name in ("worst", "best", "graded", "worstPercent")] == [5, 2, 2, 80]
    assert (found.values["viableSum"], found.values["meanPercent"]) == (85, Decimal("42.5"))
    assert found.values["operationDay"] == date(2026, 10, 5)


def test_only_the_latest_operation_with_pathology_counts() -> None:
    nodules = (nodule(1, 5, None, day="2026-06-10"), nodule(2, 2, None))
    both = (operation("2026-06-01"), operation("2026-10-05"))
    (found,) = facts("pathology", pathology=nodules, treatments=both)
    assert (found.values["worst"], found.values["graded"]) == (2, 1)


def test_a_third_of_a_percent_is_summed_and_not_rounded() -> None:
    nodules = tuple(nodule(number, None, viable) for number, viable in enumerate((50, 50, 49)))
    (found,) = facts("pathology", pathology=nodules)
    assert found.values["viableSum"] == 149
    assert found.values["meanPercent"] == Decimal("49.7")


def test_a_nodule_of_an_unknown_lesion_is_not_named() -> None:
    named, other = facts("nodule", pathology=(nodule(1, 2, None), nodule(2, 2, None, body="BodyStructure/x")))
    assert (named.values["lesion"], named.values["named"]) == (L1, "yes")
    assert "lesion" not in other.values
    assert other.values["named"] == "no"


def test_no_pathology_no_fact() -> None:
    assert facts("pathology") == []


# ------------------------------------------------------------------------------------------ scores
def test_tumour_burden_before_treatment() -> None:
    told = (sighting(L1, BEFORE, mm=Decimal(30)), sighting(L2, BEFORE, mm=Decimal(10)), sighting(L1, NOW, mm=Decimal(90)))  # fmt: skip
    (found,) = facts("score", *told)
    assert (found.values["name"], found.values["points"], found.values["zone"]) == (
        "tumour-burden",
        Decimal("3.61"),
        2,
    )


@pytest.mark.parametrize("missing", [{"mm": None}, {"mm": Decimal(10), "exact": False}])
def test_a_score_with_a_missing_item_is_not_computed(missing: dict[str, Any]) -> None:
    told = (sighting(L1, BEFORE, mm=Decimal(30)), sighting(L2, BEFORE, **missing), sighting(L1, NOW, mm=Decimal(20)))  # fmt: skip
    assert facts("score", *told) == []
