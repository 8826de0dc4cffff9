"""The decision before and after a reading, side by side."""

from __future__ import annotations

from typing import Any

from plugin.advice import advise
from plugin.advice.text import Texts, texts_of
from plugin.decision import Decision
from plugin.settings import Settings

HOOK = "patient-view"


def outcome_of(before: Decision, after: Decision, settings: Settings) -> dict[str, Any]:
    """Returns both decisions in short, and the lesions whose status differs."""
    texts = texts_of(before.pack.folder, settings.cards.language)
    was, now = _brief(before, settings, texts), _brief(after, settings, texts)
    earlier = {one["id"]: one for one in was["lesions"]}
    changes = [
        {
            "lesion": one["id"],
            "label": one["label"],
            "before": earlier.get(one["id"], {}).get("status"),
            "beforeText": earlier.get(one["id"], {}).get("statusText"),
            "after": one["status"],
            "afterText": one["statusText"],
        }
        for one in now["lesions"]
        if earlier.get(one["id"], {}).get("status") != one["status"]
    ]
    return {"before": was, "after": now, "changes": changes}


def _brief(decision: Decision, settings: Settings, texts: Texts) -> dict[str, Any]:
    advices = advise(decision, HOOK, settings=settings, language=settings.cards.language)
    return {
        "lesions": [
            {
                "id": one.id,
                "label": one.label,
                "status": one.status,
                "statusText": texts.word("status", one.status),
                "reasons": [texts.word("reason", code) for code in one.reasons],
            }
            for one in decision.lesions
        ],
        "patientStatus": decision.patient_status,
        "cards": [{"indicator": one.indicator, "summary": one.summary} for one in advices],
    }
