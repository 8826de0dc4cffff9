"""The rows of the lesion matrix: what is on record of each lesion, one cell a study."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

from cds_hooks.timeline_page.values import days, plain
from plugin.advice.text import Texts
from plugin.decision import Decision, LesionOutcome
from plugin.timeline import Landmarks, Lesion, LesionSighting, Study, events, landmarks
from plugin.timeline.change import Point, Series, changes
from plugin.timeline.days import first_of

SEEN = {
    "visible": "seen",
    "not-visible": "sought-not-seen",
    "indeterminate": "indeterminate",
    "not-assessed": "not-assessed",
}
NOT_MENTIONED = "not-mentioned"
NOT_READ = "not-read"
"""Of a record that was not read whole: a report that is silent and one that was not read look alike."""
CONTRADICTED = "contradicted"
_MEASURES = (("adc", "um2/s"), ("hu", "HU"), ("sul", "g/mL"))


def lesion_rows(decision: Decision, texts: Texts, cards: Sequence[dict[str, Any]]) -> list[dict[str, Any]]:
    """Returns one row a tracked lesion, in the order of the decision."""
    known = {lesion.id: lesion for lesion in decision.timeline.lesions}
    return [_row(decision, texts, outcome, known[outcome.id], cards) for outcome in decision.lesions]


def _row(
    decision: Decision, texts: Texts, outcome: LesionOutcome, lesion: Lesion, cards: Sequence[dict[str, Any]]
) -> dict[str, Any]:
    timeline = decision.timeline
    history = decision.about("lesion_history", lesion.id)
    return {
        "id": lesion.id,
        "label": lesion.label,
        "segment": lesion.segment,
        "segments": list(lesion.segments),
        "status": outcome.status,
        "statusText": texts.word("status", outcome.status),
        "reasons": [{"code": code, "text": texts.word("reason", code)} for code in outcome.reasons],
        "asOf": plain(outcome.as_of),
        "flags": dict(outcome.flags),
        "nature": lesion.nature,
        "depthMm": plain(lesion.depth_mm),
        "marker": lesion.marker,
        "markerMigrated": lesion.marker_migrated,
        "inPlannedSpecimen": lesion.in_specimen,
        "inFutureRemnant": lesion.in_future_remnant,
        "extraResection": lesion.extra_resection,
        "targetRole": lesion.target_role,
        "mergedInto": lesion.merged_into,
        "splitFrom": lesion.split_from,
        "identityClash": lesion.tainted,
        "disposition": _disposition(decision, texts, lesion.id),
        "treated": _treated(decision, lesion.id),
        "baseline": _mark(history, "baseline", size=True),
        "lastSeen": _mark(history, "lastSeen", size=True),
        "lastSaid": _last_said(history),
        "landmarks": [_landmarks(one) for one in landmarks(timeline, lesion.id)],
        "events": _events(decision, lesion.id),
        "cells": _cells(decision, texts, lesion.id),
        "changes": [_change(one) for one in changes(timeline, lesion.id)],
        "measures": _measures(decision, lesion.id),
        "openAdvice": _open_advice(cards, lesion.id),
    }


def _disposition(decision: Decision, texts: Texts, lesion: str) -> dict[str, Any] | None:
    found = next((one for one in decision.timeline.decided if one.lesion == lesion), None)
    if found is None:
        return None
    return {
        "value": found.disposition,
        "text": texts.word("disposition", found.disposition),
        "reason": found.reason,
        "reasonText": texts.word("disposition_reason", found.reason) if found.reason else None,
        "day": plain(found.day),
        "draft": found.draft,
        "source": found.source,
    }


def _treated(decision: Decision, lesion: str) -> list[dict[str, Any]]:
    return [
        {"kind": one.treatment.type, **days(one.treatment.day), "source": one.treatment.source}
        for one in decision.timeline.treatments
        if one.treatment.completed and lesion in one.lesions
    ]


def _mark(history: Any, name: str, *, size: bool) -> dict[str, Any] | None:
    if history.get(f"{name}Day") is None:
        return None
    return {
        "mm": plain(history.get(f"{name}Mm")) if size else None,
        "day": plain(history[f"{name}Day"]),
        "modality": plain(history.get(f"{name}Class")),
        "study": plain(history.get(f"{name}Exam")),
    }


def _last_said(history: Any) -> dict[str, Any] | None:
    found = _mark(history, "lastSaid", size=False)
    if found is None:
        return None
    said = plain(history.get("lastSaid"))
    return {"visibility": SEEN.get(str(said)), **{key: found[key] for key in ("day", "modality", "study")}}


def _landmarks(mark: Landmarks) -> dict[str, Any]:
    named = {name: getattr(mark, name) for name in ("baseline", "nadir", "prior", "latest")}
    return {
        "modality": mark.modality,
        **{name: None if one is None else _brief(one) for name, one in named.items()},
    }


def _brief(one: LesionSighting) -> dict[str, Any]:
    return {
        "study": one.study,
        "day": plain(first_of(one.day)),
        "visibility": SEEN.get(str(one.visibility)),
        "mm": plain(one.mm),
    }


def _events(decision: Decision, lesion: str) -> list[dict[str, Any]]:
    return [
        {
            "name": str(one.name),
            "text": one.text,
            "modality": one.modality,
            "study": one.study,
            "day": plain(one.day),
            "against": one.against,
            "deltaMm": plain(one.delta_mm),
        }
        for one in events(decision.timeline, lesion)
    ]


def _cells(decision: Decision, texts: Texts, lesion: str) -> dict[str, dict[str, Any]]:
    by_study: dict[str, list[LesionSighting]] = {}
    for one in decision.timeline.of_lesion(lesion):
        by_study.setdefault(one.study, []).append(one)
    silent = NOT_READ if decision.unread else NOT_MENTIONED
    return {one.id: _cell(one, by_study.get(one.id, []), texts, silent) for one in decision.timeline.studies}


def _cell(study: Study, said: Sequence[LesionSighting], texts: Texts, silent: str) -> dict[str, Any]:
    """The cell of one study: several statements that differ are a contradiction, and none is preferred."""
    stated = [one for one in said if one.visibility is not None]
    kinds = {str(one.visibility) for one in stated}
    state = silent if not kinds else SEEN[next(iter(kinds))] if len(kinds) == 1 else CONTRADICTED
    sized = next((one for one in stated if one.mm is not None), None) if state == "seen" else None
    return {
        "visibility": state,
        "text": _state_text(state, kinds, texts),
        "mm": plain(sized.mm) if sized else None,
        "exact": sized.exact if sized else True,
        "tooSmall": any(one.ttsm is True for one in stated) and state == "seen",
        "sizeText": next((one.size_text for one in said if one.size_text), None),
        "notes": _notes(study, said),
        "sources": sorted({token for one in said for token in one.sources}),
        "statements": [_statement(one, texts) for one in said],
    }


def _state_text(state: str, kinds: set[str], texts: Texts) -> str:
    if state in (NOT_MENTIONED, NOT_READ):
        return texts.words("no_statement" if state == NOT_MENTIONED else "not_read")
    if state == CONTRADICTED:
        return texts.word("reason", "contradiction")
    return texts.word("visibility", next(iter(kinds)))


def _notes(study: Study, said: Sequence[LesionSighting]) -> list[str]:
    found = [
        ("zero-size", any(one.zero_size for one in said)),
        ("unit-rejected", any(one.unit_rejected for one in said)),
        ("not-final", study.final is not True),
        ("other-region", not study.liver),
        ("reader-says-new", any(one.new_statement == "new" for one in said)),
    ]
    return [name for name, here in found if here]


def _statement(one: LesionSighting, texts: Texts) -> dict[str, Any]:
    state = SEEN.get(str(one.visibility), NOT_MENTIONED)
    word = texts.word("visibility", one.visibility) if one.visibility else texts.words("no_statement")
    return {
        "visibility": state,
        "text": word,
        "mm": plain(one.mm),
        "exact": one.exact,
        "tooSmall": one.ttsm is True,
        "remnant": one.remnant,
        "conspicuity": one.conspicuity,
        "rim": one.rim,
        "hbpSignal": one.hbp_signal,
        "petAvid": one.pet_avid,
        "sources": list(one.sources),
    }


def _change(series: Series) -> dict[str, Any]:
    first = series.baseline
    return {
        "modality": series.modality,
        "baseline": {"study": first.study, "day": plain(first_of(first.day)), "mm": plain(first.mm)},
        "points": [_point(one) for one in series.points],
    }


def _point(one: Point) -> dict[str, Any]:
    return {
        "study": one.study,
        "day": plain(one.day),
        "visibility": SEEN.get(str(one.visibility), NOT_MENTIONED),
        "mm": plain(one.mm),
        "percent": plain(one.percent),
        "nadir": one.nadir,
    }


def _measures(decision: Decision, lesion: str) -> list[dict[str, Any]]:
    found = []
    for one in decision.timeline.of_lesion(lesion):
        for kind, unit in _MEASURES:
            value = getattr(one, kind)
            if value is not None or kind in one.unusable:
                found.append(
                    {
                        "kind": kind,
                        "unit": unit,
                        "study": one.study,
                        "day": plain(first_of(one.day)),
                        "value": plain(value),
                        "sources": list(one.sources),
                    }
                )
    return found


def _open_advice(cards: Sequence[dict[str, Any]], lesion: str) -> list[dict[str, Any]]:
    return [
        {
            "card": place,
            "indicator": one["card"]["indicator"],
            "family": one["family"],
            "summary": one["card"]["summary"],
            "rules": one["rules"],
        }
        for place, one in enumerate(cards)
        if lesion in one["subjects"]
    ]
