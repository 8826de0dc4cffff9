"""The reading-room table: what an imaging feature may mean, and what the rules do about it."""

from __future__ import annotations

from collections.abc import Mapping
from pathlib import Path
from typing import Any, Literal

import msgspec
import yaml

from plugin.errors import SettingsError
from plugin.ready import ready
from plugin.yaml_text import read_yaml


class Sign(msgspec.Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """How a feature is recorded: a property of a sighting or of the patient, and the values that show it."""

    of: Literal["sighting", "patient", "none"]
    property: str
    values: tuple[str, ...] = ()


class Feature(msgspec.Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """One row of the table; `statement` is the source, `rules` are what acts on the feature."""

    id: str
    statement: str
    feature: str
    histology: str
    response: str
    pitfall: str
    can: str
    cannot: str
    software: str
    rules: tuple[str, ...]
    sign: Sign

    def shown_by(self, values: Mapping[str, Any]) -> bool:
        """Says whether the values of a sighting (or of the patient) record the feature."""
        return str(values.get(self.sign.property)) in self.sign.values


class Scale(msgspec.Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """One scale of response at pathology, in a sentence."""

    scale: str
    text: str


class FeatureTable(msgspec.Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """The table in one language."""

    language: str
    title: str
    source: str
    scales: tuple[Scale, ...]
    features: tuple[Feature, ...]


ready(FeatureTable)


def features_of(folder: Path, language: str = "en") -> FeatureTable:
    """Returns the table of a rule pack's folder; raises SettingsError where it is missing or misshapen."""
    file = folder / "text" / "features" / f"{language}.yaml"
    try:
        return msgspec.convert(read_yaml(file.read_text(encoding="utf-8")), FeatureTable)
    except OSError as error:
        raise SettingsError(f"{file}: no table of imaging features can be read there") from error
    except (yaml.YAMLError, msgspec.ValidationError) as error:
        raise SettingsError(f"{file}: the table of imaging features is misshapen: {error}") from error
