"""The sample patients as an R5 server writes them: drugs and images as resources of their own, and the same answer."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

import pytest

from fhir_profiles.samples import names, sample
from plugin.chart import Chart
from plugin.decide import decide
from plugin.decision import Decision
from plugin.settings import Settings
from rules.evaluate import Evaluator
from rules.language import load_pack

Resource = dict[str, Any]


@pytest.fixture(scope="module")
def rules() -> Iterator[Evaluator]:
    with Evaluator(load_pack(), mode="reference", timeout=60) as evaluator:
        yield evaluator


def with_medication(given: Resource) -> list[Resource]:
    """A dose of R5, and its Medication beside it."""
    written = dict(given)
    drug = {"resourceType": "Medication", "id": f"drug-{given['id']}"}
    drug["code"] = written.pop("medicationCodeableConcept")
    written["medication"] = {"reference": {"reference": f"Medication/{drug['id']}"}}
    written |= {
        key.replace("effective", "occurence"): written.pop(key) for key in given if "effective" in key
    }
    return [written, drug]


def with_selection(given: Resource) -> list[Resource]:
    """An observation of R5 that derives from images, which tell the study."""
    written = dict(given)
    selection = {
        "resourceType": "ImagingSelection",
        "id": f"images-{given['id']}",
        "status": "available",
        "subject": given["subject"],
        "derivedFrom": written.pop("partOf"),
    }
    written["derivedFrom"] = [{"reference": f"ImagingSelection/{selection['id']}"}]
    return [written, selection]


def in_r5(given: Resource) -> list[Resource]:
    if "medicationCodeableConcept" in given and given["resourceType"] == "MedicationAdministration":
        return with_medication(given)
    studies = all("ImagingStudy/" in one["reference"] for one in given.get("partOf", []))
    if given["resourceType"] == "Observation" and given.get("partOf") and studies:
        return with_selection(given)
    return [given]


def decided(resources: list[Resource], name: str, rules: Evaluator) -> Decision:
    found = sample(name)
    patient = found.hook["context"]["patientId"]
    chart = Chart(patient_id=patient, resources=tuple(resources))
    return decide(chart, rules, today=found.anchor, settings=Settings())


def told(decision: Decision) -> Any:
    lesions = [(one.id, one.status, one.reasons, one.as_of) for one in decision.lesions]
    return lesions, sorted(
        (one.rule, one.case or "", one.subject or "", str(one.says)) for one in decision.findings
    )


@pytest.mark.parametrize("name", names())
def test_a_record_of_r5_gives_the_same_answer(name: str, rules: Evaluator) -> None:
    r4 = [entry["resource"] for entry in sample(name).bundle["entry"]]
    r5 = [written for one in r4 for written in in_r5(one)]
    assert len(r5) > len(r4)
    assert told(decided(r5, name, rules)) == told(decided(r4, name, rules))
