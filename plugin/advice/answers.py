"""Stored answers of clinicians as facts for the next decision on the same patient (R-80)."""

from __future__ import annotations

from collections.abc import Iterable
from datetime import tzinfo

from plugin.advice.suggest import OVERRIDE_SYSTEM
from plugin.advice.text import COMPLETE, texts_of
from plugin.sent import Answered, Reply
from rules.facts import Fact, Value
from rules.language import Pack

MOST = 100
"""How many messages are remembered of one patient; older ones are said again."""

ENOUGH = 2
"""Answers to one message beyond these change nothing: a critical one comes back once and is answered then."""

ACCEPTED = "accepted"
OTHER = "other"
WORDS = "words"


def answers(stored: Iterable[Answered], pack: Pack, zone: tzinfo) -> tuple[Fact, ...]:
    """Returns the stored answers that count, as facts of the kind `override`, oldest first.

    An override counts where a reason was given, an acceptance where it names a suggestion of the very card.
    A card led by a rule that is never held back answers for none of the messages merged into it.
    """
    newest = sorted((one for one in stored if counts(one)), key=_moment, reverse=True)
    if not newest:
        return ()
    held = {str(row["rule"]) for row in pack.tables.get("remembered", ())}
    reasons = _reasons(pack)
    kept: dict[tuple[str, str], list[tuple[Answered, Fact]]] = {}
    for one in newest:
        if one.sent.rules[0].rule not in held or one.reply is None:
            continue
        day = one.reply.at.astimezone(zone).date()
        for rule in one.sent.rules:
            if rule.digest is None or rule.rule not in held:
                continue
            values: dict[str, Value] = {
                "id": one.sent.card,
                "rule": rule.rule,
                "digest": rule.digest,
                "outcome": one.reply.outcome,
                "reason": reason_of(one.reply, reasons),
                "day": day,
            }
            kept.setdefault((rule.rule, rule.digest), []).append((one, Fact("override", values)))
    chosen = [
        fact
        for same in list(kept.values())[:MOST]
        for _, fact in same[: ENOUGH if _settled([one for one, _ in same]) else 1]
    ]
    return tuple(reversed(chosen))


def _settled(same: list[Answered]) -> bool:
    """Tells whether a message was answered again after it had come back as a warning.

    Two answers to cards that were open at the same time are one: neither reader saw it come back.
    """
    first = min(one.reply.at for one in same if one.reply is not None)
    return any(one.sent.made > first and one.sent.indicator != "critical" for one in same)


def counts(one: Answered) -> bool:
    """Tells whether an answer says enough to be remembered."""
    if one.reply is None or not one.sent.rules:
        return False
    return one.took_ours if one.reply.outcome == ACCEPTED else one.reply.reasoned


def reason_of(reply: Reply, known: frozenset[str]) -> str:
    """Returns our own code of a reason, or which kind it was: what a client wrote is never repeated."""
    if reply.outcome == ACCEPTED:
        return ACCEPTED
    if reply.reason_code in known and reply.reason_system in (None, OVERRIDE_SYSTEM):
        return str(reply.reason_code)
    return OTHER if reply.reason_code or reply.reason_display else WORDS


def _reasons(pack: Pack) -> frozenset[str]:
    return frozenset(map(str, texts_of(pack.folder, COMPLETE).data.get("override", {})))


def _moment(one: Answered) -> tuple[float, str]:
    return (one.reply.at.timestamp() if one.reply else 0.0, one.sent.card)
