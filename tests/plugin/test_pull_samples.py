"""Every sample patient is the same record from a real FHIR server, from prefetch and from a file."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import pytest

from fhir_profiles.samples import names, sample
from plugin.chart import Chart
from plugin.pull import QUERIES, HookInput, pull
from plugin.pull.files import chart_from_files
from plugin.settings import Settings
from tests.plugin.fhir import searchset, settings
from tests.servers.sekmet import Sekmet


@pytest.fixture(scope="module")
def loaded(sekmet: Sekmet) -> Sekmet:
    for name in names():
        sekmet.load(sample(name).bundle)
    return sekmet


def plain(chart: Chart) -> list[dict[str, Any]]:
    """The resources without what a server adds to them."""
    return [{key: value for key, value in one.items() if key != "meta"} for one in chart.resources]


def called(hook: dict[str, Any], **more: Any) -> HookInput:
    context = hook["context"]
    return HookInput(hook=hook["hook"], patient_id=context["patientId"], context=context, **more)


def resources(bundle: dict[str, Any]) -> list[dict[str, Any]]:
    return [entry["resource"] for entry in bundle["entry"]]


@pytest.mark.parametrize("name", names())
def test_a_sample_is_the_same_record_by_every_way(name: str, loaded: Sekmet, tmp_path: Path) -> None:
    found = sample(name)
    path = tmp_path / "record.json"
    path.write_text(json.dumps(found.bundle))
    filed = chart_from_files([path], found.hook)
    fetched = pull(
        called(found.hook, fhir_server=loaded.base),
        settings(loaded.base, open=True, budget=30.0, read_timeout=20.0),
    )
    whole = {
        query.key: searchset(*_answer(found.bundle, query.resource)) for query in QUERIES if not query.is_read
    }
    given = pull(
        called(found.hook, prefetch={**whole, "patient": _answer(found.bundle, "Patient")[0]}), Settings()
    )

    assert filed.gaps == given.gaps == fetched.gaps == ()
    assert plain(filed) == plain(given) == plain(fetched)
    assert len(filed.resources) == len(found.bundle["entry"])
    assert filed.drafts == given.drafts == fetched.drafts
    assert filed.draft_tokens == given.draft_tokens == fetched.draft_tokens


def _answer(bundle: dict[str, Any], kind: str) -> list[dict[str, Any]]:
    return [one for one in resources(bundle) if one["resourceType"] == kind]
