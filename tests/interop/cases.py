"""Whole-patient cases as a folder that `vestige interop --patients` reads."""

from __future__ import annotations

import os
from pathlib import Path

import msgspec
import yaml

from tests.cases.build import Case, case, names

HOW_MANY = 60
FEW = int(os.environ.get("VESTIGE_INTEROP_CASES", "20"))
"""So many of them, spread over all, are loaded into the slower servers; 60 are all."""
# A case with settings of its own, answers, a record that is cut, or resources of another patient says nothing of a
# server: these are told in tests/cases.
SPECIAL = ("gap", "site", "cards_setting", "answers", "stranger", "fails")


def chosen() -> list[Case]:
    """Sixty cases: the smallest ones, for they are loaded into several servers."""
    fit = [built for name in names() if not any((built := case(name)).told.get(key) for key in SPECIAL)]
    return sorted(fit, key=lambda one: (len(one.story.resources), one.name))[:HOW_MANY]


def write(folder: Path, count: int = HOW_MANY) -> list[str]:
    """Writes so many of the chosen cases, evenly spread, and returns their names."""
    every = chosen()
    picked = [every[place * HOW_MANY // count] for place in range(count)]
    for one in picked:
        (folder / f"{one.name}.json").write_bytes(msgspec.json.encode(one.bundle()))
        (folder / f"{one.name}.hook.json").write_bytes(msgspec.json.encode(one.context))
        text = yaml.safe_dump(expected(one), sort_keys=False)
        (folder / f"{one.name}.expected.yaml").write_text(text, encoding="utf-8")
    return [one.name for one in picked]


def expected(one: Case) -> dict[str, object]:
    """What a case expects, in the words of the command."""
    told = one.told["expect"]
    patient = {"patientStatus": str(told["patient"]).split()[0]} if "patient" in told else {}
    return {
        "today": one.today,
        "title": one.told["title"],
        "lesions": {label: str(said).split()[0] for label, said in told.get("lesions", {}).items()},
        **patient,
        "rules": {
            rule: [part.split()[0] for part in said.split(";")]
            for rule, said in told.get("rules", {}).items()
        },
        "absent": list(told.get("not", ())),
    }
