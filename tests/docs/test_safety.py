"""docs/clinical/safety.md: what it names exists, no unread parameter is missing, every hazard is complete."""

from __future__ import annotations

import re

import pytest

from rules.errors import PackError
from rules.language import load_pack
from rules.language.readers import readers
from tests.docs.naming import ROOT, exists, faults, names, pack

TEXT = (ROOT / "docs" / "clinical" / "safety.md").read_text(encoding="utf-8")
HAZARDS = [
    [cell.strip() for cell in line.strip("|").split("|")]
    for line in TEXT.splitlines()
    if line.startswith("| H-")
]
PARAMETERS = re.findall(r"^\| parameter `(\w+)` \| ([^|]+) \| ([^|]+) \| ([^|]+) \|$", TEXT, re.MULTILINE)
SEVERITY = {"minor", "significant", "considerable", "major", "catastrophic"}
LIKELIHOOD = ["very low", "low", "medium", "high", "very high"]


def test_all_that_is_named_exists() -> None:
    assert len(names(TEXT)) > 80
    assert not faults(TEXT)


def test_every_hazard_has_its_number_once() -> None:
    assert [row[0] for row in HAZARDS] == [f"H-{number:02}" for number in range(1, len(HAZARDS) + 1)]
    assert len(HAZARDS) >= 20


@pytest.mark.parametrize("row", HAZARDS, ids=[row[0] for row in HAZARDS])
def test_a_hazard_has_cause_harm_control_and_rest(row: list[str]) -> None:
    _, hazard, cause, harm, severity, likelihood, control, rest = row
    assert all((hazard, cause, harm, rest))
    assert severity in SEVERITY
    before, after = (LIKELIHOOD.index(one) for one in likelihood.split(", "))
    assert after < before
    assert names(control)


def test_every_parameter_that_was_not_read_is_to_be_confirmed() -> None:
    listed = {name: value.strip() for name, value, _, _ in PARAMETERS}
    assert listed == {
        name: f"{parameter.value} {parameter.unit}"
        for name, parameter in pack().parameters.items()
        if not parameter.read
    }


def test_a_parameter_refers_to_a_hazard() -> None:
    numbers = {row[0] for row in HAZARDS}
    for name, _, _, hazards in PARAMETERS:
        assert {one.strip() for one in hazards.split(",")} <= numbers, name


def test_most_controls_are_tests_or_rules() -> None:
    for row in HAZARDS:
        assert any(kind in ("rule", "test") for kind, _ in names(row[6])), row[0]


def test_commands_exist() -> None:
    from typer.main import get_command

    from cds_hooks.cli.commands import application

    known = set(get_command(application()).commands)  # type: ignore[attr-defined]
    wanted = set(re.findall(r"`vestige ([a-z-]+)", TEXT))
    assert {"validate", "rules", "config", "feedback"} <= wanted
    assert wanted <= known


@pytest.mark.parametrize("state", ["off", "shadow"])
@pytest.mark.parametrize(
    "step", ["ST-status", "ST-verdict", "ST-claim-visible", "ST-record-cut", "AX-operation", "SU-patient"]
)
def test_a_step_of_the_status_cannot_be_switched(step: str, state: str) -> None:
    with pytest.raises(PackError, match=f"'{step}'"):
        load_pack(states={step: state})


def test_what_cannot_be_switched_alone_is_named() -> None:
    """Rules whose conclusion others rest on: the settings are refused, and the document names them."""
    every = pack().statements.values()
    needed = {one.id for one in every if one.finding_specs() and readers(one.id, every)}
    part = TEXT[TEXT.index("## 5.") : TEXT.index("## 6.")]
    assert needed <= {name for kind, name in names(part) if kind == "rule"}
    assert {"LS-09", "RC-01"} <= needed


def test_a_name_that_does_not_exist_would_be_found() -> None:
    assert not exists("test", "tests/plugin/test_decide.py::test_that_is_not_there")
    assert not exists("test", "tests/plugin/none.py::test_x")
