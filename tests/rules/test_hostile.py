"""Packs that say something else than they seem to: each is refused with file, line and words."""

from __future__ import annotations

from decimal import Decimal
from pathlib import Path

import pytest

from rules.errors import PackError, Problem
from rules.language import lint_pack, load_pack
from tests.rules.packing import EVIDENCE, FACTS, HEAD, PARAMETERS, RULE, pack_of, rules_text, write_pack

# A test of a sighting beside an earlier `lesion L`.
TESTS = {
    "digits of another script": ('mm: "> ٣"', "cannot read '٣'"),
    "full-width digits": ("mm: １０", "'１０' is not a number"),
    "leading nought": ("slices: 010", "without a leading 0"),
    "leading nought compared": ('slices: "> 010"', "without a leading 0"),
    "not a number": ("mm: .nan", "'.nan' is not a number"),
    "infinity": ("mm: .inf", "'.inf' is not a number"),
    "not a number as a text": ("exam: .NaN", "'.NaN' unquoted is a number"),
    "infinity as a text": ("exam: -.inf", "'-.inf' unquoted is a number"),
    "octal": ("exam: 0o17", "unquoted is a number"),
    "underscored": ("exam: 1_000", "unquoted is a number"),
    "time as a text": ("exam: 2026-1-2 10:00:00", "unquoted is a date"),
    "hours and seconds": ('exam: "x"\n        day: 12:30:45.5', "is not a calendar date"),
    "sexagesimal part": ("exam: 12:30:45.5", "unquoted is a number"),
    "huge int": ("slices: " + "9" * 900, "is not below"),
    "huge int compared": ('slices: "> ' + "9" * 900 + '"', "is not below"),
    "a long test": ('mm: "> 5' + " " * 1001 + 'and 6"', "is longer than 1000 characters"),
    "present in capitals": ("exam: Present", "did you mean 'present'?"),
    "absent in capitals": ("exam: ABSENT", "did you mean 'absent'?"),
    "not a": ("exam: not E1", "did you mean '!= E1'?"),
    "forgotten equals": ("exam: L.id", "would be the text 'L.id'; did you mean '= L.id'?"),
    "forgotten equals of own": ("exam: own.lesion", "did you mean '= own.lesion'?"),
    "forgotten equals of a parameter": ('exam: "a $window"', "did you mean '= $window'?"),
    "nothing between": ('mm: "> 10 and < 5"', "'> 10 and < 5' can never hold"),
    "nothing between equals": ('mm: "> 5 and <= 5"', "can never hold"),
    "nothing between whole numbers": ('slices: "> 5 and < 6"', "can never hold"),
    "nothing between days": ('day: "> 2026-01-02 and < 2026-01-03"', "can never hold"),
    "nothing between parameters": ('mm: "> 1 and <= $ratio"', "can never hold"),
    "every code": ("vis: [visible, gone, unknown]", "names every value, so it always holds"),
    "no code": ('vis: "not in [visible, gone, unknown]"', "names every value, so it can never hold"),
    "code of look-alike letters": ("vis: gоne", "'gоne' is not a value of 'vis'"),
    "nothing on one side of a day": ('day: "> L.seen + 28 and < L.seen"', "can never hold"),
    "nothing beside a size": ('mm: "> 2 * L.base and <= 2 * L.base"', "can never hold"),
    "a mistyped alias": ('exam: "!= l.id"', "unknown alias 'l'; did you mean 'L'?"),
    "a mistyped alias alone": ("exam: l.id", "unknown alias 'l'; did you mean 'L'?"),
    "a reference in a list": ('exam: "not in [L.id]"', "a list holds values"),
    "a reference in brackets": ("exam: [L.id]", "a list holds values"),
    "an unknown reference in a list": ("exam: [X.lesion]", "unknown alias 'X'"),
    "a parameter unequal": ('exam: "!= $window"', "would be the text '$window'"),
    "a parameter in a list": ('exam: "in [$window]"', "would be the text '$window'"),
    "absent unequal": ('exam: "!= absent"', "'absent' is a test and stands alone"),
    "a list unequal": ('exam: "!= [a, b]"', "a list is written 'in [a, b]' or 'not in [a, b]'"),
    "a list of what it is not": ('exam: "not [a, b]"', "did you mean 'not in [a, b]'?"),
    "not in without a list": ("exam: not in a", "write the list as 'not in [a, b]'"),
    "unit": ('mm: "> $window"', "'sighting.mm' is in mm, '$window' is in d"),
    "unit of a day": ('day: "> L.seen + $size"', "'L.seen + $size' adds d to mm"),
    "unit in a sum": ('mm: "> L.base + $window"', "adds mm to d"),
    "unit of a product": ('mm: "> 2 * $window"', "is in mm, '2 * $window' is in d"),
    "rounded sum": ('mm: "> 100000000 + ' + " * ".join(["0.000001"] * 9) + '"', "too many decimal places"),
    "rounded product": ('mm: "> ' + " * ".join(["999999999.999999"] * 5) + '"', "too large"),
}  # fmt: skip
SIZE = PARAMETERS + "  size: {value: 5, unit: mm, valid-from: 2026-01-01, source: made up, read: true}\n"
SEEN = FACTS.replace("      base: {", "      seen: {type: date}\n      base: {", 1)

VALUES = {
    "forgotten equals": ("{out: {lesion: S.lesion}}", "did you mean '= S.lesion'?"),
    "unit": ("{out: {lesion: = S.lesion, wide: $window}}", "'out.wide' is in mm, the value is in d"),
    "days to a date": ("{out: {lesion: = S.lesion, day: = S.day + $size}}", "adds d to mm"),
    "days between dates": (
        "{out: {lesion: = S.lesion, whole: = S.day - L.seen}}",
        "is in mm, the value is in d",
    ),
}
WIDE = SEEN.replace(
    "      n: {type: int}\n",
    "      n: {type: int}\n      wide: {type: decimal, unit: mm}\n      whole: {type: int, unit: mm}\n",
)

FILES = {
    "line break in a comment": ("pack", HEAD + "# old\u2028status: off  #!\n", "U+2028 LINE SEPARATOR"),
    "next line": ("pack", HEAD + "# old\x85title: x  #!\n", "the line break U+0085"),
    "carriage return": ("pack", HEAD + "# old\rtitle: x  #!\n", "the line break U+000D"),
    "right to left": ("pack", HEAD + "# \u202e  #!\n", "U+202E RIGHT-TO-LEFT OVERRIDE"),
    "no width": ("parameters", PARAMETERS + "  x: {value: 1, unit: d, valid-from: 2026-01-01, source: a\u200bb, read: true}  #!\n", "U+200B ZERO WIDTH SPACE"),
    "escaped": ("pack", 'id: a\ntitle: "b\\u202e"  #!\nversion: "1"\n', "U+202E"),
    "escaped line": ("pack", 'id: a\ntitle: "b\\u2028"  #!\nversion: "1"\n', "U+2028"),
    "long text": ("pack", 'id: a\nversion: "1"\ntitle: ' + "b" * 20_001 + "  #!\n", "longer than 20000 characters"),
    "long key": ("pack", HEAD + "k" * 201 + ": x  #!\n", "a key is longer than 200 characters"),
    "kind on": ("facts", FACTS + "  on: {title: t, properties: {}}  #!\n", "cannot be the name of a kind"),
    "kind null": ("facts", FACTS + "  'Null': {title: t, properties: {}}  #!\n", "cannot be the name of a kind"),
    "property no": ("facts", FACTS + "  x: {title: t, properties: {no: {type: id}}}  #!\n", "no word such as 'on' or 'null'"),
    "property true": ("facts", FACTS + "  x: {title: t, unique: true, properties: {true: {type: id}}}  #!\n", "no word such as"),
    "parameter off": ("parameters", PARAMETERS + "  off: {value: 1, unit: d, valid-from: 2026-01-01, source: s, read: true}  #!\n", "no word such as"),
    "kind of look-alike letters": ("facts", FACTS + "  lеsion: {title: t, properties: {}}  #!\n", "cannot be the name of a kind"),
    "property of look-alike letters": ("facts", FACTS + "  x: {title: t, properties: {mм: {type: id}}}  #!\n", "a name is letters"),
    "codes of look-alike letters": ("facts", FACTS + "  x: {title: t, properties: {a: {type: code, values: [gone, gоne]}}}  #!\n", "must be ASCII"),
    "parameter not a number": ("parameters", PARAMETERS + "  x: {value: .nan, unit: d, valid-from: 2026-01-01, source: s, read: true}  #!\n", "'.nan' is not a number"),
    "parameter infinite": ("parameters", PARAMETERS + "  x: {value: -.inf, unit: d, valid-from: 2026-01-01, source: s, read: true}  #!\n", "is not a number"),
    "parameter huge": ("parameters", PARAMETERS + f"  x: {{value: {'9' * 10_000}, unit: d, valid-from: 2026-01-01, source: s, read: true}}  #!\n", "is not below"),
    "parameter octal": ("parameters", PARAMETERS + "  x: {value: 010, unit: d, valid-from: 2026-01-01, source: s, read: true}  #!\n", "without a leading 0"),
    "catalogue anchor": ("catalogue", "catalogue: &a  #!\n  X: {rules: [BASE]}\n", "an anchor (&a)"),
    "catalogue twice": ("catalogue", "catalogue:\n  X: {rules: [BASE]}\n  X: {checks: [y]}  #!\n", "the key 'X' occurs twice"),
    "bomb": ("catalogue", "a: &a [x, x]  #!\nb: &b [*a, *a]\n", "an anchor (&a)"),
}  # fmt: skip

BASE = (
    "- id: BASE\n  title: t\n  stratum: 1\n  when: [{sighting S: {}}]\n  then: {out: {lesion: = S.lesion}}\n"
)
RULE_T = (
    "- id: T\n  title: t\n  stratum: 9\n  when: [{sighting S: {}}]\n  then: {out: {lesion: = S.lesion}}\n"
)
FINDING = "  conclusion: c\n  indicator: info\n  hooks: [all]\n"
STATEMENTS = {
    "stratum huge": (RULE_T.replace("9", "9" * 5000 + "  #!"), "a whole number from 0 to 99"),
    "stratum of another script": (RULE_T.replace("9", "٩  #!"), "a whole number from 0 to 99"),
    "stratum octal": (RULE_T.replace("9", "010  #!"), "a whole number from 0 to 99"),
    "stratum 100": (RULE_T.replace("9", "100  #!"), "a whole number from 0 to 99"),
    "id of look-alike letters": (RULE_T.replace("id: T", "id: Т  #!"), "must be letters, digits"),
    "ids but for capitals": (RULE_T.replace("id: T", "id: Base  #!"), "'Base' and 'BASE' differ only in capital"),
    "evidence twice": (RULE_T + FINDING + "  evidence_for: [E1, E1]  #!\n", "the evidence 'E1' is named twice"),
    "say without equals": (RULE_T + FINDING + "  say: {seen: S.day}  #!\n", "did you mean '= S.day'?"),
    "say a sum without equals": (RULE_T + FINDING + "  say: {seen: S.mm - 2}  #!\n", "did you mean '= S.mm'?"),
    "minimum in another unit": (
        ("- id: T\n  title: t\n  stratum: 9\n  each: lesion L\n  from: {sighting S: {lesion: = L.id}}\n"
         "  give: {out: {lesion: = L.id, days: max S.mm}}  #!\n"), "'max S.mm' is in mm; 'days' is in d"),
}  # fmt: skip
DAYS = FACTS.replace("      n: {type: int}\n", "      n: {type: int}\n      days: {type: decimal, unit: d}\n")


def refused(folder: Path, file: str, text: str, words: str) -> None:
    """Asserts that the pack is refused with these words at the line that holds `#!`."""
    with pytest.raises(PackError) as caught:
        load_pack(folder)
    lines = text.split("\n")
    line = next(number for number, one in enumerate(lines, 1) if "#!" in one)
    found = caught.value.problems
    assert any((p.file, p.line) == (file, line) and words in p.message for p in found), "\n".join(
        map(str, found)
    )


@pytest.mark.parametrize("place", ["when", "unless"])
@pytest.mark.parametrize("name", TESTS)
def test_a_test_that_is_misread(tmp_path: Path, name: str, place: str) -> None:
    test, words = TESTS[name]
    before, _, last = test.rpartition("\n")
    first = f"{before}\n{last}" if before else last
    text = rules_text(
        "- id: T\n  title: t\n  stratum: 9\n  when:\n    - lesion L: {}\n"
        + ("" if place == "when" else "  unless:\n")
        + f"    - sighting S:\n        lesion: = L.id\n        {first}  #!\n"
        + "  then: {out: {lesion: = L.id}}\n"
    )
    folder = write_pack(tmp_path, text, parameters=SIZE, facts=SEEN)
    refused(folder, "statements/a.yaml", text, words)


@pytest.mark.parametrize("name", VALUES)
def test_a_value_that_is_misread(tmp_path: Path, name: str) -> None:
    value, words = VALUES[name]
    text = rules_text(
        "- id: T\n  title: t\n  stratum: 9\n  when:\n    - sighting S: {}\n    - lesion L: {id: = S.lesion}\n"
        f"  then: {value}  #!\n"
    )
    folder = write_pack(tmp_path, text, parameters=SIZE, facts=WIDE)
    refused(folder, "statements/a.yaml", text, words)


@pytest.mark.parametrize("name", STATEMENTS)
def test_a_statement_that_is_misread(tmp_path: Path, name: str) -> None:
    statement, words = STATEMENTS[name]
    text = rules_text(BASE + statement)
    refused(write_pack(tmp_path, text, facts=DAYS), "statements/a.yaml", text, words)


@pytest.mark.parametrize("name", FILES)
def test_a_file_that_is_misread(tmp_path: Path, name: str) -> None:
    file, text, words = FILES[name]
    write_pack(tmp_path)
    (tmp_path / f"{file}.yaml").write_bytes(text.encode())
    refused(tmp_path, f"{file}.yaml", text, words)


def test_units_that_agree_are_allowed(tmp_path: Path) -> None:
    snippet = """
    - id: T
      title: t
      stratum: 1
      when:
        - lesion L: {}
        - sighting S: {lesion: = L.id, mm: "> $ratio * L.base + $size", day: ">= L.seen - $window"}
      then: {out: {lesion: = L.id, n: = S.day - L.seen, mm: = S.mm}}
    """
    pack = pack_of(tmp_path, snippet, parameters=SIZE, facts=SEEN)
    tests = {test.property: test for test in pack.statements["T"].when[1].tests}
    assert tests["mm"].right is not None
    assert (tests["mm"].right.unit, tests["mm"].right.constant) == ("mm", 5)


@pytest.mark.parametrize(
    ("test", "type_"),
    [
        ("> 5 and < 6", "mm"), ("> 5 and <= 6", "slices"), (">= 5 and <= 5", "slices"), (">= 5 and <= 5", "mm"),
        ("> 4.5 and < 5.5", "slices"), ("> 2026-01-01 and < 2026-01-03", "day"), ("> 9 and < own.now", "mm"),
        ("!= 5 and != 6", "mm"),
    ],
)  # fmt: skip
def test_a_range_that_can_hold_is_allowed(tmp_path: Path, test: str, type_: str) -> None:
    statement = f'- id: T\n  title: t\n  stratum: 1\n  when: [{{sighting S: {{{type_}: "{test}"}}}}]\n  then: {{out: {{lesion: = S.lesion}}}}\n'
    (_, second) = pack_of(tmp_path, statement).statements["T"].when[0].tests
    assert second.written == test.split(" and ")[1]


def test_a_site_cannot_make_a_rule_unreachable(tmp_path: Path) -> None:
    snippet = """
    - id: T
      title: t
      stratum: 1
      when: [{sighting S: {mm: "> 0.5 and <= $ratio"}}]
      then: {out: {lesion: = S.lesion}}
    """
    assert pack_of(tmp_path, snippet).statements
    with pytest.raises(PackError, match="can never hold"):
        load_pack(tmp_path, parameters={"ratio": Decimal("0.5")})


def test_a_byte_order_mark_is_no_part_of_the_text(tmp_path: Path) -> None:
    write_pack(tmp_path, pack="\ufeff" + HEAD)
    assert load_pack(tmp_path).id == "test"


def test_windows_line_ends_keep_the_lines(tmp_path: Path) -> None:
    write_pack(tmp_path)
    (tmp_path / "pack.yaml").write_bytes((HEAD + "extra: x\n").replace("\n", "\r\n").encode())
    with pytest.raises(PackError) as caught:
        load_pack(tmp_path)
    assert caught.value.problems == (
        Problem("pack.yaml", 4, "unknown key of pack.yaml 'extra'; known: id, title, version"),
    )


@pytest.mark.parametrize("name", ["statements/b.YAML", "statements/b.yml", "statement/b.yaml", "b.Yml"])
def test_a_file_that_would_be_passed_over(tmp_path: Path, name: str) -> None:
    write_pack(tmp_path)
    (tmp_path / name).parent.mkdir(exist_ok=True)
    (tmp_path / name).write_text(RULE)
    with pytest.raises(PackError, match="no file of a pack has this name") as caught:
        load_pack(tmp_path)
    assert caught.value.problems[0].file == name


@pytest.mark.parametrize("text", ["", "# rules:\n", "rules: []\n"])
def test_a_file_of_statements_without_one(tmp_path: Path, text: str) -> None:
    write_pack(tmp_path, text)
    with pytest.raises(PackError) as caught:
        load_pack(tmp_path)
    assert caught.value.problems == (Problem("statements/a.yaml", 1, "the file holds no statement"),)


def test_a_folder_that_is_a_link_is_refused(tmp_path: Path) -> None:
    outside, inside = tmp_path / "outside", tmp_path / "inside"
    outside.mkdir()
    inside.mkdir()
    (outside / "b.yaml").write_text("rules: nothing\n")
    write_pack(inside)
    (inside / "statements" / "more").symlink_to(outside)
    with pytest.raises(PackError, match="statements/more:1: the file is a link out of the pack's folder"):
        load_pack(inside)


def test_a_negative_test_without_facts_proves_nothing(tmp_path: Path) -> None:
    snippet = """
    - id: T
      title: t
      stratum: 1
      when: [{sighting S: {}}]
      then: {out: {lesion: = S.lesion}}
      tests:
        positive: [{name: p, given: [{sighting: {id: S1, lesion: L1}}]}]
        negative: [{name: nothing at all, given: []}]
    """
    told = [str(problem) for problem in lint_pack(pack_of(tmp_path, snippet, evidence=EVIDENCE))]
    assert (
        "statements/a.yaml:9: 'T' is silent in the negative test 'nothing at all' for want of any fact"
        in told
    )
