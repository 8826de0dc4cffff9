"""Names in the clinical documents: kind and name in backticks, and whether each one exists."""

from __future__ import annotations

import re
from functools import cache
from pathlib import Path

from plugin.features import features_of
from rules.language import Pack, load_pack

ROOT = Path(__file__).parents[2]
NAME = re.compile(r"\b(rule|parameter|feature|fact|source|file|test)s? `([^`]+)`")


@cache
def pack() -> Pack:
    return load_pack()


def names(text: str) -> list[tuple[str, str]]:
    """Returns every (kind, name) of a text; 'rule `A`' is one."""
    return NAME.findall(text)


def exists(kind: str, name: str) -> bool:
    if kind == "rule":
        return name in pack().statements
    if kind == "parameter":
        return name in pack().parameters
    if kind == "source":
        return name in pack().evidence
    if kind == "feature":
        return name in {feature.id for feature in features_of(pack().folder).features}
    if kind == "fact":
        about, _, prop = name.partition(".")
        return about in pack().kinds and (not prop or prop in pack().kinds[about].properties)
    if kind == "test":
        file, _, function = name.partition("::")
        return _holds(file, f"def {function}(") if function else (ROOT / file).is_file()
    return (ROOT / name).exists()


def _holds(file: str, words: str) -> bool:
    path = ROOT / file
    return path.is_file() and words in path.read_text(encoding="utf-8")


def faults(text: str) -> list[str]:
    """Returns what a text names and nobody has."""
    return [f"{kind} {name}" for kind, name in names(text) if not exists(kind, name)]
