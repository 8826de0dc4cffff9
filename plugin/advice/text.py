"""The texts of cards, one file a language beside the rules; a language may leave texts to English."""

from __future__ import annotations

import os
import stat
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from functools import lru_cache
from pathlib import Path
from typing import Any

from plugin.advice.templates import Fault, faults, meant
from plugin.errors import SettingsError
from plugin.yaml_text import read_yaml

COMPLETE = "en"
"""The language that has every text; another one falls back to it text by text."""

WITHOUT_MRI = "without_mri"
"""The part of an entry that holds where MRI with contrast is not possible (R-82)."""

PREGNANT = "pregnant"
"""The part of an entry that holds in pregnancy: imaging and contrast are for specialists (R-72)."""


@dataclass(frozen=True)
class Texts:
    """The texts of one language; `data` as the files have it."""

    language: str
    data: Mapping[str, Any]

    def word(self, section: str, key: str) -> str:
        """Returns one word of a section, or the key itself where the file lacks it."""
        return str(self.data.get(section, {}).get(key, key))

    def words(self, key: str) -> str:
        """Returns one of the general words."""
        return self.word("words", key)

    def rule(self, rule: str, case: str | None, key: str, *, instead: str | None = None) -> Any:
        """Returns what the file says for a case of a rule, else for the rule, else None.

        `instead` (WITHOUT_MRI, PREGNANT) asks first for what stands in that part of the entry; a case that
        has texts of its own and none for that keeps them.
        """
        entry: Mapping[str, Any] = self.data.get("rules", {}).get(rule, {})
        special: Mapping[str, Any] = entry.get("cases", {}).get(case, {}) if case else {}
        if instead:
            for known in (special.get(instead), None if key in special else entry.get(instead)):
                if known and key in known:
                    return known[key]
        return special.get(key, entry.get(key))

    def asks_for_mri(self, rule: str, case: str | None) -> bool:
        """Tells whether a rule or its case has other texts for where MRI with contrast is not possible."""
        entry: Mapping[str, Any] = self.data.get("rules", {}).get(rule, {})
        special: Mapping[str, Any] = entry.get("cases", {}).get(case, {}) if case else {}
        return WITHOUT_MRI in special or WITHOUT_MRI in entry

    def evidence(self, id_: str, *variants: str | None) -> str | None:
        """Returns the line of one source: the first variant that it has, else its default."""
        line = self.data.get("evidence", {}).get(id_)
        if isinstance(line, Mapping):
            known = [line[one] for one in variants if one in line]
            line = known[0] if known else line.get("default")
        return None if line is None else str(line)


def texts_of(folder: Path, language: str) -> Texts:
    """Returns the texts of a language, English where it has none.

    Raises SettingsError for a language without a file, and for a file with a key that English does not have.
    """
    file = f"{folder}/text/{language}.yaml"
    changed = changed_at(file) if language.isalpha() else None
    if changed is None:
        known = ", ".join(sorted(each.stem for each in (folder / "text").glob("*.yaml")))
        raise SettingsError(f"cards.language: there are no texts for {language!r}; there are: {known}")
    return _read(file, changed)


def changed_at(file: str) -> int | None:
    """Returns when a file was changed (ns), None where there is no such file."""
    try:
        found = os.stat(file)
    except (OSError, ValueError):
        return None
    return found.st_mtime_ns if stat.S_ISREG(found.st_mode) else None


@lru_cache(maxsize=8)
def _read(name: str, _changed: int) -> Texts:
    file = Path(name)
    data = _document(file)
    for path, message in faults_of(file):
        raise SettingsError(f"{file.name}: {'.'.join(map(str, path))}: {message}")
    if data["language"] == COMPLETE:
        return Texts(COMPLETE, data)
    # Its faults are those of every language that leaves texts to it.
    return Texts(str(data["language"]), merged(texts_of(file.parent.parent, COMPLETE).data, data))


def faults_of(file: Path) -> Iterator[Fault]:
    """Yields what is wrong with a file of texts: slots, keys of a rule, keys that English does not have."""
    data = _document(file)
    yield from faults(data, (WITHOUT_MRI, PREGNANT))
    if data["language"] != COMPLETE:
        for path, key, known in unknown_keys(data, _document(file.with_stem(COMPLETE))):
            yield (*path, key), f"is no key of the texts{meant(key, set(known))}"


def _document(file: Path) -> dict[str, Any]:
    data = read_yaml(file.read_text(encoding="utf-8"))
    if not isinstance(data, dict) or data.get("language") != file.stem:
        raise SettingsError(f"{file.name}: a file of texts begins with its own language: {file.stem}")
    return data


def merged(base: Mapping[str, Any], over: Mapping[str, Any]) -> dict[str, Any]:
    """Returns the texts of `over`, and those of `base` where it has none."""
    found = dict(base)
    for key, value in over.items():
        known = found.get(key)
        both = isinstance(known, Mapping) and isinstance(value, Mapping)
        found[key] = merged(known, value) if both else value  # type: ignore[arg-type]
    return found


def unknown_keys(
    data: Mapping[str, Any], english: Mapping[str, Any], path: tuple[str, ...] = ()
) -> Iterator[tuple[tuple[str, ...], str, list[str]]]:
    """Yields every key that English does not have, with its path and the keys that would be known there.

    Where one side has a text and the other a group of texts, the key is unknown as well.
    """
    for key, value in data.items():
        known = english.get(key)
        if key not in english or isinstance(known, Mapping) != isinstance(value, Mapping):
            yield path, str(key), [str(one) for one in english]
        elif isinstance(known, Mapping):
            yield from unknown_keys(value, known, (*path, str(key)))
