"""Counts and times of what the service did, in the Prometheus text format."""

from __future__ import annotations

from prometheus_client import CollectorRegistry, Counter, Gauge, Histogram, disable_created_metrics
from prometheus_client.exposition import CONTENT_TYPE_PLAIN_0_0_4 as CONTENT_TYPE
from prometheus_client.exposition import generate_latest

from cds_hooks.counted import Counted
from cds_hooks.places import Load
from plugin.recorder import Recording

__all__ = ["CONTENT_TYPE", "COUNTERS", "Metrics"]

# A process has one start, which the collectors of the process tell; a series each would tell it again.
disable_created_metrics()  # type: ignore[no-untyped-call]

# Each counter with what it tells and its labels: services, rule ids, reasons and servers, never a patient.
COUNTERS: dict[str, tuple[str, tuple[str, ...]]] = {
    "vestige_calls": ("Hook calls by service and HTTP status.", ("service", "status")),
    "vestige_cards": ("Cards sent, by service and indicator.", ("service", "indicator")),
    "vestige_feedback": ("Feedback items stored, by service and outcome.", ("service", "outcome")),
    "vestige_late": ("Hook calls answered with a could-not-assess card because the deadline had passed.", ()),
    "vestige_refused": ("Calls refused for want of trust.", ()),
    "vestige_overload": ("Calls refused with 503 because every place for calls was taken.", ()),
    "vestige_faults": ("Faults answered with status 500.", ()),
    "vestige_reloads": ("Reloads of settings and rules, by outcome: taken or refused.", ("outcome",)),
    "vestige_records_lost": ("Decision records that could not be kept.", ()),
    "vestige_alarms": ("Alarms of decisions, by kind: engines that disagree or do not answer.", ("kind",)),
    "vestige_findings": ("Findings by rule and by how each was shown.", ("rule", "shown")),
    "vestige_undecided": ("Lesions that could not be decided, by reason.", ("reason",)),
    "vestige_unread": ("What could not be read, by FHIR server and reason.", ("server", "reason")),
}
# How the decision records stand, by the member of `plugin.recorder.Recording` that says so.
RECORDING: dict[str, tuple[str, str]] = {
    "waiting": ("vestige_records_waiting", "Records and sent cards that the database does not have yet."),
    "spool_bytes": ("vestige_spool_bytes", "Bytes of the spool in which records wait for the database."),
    "held": ("vestige_records_held", "Records held in memory because the spool takes none."),
    "away": ("vestige_database_away", "1 while the database does not take records."),
    "faults": ("vestige_record_faults", "Times that the database or the spool did not take records."),
    "aside": ("vestige_records_aside", "Records put aside because they are spoilt or refused for good."),
}
# How many calls are in each state, by the member of `cds_hooks.places.Load`.
LOAD: dict[str, tuple[str, str]] = {
    "under_way": ("vestige_calls_under_way", "Calls that are worked on (service.calls_at_once at most)."),
    "waiting": ("vestige_calls_waiting", "Calls that wait for that (service.calls_waiting at most)."),
    "receiving": ("vestige_calls_receiving", "Calls whose bodies are on their way."),
}
# From a prefetched call to one that waits for a slow FHIR server until the deadline.
SECONDS = (0.005, 0.01, 0.02, 0.05, 0.1, 0.2, 0.5, 1.0, 2.0, 4.0, 8.0)


class Metrics:
    """Counters and times of one service, which several threads may raise at once."""

    def __init__(self) -> None:
        self._registry = CollectorRegistry()
        self._counters = {
            name: Counter(name, text, labels, registry=self._registry)
            for name, (text, labels) in COUNTERS.items()
        }
        self._seconds = Histogram(
            "vestige_call_seconds",
            "Time from a hook call to its answer, with what it waited for its turn.",
            ("service",),
            buckets=SECONDS,
            registry=self._registry,
        )

        self._recording = {
            member: Gauge(name, text, registry=self._registry) for member, (name, text) in RECORDING.items()
        }
        self._refused = Gauge(
            "vestige_reload_refused",
            "1 while the settings and rules on disk were refused, and earlier ones are in force.",
            registry=self._registry,
        )
        self._load = {
            member: Gauge(name, text, registry=self._registry) for member, (name, text) in LOAD.items()
        }

    def set_refused(self, refused: bool) -> None:
        """Puts in whether the settings on disk were refused at the last reload."""
        self._refused.set(float(refused))

    def decided(self, counted: Counted) -> None:
        """Adds the findings, reasons and failed reads of one decision."""
        for rule, shown in counted.findings:
            self.count("vestige_findings", rule=rule, shown=shown)
        for reason in counted.undecided:
            self.count("vestige_undecided", reason=reason)
        for server, reason in counted.unread:
            self.count("vestige_unread", server=server, reason=reason)

    def set_recording(self, recording: Recording) -> None:
        """Puts in how the records stand."""
        for member, gauge in self._recording.items():
            gauge.set(float(getattr(recording, member)))

    def set_load(self, load: Load) -> None:
        """Puts in how many calls are in each state."""
        for member, gauge in self._load.items():
            gauge.set(float(getattr(load, member)))

    def count(self, name: str, amount: int = 1, **labels: str) -> None:
        """Raises one counter; the name is one of `COUNTERS` with `_total`, with just its labels."""
        counter = self._counters[name.removesuffix("_total")]
        (counter.labels(**labels) if labels else counter).inc(amount)

    def took(self, service: str, seconds: float) -> None:
        """Adds one answer's time."""
        self._seconds.labels(service=service).observe(seconds)

    def text(self) -> bytes:
        """Returns every counter as `name{label="value"} count` lines with their help."""
        return generate_latest(self._registry)
