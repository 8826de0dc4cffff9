"""The form of a reading: it asks what keeps lesions from being decided, filled in with what is known."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

from cds_hooks.timeline_page.lesions import NOT_MENTIONED, SEEN
from cds_hooks.timeline_page.values import plain
from fhir_profiles import reading as build
from plugin.advice.text import Texts, texts_of
from plugin.decision import Decision
from plugin.errors import CallError
from plugin.settings import Settings
from plugin.timeline import Lesion, Study

SEGMENTS = ("I", "II", "III", "IVa", "IVb", "V", "VI", "VII", "VIII")
_ASKED_OF = {
    "not-reported": "visibility",
    "indeterminate": "visibility",
    "zero-size": "visibility",
    "contradiction": "visibility",
    "identity": "visibility",
    "quality": "adequacy",
}
"""What a reading can supply of the reasons for which nothing could be decided."""


def form(decision: Decision, settings: Settings, study_id: str | None) -> dict[str, Any]:
    """Returns the form of one study, by default the last one that a lesion lacks a statement of."""
    texts = texts_of(decision.pack.folder, settings.cards.language)
    asks = _asks(decision, texts)
    studies = [one for one in decision.timeline.studies if readable(one)]
    chosen = _chosen(studies, study_id, asks)
    return {
        "study": chosen.id if chosen else None,
        "studies": [
            {
                "id": one.id,
                "label": one.label,
                "day": plain(one.day.first) if one.day else None,
                "modality": one.modality,
                "asked": any(ask["study"] == one.id for ask in asks),
            }
            for one in studies
        ],
        "asks": asks,
        "examination": _examination(chosen, asks) if chosen else None,
        "lesions": [_asked(decision, one, chosen, asks) for one in decision.timeline.lesions]
        if chosen
        else [],
    }


def _asks(decision: Decision, texts: Texts) -> list[dict[str, Any]]:
    found = []
    for lesion in decision.lesions:
        status = decision.about("status", lesion.id)
        what = _ASKED_OF.get(str(status.get("reason")))
        if what is not None:
            found.append(
                {
                    "lesion": lesion.id,
                    "label": lesion.label,
                    "what": what,
                    "study": _exam_of(decision, status),
                    "text": texts.word("reason", str(status["reason"])),
                }
            )
    return found


def _exam_of(decision: Decision, status: Mapping[str, Any]) -> str | None:
    """The study that a status rests on; where it names none, the one of its day and class."""
    exam = plain(status.get("exam"))
    if exam is not None:
        return str(exam)
    same = [
        one.id
        for one in decision.timeline.studies
        if one.day is not None
        and one.day.first == status.get("asOf")
        and status.get("class") in (None, "unknown", one.modality)
    ]
    return same[0] if len(same) == 1 else None


def readable(study: Study) -> bool:
    """Tells whether a reading can be of this study: of the liver, its modality known, on one day."""
    return study.liver and study.modality in build.METHODS and study.day is not None and study.day.exact


def _chosen(studies: Sequence[Study], wanted: str | None, asks: Sequence[Mapping[str, Any]]) -> Study | None:
    if wanted is not None:
        found = next((one for one in studies if one.id == wanted), None)
        if found is None:
            raise CallError("The record has no such study of the liver.", status=404, code="not-found")
        return found
    asked = {ask["study"] for ask in asks}
    latest = sorted(studies, key=lambda one: (one.id in asked, one.day.first if one.day else None, one.id))
    return latest[-1] if latest else None


def _examination(study: Study, asks: Sequence[Mapping[str, Any]]) -> dict[str, Any]:
    read = study.adequacy
    known = None
    if read is not None:
        known = {
            "adequacy": read.adequacy,
            "agent": read.agent,
            "hbp": read.hbp,
            "dwi": read.dwi,
            "coverage": read.coverage,
            "excludedSegments": list(read.excluded_segments),
            "sliceMm": plain(read.slice_mm),
            "source": read.source,
        }
    wanted = any(ask["study"] == study.id and ask["what"] == "adequacy" for ask in asks)
    return {
        "needed": wanted or read is None or read.adequacy is None,
        "known": known,
        "options": {
            "adequacy": _options(build.ADEQUACIES),
            "agent": _options(build.AGENTS),
            "coverage": _options(build.COVERAGES),
            "segments": list(SEGMENTS),
        },
    }


def _options(codes: Mapping[str, Any]) -> list[dict[str, str]]:
    return [{"code": name, "display": code.display} for name, code in codes.items()]


def _asked(
    decision: Decision, lesion: Lesion, study: Study, asks: Sequence[Mapping[str, Any]]
) -> dict[str, Any]:
    said = [one for one in decision.timeline.of_lesion(lesion.id) if one.study == study.id]
    stated = [one for one in said if one.visibility is not None]
    known = None
    if stated:
        known = {
            "visibility": SEEN[str(stated[0].visibility)] if len(stated) == 1 else "contradicted",
            "mm": plain(stated[0].mm) if len(stated) == 1 else None,
            "sources": sorted({token for one in stated for token in one.sources}),
        }
    return {
        "id": lesion.id,
        "label": lesion.label,
        "segment": lesion.segment,
        "lastSeen": _last_seen(decision, lesion),
        "readable": refusal(lesion) is None,
        "asked": any(ask["study"] == study.id and ask["lesion"] == lesion.id for ask in asks) or not stated,
        "known": known,
        "state": NOT_MENTIONED if known is None else known["visibility"],
    }


def _last_seen(decision: Decision, lesion: Lesion) -> dict[str, Any] | None:
    history = decision.about("lesion_history", lesion.id)
    day = plain(history.get("lastSeenDay"))
    return None if day is None else {"day": day, "mm": plain(history.get("lastSeenMm"))}


def refusal(lesion: Lesion) -> str | None:
    """Returns why no statement can be made on a lesion, None where one can."""
    if lesion.tainted:
        return "its identity is contradicted on record; correct that first"
    if lesion.merged_into is not None:
        return "it has merged into another lesion; state that one"
    if not lesion.id.startswith(("BodyStructure/", "uid:")):
        return "it has neither a BodyStructure nor a tracking UID to refer to"
    return None
