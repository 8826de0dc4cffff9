"""Counts of what the service did, in the Prometheus text format."""

from __future__ import annotations

from collections import Counter
from threading import Lock

HELP = {
    "vestige_calls_total": "Hook calls by service and HTTP status.",
    "vestige_cards_total": "Cards sent, by indicator.",
    "vestige_feedback_total": "Feedback items stored, by outcome.",
    "vestige_late_total": "Hook calls answered with a could-not-assess card because the deadline had passed.",
    "vestige_refused_total": "Calls refused for want of trust.",
    "vestige_faults_total": "Faults answered with status 500.",
    "vestige_records_lost_total": "Decision records that could not be kept.",
    "vestige_alarms_total": "Alarms of decisions, by kind: engines that disagree or do not answer.",
}


class Metrics:
    """Counters that several threads may raise at once."""

    def __init__(self) -> None:
        self._counts: Counter[tuple[str, tuple[tuple[str, str], ...]]] = Counter()
        self._lock = Lock()

    def count(self, name: str, amount: int = 1, **labels: str) -> None:
        """Raises one counter; the name must be one of `HELP`."""
        if name not in HELP:
            raise KeyError(name)
        with self._lock:
            self._counts[name, tuple(sorted(labels.items()))] += amount

    def text(self) -> str:
        """Returns every counter as `name{label="value"} count` lines with their help."""
        with self._lock:
            counts = sorted(self._counts.items())
        lines: list[str] = []
        for name, help_text in HELP.items():
            lines += [f"# HELP {name} {help_text}", f"# TYPE {name} counter"]
            lines += [f"{name}{_labels(labels)} {count}" for (of, labels), count in counts if of == name]
        return "\n".join(lines) + "\n"


def _labels(labels: tuple[tuple[str, str], ...]) -> str:
    if not labels:
        return ""
    return "{" + ",".join(f'{name}="{value}"' for name, value in labels) + "}"
