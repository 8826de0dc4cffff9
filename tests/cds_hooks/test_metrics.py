"""The counters in the Prometheus text format, read back by Prometheus' own parser."""

import pytest
from prometheus_client.parser import text_string_to_metric_families

from cds_hooks.metrics import COUNTERS, Metrics


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
