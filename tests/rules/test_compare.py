"""What changes from one pack to another."""

from __future__ import annotations

import shutil
from decimal import Decimal
from pathlib import Path

import pytest

from rules.compare import diff
from rules.facts import Fact
from rules.language import Pack, load_pack
from tests.rules.packing import TINY, write_pack
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


def other(tmp_path: Path, name: str, old: str, new: str) -> Pack:
    folder = Path(shutil.copytree(TINY, tmp_path / "pack"))
    file = folder / name
    text = file.read_text(encoding="utf-8") if file.exists() else ""
    assert old in text
    file.parent.mkdir(exist_ok=True)
    file.write_text(text.replace(old, new, 1) if old else new, encoding="utf-8")
    return load_pack(folder)


@pytest.mark.parametrize(
    ("name", "old", "new", "told"),
    [
        ("text/en.yaml", "", "language: en\n", "file text/en.yaml"),
        ("catalogue.yaml", "", "catalogue: {A: {rules: [ST]}}\n", "file catalogue.yaml"),
        ("tables.yaml", "points: 1}", "points: 2}", "table rank"),
        ("facts.yaml", "title: How strong an agent counts", "title: How much an agent counts", "kind rank"),
        ("pack.yaml", "title:", "title: Another", "file pack.yaml"),
    ],
)
def test_what_no_rule_is_made_of(tmp_path: Path, name: str, old: str, new: str, told: str) -> None:
    assert told in diff(load_pack(TINY), other(tmp_path, name, old, new), {}).registers


def test_the_day_and_the_title_of_a_parameter(tmp_path: Path) -> None:
    second = other(tmp_path, "parameters.yaml", "valid-from: 2026-01-01", "valid-from: 2027-01-01")
    assert len(diff(load_pack(TINY), second, {}).parameters) == 1


def test_facts_that_something_else_reads(tmp_path: Path) -> None:
    """A status that nobody makes a finding of is what the lesion's row says."""
    folders = [tmp_path / "one", tmp_path / "two"]
    made = []
    for folder, mm in zip(folders, ("1", "2"), strict=True):
        folder.mkdir()
        rule = f"{{id: T, title: t, stratum: 1, when: [{{sighting S: {{}}}}], then: {{out: {{lesion: = S.lesion, mm: {mm}}}}}}}"
        made.append(load_pack(write_pack(folder, f"rules:\n  - {rule}\n")))
    seen = {"one": [Fact("sighting", {"id": "S", "lesion": "L1"})], "none": []}
    assert diff(*made, seen).facts == (("one", "out"),)
    assert diff(made[0], made[0], seen).facts == ()
