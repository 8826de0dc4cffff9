"""A site's own pack that loads and that no call could be answered by: refused at the start, named by the check."""

from __future__ import annotations

import shutil
from collections.abc import Callable
from dataclasses import replace
from pathlib import Path

import pytest
from typer.testing import CliRunner

from cds_hooks.cli.rules import app
from cds_hooks.packcheck import check_facts, fact_problems, text_problems
from cds_hooks.rulebook import Rulebook, pack_of
from plugin.errors import SettingsError
from plugin.settings import Rules, Settings
from rules.errors import PackError
from rules.language import load_pack

PACK = load_pack()


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    return Path(shutil.copytree(PACK.folder, tmp_path / "pack"))


def settings(folder: Path) -> Settings:
    return Settings(rules=Rules(pack=folder, engine="reference"))


def change(file: Path, old: str, new: str) -> None:
    text = file.read_text(encoding="utf-8")
    assert old in text
    file.write_text(text.replace(old, new, 1), encoding="utf-8")


def check(folder: Path) -> tuple[int, str]:
    result = CliRunner().invoke(app, ["check", "--pack", str(folder)])
    return result.exit_code, " ".join(result.output.split())


def test_a_copy_of_the_pack_is_in_order(folder: Path) -> None:
    assert check(folder) == (0, f"no problem, revision {PACK.revision}")
    Rulebook(settings(folder)).close()


TEXTS: list[tuple[str, str, str]] = [
    ("{study} but recorded", "{study but recorded", "a brace is not closed"),
    ("recorded as watch-and-wait: {lesions}", "recorded as watch-and-wait: {lesionz}", "did you mean 'lesions'?"),
    ("{study} but recorded", "{0.__class__} but recorded", "is no slot"),
    ("    summary: \"Still visible on {study}", "    sumary: \"Still visible on {study}", "did you mean 'summary'?"),
]  # fmt: skip


@pytest.mark.parametrize(("old", "new", "words"), TEXTS)
def test_a_text_that_cannot_be_filled(folder: Path, old: str, new: str, words: str) -> None:
    file = folder / "text" / "en.yaml"
    change(file, old, new)
    line = next(n for n, text in enumerate(file.read_text(encoding="utf-8").splitlines(), 1) if new in text)
    every = [str(one) for one in text_problems(replace(PACK, folder=folder))]
    (told,) = [one for one in every if one.startswith("text/en.yaml")]
    assert told.startswith(f"text/en.yaml:{line}: rules.DA-02.")
    assert words in told


def test_a_service_does_not_start_with_such_a_text(folder: Path) -> None:
    change(folder / "text" / "en.yaml", "{study} but recorded", "{study but recorded")
    code, told = check(folder)
    assert code == 1
    assert "rules.DA-02.summary: a brace is not closed" in told
    with pytest.raises(SettingsError, match=r"en\.yaml: rules\.DA-02"):
        Rulebook(settings(folder))


def test_a_fault_in_the_other_language_is_told_with_its_line(folder: Path) -> None:
    change(folder / "text" / "de.yaml", "status:\n", "statuss: {}\nstatus:\n")
    told = " ".join(str(one) for one in text_problems(replace(PACK, folder=folder)))
    assert "text/de.yaml:" in told
    assert "did you mean 'status'?" in told


FACTS: list[tuple[Callable[[str], str], str]] = [
    (lambda text: text.replace("irinotecanEver:", "irinotecanEwer:"), "irinotecanEver' is missing, which Vestige puts in; did you mean 'irinotecanEwer'?"),
    (lambda text: text.replace("not-assessed]", "not-done]", 1), "lacks the codes not-assessed"),
    (lambda text: text.replace("mm: {type: decimal, unit: mm}", "mm: {type: decimal, unit: cm}", 1), "is in cm, and Vestige puts in mm"),
]  # fmt: skip


@pytest.mark.parametrize(("edit", "words"), FACTS)
def test_facts_that_a_pack_does_not_take_are_found_before_a_patient_is(
    tmp_path: Path, edit: Callable[[str], str], words: str
) -> None:
    """Only the declarations of inputs are looked at, so that a pack of declarations is enough here."""
    file = PACK.folder / "facts.yaml"
    text = edit(file.read_text(encoding="utf-8"))
    assert text != file.read_text(encoding="utf-8")
    (tmp_path / "statements").mkdir()
    (tmp_path / "facts.yaml").write_text(text, encoding="utf-8")
    shutil.copy(PACK.folder / "pack.yaml", tmp_path)
    rule = "rules: [{id: X, title: x, stratum: 1, when: [{patient P: {}}], conclusion: x, indicator: info, hooks: [all]}]"
    (tmp_path / "statements" / "a.yaml").write_text(f"{rule}\n", encoding="utf-8")
    pack = load_pack(tmp_path)
    assert any(words in one.message for one in fact_problems(pack)), [str(one) for one in fact_problems(pack)]
    with pytest.raises(PackError):
        check_facts(pack)


def test_the_facts_of_the_packaged_rules_are_those_that_are_made() -> None:
    assert list(fact_problems(PACK)) == []


LOST = ("20-claims.yaml", "25-data-quality.yaml", "75-team.yaml", "80-suppression.yaml")


@pytest.mark.parametrize("name", LOST)
def test_a_file_of_statements_that_was_lost_is_no_silence(folder: Path, name: str) -> None:
    """A link that leads nowhere is refused; a file taken away is missed by what reads it or by the catalogue."""
    file = folder / "statements" / name
    if not file.exists():
        pytest.skip("the pack has no such file")
    file.unlink()
    file.symlink_to("elsewhere.yaml")
    with pytest.raises(PackError, match=f"statements/{name}:1: the file cannot be read"):
        pack_of(settings(folder))


def test_rules_that_the_catalogue_promises_are_missed_at_the_start(folder: Path) -> None:
    (folder / "statements" / "75-team.yaml").unlink()
    with pytest.raises(PackError, match=r"catalogue\.yaml:\d+: .* names no statement"):
        pack_of(settings(folder))


def test_a_site_setting_that_no_rule_can_hold_with_is_named_by_its_key() -> None:
    site = Settings(rules=Rules(parameters={"tiny_max": 12, "window": 30}, engine="reference"))
    with pytest.raises(SettingsError, match=r"^rules\.parameters\.tiny_max: statements/.*can never hold"):
        pack_of(site)
