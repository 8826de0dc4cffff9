"""What a checked pack holds."""

from __future__ import annotations

import pickle
import shutil
from datetime import date
from decimal import Decimal
from pathlib import Path

import pytest

from rules.errors import PackError, Problem
from rules.language import load_pack
from tests.rules.packing import RULE, TINY, pack_of, write_pack


def test_head_kinds_and_registers() -> None:
    pack = load_pack(TINY)
    assert (pack.id, pack.title, pack.version, pack.folder) == ("tiny", "A small pack for tests", "1", TINY)
    assert list(pack.kinds)[0] == "finding"
    visibility = pack.kinds["sighting"].properties["visibility"]
    assert visibility.values == ("visible", "not-visible", "indeterminate", "unknown")
    assert pack.kinds["lesion"].unique == "id"
    assert pack.kinds["patient"].unique == "*"
    ratio = pack.parameters["shrink_ratio"]
    assert (ratio.value, ratio.unit, ratio.valid_from, ratio.read, ratio.site) == (
        Decimal("0.7"),
        "1",
        date(2026, 1, 1),
        False,
        False,
    )
    assert pack.parameters["window"].value == 28
    assert isinstance(pack.parameters["window"].value, int)
    assert pack.evidence["T1"].citation == "A made-up study"
    assert pack.evidence["T1"].fields["result"] == "none"
    assert pack.tables["rank"][0] == {"agent": "oxaliplatin", "points": 2}


def test_statements_in_the_order_of_strata() -> None:
    pack = load_pack(TINY)
    assert list(pack.statements) == ["BEST", "FS", "SEEN", "SHRUNK", "ST", "NOTE"]
    assert pack.statements["SHRUNK"].parameters == ("shrink_ratio", "window")
    assert pack.statements["SHRUNK"].file == "statements/20-rules.yaml"
    assert pack.statements["SHRUNK"].line == 2


def test_the_revision_is_of_paths_and_bytes(tmp_path: Path) -> None:
    first, second = tmp_path / "a", tmp_path / "b"
    shutil.copytree(TINY, first)
    shutil.copytree(TINY, second)
    revision = load_pack(first).revision
    assert revision == load_pack(second).revision == load_pack(TINY).revision
    assert len(revision) == 12
    (second / "notes.md").write_text("not a part of the pack")
    assert load_pack(second).revision == revision
    (second / "text").mkdir()
    (second / "text" / "en.yaml").write_text("a: b\n")
    with_text = load_pack(second).revision
    assert with_text != revision
    (second / "text" / "en.yaml").rename(second / "text" / "de.yaml")
    assert load_pack(second).revision not in (revision, with_text)


def test_a_site_changes_the_revision() -> None:
    plain = load_pack(TINY).revision
    first = load_pack(TINY, parameters={"window": 14}).revision
    second = load_pack(TINY, parameters={"window": 15}).revision
    third = load_pack(TINY, states={"NOTE": "off"}).revision
    fourth = load_pack(TINY, states={"NOTE": "shadow"}).revision
    fifth = load_pack(TINY, states={"SHRUNK": "off"}).revision
    sixth = load_pack(TINY, parameters={"shrink_ratio": 14}).revision
    assert len({plain, first, second, third, fourth, fifth, sixth}) == 7
    assert all(revision.startswith(plain + "+site.") for revision in (first, second, third))
    assert load_pack(TINY, parameters={"window": Decimal("14.0")}).revision == first


def test_a_site_number_is_marked() -> None:
    pack = load_pack(TINY, parameters={"window": Decimal(14), "shrink_ratio": 1})
    assert (pack.parameters["window"].value, pack.parameters["window"].site) == (14, True)
    assert pack.parameters["shrink_ratio"].value == Decimal(1)
    with pytest.raises(PackError, match="is a whole number in the pack"):
        load_pack(TINY, parameters={"window": Decimal("1.5")})


def test_a_pack_can_be_sent_to_a_worker() -> None:
    pack = load_pack(TINY)
    assert pickle.loads(pickle.dumps(pack)) == pack


def test_a_pack_error_can_be_sent() -> None:
    error = PackError((Problem("b.yaml", 2, "x"), Problem("a.yaml", 1, "y"), Problem("a.yaml", 1, "y")))
    again = pickle.loads(pickle.dumps(error))
    assert again.problems == (Problem("a.yaml", 1, "y"), Problem("b.yaml", 2, "x"))
    assert str(again) == "the rule pack has 2 problems:\n  a.yaml:1: y\n  b.yaml:2: x"


def test_yesno_needs_no_quotes_and_off_is_a_status(tmp_path: Path) -> None:
    pack = pack_of(
        tmp_path,
        """
        - id: T
          title: "yes"
          stratum: 1
          status: off
          when: [{sighting S: {sure: yes}}]
          then: {out: {lesion: = S.lesion, flag: no}}
        """,
    )
    statement = pack.statements["T"]
    assert statement.status == "off"
    assert statement.when[0].tests[0].right is not None
    assert statement.when[0].tests[0].right.literal == "yes"


def test_an_empty_register_is_allowed(tmp_path: Path) -> None:
    write_pack(tmp_path, RULE, parameters="parameters:\n", evidence="evidence:\n")
    pack = load_pack(tmp_path)
    assert pack.parameters == {}
    assert pack.evidence == {}


def test_optional_files_may_be_missing(tmp_path: Path) -> None:
    write_pack(tmp_path, RULE)
    (tmp_path / "parameters.yaml").unlink()
    (tmp_path / "evidence.yaml").unlink()
    assert list(load_pack(tmp_path).statements) == ["BASE"]


def test_evidence_fields(tmp_path: Path) -> None:
    entry = 'evidence:\n  E1: {citation: c, read: true, reading: abstract, printable: "yes", figures: ["55", "66"], limits: [a, b]}\n'
    write_pack(tmp_path, RULE, evidence=entry)
    found = load_pack(tmp_path).evidence["E1"]
    assert (found.read, found.reading, found.printable, found.figures) == (
        True,
        "abstract",
        True,
        ("55", "66"),
    )
    assert found.fields == {"limits": "a\nb"}


def test_the_packaged_rules_are_the_default() -> None:
    pack = load_pack()
    assert (pack.folder.name, pack.id) == ("crlm", "crlm")
    assert pack.statements
