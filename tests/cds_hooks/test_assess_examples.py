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
