"""The document that `vestige assess --json` prints."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from datetime import date
from decimal import Decimal
from typing import Any

from plugin.advice.memory import answered
from plugin.decision import Advice, Decision, HistoryEntry, LesionOutcome, Shown
from plugin.timeline import Timeline
from rules.facts import Fact, Value


def as_json(decision: Decision, advices: Iterable[Advice], shown: Sequence[Shown]) -> dict[str, Any]:
    """Returns decision and advice as plain JSON values; the caller adds the cards of its protocol."""
    return {
        "patient": decision.patient,
        "today": decision.today.isoformat(),
        "lesions": [_lesion(lesion) for lesion in decision.lesions],
        "patientStatus": decision.patient_status,
        "certainty": decision.certainty,
        "findings": [_finding(each) for each in shown],
        "advice": [_card(advice) for advice in advices],
        "answers": [
            {"rule": rule, **{name: _value(one.get(name)) for name in ("outcome", "reason", "day")}}
            for rule, given in answered(decision).items()
            for one in given
        ],
        "gaps": [
            {
                "resource": gap.resource,
                "reason": gap.reason.value,
                "detail": gap.detail,
                "decisive": gap.decisive,
            }
            for gap in decision.gaps
        ],
        "understood": understood(decision.timeline),
        "notUsed": [
            {"resource": each.source, "reason": each.reason, "detail": each.detail}
            for each in decision.timeline.rejected
        ],
        "notes": [
            {"resource": each.source, "reason": each.reason, "detail": each.detail}
            for each in decision.timeline.notes
        ],
        "rulePack": {
            "id": decision.pack.id,
            "version": decision.pack.version,
            "revision": decision.pack_revision,
            "engines": list(decision.evaluation.engines),
            "refused": list(decision.evaluation.refused),
            "alarms": [{"kind": alarm.kind, "message": alarm.message} for alarm in decision.alarms],
        },
    }


def understood(timeline: Timeline) -> dict[str, int]:
    """Returns how many records of each kind were understood, those of which there are any."""
    counted = {
        "lesions": timeline.lesions,
        "studies": timeline.studies,
        "sightings": timeline.sightings,
        "doses": timeline.doses,
        "treatments": timeline.treatments,
        "plans": timeline.plans,
        "dispositions": timeline.decided,
        "laboratory values": timeline.labs,
        "conditions": timeline.conditions,
        "patient facts": timeline.patient_facts,
        "reviews": timeline.reviews,
        "pathology": timeline.pathology,
        "responses": timeline.responses,
    }
    return {name: len(records) for name, records in counted.items() if records}


def _lesion(lesion: LesionOutcome) -> dict[str, Any]:
    return {
        "id": lesion.id,
        "label": lesion.label,
        "segment": lesion.segment,
        "status": lesion.status,
        "reasons": list(lesion.reasons),
        "asOf": _value(lesion.as_of),
        "flags": dict(lesion.flags),
        "history": [_entry(entry) for entry in lesion.history],
    }


def _entry(entry: HistoryEntry) -> dict[str, Any]:
    return {
        "study": entry.study,
        "day": _value(entry.day),
        "modality": entry.modality,
        "visibility": entry.visibility,
        "mm": _value(entry.mm),
        "resources": list(entry.sources),
    }


def _finding(each: Shown) -> dict[str, Any]:
    finding = each.finding
    return {
        "rule": finding.rule,
        "case": finding.case,
        "title": finding.title,
        "subject": finding.subject,
        "conclusion": finding.conclusion,
        "indicator": finding.indicator,
        "family": finding.family,
        "shown": each.shown,
        "hiddenBy": each.hidden_by,
        "mergedInto": each.merged_into,
        "says": [{name: _value(value) for name, value in way.items()} for way in finding.says],
        "facts": [_fact(fact) for fact in finding.facts],
        "resources": list(finding.sources),
        "parameters": list(finding.parameters),
    }


def _fact(fact: Fact) -> dict[str, Any]:
    return {"kind": fact.kind, **{name: _value(value) for name, value in fact.values.items()}}


def _card(advice: Advice) -> dict[str, Any]:
    return {
        "family": advice.family,
        "indicator": advice.indicator,
        "summary": advice.summary,
        "detail": advice.detail,
        "rules": list(advice.rules),
        "subjects": list(advice.subjects),
        "topic": advice.topic,
        "suggestions": [
            {
                "label": one.label,
                "description": one.description,
                "recommended": one.recommended,
                "resource": one.resource,
            }
            for one in advice.suggestions
        ],
        "overrideReasons": [
            {"system": one.system, "code": one.code, "display": one.display}
            for one in advice.override_reasons
        ],
        "resources": list(advice.sources),
    }


def _value(value: Value | None) -> Any:
    """Returns a value as JSON has it: a date as text, an exact number as a number."""
    if isinstance(value, date):
        return value.isoformat()
    if isinstance(value, Decimal):
        return int(value) if value == value.to_integral_value() else float(value)
    return value
