"""Imaging features on record of the lesions of a card, and what each can and cannot mean."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from functools import lru_cache
from pathlib import Path
from typing import Any

from plugin.advice.slots import Filler
from plugin.advice.text import COMPLETE, Texts
from plugin.decision import Decision
from plugin.features import Feature, FeatureTable, features_of

MOST = 3

_NEW_ONLY = "bright-nodule"
_CT_ONLY = "sharp-interface"


def signs(filler: Filler, lesion: str, table: FeatureTable) -> list[Feature]:
    """Returns the features that the latest sighting of a lesion shows; a sign of one modality only there."""
    latest = filler.seen_last.get(lesion)
    if latest is None:
        return []
    return [
        feature
        for feature in table.features
        if feature.sign.of == "sighting"
        and feature.shown_by(latest)
        and _applies(feature, latest, filler.decision, lesion)
    ]


def _applies(feature: Feature, sighting: Mapping[str, Any], decision: Decision, lesion: str) -> bool:
    if feature.id == _CT_ONLY:
        return sighting.get("class") == "CT"
    if feature.id == _NEW_ONLY:
        return decision.about("new_lesion", lesion).get("reason") == "bright-after-oxaliplatin"
    return True


def sign_lines(decision: Decision, texts: Texts, filler: Filler, lesions: Sequence[str]) -> list[str]:
    """Returns at most three lines: the feature, the lesions that show it, what it can and cannot mean."""
    table = table_of(decision.pack.folder, texts.language)
    found: dict[str, tuple[Feature, list[str]]] = {}
    for lesion in filler.ordered(lesions):
        for feature in signs(filler, lesion, table):
            found.setdefault(feature.id, (feature, []))[1].append(lesion)
    return [
        texts.words("feature").format(
            feature=texts.word("sign", feature.id),
            lesions=filler.labels(about),
            can=feature.can,
            cannot=feature.cannot,
        )
        for feature, about in list(found.values())[:MOST]
    ]


def table_of(folder: Path, language: str) -> FeatureTable:
    """Returns the table of features in a language, in English where there is none."""
    file = folder / "text" / "features" / f"{language}.yaml"
    if not file.is_file():
        file = file.with_stem(COMPLETE)
    return _read(folder, file.stem, file.stat().st_mtime_ns)


@lru_cache(maxsize=8)
def _read(folder: Path, language: str, _changed: int) -> FeatureTable:
    return features_of(folder, language)
