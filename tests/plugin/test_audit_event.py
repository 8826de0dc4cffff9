"""Decision records as AuditEvent resources: valid, and without a name, an id or a value."""

from __future__ import annotations

from datetime import date

import msgspec
import pytest

from fhir_profiles.check import check
from plugin.audit_event import audit_event
from plugin.errors import StoreError
from plugin.record import Record, change_record
from tests.plugin.fhir import PATIENT
from tests.plugin.test_store import record


@pytest.mark.parametrize("outcome", ["answered", "late", "something-new"])
@pytest.mark.parametrize("client", [None, "https://ehr.example"])
def test_it_is_valid_fhir(outcome: str, client: str | None) -> None:
    event = audit_event(msgspec.structs.replace(record(client=client), outcome=outcome))
    assert check(event) == ()
    assert check({**event, "outcome": 17, "agent": "x"}) != (), "the check can fail"
    assert event["outcome"] == {"answered": "0", "late": "4"}.get(outcome, "8")


def test_it_says_who_asked_what_was_read_and_which_version() -> None:
    made = record()
    event = audit_event(made)
    assert event["id"] == made.id
    assert event["agent"][0]["who"]["display"] == "https://ehr.example"
    assert made.pack_revision in event["agent"][1]["who"]["display"]
    patient, *read = event["entity"]
    assert patient["what"]["identifier"]["value"] == made.patient
    assert [one["what"]["type"] for one in read] == ["Patient", "Observation", "ServiceRequest"]
    assert {"type": "versionId", "valueString": "3"} in read[1]["detail"]


def test_it_names_no_patient_and_no_resource() -> None:
    text = msgspec.json.encode(audit_event(record())).decode()
    for secret in (PATIENT, "obs-1", "lesion-1", "draft-1", "mrn-", "1960"):
        assert secret not in text


@pytest.mark.parametrize("outcome", ["reloaded", "reload-refused"])
def test_a_change_of_settings_is_valid_too_and_about_no_patient(outcome: str) -> None:
    made = change_record(
        pack_revision="abc123",
        parameters={},
        states={"DA-10": "off"},
        settings="0" * 64,
        today=date(2026, 11, 21),
        outcome=outcome,
        changed=("rules.states.DA-10",),
    )
    event = audit_event(made)
    assert check(event) == ()
    assert "rules.states.DA-10" in event["outcomeDesc"]
    assert "abc123" in event["agent"][1]["who"]["display"]
    assert "entity" not in event


def test_a_record_that_makes_no_valid_one_is_refused() -> None:
    odd: Record = msgspec.structs.replace(record(), id="not an id")
    with pytest.raises(StoreError, match="no valid AuditEvent"):
        audit_event(odd)
