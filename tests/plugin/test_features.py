"""The reader of the reading-room table."""

from __future__ import annotations

from pathlib import Path

import pytest

from plugin.errors import SettingsError
from plugin.features import features_of
from rules.language import load_pack

FOLDER = load_pack().folder


def put(folder: Path, text: str) -> Path:
    file = folder / "text" / "features" / "en.yaml"
    file.parent.mkdir(parents=True)
    file.write_text(text, encoding="utf-8")
    return folder


def test_every_statement_on_features_has_one_row() -> None:
    rows = [
        feature.statement for feature in features_of(FOLDER).features if feature.statement.startswith("S000")
    ]
    assert rows == [
        f"S000-{number}" for number in ("01", "02", "03", "04", "05", "06a", "06b", "07", "08a", "08b", "09")
    ]


def test_what_a_feature_can_and_cannot_mean_fits_a_table_of_lesions() -> None:
    for feature in features_of(FOLDER).features:
        assert len(feature.can) <= 60
        assert len(feature.cannot) <= 60
        assert not (feature.can + feature.cannot).endswith(".")


def test_a_language_without_a_table_is_refused() -> None:
    with pytest.raises(SettingsError, match=r"xx\.yaml: no table of imaging features"):
        features_of(FOLDER, "xx")


@pytest.mark.parametrize(
    "text",
    [
        "[",
        "language: en",
        (FOLDER / "text/features/en.yaml").read_text(encoding="utf-8").replace("pitfall:", "pitfal:", 1),
        "features: {}",
    ],
)
def test_a_misshapen_table_is_refused(text: str, tmp_path: Path) -> None:
    with pytest.raises(SettingsError, match="misshapen"):
        features_of(put(tmp_path, text))
