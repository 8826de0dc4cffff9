"""The synthetic patients: valid FHIR, complete, theirs alone, and moving with today as one."""

import json
import re
from datetime import date, timedelta
from typing import Any

import pytest
from fhir.resources.R4B.bundle import Bundle

from fhir_profiles import samples
from fhir_profiles.check import check
from fhir_profiles.read import subject_of
from fhir_profiles.records import Exam, ExamAdequacy, LesionRecord, Rejected, Report, Sighting
from tests.fhir_profiles.resources import records

NAMES = samples.names()
DAY = re.compile(r"\d{4}-\d{2}-\d{2}")
STATUSES = {
    "VISIBLE", "SMALL_RESIDUAL", "RESIDUAL_TINY", "REAPPEARED", "APPARENT_DLM", "CONFIRMED_DLM", "MISSING_IOUS",
    "MISSING_CEIOUS", "TREATED", "CANNOT_DECIDE",
}  # fmt: skip


def resources(name: str, today: date | None = None) -> list[dict[str, Any]]:
    return [entry["resource"] for entry in samples.sample(name, today).bundle["entry"]]


def drafts(name: str) -> list[dict[str, Any]]:
    entries = samples.sample(name).hook["context"].get("draftOrders", {}).get("entry", [])
    return [entry["resource"] for entry in entries]


def test_there_are_nine_by_name() -> None:
    assert set(NAMES) == {
        "ct-only-watch-and-wait", "mri-visible-called-gone", "mri-confirmed-hepatectomy",
        "ceious-negative-deep-site", "report-silent", "heterogeneous-response", "bevacizumab-conspicuity",
        "cea-discordant", "nothing-to-say",
    }  # fmt: skip
    with pytest.raises(samples.UnknownSample, match="nothing-to-say"):
        samples.sample("no-such-patient")


@pytest.mark.parametrize("name", NAMES)
def test_bundles_are_valid_transactions_with_fixed_ids(name: str) -> None:
    bundle = samples.sample(name).bundle
    Bundle.model_validate(bundle)
    assert bundle["type"] == "transaction"
    for entry in bundle["entry"]:
        resource, request = entry["resource"], entry["request"]
        assert check(resource) == ()
        assert (request["method"], request["url"]) == ("PUT", f"{resource['resourceType']}/{resource['id']}")


@pytest.mark.parametrize("name", NAMES)
def test_every_reference_stays_inside_the_patient(name: str) -> None:
    mine = {f"{resource['resourceType']}/{resource['id']}" for resource in resources(name)}
    text = json.dumps([*resources(name), *drafts(name)])
    referred = set(re.findall(r'"reference": "([^"]+)"', text))
    assert referred <= mine
    patient = f"Patient/{samples.sample(name).hook['context']['patientId']}"
    assert patient in mine
    assert {subject_of(resource) for resource in (*resources(name), *drafts(name))} == {patient}


def test_ids_are_unique_over_all_patients() -> None:
    ids = [(resource["resourceType"], resource["id"]) for name in NAMES for resource in resources(name)]
    assert len(ids) == len(set(ids))
    assert all(identifier.startswith("vestige-") for _, identifier in ids)


def test_names_cannot_be_mistaken_for_people() -> None:
    families = [resources(name)[0]["name"][0]["family"] for name in NAMES]
    assert len(set(families)) == len(NAMES)
    assert all(family.startswith("Sample-") for family in families)


@pytest.mark.parametrize("name", NAMES)
def test_all_is_read_and_nothing_refused(name: str) -> None:
    for resource in (*resources(name), *drafts(name)):
        found = records(resource)
        assert found, resource["id"]
        assert not any(isinstance(record, Rejected) for record in found), found


@pytest.mark.parametrize("name", NAMES)
def test_every_study_has_a_final_report_and_an_adequacy(name: str) -> None:
    found = [record for resource in resources(name) for record in records(resource)]
    studies = {record.key for record in found if isinstance(record, Exam)}
    reports = {link.key for record in found if isinstance(record, Report) for link in record.studies}
    judged = {link.key for record in found if isinstance(record, ExamAdequacy) for link in record.studies}
    assert studies == reports == judged
    linked = [record for record in found if isinstance(record, Sighting)]
    assert all(
        record.lesion and record.studies and record.day and record.status == "final" for record in linked
    )


@pytest.mark.parametrize("name", NAMES)
def test_nothing_lies_after_today(name: str) -> None:
    anchor = samples.sample(name).anchor
    for resource in resources(name):
        for record in records(resource):
            if isinstance(record, Exam | Report | Sighting | ExamAdequacy):
                assert record.day is not None
                assert record.day.last <= anchor


@pytest.mark.parametrize("name", NAMES)
def test_dates_move_together(name: str) -> None:
    told = samples.sample(name)
    days = timedelta(days=101)
    later = samples.sample(name, told.anchor + days)
    assert later.anchor == told.anchor + days
    before, after = (json.dumps([one.bundle, one.hook]) for one in (told, later))
    pairs = list(zip(DAY.findall(before), DAY.findall(after), strict=True))
    assert pairs
    assert all(date.fromisoformat(new) - date.fromisoformat(old) == days for old, new in pairs)
    assert DAY.sub("", before) == DAY.sub("", after)
    assert samples.sample(name, told.anchor) == told


@pytest.mark.parametrize("name", NAMES)
def test_what_is_to_be_found_fits_the_record(name: str) -> None:
    expected = samples.sample(name).expected
    labels = {
        record.ref.label
        for resource in resources(name)
        for record in records(resource)
        if isinstance(record, LesionRecord)
    }
    assert set(expected) == {"lesions", "patientStatus", "rules", "absent"}
    assert set(expected["lesions"]) == labels
    assert set(expected["lesions"].values()) <= STATUSES
    assert set(expected["rules"].values()) <= {"critical", "warning", "info"}
    assert not set(expected["rules"]) & set(expected["absent"])
    assert bool(expected["rules"]) == (name != "nothing-to-say")


@pytest.mark.parametrize("name", NAMES)
def test_hooks_are_complete(name: str) -> None:
    hook = samples.sample(name).hook
    assert hook["hook"] in {"patient-view", "order-sign"}
    assert {"userId", "patientId"} <= set(hook["context"])
    assert bool(drafts(name)) == (hook["hook"] == "order-sign")
    assert all(draft["status"] == "draft" and check(draft) == () for draft in drafts(name))
