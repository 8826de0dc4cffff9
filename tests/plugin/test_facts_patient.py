"""Facts on the patient, the site and what was not read."""

from datetime import date
from typing import Any

import pytest

from fhir_profiles.codes import (
    LOCAL,
    Contrast,
    Diagnosis,
    Disposition,
    Drug,
    Intent,
    Operation,
    Response,
    Topic,
)
from plugin.chart import Gap, GapReason
from plugin.settings import Settings, Site
from tests.plugin.history import History, of_kind, one

STATUS = "http://terminology.hl7.org/CodeSystem/condition-clinical"
VERIFICATION = "http://terminology.hl7.org/CodeSystem/condition-ver-status"


def patient(h: History) -> dict[str, Any]:
    return one(h.facts(), "patient")


def condition(h: History, kind: Diagnosis, onset: str = "2026-01-01", **more: str) -> None:
    h.add(
        "Condition",
        code=kind.concept,
        onsetDateTime=onset,
        clinicalStatus={"coding": [{"system": STATUS, "code": more.get("clinical", "active")}]},
        verificationStatus={"coding": [{"system": VERIFICATION, "code": more.get("certain", "confirmed")}]},
    )


def local(code: str) -> dict[str, Any]:
    return {"coding": [{"system": LOCAL, "code": code}]}


def test_what_is_not_on_record_is_left_out() -> None:
    assert patient(History(birth=None)) == {
        "id": "history-1",
        "today": date(2026, 10, 10),
        "trackedLesions": 0,
    }


@pytest.mark.parametrize(
    ("birth", "age"), [("1960-10-10", 66), ("1960-10-11", 65), ("1960", 65), ("1960-10", 65), ("1960-09", 66)]
)
def test_age_is_the_younger_one_where_the_date_is_not_exact(birth: str, age: int) -> None:
    assert patient(History(birth=birth))["ageYears"] == age


def test_death() -> None:
    h = History()
    h.resources[0]["deceasedDateTime"] = "2026-09-01"
    assert patient(h)["deceased"] == "yes"


@pytest.mark.parametrize(
    ("kinds", "lesion", "scope"),
    [
        ((), True, None),
        ((Diagnosis.COLON,), True, "crlm"),
        ((Diagnosis.COLON,), False, None),
        ((Diagnosis.COLON, Diagnosis.LIVER_METASTASES), False, "crlm"),
        ((Diagnosis.HCC,), True, "other-primary"),
        ((Diagnosis.COLON, Diagnosis.HCC), True, None),
        ((Diagnosis.LIVER_METASTASES,), False, None),
    ],
)
def test_scope(kinds: tuple[Diagnosis, ...], lesion: bool, scope: str | None) -> None:
    h = History()
    for kind in kinds:
        condition(h, kind)
    if lesion:
        h.lesion("L1", "VI")
    assert patient(h).get("crlmScope") == scope


def test_resolved_and_suspected_conditions_do_not_count() -> None:
    h = History()
    condition(h, Diagnosis.HCC, clinical="resolved")
    condition(h, Diagnosis.CIRRHOSIS, certain="provisional")
    condition(h, Diagnosis.STEATOHEPATITIS)
    found = patient(h)
    assert "crlmScope" not in found
    assert "cirrhosis" not in found
    assert found["steatohepatitis"] == "yes"


def test_dated_statements_the_latest_counts_and_the_worse_of_one_day() -> None:
    h = History()
    h.observation(Topic.ECOG, "2026-01-01", valueInteger=3)
    h.observation(Topic.ECOG, "2026-06-01", valueInteger=1)
    h.observation(Topic.ECOG, "2026-06-01", valueInteger=2)
    h.observation(Topic.CHILD_PUGH, "2026-06-01", valueCodeableConcept=local("B"))
    h.observation(Topic.INTENT, "2026-06-01", valueCodeableConcept=Intent.PALLIATIVE.concept)
    h.observation(Topic.MSI, "2026-06-01", valueCodeableConcept=Response.MSI_HIGH.concept)
    found = patient(h)
    assert (found["ecog"], found["ecogDay"]) == (2, date(2026, 6, 1))
    assert (found["childPugh"], found["intent"], found["msi"]) == ("B", "palliative", "msi-h")


def test_two_intents_of_one_day_are_unknown() -> None:
    h = History()
    for intent in (Intent.CURATIVE, Intent.PALLIATIVE):
        h.observation(Topic.INTENT, "2026-06-01", valueCodeableConcept=intent.concept)
    assert "intent" not in patient(h)


@pytest.mark.parametrize(
    ("onset", "certain", "status"),
    [
        ("2026-03-01", "confirmed", "progression-definite"),
        ("2026-03-01", "provisional", "progression-indeterminate"),
        ("2025-12-01", "confirmed", "present"),
        ("2026-02-10", "confirmed", "present"),
        ("2025-12-01", "provisional", None),
    ],
)
def test_a_metastasis_elsewhere_after_the_line_began(onset: str, certain: str, status: str | None) -> None:
    h = History()
    h.dose("2026-02-10")
    condition(h, Diagnosis.LUNG_METASTASES, onset, certain=certain)
    assert patient(h).get("extrahepatic") == status


def test_a_later_coded_status_replaces_an_earlier_metastasis() -> None:
    h = History()
    h.dose("2026-02-10")
    condition(h, Diagnosis.LUNG_METASTASES, "2026-03-01")
    h.observation(Topic.EXTRAHEPATIC, "2026-06-01", valueCodeableConcept=local("stable"))
    found = patient(h)
    assert (found["extrahepatic"], found["extrahepaticDay"]) == ("stable", date(2026, 6, 1))


@pytest.mark.parametrize(
    ("stated", "day", "status"),
    [
        ("none", "2026-03-01", "none"),
        ("none", "2025-10-01", "present"),
        ("response", "2025-10-01", "response"),
    ],
)
def test_a_metastasis_from_before_the_line_replaces_only_an_older_none(
    stated: str, day: str, status: str
) -> None:
    h = History()
    h.dose("2026-02-10")
    condition(h, Diagnosis.LUNG_METASTASES, "2025-12-01")
    h.observation(Topic.EXTRAHEPATIC, day, valueCodeableConcept=local(stated))
    assert patient(h)["extrahepatic"] == status


def test_a_remnant_volume_older_than_an_embolisation_is_void() -> None:
    h = History()
    h.observation(Topic.FLR, "2026-06-01", valueQuantity={"value": 25, "unit": "%", "code": "%"})
    assert (patient(h)["flrPercent"], patient(h)["flrDay"]) == (25, date(2026, 6, 1))
    h.treat("2026-06-15", kind=Operation.EMBOLISATION)
    assert "flrPercent" not in patient(h)
    assert not of_kind(h.facts(), "treatment")


def test_reasons_against_mri() -> None:
    h = History()
    h.add(
        "AllergyIntolerance",
        patient={"reference": f"Patient/{h.patient}"},
        code=Contrast.GADOBUTROL.concept,
        clinicalStatus={"coding": [{"code": "active"}]},
    )
    assert patient(h)["mriContra"] == "contrast-allergy"
    h.add(
        "Device", status="active", type={"coding": [{"system": "http://snomed.info/sct", "code": "14106009"}]}
    )
    assert patient(h)["mriContra"] == "device"


@pytest.mark.parametrize(
    ("onset", "known"),
    [
        ("2026-10-01", "yes"),
        ("2025-12-14", "yes"),
        ("2025-12-13", None),
        ("2015-03-01", None),
        ("2026", "yes"),
        ("2025", "yes"),
        ("2024", None),
    ],
)
def test_a_pregnancy_counts_as_long_as_one_lasts(onset: str, known: str | None) -> None:
    """300 days by the last possible day of its onset; today is 2026-10-10."""
    h = History()
    condition(h, Diagnosis.PREGNANCY, onset)
    assert patient(h).get("pregnant") == known


def test_a_pregnancy_without_an_onset_counts_by_its_entry_and_without_any_day() -> None:
    def entered(**days: str) -> Any:
        h = History()
        h.add(
            "Condition",
            code=Diagnosis.PREGNANCY.concept,
            clinicalStatus={"coding": [{"system": STATUS, "code": "active"}]},
            verificationStatus={"coding": [{"system": VERIFICATION, "code": "confirmed"}]},
            **days,
        )
        return patient(h).get("pregnant")

    assert entered() == "yes"
    assert entered(recordedDate="2026-10-01") == "yes"
    assert entered(recordedDate="2015-03-01") is None
    assert entered(onsetDateTime="2015-03-01", recordedDate="2026-10-01") is None


def test_a_pregnancy_that_is_over_does_not_count() -> None:
    h = History()
    condition(h, Diagnosis.PREGNANCY, "2026-09-01", clinical="resolved")
    assert "pregnant" not in patient(h)


def test_the_last_review_and_hepatic_artery_infusion() -> None:
    h = History()
    for day in ("2026-05-01", "2026-08-01"):
        h.treat(day, kind=Operation.MDT_REVIEW)
    h.observation(Topic.HAI, "2026-05-01", valueBoolean=True)
    found = patient(h)
    assert (found["mdtLast"], found["haiTherapy"]) == (date(2026, 8, 1), "yes")


def test_a_preliminary_statement_does_not_count() -> None:
    h = History()
    h.observation(Topic.ECOG, "2026-06-01", valueInteger=4, status="preliminary")
    assert "ecog" not in patient(h)


def test_sources_name_what_the_facts_rest_on() -> None:
    h = History()
    ecog = h.observation(Topic.ECOG, "2026-06-01", valueInteger=1)
    condition(h, Diagnosis.COLON)
    fact = next(fact for fact in h.facts() if fact.kind == "patient")
    assert f"Patient/{h.patient}" in fact.sources
    assert f"Observation/{ecog['id']}" in fact.sources
    assert any(source.startswith("Condition/") for source in fact.sources)


def test_the_site_says_what_its_settings_say() -> None:
    settings = Settings(site=Site(ious_standard=True, ceious_available=False))
    assert one(History().facts(settings=settings), "site") == {"iousStandard": "yes", "ceiousAvailable": "no"}


@pytest.mark.parametrize(("visibility", "decisive"), [("not-visible", "yes"), ("visible", "no")])
def test_procedures_that_were_not_read_may_be_why_a_lesion_is_not_seen(
    visibility: str, decisive: str
) -> None:
    h = History()
    h.seen(h.lesion("L1", "VI"), h.study("2026-03-01", "CT"), visibility)
    h.gaps.append(Gap(resource="Procedure", reason=GapReason.SERVER_ERROR, detail="", decisive=False))
    assert one(h.facts(), "gap")["decisive"] == decisive


def test_gaps_of_the_chart() -> None:
    h = History()
    for query in ("imaging", "laboratory"):
        h.gaps.append(
            Gap(
                resource="Observation",
                reason=GapReason.TRUNCATED,
                detail="page limit",
                decisive=query == "imaging",
                query=query,
            )
        )
    gaps = of_kind(h.facts(), "gap")
    assert {(g["resource"], g["reason"], g["decisive"]) for g in gaps} == {
        ("Observation", "truncated", "yes"),
        ("Observation", "truncated", "no"),
    }


def test_facts_of_another_day_are_refused() -> None:
    from plugin.facts import facts_of

    with pytest.raises(ValueError, match="another day"):
        facts_of(History().timeline(), today=date(2026, 1, 1), settings=Settings())


def test_names_of_the_drug_and_decision_never_reach_a_fact() -> None:
    h = History()
    h.lesion("L1", "VI")
    h.dose("2026-02-10", drug=Drug.BEVACIZUMAB)
    h.decide(None, Disposition.WATCHFUL_WAITING, "2026-03-01", note=[{"text": "free text"}])
    assert "free text" not in repr(h.facts())


@pytest.mark.parametrize("status", ["preliminary", "registered", "Final", None])
def test_what_shows_a_lesion_and_is_not_final_is_a_fact(status: str | None) -> None:
    h = History()
    lesion = h.lesion("L1", "VI")
    h.seen(lesion, h.study("2026-01-05", "CT"), mm=20)
    said = h.seen(lesion, h.study("2026-09-05", "CT"), mm=14)
    if status is None:
        del said["status"]
    else:
        said["status"] = status
    (found,) = of_kind(h.facts(), "set_aside")
    assert (found["what"], found["day"]) == ("not-final", date(2026, 9, 5))


def test_a_negative_that_is_not_final_is_no_such_fact() -> None:
    h = History()
    lesion = h.lesion("L1", "VI")
    h.seen(lesion, h.study("2026-09-05", "CT"), "not-visible", status="preliminary")
    assert of_kind(h.facts(), "set_aside") == []
