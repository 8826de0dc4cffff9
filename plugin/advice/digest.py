"""The digest of a message: what it is about; an answer to it holds while that has not changed (R-80)."""

from __future__ import annotations

import hashlib
from collections.abc import Iterable
from typing import Any

from plugin.decision import Decision
from rules.finding import Finding

LENGTH = 16

_PLAN = ("hepatic", "opDay", "opDraft", "opInProgress", "ious", "ceious", "cancelledDay", "hbMri", "hbMriDay")
_DISPOSITION = ("disposition", "dispositionReason", "dispositionLevel", "dispositionDay")
_STATUS = ("value", "reason", "asOf", "class", "exam")
_CLOCK = frozenset({"age"})
"""What a message says that grows by itself from day to day; the day it is counted from is said beside it."""


def digest(rule: str, decision: Decision) -> str:
    """Returns the digest of a rule's message: rule, lesions, urgency, words, status with its day, and plan.

    16 hexadecimal digits; the order of findings does not matter. Any change of a lesion concerned, of its
    status, of the study that decides it, of a value that is said or of what is planned gives another digest
    and re-arms the message. So does another indicator: a warning that was answered says nothing for the
    critical message it has become.
    """
    return decision.once(("digest", rule), lambda: _digest(rule, decision))


def _digest(rule: str, decision: Decision) -> str:
    about = [one for one in decision.active if one.rule == rule]
    parts = [rule, *sorted({_case(one) for one in about}), _values(decision.fact("plan"), _PLAN)]
    parts.append(_values(decision.fact("therapy"), ("nextOrdered", "lastDose")))
    for lesion in sorted({one.subject for one in about if one.subject is not None}):
        parts.append(lesion)
        parts.append(_values(decision.about("status", lesion), _STATUS))
        parts.append(_values(decision.about("lesion", lesion), _DISPOSITION))
    parts += sorted(f"{one.subject or ''}/{_said(one)}" for one in about)
    # The length before each part keeps two lists of parts from reading alike.
    text = "".join(f"{len(part)}:{part}" for part in parts)
    return hashlib.sha256(text.encode()).hexdigest()[:LENGTH]


def digests(rules: Iterable[str], decision: Decision) -> tuple[tuple[str, str], ...]:
    """Returns each rule with the digest of its message."""
    return tuple((rule, digest(rule, decision)) for rule in dict.fromkeys(rules))


def _case(finding: Finding) -> str:
    return f"{finding.subject or ''}/{finding.case or ''}/{finding.indicator}"


def _values(values: Any, names: Iterable[str]) -> str:
    return "|".join(f"{name}={values.get(name, '')}" for name in names)


def _said(finding: Finding) -> str:
    """What a message says; a new value, such as a further rise, is news."""
    ways = (
        ";".join(f"{name}={way[name]}" for name in sorted(way) if name not in _CLOCK) for way in finding.says
    )
    return "/".join(sorted(ways))
