"""Imaging features on record of the lesions of a card, and what each can and cannot mean."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from functools import lru_cache
from pathlib import Path
from typing import Any

from plugin.advice.slots import Filler
from plugin.advice.text import COMPLETE, Texts, changed_at
from plugin.decision import Decision
from plugin.features import Feature, FeatureTable, features_of

MOST = 3

_NEW_ONLY = "bright-nodule"
_CT_ONLY = "sharp-interface"


def signs(filler: Filler, lesion: str) -> list[Feature]:
    """Returns the features that the latest sighting of a lesion shows; a sign of one modality only there."""
    return filler.once(("signs", lesion), lambda: _signs(filler, lesion))


def _signs(filler: Filler, lesion: str) -> list[Feature]:
    latest = filler.seen_last.get(lesion)
    if latest is None:
        return []
    folder, language = filler.decision.pack.folder, filler.texts.language
    return [
        feature
        for feature in filler.once("features", lambda: table_of(folder, language)).features
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


def sign_lines(texts: Texts, filler: Filler, lesions: Sequence[str]) -> list[str]:
    """Returns at most three lines: the feature, the lesions that show it, what it can and cannot mean."""
    found: dict[str, tuple[Feature, list[str]]] = {}
    for lesion in filler.ordered(lesions):
        for feature in signs(filler, lesion):
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
    changed = changed_at(f"{folder}/text/features/{language}.yaml")
    if changed is None:
        language, changed = COMPLETE, changed_at(f"{folder}/text/features/{COMPLETE}.yaml")
    return _read(folder, language, changed)


@lru_cache(maxsize=8)
def _read(folder: Path, language: str, _changed: int | None) -> FeatureTable:
    return features_of(folder, language)
