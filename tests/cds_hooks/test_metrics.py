"""The counters in the Prometheus text format, read back by Prometheus' own parser."""

import json
import re

import pytest
from prometheus_client.parser import text_string_to_metric_families

from cds_hooks.counted import Counted
from cds_hooks.metrics import COUNTERS, LOAD, RECORDING, Metrics
from plugin.recorder import Recording
from tests.require import ROOT


def samples(metrics: Metrics) -> dict[tuple[str, tuple[tuple[str, str], ...]], float]:
    return {
        (sample.name, tuple(sorted(sample.labels.items()))): sample.value
        for family in text_string_to_metric_families(metrics.text().decode())
        for sample in family.samples
    }


def test_counts_and_times_are_read_back() -> None:
    metrics = Metrics()
    metrics.count("vestige_late_total")
    metrics.count("vestige_alarms_total", 2, kind='a "quoted"\n kind\\')
    metrics.took("crlm-order-sign", 0.03)
    read = samples(metrics)
    assert read["vestige_late_total", ()] == 1
    assert read["vestige_alarms_total", (("kind", 'a "quoted"\n kind\\'),)] == 2
    assert read["vestige_call_seconds_count", (("service", "crlm-order-sign"),)] == 1
    assert read["vestige_call_seconds_bucket", (("le", "0.02"), ("service", "crlm-order-sign"))] == 0
    assert read["vestige_call_seconds_bucket", (("le", "0.05"), ("service", "crlm-order-sign"))] == 1


def test_a_counter_without_labels_is_there_before_it_is_raised() -> None:
    read = samples(Metrics())
    for name, (_, labels) in COUNTERS.items():
        assert labels or read[f"{name}_total", ()] == 0


def test_an_unknown_counter_or_label_is_refused() -> None:
    with pytest.raises(KeyError):
        Metrics().count("vestige_patients_total")
    with pytest.raises(ValueError, match="label"):
        Metrics().count("vestige_alarms_total", patient="x")


def test_two_services_in_one_process_count_apart() -> None:
    one, other = Metrics(), Metrics()
    one.count("vestige_late_total")
    assert samples(other)["vestige_late_total", ()] == 0


def test_a_decision_is_counted_by_rule_reason_and_server() -> None:
    metrics = Metrics()
    one = Counted(
        findings=(("DA-10", "card"), ("DA-10", "hidden"), ("DA-10", "card")),
        undecided=("no-imaging",),
        unread=(("https://fhir.example/r4", "timeout"),),
    )
    metrics.decided(one)
    read = samples(metrics)
    assert read["vestige_findings_total", (("rule", "DA-10"), ("shown", "card"))] == 2
    assert read["vestige_findings_total", (("rule", "DA-10"), ("shown", "hidden"))] == 1
    assert read["vestige_undecided_total", (("reason", "no-imaging"),)] == 1
    assert read["vestige_unread_total", (("reason", "timeout"), ("server", "https://fhir.example/r4"))] == 1


def test_how_the_records_stand_is_told() -> None:
    metrics = Metrics()
    metrics.set_recording(Recording(waiting=3, spool_bytes=700, held=1, away=True, faults=2, lost=0, aside=0))
    read = samples(metrics)
    assert {name: read[name, ()] for name, _ in RECORDING.values()} == {
        "vestige_records_waiting": 3,
        "vestige_spool_bytes": 700,
        "vestige_records_held": 1,
        "vestige_database_away": 1,
        "vestige_record_faults": 2,
        "vestige_records_aside": 0,
    }


def test_the_dashboard_and_the_alarms_ask_for_what_there_is() -> None:
    states = {name for name, _ in (*RECORDING.values(), *LOAD.values())} | {"vestige_reload_refused"}
    known = states | {f"{name}_total" for name in COUNTERS}
    known |= {f"vestige_call_seconds_{part}" for part in ("bucket", "count", "sum")}
    document = json.loads((ROOT / "deploy" / "grafana" / "vestige.json").read_text())
    asked = {
        name
        for panel in document["panels"]
        for target in panel["targets"]
        for name in re.findall(r"vestige_\w+", target["expr"])
    }
    assert asked <= known
    assert states <= asked
    assert {
        "vestige_alarms_total",
        "vestige_overload_total",
        "vestige_records_lost_total",
        "vestige_late_total",
        "vestige_reload_refused",
        "vestige_reloads_total",
    } <= asked
