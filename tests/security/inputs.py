"""What comes from outside, taken through the code that reads it; every fault but the expected ones leaves as it is."""

from __future__ import annotations

import json
import tempfile
from collections.abc import Mapping
from datetime import date
from functools import cache
from pathlib import Path
from typing import Any

import msgspec

from cds_hooks.call import read_call
from cds_hooks.cards import response
from cds_hooks.feedback import read_feedback
from cds_hooks.model import HookResponse, encoded
from cds_hooks.services import services_of
from cds_hooks.timeline_page.data import document
from cds_hooks.trust import ANYBODY
from fhir_profiles import samples
from fhir_profiles.read.common import key
from plugin.advice import advise, shown
from plugin.chart import Chart
from plugin.decide import decide
from plugin.decision import Decision
from plugin.errors import CallError, InputError
from plugin.pull import HookInput, pull
from plugin.pull.files import chart_from_files
from plugin.pull.queries import QUERIES
from plugin.record import Pseudonyms, record_of
from plugin.result import as_json
from plugin.settings import Service, Settings
from rules.errors import PackError
from rules.evaluate import Evaluator
from rules.language import load_pack

TODAY = date(2026, 11, 21)
SETTINGS = Settings(service=Service(open=True))
SERVICES = tuple(services_of(SETTINGS).values())
PSEUDONYMS = Pseudonyms(b"k" * 32)
FEEDBACK: dict[str, Any] = {
    "feedback": [
        {
            "card": "f6b95768-b1c8-40dc-8385-bf3504b82ffb",
            "outcome": "overridden",
            "overrideReason": {
                "reason": {"code": "need-more-info", "system": "urn:example:reasons", "display": "More"},
                "userComment": "words",
            },
            "outcomeTimestamp": "2026-11-21T10:00:00Z",
        },
        {
            "card": "f6b95768-b1c8-40dc-8385-bf3504b82ffb",
            "outcome": "accepted",
            "acceptedSuggestions": [{"id": "1c1e2c1c-5f4c-4d5c-9d5f-111111111111"}],
            "outcomeTimestamp": "2026-11-21T10:00:00.123+01:00",
            "extension": {"com.epic.cdshooks.feedback.overrideReason.reasonTitle": "x"},
        },
    ]
}
TINY = Path(__file__).parents[1] / "rules" / "packs" / "tiny"
PACK = {path.relative_to(TINY).as_posix(): path.read_bytes() for path in sorted(TINY.rglob("*.yaml"))}


@cache
def evaluator() -> Evaluator:
    """The shipped rules, evaluated without durable_rules: what is looked at is what reads the record."""
    return Evaluator(load_pack(), mode="reference", timeout=120)


@cache
def calls() -> tuple[dict[str, Any], ...]:
    """Every sample patient as a hook call with its whole record in the prefetch."""
    return tuple(_call(name) for name in samples.names())


def _call(name: str) -> dict[str, Any]:
    found = samples.sample(name, TODAY)
    resources = [entry["resource"] for entry in found.bundle["entry"]]
    prefetch: dict[str, Any] = {}
    for query in QUERIES:
        own = [one for one in resources if one["resourceType"] == query.resource]
        whole = {"resourceType": "Bundle", "type": "searchset", "entry": [{"resource": one} for one in own]}
        prefetch[query.key] = own[0] if query.is_read and own else whole
    return {**found.hook, "hookInstance": "d1577c69-dfbe-44ad-ba6d-3e05e953b2ea", "prefetch": prefetch}


def take_call(body: bytes) -> None:
    """Reads bytes as a call to every service; what it refuses it refuses by a CallError."""
    for service in SERVICES:
        try:
            read_call(body, service)
        except CallError as error:
            assert 400 <= error.status < 500


def take_feedback(body: bytes) -> None:
    """Reads bytes as feedback."""
    try:
        items = read_feedback(body, service="crlm-lesion-review", caller=ANYBODY, comments=True)
    except CallError as error:
        assert 400 <= error.status < 500
        return
    for item in items:
        msgspec.json.encode(item)


def take_record(body: bytes) -> Decision | None:
    """Takes a whole call through reading, deciding and telling; None where the call was refused."""
    service = next(
        (one for one in SERVICES if one.hook.name in body[:4000].decode("utf-8", "replace")), SERVICES[0]
    )
    try:
        call = read_call(body, service)
        asked = HookInput(
            hook=call.hook,
            patient_id=call.patient_id,
            context=call.context,
            prefetch=call.prefetch,
            fhir_server=call.fhir_server,
            authorization=call.authorization,
        )
        chart = pull(asked, SETTINGS)
    except CallError as error:
        assert 400 <= error.status < 500
        return None
    return tell(chart, call.shown_as)


def take_files(body: bytes) -> Decision | None:
    """Takes a file through `assess`; None where it was refused."""
    with tempfile.TemporaryDirectory() as folder:
        file = Path(folder) / "record.json"
        file.write_bytes(body)
        try:
            chart = chart_from_files([file])
        except InputError:
            return None
    return tell(chart, "patient-view")


def tell(chart: Chart, hook: str) -> Decision:
    """Decides on a chart and tells the decision every way there is; each answer must be as its contract says."""
    decision = decide(chart, evaluator(), today=TODAY, settings=SETTINGS)
    places = shown(decision, hook)
    advices = advise(decision, hook, settings=SETTINGS)
    encoded(response(advices, source_url="https://vestige.example"), HookResponse)
    json.dumps(as_json(decision, advices, places)).encode("utf-8")
    json.dumps(document(decision, chart, advices, places, SETTINGS, hook)).encode("utf-8")
    record = record_of(
        chart,
        PSEUDONYMS,
        service="crlm-lesion-review",
        today=TODAY,
        pack_revision=decision.pack_revision,
        parameters={},
        findings=[],
        cards=(),
    )
    msgspec.json.encode(record)
    _sources(decision, chart)
    assert decision.patient == chart.patient_id
    return decision


def _sources(decision: Decision, chart: Chart) -> None:
    """Every finding names what it rests on, and nothing that was not read."""
    there = {key(one) for one in (*chart.resources, *chart.drafts)}
    for finding in decision.findings:
        assert finding.facts, finding.rule
        for source in finding.sources:
            named = source.split("/_history/")[0]
            if named.count("/") == 1 and not named.startswith(("gap:", "#")):
                assert named in there or finding.subject == source, (finding.rule, source)


def take_pack(files: Mapping[str, bytes], site: Mapping[str, Any] | None = None) -> bool:
    """Loads a rule pack of these files and evaluates it once; False where it was refused, with places and words."""
    with tempfile.TemporaryDirectory() as folder:
        for name, data in files.items():
            path = Path(folder) / name
            path.parent.mkdir(exist_ok=True)
            path.write_bytes(data)
        try:
            pack = load_pack(Path(folder), **(site or {}))
        except PackError as error:
            assert error.problems
            assert all(one.line >= 1 and one.message for one in error.problems)
            return False
        with Evaluator(pack, mode="reference", timeout=60) as made:
            made.evaluate(())
        return True
