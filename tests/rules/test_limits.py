"""Each limit of the language: what just fits is read, and one more is refused with the limit's number."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path

import pytest

from rules.errors import PackError
from rules.language import load_pack
from tests.rules.packing import FACTS, HEAD, PARAMETERS, RULE, rules_text, write_pack


def rule(when: str, then: str = "{out: {lesion: x}}") -> str:
    return rules_text(f"- id: T\n  title: t\n  stratum: 9\n  when:\n{when}\n  then: {then}\n")


def aliases(number: int) -> dict[str, str]:
    more = "".join(f"\n    - sighting A{n}: {{lesion: = A.lesion}}" for n in range(1, number))
    return {"statements": rule(f"    - sighting A: {{}}{more}")}


def comparisons(number: int) -> dict[str, str]:
    return {"statements": rule(f'    - sighting A: {{mm: "{" and ".join(["> 1"] * number)}"}}')}


def properties(number: int) -> dict[str, str]:
    named = ", ".join(f"p{n}: {{type: id}}" for n in range(number))
    return {"facts": FACTS + f"  large: {{title: t, shown: true, properties: {{{named}}}}}\n"}


def factor(number: int) -> dict[str, str]:
    return {"statements": rule(f'    - sighting A: {{mm: "> {number} * own.now"}}')}


def divisor(number: int) -> dict[str, str]:
    # 3/1000 has this divisor, 3/2000 has 2000.
    return {"statements": rule(f'    - sighting A: {{mm: "> {3 / number} * own.now"}}')}


def text_of_a_test(length: int) -> dict[str, str]:
    return {"statements": rule(f"    - sighting A: {{exam: '{'x' * length}'}}")}


def title(length: int) -> dict[str, str]:
    return {"pack": HEAD.replace("For one test", "x" * length)}


def key(length: int) -> dict[str, str]:
    return {"evidence": f"evidence:\n  {'E' * length}: {{citation: c}}\n"}


def depth(levels: int) -> dict[str, str]:
    # Three mappings are above the list, and the outermost is not counted.
    inner = "[" * (levels - 2) + "]" * (levels - 2)
    return {"evidence": f"evidence:\n  E1: {{citation: c, note: {inner}}}\n"}


def size(number: int) -> dict[str, str]:
    return {"pack": HEAD + "#" * (number - len(HEAD))}


def whole_number(number: int) -> dict[str, str]:
    return {"parameters": PARAMETERS.replace("28", str(number))}


def stratum(number: int) -> dict[str, str]:
    return {"statements": RULE.replace("stratum: 1", f"stratum: {number}")}


LIMITS: list[tuple[Callable[[int], dict[str, str]], int, int, str]] = [
    (aliases, 6, 7, "more than 6 aliases are bound"),
    (comparisons, 24, 25, "'sighting A' has more than 24 tests"),
    (properties, 60, 61, "kind 'large' has more than 60 properties"),
    (factor, 1000, 1001, "the factor 1001 is not a ratio of whole numbers up to 1000"),
    (divisor, 1000, 2000, "the factor 0.0015 is not a ratio of whole numbers up to 1000"),
    (text_of_a_test, 1000, 1001, "is longer than 1000 characters"),
    (title, 20_000, 20_001, "a text is longer than 20000 characters"),
    (key, 200, 201, "a key is longer than 200 characters"),
    (depth, 16, 17, "nested deeper than 16 levels"),
    (size, 2_000_000, 2_000_001, "the file is larger than 2000000 bytes"),
    (whole_number, 999_999_999, 1_000_000_000, "is not below 1000000000"),
    (whole_number, -999_999_999, -1_000_000_000, "is not below 1000000000"),
    (stratum, 99, 100, "a whole number from 0 to 99"),
    (stratum, 0, -1, "a whole number from 0 to 99"),
]


@pytest.mark.parametrize(("files", "fits", "over", "words"), LIMITS)
def test_a_limit(
    tmp_path: Path, files: Callable[[int], dict[str, str]], fits: int, over: int, words: str
) -> None:
    assert load_pack(write_pack(tmp_path, **files(fits))).id == "test"
    with pytest.raises(PackError) as caught:
        load_pack(write_pack(tmp_path, **files(over)))
    (problem,) = caught.value.problems
    assert words in problem.message


def test_too_many_files(tmp_path: Path) -> None:
    write_pack(tmp_path)
    (tmp_path / "text").mkdir()
    for number in range(495):
        (tmp_path / "text" / f"t{number}.yaml").write_text("a: b\n")
    assert load_pack(tmp_path).id == "test"
    (tmp_path / "text" / "one-more.yaml").write_text("a: b\n")
    with pytest.raises(PackError, match="more than 500 files"):
        load_pack(tmp_path)


def test_a_long_message_keeps_both_its_ends(tmp_path: Path) -> None:
    write_pack(tmp_path, parameters=PARAMETERS.replace("28", "9" * 5000))
    with pytest.raises(PackError) as caught:
        load_pack(tmp_path)
    (problem,) = caught.value.problems
    assert problem.message.startswith("value of parameter 'window': '999")
    assert problem.message.endswith("is not below 1000000000")
    assert len(problem.message) < 300
