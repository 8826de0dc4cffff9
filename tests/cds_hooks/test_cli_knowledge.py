"""`vestige features` and `vestige validate` as a person runs them."""

from __future__ import annotations

import json

from tests.cds_hooks.test_cli import complaint, vestige


def test_features_fit_80_columns() -> None:
    run = vestige("features")
    assert run.returncode == 0, run.stderr
    assert max(map(len, run.stdout.splitlines())) <= 80
    for statement in ("S000-01", "S000-06a", "S000-06b", "S000-08a", "S000-08b", "S000-09"):
        assert f"({statement})" in run.stdout


def test_features_json() -> None:
    document = json.loads(vestige("features", "--json").stdout)
    assert document["rulePack"]
    rows = {row["statement"]: row for row in document["features"]}
    assert {
        "feature",
        "histology",
        "response",
        "pitfall",
        "can",
        "cannot",
        "software",
        "rules",
        "sign",
    } <= set(rows["S000-07"])


def test_validate_json() -> None:
    run = vestige("validate", "--study", "resected", "--json")
    assert run.returncode == 0, run.stderr
    document = json.loads(run.stdout)
    assert "not clinical evidence" in document["label"]
    assert document["seed"] == 2026
    (study,) = document["studies"]
    assert study["passed"]
    rows = {row["what"]: row for row in study["rows"]}
    assert rows["patients"]["published"] == rows["patients"]["ours"]["ours"] == "25"
    assert study["numbers"]["ours"]["patients"] == 25
    assert study["numbers"]["ours"]["vanished"] == 0
    assert run.stderr == ""


def test_validate_fits_80_columns() -> None:
    run = vestige("validate", "--study", "resected", "--seed", "5")
    assert run.returncode == 0, run.stdout
    assert run.stdout.startswith("A check of the software on matching marginals, not clinical evidence")
    assert max(map(len, run.stdout.splitlines())) <= 80


def test_validate_of_an_unknown_study() -> None:
    complaint(
        vestige("validate", "--study", "nothing"), 2, "no study has the name 'nothing'", "triple-modality"
    )
