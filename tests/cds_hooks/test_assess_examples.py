"""FHIR instances that others wrote: `vestige assess` says of each what was understood, and never fails on one."""

import json
from pathlib import Path
from typing import Any

from fhir_profiles.read import subject_of, unbundle
from tests.cds_hooks.test_cli import vestige
from tests.require import examples

TODAY = "2026-11-21"


def patient_of(content: dict[str, Any]) -> str:
    """Returns the patient whose resources come first; the command wants one where the file holds several."""
    resources = unbundle(content) if content.get("resourceType") == "Bundle" else (content,)
    named = (subject_of(each) for each in resources)
    return next((str(one).rsplit("/", 1)[-1] for one in named if one), "nobody")


def test_every_instance_is_assessed(tmp_path: Path) -> None:
    context = tmp_path / "context.json"
    for file in examples():
        context.write_text(
            json.dumps({"patientId": patient_of(json.loads(file.read_text(encoding="utf-8")))})
        )
        arguments = ("assess", file, "--context", context, "--today", TODAY)
        ran = vestige(*arguments, "--json", VESTIGE_RULES__ENGINE="reference")
        assert ran.returncode in (0, 1), (file, ran.stderr)
        assert ran.stderr == "", file
        document = json.loads(ran.stdout)
        assert document["patientStatus"], file
        for lesion in document["lesions"]:
            # What was seen of a lesion is listed, whatever is concluded from it.
            assert lesion["history"] or lesion["status"] == "CANNOT_DECIDE", file
        if document["lesions"]:
            told = vestige(*arguments, VESTIGE_RULES__ENGINE="reference")
            assert "Patient status:" in told.stdout, file
            assert all(lesion["label"][:8] in told.stdout for lesion in document["lesions"]), file


def test_what_was_understood_and_what_was_not_used_is_said(tmp_path: Path) -> None:
    subject = {"subject": {"reference": "Patient/p1"}}
    marker = {"coding": [{"system": "http://loinc.org", "code": "2039-6"}]}
    lab = {
        "resourceType": "Observation",
        "status": "final",
        "code": marker,
        "effectiveDateTime": "2026-10-01",
        **subject,
    }
    resources = [
        {"resourceType": "Patient", "id": "p1"},
        {**lab, "id": "used", "valueQuantity": {"value": 4, "unit": "ng/mL"}},
        {**lab, "id": "odd", "valueQuantity": {"value": 4, "unit": "U/mL"}},
        {**lab, "id": "void", "status": "entered-in-error"},
    ]
    file = tmp_path / "record.ndjson"
    file.write_text("\n".join(json.dumps(one) for one in resources))
    ran = vestige("assess", file, "--today", TODAY, "--json", VESTIGE_RULES__ENGINE="reference")
    document = json.loads(ran.stdout)
    assert document["understood"] == {"laboratory values": 2}
    assert [(one["resource"], one["reason"]) for one in document["notUsed"]] == [
        ("Observation/void", "entered-in-error")
    ]
    assert document["notes"] == [
        {"resource": "Observation/odd", "reason": "laboratory-value-not-counted", "detail": "unit"}
    ]
    text = vestige("assess", file, "--today", TODAY, VESTIGE_RULES__ENGINE="reference").stdout
    for said in ("Understood: 2 laboratory values", "Not used: Observation/void", "Note: Observation/odd"):
        assert said in text
