"""docs/vestige.example.toml names every setting, and what it shows commented out can be used as well."""

from __future__ import annotations

import re
import tomllib
from collections.abc import Iterator
from typing import Any, get_type_hints

from plugin.settings import Settings
from plugin.settings_source import _struct_in, refuse_unknown
from tests.docs.naming import ROOT

TEXT = (ROOT / "docs" / "vestige.example.toml").read_text(encoding="utf-8")
COMMENTED = re.compile(r"^# (?=(\w+|\"[^\"]+\") = |\[)", re.MULTILINE)


def keys(kind: type, at: str = "") -> Iterator[str]:
    for name, type_ in get_type_hints(kind).items():
        inner, _ = _struct_in(type_)
        yield at + name
        if inner is not None:
            yield from keys(inner, f"{at}{name}.")


def given(value: Any, at: str = "") -> Iterator[str]:
    for name, inner in value.items():
        yield at + name
        for each in inner if isinstance(inner, list) else [inner]:
            if isinstance(each, dict):
                yield from given(each, f"{at}{name}.")


def whole() -> dict[str, Any]:
    """The example with every comment that is a setting put in force."""
    return tomllib.loads(COMMENTED.sub("", TEXT))


def test_every_setting_is_named() -> None:
    assert sorted(set(keys(Settings)) - set(given(whole()))) == []


def test_every_name_is_a_setting() -> None:
    refuse_unknown(Settings, whole(), source="docs/vestige.example.toml")
