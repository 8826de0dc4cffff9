"""The sample patients through a FHIR server: pulled without prefetch, decided, and compared with the same from files."""

from __future__ import annotations

from typing import Any

from fhir_profiles.samples import Sample, names, sample
from plugin.chart import Chart
from plugin.decide import decide
from plugin.decision import Decision
from plugin.pull import HookInput, Sessions, pull
from plugin.settings import Settings
from rules.evaluate import Evaluator

GONE = {"APPARENT_DLM", "CONFIRMED_DLM", "MISSING_IOUS", "MISSING_CEIOUS"}


def everyone() -> list[dict[str, Any]]:
    """The resources of all sample patients."""
    return [entry["resource"] for name in names() for entry in sample(name).bundle["entry"]]


def called(found: Sample, base: str, **more: Any) -> HookInput:
    context = found.hook["context"]
    return HookInput(
        hook=found.hook["hook"], patient_id=context["patientId"], context=context, fhir_server=base, **more
    )


def pulled(
    found: Sample, base: str, chosen: Settings, sessions: Sessions | None = None, **more: Any
) -> Chart:
    return pull(called(found, base, **more), chosen, sessions)


def filed(found: Sample, like: Chart) -> Chart:
    """The chart of the sample as its file holds it, with the drafts of the call."""
    return Chart(
        patient_id=like.patient_id,
        resources=tuple(entry["resource"] for entry in found.bundle["entry"]),
        drafts=like.drafts,
        draft_tokens=like.draft_tokens,
        hook=like.hook,
    )


def decided(chart: Chart, found: Sample, rules: Evaluator) -> Decision:
    return decide(chart, rules, today=found.anchor, settings=Settings())


def statuses(decision: Decision) -> dict[str, str]:
    return {lesion.id: lesion.status for lesion in decision.lesions}
