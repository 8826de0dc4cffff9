"""Writes the timeline documents of the sample patients: what the page draws, without a server."""

from __future__ import annotations

import sys
from pathlib import Path
from typing import Any

import msgspec

from cds_hooks.rulebook import evaluator_here
from cds_hooks.timeline_page.data import document, why_document
from fhir_profiles import samples
from plugin.advice import advise, shown
from plugin.chart import Chart
from plugin.decide import decide
from plugin.decision import Decision
from plugin.pull.drafts import drafts
from plugin.pull.owner import Identity
from plugin.settings import Settings
from rules.evaluate import Evaluator


def chart_of(sample: samples.Sample) -> Chart:
    """Returns the chart of a sample patient, with the drafts of its hook."""
    context = sample.hook["context"]
    hooked = drafts(context, Identity(context["patientId"]))
    return Chart(
        patient_id=context["patientId"],
        resources=tuple(entry["resource"] for entry in sample.bundle["entry"]),
        drafts=hooked.resources,
        gaps=hooked.gaps,
        hook=sample.hook["hook"],
        draft_tokens=hooked.tokens,
        selections=hooked.selections,
        encounter=hooked.encounter,
    )


def decided(sample: samples.Sample, evaluator: Evaluator, settings: Settings) -> tuple[Chart, Decision]:
    """Returns chart and decision of a sample on its own day."""
    chart = chart_of(sample)
    return chart, decide(chart, evaluator, today=sample.anchor, settings=settings)


def page_document(sample: samples.Sample, evaluator: Evaluator, settings: Settings) -> dict[str, Any]:
    """Returns the timeline document of a sample."""
    chart, decision = decided(sample, evaluator, settings)
    hook = sample.hook["hook"]
    advices = advise(decision, hook, settings=settings, language=settings.cards.language)
    return document(decision, chart, advices, shown(decision, hook), settings, hook)


def write(folder: Path) -> None:
    """Writes NAME.json and NAME.why.json of every sample into a folder."""
    folder.mkdir(parents=True, exist_ok=True)
    settings = Settings()
    with evaluator_here(settings, timeout=30.0) as evaluator:
        for name in samples.names():
            sample = samples.sample(name)
            made = page_document(sample, evaluator, settings)
            _, decision = decided(sample, evaluator, settings)
            why = {lesion.id: why_document(decision, lesion.id) for lesion in decision.lesions}
            for file, value in ((f"{name}.json", made), (f"{name}.why.json", why)):
                (folder / file).write_bytes(msgspec.json.format(msgspec.json.encode(value), indent=1))


if __name__ == "__main__":
    write(Path(sys.argv[1]))
