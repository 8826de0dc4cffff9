"""Values that rules say, as text: numbers, days, changes; and which findings say the same."""

from __future__ import annotations

import string
from collections.abc import Mapping, Sequence
from datetime import date
from decimal import Decimal
from functools import lru_cache
from typing import TYPE_CHECKING, Any

from plugin.advice.markdown import escape, natural, plain
from rules.finding import Finding

if TYPE_CHECKING:
    from plugin.advice.slots import Filler

MOST_LABELS = 3
_MOST_APART = 3

_DAYS = {
    "operationDay": "operation_day", "cancelledDay": "cancelled", "mriDay": "mri", "planDay": "plan_day",
    "remnantDay": "remnant_day", "doseDay": "dose_day", "fromDay": "from_day", "toDay": "to_day",
    "biopsyDay": "biopsy",
}  # fmt: skip
_NUMBERS = {
    "mm": "mm", "depthMm": "depth", "value": "value", "baseline": "baseline", "limit": "limit",
    "percent": "remnant", "cycles": "cycles", "age": "age", "gap": "gap", "fromMm": "from_mm",
    "toMm": "to_mm", "fromHu": "from_hu", "toHu": "to_hu", "fromSul": "from_sul", "toSul": "to_sul",
    "count": "count", "all": "all", "grade": "grade", "best": "best", "nodules": "nodules",
    "mean": "mean", "worst": "worst", "points": "points", "zone": "zone", "number": "number",
}  # fmt: skip
_WORDS = {"criterion": "criterion", "scale": "scale", "score": "score", "group": "score_group"}

SAID = frozenset(_DAYS.values()) | frozenset(_NUMBERS.values()) | frozenset(_WORDS)
"""Slots that a value said by a rule fills under one name and in no other way."""

EXACT = frozenset(
    {
        "mm", "depth", "depth_text", "cost_text", "seen", "unseen", "from_mm", "to_mm", "from_hu", "to_hu",
        "from_sul", "to_sul", "plan_day", "age", "class", "disposition_reason", "others", "left",
        "operation_day", "biopsy",
    }
)  # fmt: skip
"""Slots that are true of one lesion: lesions that differ in them never share a sentence."""
LOOSE = frozenset({"study", "date"})
"""Slots that have words for lesions that differ; a few such lesions still get a sentence each."""


def said_values(filler: Filler, said: Mapping[str, Any]) -> dict[str, str]:
    """Returns the values that a rule says, as text."""
    found: dict[str, str] = {}
    for name, value in said.items():
        if name in _NUMBERS and value is not None:
            found[_NUMBERS[name]] = number(value)
        elif name in _DAYS and isinstance(value, date):
            found[_DAYS[name]] = value.isoformat()
    days = {day for day in said.get("day_all", ()) if isinstance(day, date)}
    if days:
        latest = max(days).isoformat()
        found["date"] = latest if len(days) == 1 else filler.texts.words("date_up_to").format(date=latest)
    for slot in ("date", "remnant_day"):
        found.setdefault(slot, filler.texts.words("undated"))
    if "seenDay" in said or "notDay" in said:
        found["seen"] = filler.pair(said.get("seenModality"), said.get("seenDay"))
        found["unseen"] = filler.pair(said.get("notModality"), said.get("notDay"))
    if "other" in said:
        others = sorted({str(one) for one in said["other_all"]}, key=natural)
        named = [plain(one) if filler.short else escape(one) for one in others[:MOST_LABELS]]
        left = len(others) - len(named)
        found["others"] = ", ".join(named) + (f" +{left}" if left > 0 else "")
    if isinstance(said.get("leftDay"), date):
        found["left"] = f" {said['leftDay'].isoformat()}"
    return found


def rule_values(
    filler: Filler, findings: Sequence[Finding], said: Mapping[str, Any], lesions: Sequence[str]
) -> dict[str, str]:
    """Returns the slots that only some rules have."""
    texts = filler.texts
    found: dict[str, str] = {}
    reason = str(said.get("reason", "unknown"))
    if findings and findings[0].rule == "DA-15":
        found["exclusion"] = texts.word("exclusion", reason)
    elif findings and findings[0].rule == "HN-03":
        reasons = sorted({str(one) for one in said.get("reason_all", ())})
        found["reason_text"] = "; ".join(texts.word("reason", one) for one in reasons)
    else:
        found["disposition_reason"] = texts.word("disposition_reason", reason)
    if isinstance(said.get("cycles"), int):
        found["next_cycle"] = str(said["cycles"] + 1)
    if said.get("extra") not in (None, "unknown", "none"):
        found["cost_text"] = texts.words("cost_text").format(extra=texts.word("extra", str(said["extra"])))
    if said.get("depthMm") is not None:
        found["depth_text"] = texts.words("depth_text").format(depth=number(said["depthMm"])) + " "
    found |= waiting(filler, lesions)
    found |= {slot: texts.word(part, str(said[slot])) for slot, part in _WORDS.items() if slot in said}
    if "item" in said:
        items = dict.fromkeys(texts.word("score_item", str(one)) for one in said["item_all"])
        found["items"] = ", ".join(sorted(items))
    if "category" in said:
        found["category"] = texts.word("category", str(said["category"]))
        if said.get("now") is not None:
            found["sums"] = texts.words("sums").format_map(
                {name: number(said.get(name)) for name in ("baseline", "nadir", "now")}
            )
    if findings and findings[0].rule == "DC-13":
        found.update(growth(filler, findings))
    if any("deltaMm" in one for one in findings[0].says) if findings else False:
        found.update(moves(filler, findings, lesions))
    return found


def waiting(filler: Filler, lesions: Sequence[str]) -> dict[str, str]:
    """Returns the words for not treating the lesions as the record has it: watch-and-wait, left in situ."""
    recorded = {str(filler.decision.about("lesion", one).get("disposition")) for one in lesions}
    recorded &= {"watch-and-wait", "left-in-situ"}
    key = next(iter(recorded)) if len(recorded) == 1 else "several"
    return {part: filler.texts.word(part, key) for part in ("waiting", "waiting_in")}


def growth(filler: Filler, findings: Sequence[Finding]) -> dict[str, str]:
    """Returns how much each lesion has grown since its smallest size, the largest growth for a summary."""
    ways: dict[str, list[Mapping[str, Any]]] = {str(one.subject): list(one.says) for one in findings}
    smallest = {
        lesion: min(each, key=lambda way: (way["fromMm"], way["fromDay"]))
        for lesion, each in ways.items()
        if each
    }
    changes = [
        filler.texts.words("change").format(
            lesion=filler.label(lesion),
            before=number(smallest[lesion]["fromMm"]),
            now=number(smallest[lesion]["mm"]),
            modality=filler.modality(smallest[lesion].get("modality")),
            first=iso(smallest[lesion].get("fromDay")),
            last=iso(smallest[lesion].get("day")),
        )
        for lesion in filler.ordered(smallest)
    ]
    grown = max((way["mm"] - way["fromMm"] for way in smallest.values()), default=None)
    return {"changes": " ".join(changes), "grown": number(grown)}


def moves(filler: Filler, findings: Sequence[Finding], lesions: Sequence[str]) -> dict[str, str]:
    """Returns the change of each lesion; for a summary the largest of each direction."""
    by_lesion = {finding.subject: finding.says[0] for finding in findings if finding.says}
    chosen = [lesion for lesion in lesions if lesion in by_lesion]
    if filler.short and len(chosen) > 2:
        chosen.sort(key=lambda lesion: by_lesion[lesion]["deltaMm"])
        chosen = [chosen[0], chosen[-1]]
    words = [f"{filler.label(lesion)} {signed(by_lesion[lesion]['deltaMm'])} mm" for lesion in chosen]
    changes = [
        filler.texts.words("change").format(
            lesion=filler.label(lesion),
            before=number(by_lesion[lesion].get("fromMm")),
            now=number(by_lesion[lesion].get("toMm")),
            modality=filler.modality(by_lesion[lesion].get("modality")),
            first=iso(by_lesion[lesion].get("fromDay")),
            last=iso(by_lesion[lesion].get("toDay")),
        )
        for lesion in chosen
    ]
    return {"moves": ", ".join(words), "changes": " ".join(changes)}


def alike(template: str, findings: Sequence[Finding]) -> list[list[Finding]]:
    """Returns the findings in groups that one filled text is true of.

    Findings that say the same stay together; those that differ are apart where the text names what differs.
    """
    named = slots_of(template)
    if len(findings) < 2 or named.isdisjoint(EXACT | LOOSE):
        return [list(findings)]
    groups: dict[str, list[Finding]] = {}
    for finding in findings:
        groups.setdefault(repr([sorted(way.items()) for way in finding.says]), []).append(finding)
    if len(groups) > 1 and (named & EXACT or len(groups) <= _MOST_APART):
        return list(groups.values())
    return [list(findings)]


@lru_cache(maxsize=1024)
def slots_of(template: str) -> frozenset[str]:
    """Returns the names of the slots of a text."""
    return frozenset(name for _, name, _, _ in string.Formatter().parse(template) if name)


def number(value: Any) -> str:
    """Returns a number as people write it: 6, 14.5."""
    if isinstance(value, Decimal):
        text = format(value, "f")
        return text.rstrip("0").rstrip(".") if "." in text else text
    return "?" if value is None else str(value)


def signed(value: Any) -> str:
    """Returns a difference with its sign."""
    text = number(value)
    return text if text.startswith("-") else f"+{text}"


def iso(value: Any) -> str:
    return value.isoformat() if isinstance(value, date) else "?"


def together(findings: Sequence[Finding]) -> dict[str, Any]:
    """Returns what the findings say: the first value of each name, and all of them under `name_all`."""
    said: dict[str, Any] = {}
    for finding in findings:
        for way in finding.says:
            for name, value in way.items():
                said.setdefault(name, value)
                said.setdefault(f"{name}_all", []).append(value)
    return said
