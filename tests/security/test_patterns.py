"""No regular expression of the product takes exponential time on any text, nor more than quadratic on hostile ones."""

from __future__ import annotations

import re
import subprocess
import sys

import pytest

from tests.security.ambiguity import attacks, exponential
from tests.security.patterns import HOUSES, ROOT, patterns

LENGTH = 2000
CHILD = 300


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        (r"(a+)+$", True),
        (r"(a|a)*b", True),
        (r"(\w+\s?)*$", True),
        (r"(.*a){20}", True),
        (r"(a?){20}b", True),
        (r"^(([a-z])+.)+[A-Z]([a-z])+$", True),
        (r"(?!(x+x+)+y)a", True),
        (r"((ab)*|a)*c", True),
        (r"(a|b)*c", False),
        (r"(ab|a)*c", False),
        (r"(\.[a-z]+)+", False),
        (r"[a-z]*[a-z]*", False),
    ],
)
def test_what_is_exponential_is_known(text: str, expected: bool) -> None:
    assert exponential(re.compile(text)) is expected


def test_no_pattern_is_exponential() -> None:
    found = patterns()
    assert len(found) > 100
    assert not [place for place, pattern in found.items() if exponential(pattern)]


def test_patterns_are_made_by_the_module_that_is_looked_at() -> None:
    """A pattern made in another way would not be seen above."""
    sources = [path for house in HOUSES for path in (ROOT / house).rglob("*.py")]
    other = re.compile(r"^\s*(from re import|import re as|import regex|from regex)", re.MULTILINE)
    assert not [path for path in sources if other.search(path.read_text(encoding="utf-8"))]


def run_all() -> None:
    for pattern in patterns().values():
        for text in attacks(pattern, LENGTH):
            given = text.encode("latin-1", "ignore") if isinstance(pattern.pattern, bytes) else text
            pattern.search(given)
            pattern.fullmatch(given)


def test_hostile_texts_end() -> None:
    """In a process of its own: a text that takes cubic time would take hours."""
    subprocess.run(
        [sys.executable, "-m", "tests.security.test_patterns"], cwd=ROOT, check=True, timeout=CHILD
    )
    assert sum(1 for one in attacks(re.compile(r"(\.[a-z]+)+x"), 10)) >= 2


if __name__ == "__main__":
    run_all()
