"""What changes from one pack to another."""

from __future__ import annotations

import shutil
from decimal import Decimal
from pathlib import Path

from rules.compare import diff
from rules.language import load_pack
from tests.rules.packing import TINY
from tests.rules.test_evaluate import FACTS

PATIENTS = {"one": FACTS, "none": []}


def changed(tmp_path: Path, old: str, new: str) -> Path:
    shutil.copytree(TINY, tmp_path / "pack")
    file = tmp_path / "pack" / "statements" / "20-rules.yaml"
    text = file.read_text()
    assert old in text
    file.write_text(text.replace(old, new))
    return tmp_path / "pack"


def test_a_pack_does_not_differ_from_itself() -> None:
    found = diff(load_pack(TINY), load_pack(TINY), PATIENTS)
    assert (found.added, found.removed, found.changed, found.parameters, found.findings) == (
        (),
        (),
        (),
        (),
        (),
    )


def test_where_a_statement_is_written_does_not_matter(tmp_path: Path) -> None:
    folder = changed(tmp_path, "rules:\n", "rules:\n\n\n")
    second = load_pack(folder)
    assert second.revision != load_pack(TINY).revision
    found = diff(load_pack(TINY), second, PATIENTS)
    assert found.changed == ()
    assert found.findings == ()


def test_a_parameter_and_a_state() -> None:
    second = load_pack(TINY, parameters={"shrink_ratio": Decimal("0.3")}, states={"NOTE": "shadow"})
    found = diff(load_pack(TINY), second, PATIENTS)
    assert found.changed == ("NOTE", "SHRUNK")
    assert found.parameters == ("shrink_ratio",)
    assert [(c.patient, c.what, (c.before or c.after).rule) for c in found.findings if c.before or c.after] == [
        ("one", "changed", "NOTE"), ("one", "removed", "SHRUNK"),
    ]  # fmt: skip


def test_added_and_removed_statements(tmp_path: Path) -> None:
    second = load_pack(changed(tmp_path, "id: NOTE", "id: NOTED"))
    found = diff(load_pack(TINY), second, PATIENTS)
    assert (found.added, found.removed, found.changed) == (("NOTED",), ("NOTE",), ())
    assert sorted((c.what, (c.before or c.after).rule) for c in found.findings if c.before or c.after) == [
        ("added", "NOTED"), ("removed", "NOTE"),
    ]  # fmt: skip


def test_a_condition(tmp_path: Path) -> None:
    second = load_pack(changed(tmp_path, 'day: "< B.day"', 'day: "<= B.day"'))
    assert diff(load_pack(TINY), second, {}).changed == ("SHRUNK",)


def test_a_test_table_is_not_the_meaning(tmp_path: Path) -> None:
    second = load_pack(changed(tmp_path, "name: a half", "name: one half"))
    assert diff(load_pack(TINY), second, {}).changed == ()


def test_each_pack_sees_the_facts_given_for_it() -> None:
    pack = load_pack(TINY)
    found = diff(pack, pack, {"one": FACTS}, {"one": FACTS[:1]})
    assert found.findings
    assert {change.patient for change in found.findings} == {"one"}
    assert not diff(pack, pack, {"one": FACTS}, {"one": FACTS}).findings
