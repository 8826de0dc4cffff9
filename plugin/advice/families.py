"""Families of cards and their order (catalogue clauses R-104, R-105)."""

from __future__ import annotations

INDICATORS = ("critical", "warning", "info")

FAMILIES = ("F1", "F2", "F3", "F4", "F5", "F7", "F8", "F9", "F10", "F11", "F6", "F12")
"""The order of cards of one indicator; a critical F7 comes before F3."""

RULES = {
    "F1": ("DA-04",),
    "F2": ("DA-02", "DA-17"),
    "F3": ("DA-10", "DA-03", "DA-01", "DA-03b", "DA-03p"),
    "F4": ("DA-05", "DA-08", "DA-14", "DA-06", "DA-07", "DA-07u"),
    "F5": ("DA-09", "DA-16", "DA-19"),
    "F6": ("SC-01", "SC-02", "DA-18", "TP-01", "DA-15"),
    "F7": ("DQ-11", "HN-03g", "HN-03", "DA-04n", "HN-03o", "HN-03l"),
    "F8": ("DC-14", "DC-04", "DA-11", "PT-03", "DC-05", "DC-14i"),
    "F9": ("DC-02", "DC-01", "DC-03", "DC-03q", "DC-13", "DC-11", "PA-03", "LS-10", "LS-07r"),
    "F10": ("DC-08", "DC-06", "DC-07"),
    "F11": ("DQ-09", "PT-05", "PT-02", "PT-01", "DQ-09w", "PT-04"),
    "F12": (
        "RC-02", "RC-01", "RC-03", "RC-07", "RC-05", "DC-09", "DC-10", "RC-04", "RC-06", "DC-01s", "DC-12",
        "DA-12", "DA-13", "DQ-13", "RC-08", "RC-08v", "DC-16", "DC-15", "PA-01", "PA-02", "LS-01m", "LS-01s",
        "DQ-03u", "DQ-10", "DQ-14", "RC-09", "RC-09f", "RC-09g",
    ),
}  # fmt: skip
"""The order of rules within a family."""

OWNERS = (
    ("DA-04",),
    ("DA-02", "DA-17"),
    ("DA-10",),
    ("DA-03",),
    ("DA-05", "DA-06", "DA-07", "DA-07u", "DA-08", "DA-14"),
    ("DA-01",),
    ("DA-09", "DA-16", "DA-19"),
)
"""A lesion has one message on treating or leaving it: the first of these that speaks."""

_INDICATOR_RANKS = {indicator: rank for rank, indicator in enumerate(INDICATORS)}
_FAMILY_RANKS = {family: rank for rank, family in enumerate(FAMILIES)}
_RULE_RANKS = {family: {rule: rank for rank, rule in enumerate(rules)} for family, rules in RULES.items()}
_OWNER_RANKS = {rule: rank for rank, rules in enumerate(OWNERS) for rule in rules}

RESPONSE = "F12"

NOTED = ("DA-02",)
"""Rules of other families whose lines open the response card where no other card carries them."""

QUIET = frozenset({"DQ-10", "DQ-14", "RC-09", "RC-09f", "RC-09g"})
"""Lines of the response card that are no reason to show it."""

URGENT = frozenset({"F1", "F2", "F3", "F7"})
"""What is said beside an order that has nothing to do with the liver, and that only from a warning on."""


def indicator_rank(indicator: str) -> int:
    """Returns the place of an indicator, the most urgent first."""
    return _INDICATOR_RANKS[indicator]


def family_rank(family: str, indicator: str) -> tuple[int, int]:
    """Returns the place of a family among cards of one indicator."""
    if family == "F7" and indicator == "critical":
        return _FAMILY_RANKS["F2"], 1
    return _FAMILY_RANKS[family], 0


def rule_rank(family: str, rule: str) -> tuple[int, str]:
    """Returns the place of a rule within its family; a rule not listed comes last, by its id."""
    order = _RULE_RANKS.get(family, {})
    return order.get(rule, len(order)), rule


def owner_rank(rule: str) -> int | None:
    """Returns the place of a rule among those that own a lesion, or None for every other rule."""
    return _OWNER_RANKS.get(rule)
