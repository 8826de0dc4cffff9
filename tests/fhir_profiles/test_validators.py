"""Our profiles accept every example and sample, and refuse each fault of the table, in the eyes of several validators."""

from __future__ import annotations

import json
import re
from collections import Counter
from functools import cache
from typing import Any

import pytest

from fhir_profiles import samples
from tests.fhir_profiles.mutations import Mutation, mutations
from tests.fhir_profiles.validators import VALIDATORS
from tests.require import ROOT, find

PROFILES = ROOT / "fhir_profiles" / "generated"
DEFINITIONS = {"StructureDefinition", "ValueSet", "CodeSystem"}
MUTATIONS = mutations()
NEEDS = {"medplum": ("node",), "hapi": ("java", "maven"), "pyrofile": ()}


@cache
def examples() -> dict[str, dict[str, Any]]:
    """The examples that are compiled with the profiles."""
    resources = {path.stem: json.loads(path.read_text()) for path in sorted(PROFILES.glob("*.json"))}
    return {
        name: resource for name, resource in resources.items() if resource["resourceType"] not in DEFINITIONS
    }


@cache
def profiles() -> list[dict[str, Any]]:
    return [json.loads(path.read_text()) for path in sorted(PROFILES.glob("StructureDefinition-*.json"))]


@cache
def sample_resources() -> dict[str, dict[str, Any]]:
    """Every resource of the synthetic patients."""
    return {
        f"{name}: {resource['resourceType']}/{resource['id']}": resource
        for name in samples.names()
        for resource in (entry["resource"] for entry in samples.sample(name).bundle["entry"])
    }


@cache
def sample_bundles() -> dict[str, dict[str, Any]]:
    """The same resources, each patient's in its Bundle."""
    return {name: samples.sample(name).bundle for name in samples.names()}


@cache
def verdicts(validator: str) -> dict[str, list[str]]:
    """The errors one validator finds in each example, sample and mutation, by name."""
    # HAPI checks the profiles within a Bundle, with references followed; the two others only those of a single resource.
    patients = sample_bundles() if validator == "hapi" else sample_resources()
    asked = {**examples(), **patients, **{m.name: m.apply(examples()[m.of]) for m in MUTATIONS}}
    return dict(zip(asked, VALIDATORS[validator](PROFILES, asked.values()), strict=True))


@pytest.mark.parametrize("validator", VALIDATORS)
def test_examples_and_samples_are_accepted(validator: str) -> None:
    faults = {mutation.name for mutation in MUTATIONS}
    refused = {name: errors for name, errors in verdicts(validator).items() if errors and name not in faults}
    assert not refused


def test_every_profile_has_an_example() -> None:
    shown = {url for example in examples().values() for url in example["meta"]["profile"]}
    assert shown == {profile["url"] for profile in profiles() if profile["type"] != "Extension"}


def test_the_samples_claim_our_profiles() -> None:
    claims = {
        name: resource.get("meta", {}).get("profile", ()) for name, resource in sample_resources().items()
    }
    assert {url for urls in claims.values() for url in urls} <= {profile["url"] for profile in profiles()}
    unclaimed = [
        name
        for name, urls in claims.items()
        if ("BodyStructure/" in name or "Observation/" in name) and not urls
    ]
    assert not unclaimed


@pytest.mark.parametrize("mutation", MUTATIONS, ids=lambda mutation: mutation.name)
def test_at_most_one_validator_overlooks_a_fault(mutation: Mutation) -> None:
    here = [name for name in VALIDATORS if all(find(tool) for tool in NEEDS[name])]
    if len(here) == 1:
        pytest.skip("one validator alone proves nothing: install Node.js, or Java and Maven")
    overlooking = [name for name in here if not verdicts(name)[mutation.name]]
    assert len(overlooking) <= 1


def test_every_invariant_is_broken_by_some_fault() -> None:
    """Each of our invariants is what a fault of the table breaks, so none of them is idle or always true."""
    errors = [error for mutation in MUTATIONS for error in verdicts("medplum")[mutation.name]]
    broken = {match[1] for error in errors if (match := re.match(r"Constraint (crlm-[\w-]+) not met", error))}
    ours = {
        constraint["key"]
        for profile in profiles()
        for element in profile["differential"]["element"]
        for constraint in element.get("constraint", ())
    }
    assert ours == broken


def test_the_table_is_large_and_names_each_fault_once() -> None:
    names = Counter(mutation.name for mutation in MUTATIONS)
    assert len(names) >= 40
    assert max(names.values()) == 1
