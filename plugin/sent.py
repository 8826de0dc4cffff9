"""What was sent to a client and what came back: cards with their rules, and the last answer to each."""

from __future__ import annotations

from datetime import datetime

import msgspec


class SentRule(msgspec.Struct, frozen=True, kw_only=True):
    """One rule of a card; `digest` is what its message was about, None where nothing of it is remembered."""

    rule: str
    digest: str | None = None


class SentCard(msgspec.Struct, frozen=True, kw_only=True):
    """One card as it was sent; `rules` begins with the rule that led it.

    `patient` is a pseudonym that holds within one client, tenant and FHIR server; `record` is the id of the
    decision record.
    """

    card: str
    made: datetime
    service: str
    patient: str
    family: str
    indicator: str
    pack_revision: str
    rules: tuple[SentRule, ...]
    suggestions: tuple[str, ...] = ()
    client: str | None = None
    tenant: str | None = None
    record: str | None = None


class Reply(msgspec.Struct, frozen=True, kw_only=True):
    """The answer that stands for a card: the last one by its own time, never later than it was received."""

    outcome: str
    at: datetime
    accepted: tuple[str, ...] = ()
    reason_system: str | None = None
    reason_code: str | None = None
    reason_display: str | None = None
    commented: bool = False

    @property
    def reasoned(self) -> bool:
        """Whether a reason was given, as a code or in words."""
        return bool(self.reason_code or self.reason_display or self.commented)


class Answered(msgspec.Struct, frozen=True, kw_only=True):
    """A card and the answer that stands for it, None where there was none."""

    sent: SentCard
    reply: Reply | None = None

    @property
    def took_ours(self) -> bool:
        """Whether a suggestion of this very card was accepted."""
        accepted = self.reply.accepted if self.reply and self.reply.outcome == "accepted" else ()
        return not set(accepted).isdisjoint(self.sent.suggestions)
