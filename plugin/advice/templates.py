"""What may stand in a file of texts: known sections and keys, and slots that something fills."""

from __future__ import annotations

import string
from collections.abc import Iterator, Mapping
from difflib import get_close_matches
from typing import Any

from plugin.advice.values import SAID

Fault = tuple[tuple[str | int, ...], str]
"""Where in the file, and what is wrong there."""

TEXTS = frozenset(
    {
        "summary", "summary_one", "summary_many", "summary_mixed", "summary_plain", "summary_progression",
        "summary_treated", "why", "why_plain", "line", "missing", "unknown_text", "trial", "certainty",
    }
)  # fmt: skip
LISTS = frozenset({"options", "against", "neutral", "unknown", "silent_with"})
MODIFIERS = "modifiers"
FAULTS = frozenset({"REFUSED", "SWITCHED-OFF", "UNWRITTEN"})
"""Entries for cards without a rule of their own; the only slot is the rules that are named."""

SECTIONS = frozenset(
    {
        "language", "status", "reason", "class", "short_class", "planned_study", "visibility", "disposition",
        "waiting", "waiting_in", "disposition_reason", "exclusion", "sign", "criterion", "scale", "score",
        "score_group", "score_item", "extra", "category", "gap", "contra", "resource", "forms", "states",
        "words", "missing", "situation", "parameters", "rules", "evidence", "suggestions", "answer",
        "override",
    }
)  # fmt: skip

SLOTS = SAID | {
    "lesions", "segment", "study", "class", "basis", "review", "operation", "operation_for", "index",
    "marker_day", "mri", "mdt_recent", "mdt_cycles", "cycle_alarm", "mdt_since", "sources", "date",
    "remnant_day", "seen", "unseen", "others", "left", "exclusion", "reason_text", "disposition_reason",
    "next_cycle", "cost_text", "depth_text", "waiting", "waiting_in", "items", "category", "sums",
    "changes", "grown", "moves", "seen_count", "all_count", "target", "for_list", "against_list",
}  # fmt: skip
"""What fills a text of a rule, beside the forms of the language."""

_OWN: Mapping[str, Mapping[str, frozenset[str]]] = {
    "words": {
        name: frozenset(slots.split())
        for name, slots in {
            "answered": "title rule reason date", "change": "lesion before now modality first last",
            "cost_text": "extra", "date_up_to": "date", "depth_text": "depth",
            "feature": "lesions feature can cannot", "imaging_up_to": "date", "limited": "study",
            "more": "count", "no_contrast": "reason", "operation_for": "date", "sources_many": "count",
            "sums": "baseline nadir now", "theatre_before": "mm", "theatre_depth": "depth",
            "theatre_seen": "seen",
        }.items()
    },
    "missing": {
        name: frozenset(slots.split())
        for name, slots in {
            "awaited": "study", "unmatched": "study", "gap": "resource why", "segment": "lesions",
            "depth": "lesions", "cost": "lesions", "remnant": "lesions", "extrahepatic": "lesions",
            "mdt": "lesions",
        }.items()
    },
    "situation": {
        name: frozenset(slots.split())
        for name, slots in {
            "mri_contra": "reason", "mri_contra_short": "reason", "other_imaging": "lesions study day",
            "presumed": "lesions", "reappeared_before": "lesions", "seen_intraop": "lesions",
            "unfound": "lesions day", "outside": "day", "outside_undated": "", "treated_since": "day",
            "watch_recorded": "lesions waiting waiting_in",
        }.items()
    },
}  # fmt: skip
"""Texts outside the rules that something fills, each with what it is given."""

_OF_FINDINGS = {"situation": frozenset({"uncertain_outside", "operation_planned"})}
"""Texts outside the rules that are filled as those of a rule are."""


def faults(data: Mapping[str, Any], instead: tuple[str, ...]) -> Iterator[Fault]:
    """Yields what no card could be written with, or would be written wrong with.

    `instead` are the keys of a rule that hold texts for a special situation, as a case does.
    """
    forms = data.get("forms")
    slots = SLOTS | (frozenset(map(str, forms)) if isinstance(forms, Mapping) else frozenset())
    for section, node in data.items():
        if section not in SECTIONS:
            yield (section,), f"{section!r} is no section of the texts{meant(section, SECTIONS)}"
        elif section == "rules":
            yield from _rules(node, slots, instead)
        else:
            yield from _section(str(section), node, slots)


def _section(section: str, node: Any, slots: frozenset[str]) -> Iterator[Fault]:
    if section == "language" or not isinstance(node, Mapping):
        return
    for key, value in node.items():
        own = _OWN.get(section, {}).get(str(key), frozenset())
        known = slots if key in _OF_FINDINGS.get(section, ()) else own
        for path, text in _strings(value, (section, key)):
            yield from _template(path, text, known)


def _rules(node: Any, slots: frozenset[str], instead: tuple[str, ...]) -> Iterator[Fault]:
    if not isinstance(node, Mapping):
        yield ("rules",), "'rules' is a group of one entry a rule"
        return
    for rule, entry in node.items():
        known = frozenset({"rules"}) if rule in FAULTS else slots
        yield from _entry(("rules", rule), entry, known, (*instead, "cases", MODIFIERS))


def _entry(
    path: tuple[str | int, ...], entry: Any, slots: frozenset[str], groups: tuple[str, ...]
) -> Iterator[Fault]:
    if not isinstance(entry, Mapping):
        yield path, f"{path[-1]} holds a group of texts"
        return
    for key, value in entry.items():
        at = (*path, key)
        if key == "cases" and key in groups and isinstance(value, Mapping):
            inner = tuple(one for one in groups if one not in ("cases", MODIFIERS))
            for case, texts in value.items():
                yield from _entry((*at, case), texts, slots, inner)
        elif key == MODIFIERS and key in groups and isinstance(value, Mapping):
            for inside, text in _strings(value, at):
                yield from _template(inside, text, slots)
        elif key in groups:
            yield from _entry(at, value, slots, ())
        elif key in TEXTS | LISTS:
            yield from _texts(at, value, slots, listed=key in LISTS)
        else:
            yield at, f"{key!r} is no key of a rule's texts{meant(key, {*TEXTS, *LISTS, *groups})}"


def _texts(
    path: tuple[str | int, ...], value: Any, slots: frozenset[str], *, listed: bool
) -> Iterator[Fault]:
    items = value if listed and isinstance(value, list) else [value]
    if listed != isinstance(value, list) or not all(isinstance(item, str) for item in items):
        yield path, f"{path[-1]!r} is {'a list of texts' if listed else 'a text'}"
        return
    for inside, text in _strings(value, path):
        yield from _template(inside, text, slots)


def _strings(node: Any, path: tuple[str | int, ...]) -> Iterator[tuple[tuple[str | int, ...], str]]:
    if isinstance(node, Mapping):
        for key, value in node.items():
            yield from _strings(value, (*path, key))
    elif isinstance(node, list):
        for place, value in enumerate(node):
            yield from _strings(value, (*path, place))
    elif isinstance(node, str):
        yield path, node


def _template(path: tuple[str | int, ...], text: str, known: frozenset[str]) -> Iterator[Fault]:
    """Yields what is wrong with the slots of one text: a slot is a name in braces and no more."""
    try:
        parts = list(string.Formatter().parse(text))
    except ValueError as error:
        yield path, f"a brace is not closed or not opened ({error}); write {{{{ or }}}} for a brace itself"
        return
    for _, name, form, conversion in parts:
        if name is None:
            continue
        if form or conversion or not name.isidentifier():
            yield path, f"{{{name}}} is no slot: a slot is a name in braces and no more"
        elif name not in known:
            yield path, f"nothing fills the slot {{{name}}} here{meant(name, known)}"


def meant(word: object, known: frozenset[str] | set[str]) -> str:
    """Returns the nearest known word as a question, or nothing."""
    near = get_close_matches(str(word), sorted(known), n=1)
    return f"; did you mean {near[0]!r}?" if near else ""
