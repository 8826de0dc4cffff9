"""What one decision adds to the metrics: rules, reasons and servers, never anything of a patient."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from plugin.chart import Chart
    from plugin.decision import Decision, Shown
    from plugin.settings import Settings

UNDECIDED = "CANNOT_DECIDE"
# Only bases of the settings are told apart: what a caller names never becomes a label.
OTHER = "other"


@dataclass(frozen=True, kw_only=True)
class Counted:
    """What one decision adds: (rule, how shown), reasons of undecided lesions, unread (server, reason)."""

    findings: tuple[tuple[str, str], ...] = ()
    undecided: tuple[str, ...] = ()
    unread: tuple[tuple[str, str], ...] = ()


NOTHING = Counted()


def counted(decision: Decision, chart: Chart, seen: Sequence[Shown], settings: Settings) -> Counted:
    """Returns what a decision adds to the metrics."""
    known = {server.base.rstrip("/") for server in settings.fhir.servers}
    base = (chart.base or "").rstrip("/")
    server = base if base in known else OTHER
    return Counted(
        findings=tuple((one.finding.rule, one.shown) for one in seen),
        undecided=tuple(
            reason
            for lesion in decision.lesions
            if lesion.status == UNDECIDED
            for reason in lesion.reasons or ("none",)
        ),
        unread=tuple((server, gap.reason.value) for gap in decision.gaps),
    )
