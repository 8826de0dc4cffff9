"""The chart and the tree of errors."""

from __future__ import annotations

import inspect

from plugin import errors
from plugin.chart import Chart, Gap, GapReason
from plugin.errors import FhirError, NoData, VestigeError
from tests.plugin.fhir import PATIENT, lesion, observation


def test_a_chart_gives_its_resources_by_type_and_its_decisive_gaps() -> None:
    minor = Gap(resource="Device", reason=GapReason.FORBIDDEN, detail="", decisive=False)
    major = Gap(resource="Observation", reason=GapReason.TIMEOUT, detail="", decisive=True)
    chart = Chart(patient_id=PATIENT, resources=(lesion(), observation()), gaps=(minor, major))
    assert list(chart.of_type("Observation")) == [observation()]
    assert chart.decisive_gaps == (major,)


def test_every_error_is_drawn_in_the_tree() -> None:
    assert errors.__doc__
    kinds = [
        one for _, one in inspect.getmembers(errors, inspect.isclass) if one.__module__ == errors.__name__
    ]
    assert len(kinds) >= 8
    for kind in kinds:
        assert issubclass(kind, VestigeError)
        assert f" {kind.__name__} " in f" {errors.__doc__} ".replace("\n", " ")


def test_errors_say_what_becomes_of_them() -> None:
    assert (NoData("x").status, NoData("x").code) == (412, "required")
    assert FhirError(GapReason.TIMEOUT, "late").exit_code == 3
    assert "timeout" in str(FhirError(GapReason.TIMEOUT, "late"))
