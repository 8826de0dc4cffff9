"""The table of lesions: what is recorded of each, in one row."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from datetime import date
from typing import Any

from plugin.advice.markdown import table
from plugin.advice.signs import signs
from plugin.advice.slots import GONE, MOST_ROWS, VISIBLE, Filler
from plugin.advice.text import Texts
from plugin.advice.values import number
from plugin.decision import Decision

_SILENT = ("not-reported", "identity")


def lesion_table(decision: Decision, texts: Texts, filler: Filler, lesions: Sequence[str]) -> str:
    """Returns the table of at most ten lesions, the most concerning first, and how many are left out."""
    ordered = sorted(filler.ordered(lesions), key=lambda lesion: concern(decision, lesion))
    head = [texts.words(key) for key in ("lesion", "segment", "before", "last", "state")]
    rows = [_row(decision, texts, filler, lesion) for lesion in ordered[:MOST_ROWS]]
    made = table(head, rows)
    left = len(ordered) - MOST_ROWS
    return made if left <= 0 else f"{made}\n\n{texts.words('more').format(count=left)}"


def concern(decision: Decision, lesion: str) -> int:
    """Returns the place of a lesion: visible and watched, undecided, unconfirmed, missing, confirmed."""
    status = str(decision.about("status", lesion).get("value"))
    watched = decision.about("lesion", lesion).get("disposition") in ("watch-and-wait", "left-in-situ")
    if status in VISIBLE:
        return 0 if watched else 5
    if status == "CANNOT_DECIDE":
        return 1
    if status == "TREATED" and decision.about("search_site", lesion):
        return 4
    places = {"APPARENT_DLM": 2, "MISSING_IOUS": 3, "MISSING_CEIOUS": 3, "CONFIRMED_DLM": 4}
    return places.get(status, 6) if status in GONE else 6


def _row(decision: Decision, texts: Texts, filler: Filler, lesion: str) -> list[str]:
    """The cells of a lesion, made once for all tables of a call."""
    return filler.once(("row", lesion), lambda: _cells(decision, texts, filler, lesion))


def _cells(decision: Decision, texts: Texts, filler: Filler, lesion: str) -> list[str]:
    status = decision.about("status", lesion)
    history = decision.about("lesion_history", lesion)
    outcome = filler.outcomes.get(lesion)
    described = [texts.word("sign", feature.id) for feature in signs(filler, lesion)]
    return [
        filler.label(lesion),
        outcome.segment if outcome and outcome.segment else absent(decision, texts),
        _before(decision, texts, filler, history),
        "; ".join([_last(decision, texts, filler, history, status), *described]),
        _status(decision, texts, lesion, status),
    ]


def absent(decision: Decision, texts: Texts) -> str:
    """Returns the words for what is not there: "not recorded" is said only of a record that was read."""
    return texts.words("not_read" if decision.unread else "not_recorded")


def _before(decision: Decision, texts: Texts, filler: Filler, history: Mapping[str, Any]) -> str:
    day, mm = history.get("baselineDay"), history.get("baselineMm")
    if not isinstance(day, date):
        return absent(decision, texts)
    size = f"{number(mm)} mm, " if mm is not None else ""
    return f"{size}{filler.modality(history.get('baselineClass'))} {day.isoformat()}"


def _last(
    decision: Decision,
    texts: Texts,
    filler: Filler,
    history: Mapping[str, Any],
    status: Mapping[str, Any],
) -> str:
    silent = texts.words("not_read" if decision.unread else "no_statement")
    if status.get("reason") in _SILENT and isinstance(status.get("asOf"), date):
        return f"{silent}, {filler.pair(status.get('class'), status['asOf'])}"
    said = history.get("lastSaid")
    if said in (None, "unknown"):
        return silent
    size = ""
    if said == "visible" and history.get("lastSeenMm") is not None:
        size = f" {number(history['lastSeenMm'])} mm"
    when = filler.pair(history.get("lastSaidClass"), history.get("lastSaidDay"))
    return f"{texts.word('visibility', str(said))}{size}, {when}"


def _status(decision: Decision, texts: Texts, lesion: str, status: Mapping[str, Any]) -> str:
    parts = [texts.word("status", str(status.get("value", "CANNOT_DECIDE")))]
    reason = status.get("reason", "withheld" if not status else None)
    if reason == "identity" and decision.about("identity_clash", lesion):
        reason = "clash"
    if reason not in (None, "none", "unknown"):
        parts.append(texts.word("reason", str(reason)))
    plan = decision.about("lesion", lesion).get("disposition")
    if plan not in (None, "unknown"):
        parts.append(texts.word("disposition", str(plan)))
    return "; ".join(parts)
