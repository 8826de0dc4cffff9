"""The generated profiles: what the sources give, ours alone, and what the reader and the samples name."""

import json
import os
import re
import subprocess
from functools import cache
from typing import Any

import pytest

from fhir_profiles import samples
from fhir_profiles.codes import CANONICAL
from tests.require import ROOT, require

PROFILES = ROOT / "fhir_profiles"
GENERATED = PROFILES / "generated"
WANTED = {
    "crlm-lesion", "crlm-lesion-size", "crlm-lesion-visibility", "crlm-intraoperative-visibility",
    "crlm-lesion-measure", "crlm-lesion-feature", "crlm-new-lesion", "crlm-lesion-timepoint",
    "crlm-lesion-attribute", "crlm-study", "crlm-exam-adequacy", "crlm-cea", "crlm-dose", "crlm-operation",
    "crlm-pathology", "crlm-lesion-disposition", "crlm-lesion-plan-membership", "crlm-planned-operation",
    "crlm-patient-fact", "crlm-biopsy",
}  # fmt: skip


@cache
def definitions() -> dict[str, dict[str, Any]]:
    return {
        path.stem: json.loads(path.read_text(encoding="utf-8"))
        for path in sorted(GENERATED.glob("StructureDefinition-*.json"))
    }


def test_every_profile_is_there_under_our_canonical() -> None:
    profiles = {found["id"] for found in definitions().values() if found["type"] != "Extension"}
    assert profiles == WANTED
    assert all(
        found["url"].startswith(f"{CANONICAL}/StructureDefinition/crlm-") for found in definitions().values()
    )


@pytest.mark.parametrize("name", sorted(WANTED - {"crlm-lesion-timepoint"}))
def test_every_profile_has_invariants_without_type_tests(name: str) -> None:
    found = definitions()[f"StructureDefinition-{name}"]
    expressions = [
        constraint["expression"]
        for element in found["differential"]["element"]
        for constraint in element.get("constraint", [])
    ]
    assert expressions
    assert not [expression for expression in expressions if re.search(r"\bis\b|\bas\b|ofType", expression)]


def test_extensions_in_code_are_published() -> None:
    urls = {found["url"] for found in definitions().values() if found["type"] == "Extension"}
    named = set()
    for path in PROFILES.rglob("*.py"):
        named |= set(re.findall(rf'"({re.escape(CANONICAL)}/StructureDefinition/[a-z-]+)"', path.read_text()))
    assert named <= urls
    assert {url.rsplit("/", 1)[1] for url in urls} == {
        "crlm-cycle", "crlm-intent", "crlm-ended", "crlm-lesion-reference", "crlm-lesion-nature",
        "crlm-lesion-split-from",
    }  # fmt: skip


def test_samples_claim_published_profiles_only() -> None:
    urls = {found["url"] for found in definitions().values()}
    text = json.dumps([samples.sample(name).bundle for name in samples.names()])
    claimed = set(re.findall(rf"{re.escape(CANONICAL)}/StructureDefinition/[a-z-]+", text))
    assert claimed
    assert claimed <= urls


def test_every_code_a_profile_names_is_one_of_ours() -> None:
    from fhir_profiles.codes import every_code

    known = {(code.system, code.code) for code in every_code()}
    for path in GENERATED.glob("ValueSet-*.json"):
        for include in json.loads(path.read_text())["compose"]["include"]:
            for concept in include["concept"]:
                assert (include["system"], concept["code"]) in known, path.name


def test_the_committed_json_is_what_the_sources_give() -> None:
    require("node")
    run = subprocess.run(
        [ROOT / "scripts" / "profiles.sh", "check"], capture_output=True, text=True, env=dict(os.environ)
    )
    assert run.returncode == 0, run.stderr
