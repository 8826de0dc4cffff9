"""The texts of cards, one file a language beside the rules."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from functools import lru_cache
from pathlib import Path
from typing import Any

import yaml

from plugin.errors import SettingsError


@dataclass(frozen=True)
class Texts:
    """The texts of one language; `data` as the file has it."""

    language: str
    data: Mapping[str, Any]

    def word(self, section: str, key: str) -> str:
        """Returns one word of a section, or the key itself where the file lacks it."""
        return str(self.data.get(section, {}).get(key, key))

    def words(self, key: str) -> str:
        """Returns one of the general words."""
        return self.word("words", key)

    def rule(self, rule: str, case: str | None, key: str) -> Any:
        """Returns what the file says for a case of a rule, else for the rule, else None."""
        entry: Mapping[str, Any] = self.data.get("rules", {}).get(rule, {})
        special: Mapping[str, Any] = entry.get("cases", {}).get(case, {}) if case else {}
        return special.get(key, entry.get(key))

    def evidence(self, id_: str, *variants: str | None) -> str | None:
        """Returns the line of one source: the first variant that it has, else its default."""
        line = self.data.get("evidence", {}).get(id_)
        if isinstance(line, Mapping):
            known = [line[one] for one in variants if one in line]
            line = known[0] if known else line.get("default")
        return None if line is None else str(line)


def texts_of(folder: Path, language: str) -> Texts:
    """Returns the texts of a language; raises SettingsError for a language without a file."""
    file = folder / "text" / f"{language}.yaml"
    if not language.isalpha() or not file.is_file():
        known = ", ".join(sorted(each.stem for each in (folder / "text").glob("*.yaml")))
        raise SettingsError(f"cards.language: there are no texts for {language!r}; there are: {known}")
    return _read(file)


@lru_cache(maxsize=8)
def _read(file: Path) -> Texts:
    data = yaml.safe_load(file.read_text(encoding="utf-8"))
    return Texts(str(data["language"]), data)
