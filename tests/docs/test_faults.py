"""docs/faults.md: every fault names what the caller sees and tests that are there."""

import re
from pathlib import Path

ROOT = Path(__file__).parents[2]
TABLE = (ROOT / "docs" / "faults.md").read_text()
ROWS = [
    [cell.strip() for cell in line.strip("|").split("|")]
    for line in TABLE.splitlines()
    if line.startswith("| ") and not line.startswith(("| fault |", "|---"))
]


def test_every_fault_names_tests_that_are_there() -> None:
    assert len(ROWS) > 25
    faults = []
    for fault, seen, tests in ROWS:
        assert fault
        assert seen
        named = re.findall(r"`(tests/[\w/]+\.py)::(\w+)`", tests)
        assert named, fault
        assert re.sub(r"`tests/[\w/]+\.py::\w+`|[, ]", "", tests) == "", fault
        for file, name in named:
            path = ROOT / file
            if not path.is_file() or f"\ndef {name}(" not in path.read_text():
                faults.append(f"{fault}: {file}::{name}")
    assert not faults


def test_every_test_of_a_fault_has_its_row() -> None:
    ours = sorted((ROOT / "tests" / "faults").glob("test_*.py"))
    assert ours
    assert not [path.name for path in ours if f"tests/faults/{path.name}::" not in TABLE]
