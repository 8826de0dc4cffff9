"""The words of every refusal: the file, the line, the offending words and the suggestion are a contract."""

from __future__ import annotations

import pytest

from tests.rules.refusals import RECORD, packs, told


def recorded() -> dict[str, str]:
    found: dict[str, list[str]] = {}
    name = ""
    for line in RECORD.read_text(encoding="utf-8").splitlines():
        if line.startswith("  "):
            found[name].append(line)
        else:
            name = line
            found[name] = []
    return {name: "\n".join(lines) for name, lines in found.items()}


PACKS = dict(packs())
SAID = recorded()


def test_the_record_is_of_these_packs() -> None:
    assert sorted(SAID) == sorted(PACKS), (
        "write it anew with `python -m tests.rules.refusals` and read what changed"
    )


@pytest.mark.parametrize("name", PACKS)
def test_what_is_said(name: str) -> None:
    assert told(PACKS[name]) == SAID[name]
