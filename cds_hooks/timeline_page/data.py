"""The timeline document: everything the page draws, taken from one decision; nothing is judged here."""

from __future__ import annotations

from collections.abc import Sequence
from decimal import Decimal
from typing import Any

from cds_hooks.timeline_page.findings import page_cards
from cds_hooks.timeline_page.lesions import lesion_rows
from cds_hooks.timeline_page.therapy import treatment_band
from cds_hooks.timeline_page.values import days, plain, plain_fact
from plugin.advice.text import Texts, texts_of
from plugin.advice.theatre import theatre_list
from plugin.chain import chain_of
from plugin.chart import Chart
from plugin.criteria import recist
from plugin.criteria.exact import millimetres
from plugin.decision import Advice, Decision, Shown
from plugin.result import as_json
from plugin.settings import Settings
from plugin.timeline import Study
from plugin.timeline.change import percent
from rules import explain

SCHEMA = 1
_PAIR = ("fromDay", "toDay", "fromMm", "toMm", "deltaMm")


def document(
    decision: Decision,
    chart: Chart,
    advices: Sequence[Advice],
    places: Sequence[Shown],
    settings: Settings,
    hook: str = "patient-view",
) -> dict[str, Any]:
    """Returns the document of one patient as JSON values; texts of the record are in it as they are."""
    language = settings.cards.language
    texts = texts_of(decision.pack.folder, language)
    cards = page_cards(decision, advices, texts, settings, hook)
    told = as_json(decision, (), places)
    return {
        "schema": SCHEMA,
        "language": language,
        "patient": _patient(chart),
        "today": decision.today.isoformat(),
        "patientStatus": {"value": decision.patient_status, "certainty": decision.certainty},
        "studies": [_study(decision, chart, texts, one) for one in _ordered(decision.timeline.studies)],
        "treatments": treatment_band(decision.timeline),
        "lesions": lesion_rows(decision, texts, cards),
        "waterfall": _waterfall(decision),
        "recist": _recist(decision),
        "cea": _cea(decision),
        "theatre": theatre_list(decision, texts),
        "cards": cards,
        "findings": [_finding(one) for one in told["findings"]],
        "gaps": [{**one, "reasonText": texts.word("gap", one["reason"])} for one in told["gaps"]],
        "notUsed": told["notUsed"],
        "notes": told["notes"],
        "rulePack": told["rulePack"],
        "undecided": _undecided(decision),
        "unread": decision.unread,
    }


def why_document(decision: Decision, lesion_id: str) -> dict[str, Any] | None:
    """Returns the chains below the findings on one lesion, as `vestige why` has them; None if unknown."""
    lesion = next((one for one in decision.lesions if one.id == lesion_id), None)
    if lesion is None:
        return None
    chains = [chain_of(one) for one in explain.why(decision.evaluation, lesion.id)]
    return {"lesion": lesion.id, "label": lesion.label, "status": lesion.status, "chains": chains}


def resources_of(chart: Chart, tokens: Sequence[str]) -> dict[str, Any]:
    """Returns the FHIR resources of the chart by their tokens, None for what is not in it."""
    known = {f"{one.get('resourceType')}/{one.get('id')}": one for one in (*chart.drafts, *chart.resources)}
    return {token: known.get(token.split("/_history/", 1)[0]) for token in tokens}


def display_name(chart: Chart) -> str:
    """Returns the patient's name as recorded, else the id."""
    patient: Any = next(chart.of_type("Patient"), {})
    names = patient.get("name")
    name: Any = next((one for one in names if isinstance(one, dict)), {}) if isinstance(names, list) else {}
    given: Any = name.get("given")
    parts = [*(given if isinstance(given, list) else []), name.get("family")]
    joined = " ".join(str(part) for part in parts if part)
    return str(name.get("text") or joined or chart.patient_id)


def _patient(chart: Chart) -> dict[str, Any]:
    patient: Any = next(chart.of_type("Patient"), {})
    birth = patient.get("birthDate")
    return {
        "id": chart.patient_id,
        "display": display_name(chart),
        "birthDate": birth if isinstance(birth, str) else None,
    }


def _ordered(studies: Sequence[Study]) -> list[Study]:
    return sorted(studies, key=lambda one: ("" if one.day is None else one.day.first.isoformat(), one.id))


def _study(decision: Decision, chart: Chart, texts: Texts, study: Study) -> dict[str, Any]:
    graded = next((one for one in decision.evaluation.values("study") if one.get("exam") == study.id), {})
    read = study.adequacy
    return {
        "id": study.id,
        "label": study.label,
        **days(study.day),
        "modality": study.modality,
        "modalityText": texts.word("class", study.modality or "unknown"),
        "agent": read.agent if read else None,
        "title": _title(chart, study),
        "final": study.final,
        "liver": study.liver,
        "synthetic": study.synthetic,
        "unmatched": study.unmatched,
        "adequacy": None
        if read is None
        else {
            "value": read.adequacy,
            "agent": read.agent,
            "hbp": read.hbp,
            "hbpQuality": read.hbp_quality,
            "dwi": read.dwi,
            "maxB": read.max_b,
            "sliceMm": plain(read.slice_mm),
            "coverage": read.coverage,
            "excludedSegments": list(read.excluded_segments),
            "artefact": read.artefact,
            "artefactSegments": list(read.artefact_segments),
            "source": read.source,
        },
        "grade": plain(graded.get("grade")),
        "gradeReason": None if graded.get("reason") == "none" else plain(graded.get("reason")),
        "sources": list(study.sources),
    }


def _title(chart: Chart, study: Study) -> str | None:
    for token, resource in resources_of(chart, study.sources).items():
        title = resource.get("description") if resource and token.startswith("ImagingStudy/") else None
        if isinstance(title, str) and title:
            return title
    return None


def _waterfall(decision: Decision) -> list[dict[str, Any]]:
    """The rules' own pairs of baseline and index study, with the change in per cent."""
    found = []
    for fact in decision.facts:
        if fact.kind != "size_pair" or fact.values.get("pair") != "A":
            continue
        values = fact.values
        before, now = Decimal(str(values["fromMm"])), Decimal(str(values["toMm"]))
        found.append(
            {
                "lesion": values["lesion"],
                "modality": plain(values.get("class")),
                **{
                    name: plain(values.get(name))
                    for name in ("fromDay", "toDay", "fromMm", "toMm", "deltaMm")
                },
                "percent": plain(percent(before, now)),
            }
        )
    return sorted(found, key=lambda one: (-(one["percent"] or 0), str(one["lesion"])))


def _recist(decision: Decision) -> dict[str, Any]:
    return {
        "partialResponsePercent": recist.PARTIAL_RESPONSE_PERCENT,
        "progressionPercent": recist.PROGRESSION_PERCENT,
        "progressionMm": plain(millimetres(recist.ABSOLUTE_GROWTH)),
        "maxTargets": recist.MAX_TARGETS,
        "maxTargetsPerOrgan": recist.MAX_TARGETS_PER_ORGAN,
        "targetSum": plain_fact(decision.fact("target_sum")),
        "lesionSum": plain_fact(decision.fact("lesion_sum")),
        "recorded": [
            {
                "category": one.category,
                "criterion": one.criterion,
                **days(one.day),
                "lesion": one.lesion.body if one.lesion else None,
                "source": one.source,
            }
            for one in decision.timeline.responses
        ],
    }


def _cea(decision: Decision) -> list[dict[str, Any]]:
    return [
        {
            **days(one.day),
            "value": plain(one.value),
            "unit": one.unit,
            "comparator": one.comparator,
            "limit": plain(one.uln),
            "rejected": one.rejected,
            "family": one.family,
            "source": one.source,
        }
        for one in decision.timeline.labs
    ]


def _finding(told: dict[str, Any]) -> dict[str, Any]:
    kept = ("rule", "case", "title", "subject", "conclusion", "indicator", "family", "shown", "hiddenBy")
    return {**{name: told[name] for name in kept}, "resources": told["resources"]}


def _undecided(decision: Decision) -> bool:
    """Whether nothing could be decided: of no lesion, or for want of a readable record."""
    if decision.lesions:
        return all(lesion.status == "CANNOT_DECIDE" for lesion in decision.lesions)
    return any(gap.decisive for gap in decision.gaps)
