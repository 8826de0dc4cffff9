"""The tool of mutation testing itself: what it changes, and that it can tell a killed mutant from a survivor."""

from __future__ import annotations

import ast
from pathlib import Path

import pytest

from tests.rules.mutants import mutants
from tests.rules.mutation import SUITES, choose

SOURCE = '''
"""A docstring is no word."""
LIMIT = 5


def judge(words: list[str], word: str = "x") -> bool:
    """Returns something."""
    found = []
    for one in words:
        if one == word and not one > LIMIT:
            continue
        found.append(one)
    if any(one for one in found if one):
        raise ValueError(f"{word} is wrong")
    return len(found) - 1 <= 3
'''


def changed() -> list[tuple[str, str]]:
    return [
        (one.operator, str(one).split(f": {one.operator}: ", 1)[1]) for one in mutants(Path("a.py"), SOURCE)
    ]


@pytest.mark.parametrize(
    "wanted",
    [
        ("constant", "5  ->  6"),
        ("constant", "5  ->  4"),
        ("word", "'x'  ->  '?x'"),
        ("comparison", "one == word  ->  one != word"),
        ("comparison", "one > LIMIT  ->  one >= LIMIT"),
        ("comparison", "one > LIMIT  ->  one <= LIMIT"),
        ("comparison", "len(found) - 1 <= 3  ->  len(found) - 1 < 3"),
        ("and/or", "one == word and (not one > LIMIT)  ->  one == word or not one > LIMIT"),
        ("condition left out", "one == word and (not one > LIMIT)  ->  one == word"),
        ("not left out", "not one > LIMIT  ->  one > LIMIT"),
        ("continue", "continue  ->  break"),
        ("statement removed", "found.append(one)  ->  None"),
        ("filter left out", "for one in found if one  ->  for one in found"),
        ("opposite", "any((one for one in found if one))  ->  all((one for one in found if one))"),
        ("not raised", "raise ValueError(f'{word} is wrong')  ->  pass"),
        ("word of a text left out", "f'{word} is wrong'  ->  f'? is wrong'"),
        ("arithmetic", "len(found) - 1  ->  len(found) + 1"),
        ("nothing returned", "return len(found) - 1 <= 3  ->  return None"),
    ],
)
def test_each_operator(wanted: tuple[str, str]) -> None:
    assert wanted in changed()


def test_every_mutant_differs_and_can_be_compiled() -> None:
    original = ast.dump(ast.parse(SOURCE))
    found = mutants(Path("a.py"), SOURCE)
    assert all(ast.dump(mutant.tree()) != original for mutant in found)
    assert all(compile(mutant.tree(), "a.py", "exec") for mutant in found)
    assert not any("docstring" in str(mutant) or "list[str]" in str(mutant) for mutant in found)


def test_the_sample_is_of_the_seed() -> None:
    first, total = choose("rules/crosscheck", 20, 7)
    assert choose("rules/crosscheck", 20, 7) == (first, total)
    assert choose("rules/crosscheck", 20, 8)[0] != first
    assert len(first) == 20 < total
    assert [(one.path, one.line) for one in first] == sorted((one.path, one.line) for one in first)


def test_the_tests_of_every_package_are_there() -> None:
    for package, (names, _) in SUITES.items():
        assert Path(package).is_dir()
        assert all(Path(f"tests/rules/{name}.py").is_file() for name in names)
