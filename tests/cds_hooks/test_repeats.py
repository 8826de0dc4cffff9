"""The same record, read again on the same day: its decision is given again, and never a decision on another one."""

from __future__ import annotations

import copy
import dataclasses
import itertools
import json
import re
import time
from collections.abc import Iterator
from datetime import date, timedelta
from pathlib import Path
from typing import Any
from urllib.parse import parse_qsl

import msgspec
import pytest
from hypothesis import given
from hypothesis import settings as hypothesis_settings
from hypothesis import strategies as st

from cds_hooks.counted import NOTHING
from cds_hooks.desk import Desk
from cds_hooks.page.records import Records
from cds_hooks.repeats import MOST, Decided, Repeats, digest
from cds_hooks.trust import OPEN
from cds_hooks.usecase import UseCase
from fhir_profiles import samples
from plugin.chart import Chart, Gap, GapReason, Read
from plugin.pull.queries import PREFETCH, path
from plugin.record import Record
from plugin.rows import FeedbackItem
from plugin.settings import Rules, Settings, Store
from rules.evaluation import Alarm
from rules.facts import Fact
from tests.cds_hooks.serving import open_settings
from tests.contract.test_engine_lost import TODAY

NAMES = tuple(samples.names())
SERVICES = {"order-sign": "crlm-order-sign", "patient-view": "crlm-lesion-review"}
CHART = Chart(patient_id="p1", resources=({"resourceType": "Patient", "id": "p1"},), hook="patient-view")
OTHER: dict[str, Any] = {
    "patient_id": "p2",
    "resources": ({"resourceType": "Patient", "id": "p1", "active": True},),
    "drafts": ({"resourceType": "ServiceRequest"},),
    "gaps": (Gap(resource="Observation", reason=GapReason.TIMEOUT, detail="", decisive=True),),
    "base": "https://fhir.example/r4",
    "hook": "order-sign",
    "draft_tokens": ("ServiceRequest/d1",),
    "selections": ("ServiceRequest/d1",),
    "encounter": "e1",
    "reads": (Read(query="findings", source="prefetch", count=1),),
}
ANSWER = Fact("override", {"id": "c1", "rule": "DA-10", "day": TODAY}, ("Card/c1",))


def decided(*alarms: Alarm) -> Decided:
    return Decided(advices=(), gaps=0, alarms=alarms, counted=NOTHING, record=None)


def test_every_field_of_a_chart_is_in_the_digest() -> None:
    """A field that is added to the chart must be given another value here."""
    one = digest(CHART, "patient-view", TODAY, ())
    named = {each.name for each in dataclasses.fields(Chart) if each.name != "milliseconds"}
    assert named == set(OTHER)
    for name, value in OTHER.items():
        changed: Any = {name: value}
        assert digest(dataclasses.replace(CHART, **changed), "patient-view", TODAY, ()) != one, name
    assert digest(dataclasses.replace(CHART, milliseconds={"queries": 1.5}), "patient-view", TODAY, ()) == one


def test_hook_day_and_every_part_of_an_answer_are_in_the_digest() -> None:
    keys = [
        digest(CHART, "patient-view", TODAY, ()),
        digest(CHART, "order-sign", TODAY, ()),
        digest(CHART, "patient-view", TODAY + timedelta(days=1), ()),
        digest(CHART, "patient-view", TODAY, (ANSWER,)),
        digest(CHART, "patient-view", TODAY, (ANSWER, ANSWER)),
        digest(CHART, "patient-view", TODAY, (dataclasses.replace(ANSWER, kind="other"),)),
        digest(CHART, "patient-view", TODAY, (dataclasses.replace(ANSWER, sources=()),)),
        digest(CHART, "patient-view", TODAY, (dataclasses.replace(ANSWER, values={"id": "c2"}),)),
    ]
    assert len(set(keys)) == len(keys)


@pytest.mark.parametrize(
    ("one", "other"), [(1, 1.0), (1, True), (1, "1"), (None, False), ([], {}), ("a\u0301", "á"), (1.5, "1.5")]
)
def test_values_that_look_alike_are_not_the_same_record(one: Any, other: Any) -> None:
    charts = [dataclasses.replace(CHART, resources=({"id": "x", "value": each},)) for each in (one, other)]
    assert len({digest(each, "patient-view", TODAY, ()) for each in charts}) == 2


def test_a_decision_is_given_again_for_its_time_and_no_longer() -> None:
    now = [100.0]
    repeats, made = Repeats(600, lambda: now[0]), decided()
    repeats.keep(b"a", made)
    now[0] = 699.0
    assert repeats.find(b"a") is made
    assert repeats.find(b"b") is None
    now[0] = 701.0
    assert repeats.find(b"a") is None


def test_giving_it_again_does_not_make_it_younger() -> None:
    now = [0.0]
    repeats = Repeats(10, lambda: now[0])
    repeats.keep(b"a", decided())
    for now[0] in (4.0, 8.0):
        assert repeats.find(b"a") is not None
    now[0] = 10.5
    assert repeats.find(b"a") is None


def test_only_so_many_are_kept_and_the_oldest_go_first() -> None:
    ticks = itertools.count()
    repeats = Repeats(1e6, lambda: float(next(ticks)))
    for number in range(MOST + 3):
        repeats.keep(str(number).encode(), decided())
    assert [repeats.find(str(number).encode()) is None for number in range(5)] == [True] * 3 + [False] * 2


def test_what_was_alarming_is_decided_again() -> None:
    repeats = Repeats(600)
    repeats.keep(b"a", decided(Alarm("disagreement", "the evaluations differ on DA-10")))
    assert repeats.find(b"a") is None


def test_nothing_is_kept_where_the_site_says_so() -> None:
    repeats = Repeats(0)
    repeats.keep(b"a", decided())
    assert repeats.find(b"a") is None


class Site:
    """A service in this process, without HTTP; `seconds` is how long a decision is given again."""

    def __init__(self, folder: Path, seconds: float) -> None:
        service = open_settings(today=TODAY, hook_deadline=60, repeat_seconds=seconds).service
        settings = Settings(
            service=service,
            rules=Rules(engine="reference"),
            store=Store(url=f"sqlite:///{folder / f'{seconds}.db'}"),
        )
        self.usecase = UseCase(settings)
        self.desk = Desk(settings, self.usecase)
        self.evaluated = 0
        evaluate = self.usecase._evaluator.evaluate

        def counting(facts: Any) -> Any:
            self.evaluated += 1
            return evaluate(facts)

        self.usecase._evaluator.evaluate = counting  # type: ignore[method-assign]

    def cards(self, call: dict[str, Any]) -> list[dict[str, Any]]:
        service = self.desk.services[SERVICES[call["hook"]]]
        reply = self.desk.call(service, json.dumps(call).encode(), OPEN)
        cards: list[dict[str, Any]] = json.loads(reply.body)["cards"]
        return cards

    def records(self, count: int) -> list[Record]:
        end = time.monotonic() + 60
        while len(found := list(self.usecase._kept.store.records())) < count:
            assert time.monotonic() < end, "the calls were not recorded"
            time.sleep(0.02)
        return found


@pytest.fixture(scope="module")
def again(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Site]:
    site = Site(tmp_path_factory.mktemp("again"), 600)
    yield site
    site.usecase.close()


@pytest.fixture(scope="module")
def anew(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Site]:
    site = Site(tmp_path_factory.mktemp("anew"), 0)
    yield site
    site.usecase.close()


def prefetched(name: str) -> dict[str, Any]:
    """Returns the hook call of a sample with every key of ours filled."""
    sample = samples.sample(name, TODAY)
    call = copy.deepcopy(dict(sample.hook))
    records = Records([sample.bundle])
    patient = call["context"]["patientId"]
    filled: dict[str, Any] = {}
    for key, template in PREFETCH.items():
        kind, _, query = path(template, patient).partition("?")
        if query:
            entries = [{"resource": one} for one in records.find(kind, parse_qsl(query))]
            filled[key] = {"resourceType": "Bundle", "type": "searchset", "entry": entries}
        else:
            filled[key] = records.read(*kind.split("/"))
    return {**call, "hookInstance": "d1577c69-dfbe-44ad-ba6d-3e05e953b2ea", "prefetch": filled}


def bare(cards: list[dict[str, Any]]) -> str:
    return re.sub(r'"uuid": "[^"]+"', "", json.dumps(cards, sort_keys=True))


def uuids(cards: list[dict[str, Any]]) -> set[str]:
    return set(re.findall(r'"uuid": "([^"]+)"', json.dumps(cards)))


def test_the_second_answer_is_the_first_one_with_ids_and_a_record_of_its_own(tmp_path: Path) -> None:
    site = Site(tmp_path, 600)
    call = prefetched("ct-only-watch-and-wait")
    first = site.cards(call)
    ((_, kept),) = site.usecase._repeats._kept.values()
    before = copy.deepcopy(kept)
    second = site.cards(call)
    assert kept == before, "what is kept is never changed"
    assert bare(first) == bare(second)
    assert first
    assert uuids(first).isdisjoint(uuids(second))
    assert site.evaluated == 1
    one, two = site.records(2)
    assert (one.repeats, two.repeats) == (None, one.id)
    assert one.id != two.id
    assert set(one.cards) == {card["uuid"] for card in first}
    assert set(two.cards) == {card["uuid"] for card in second}
    own = ("id", "made", "cards", "milliseconds", "repeats")
    same = [{k: v for k, v in msgspec.to_builtins(each).items() if k not in own} for each in (one, two)]
    assert same[0] == same[1]
    assert same[0]["resources"]
    assert same[0]["findings"]
    assert "recall" in two.milliseconds
    site.usecase.close()


def test_an_answer_of_a_clinician_is_taken_into_account_at_once(tmp_path: Path) -> None:
    site = Site(tmp_path, 600)
    call = {**prefetched("ct-only-watch-and-wait"), "hook": "patient-view"}
    call["context"].pop("draftOrders", None)
    first = site.cards(call)
    site.records(1)
    stored = next(card for card in site.usecase._kept.store.sent() if any(r.digest for r in card.sent.rules))
    answer = FeedbackItem(
        service=stored.sent.service, card=stored.sent.card, outcome="overridden", at=stored.sent.made,
        reason_code="other", reason_system="urn:x", reason_display="Seen with contrast ultrasound elsewhere",
    )  # fmt: skip
    site.usecase.store_feedback([answer])
    second = site.cards(call)
    assert site.evaluated == 2
    assert bare(first) != bare(second)
    site.usecase.close()


def test_another_day_is_decided_anew(again: Site, monkeypatch: pytest.MonkeyPatch) -> None:
    call = prefetched("ct-only-watch-and-wait")
    again.cards(call)
    before = again.evaluated
    monkeypatch.setattr("cds_hooks.usecase.today", lambda _settings: TODAY + timedelta(days=200))
    late = again.cards(call)
    assert again.evaluated == before + 1
    monkeypatch.undo()
    assert bare(again.cards(call)) != bare(late)


def observations(call: dict[str, Any]) -> list[tuple[list[dict[str, Any]], int]]:
    """Returns the places of all Observations of a call."""
    bundles = [one for one in call["prefetch"].values() if one and one["resourceType"] == "Bundle"]
    return [
        (bundle["entry"], at)
        for bundle in bundles
        for at, entry in enumerate(bundle["entry"])
        if entry["resource"]["resourceType"] == "Observation"
    ]


def edited(call: dict[str, Any], edit: str, at: int) -> dict[str, Any]:
    """Returns the call with one thing changed as a record changes between two looks."""
    changed = copy.deepcopy(call)
    places = observations(changed)
    entries, place = places[at % len(places)]
    one = entries[place]["resource"]
    match edit:
        case "gone":
            del entries[place]
        case "corrected":
            one["status"] = "entered-in-error"
        case "earlier":
            one["effectiveDateTime"] = (date.fromisoformat("2020-01-01") + timedelta(days=at)).isoformat()
        case "another lesion":
            one["focus"] = [{"reference": f"BodyStructure/other-{at}"}]
        case "not read":
            changed["prefetch"][
                next(k for k, v in changed["prefetch"].items() if v and v.get("entry") is entries)
            ] = {
                "resourceType": "OperationOutcome",
                "issue": [{"severity": "error", "code": "forbidden"}],
            }
        case "another order":
            entries.reverse()
        case "order signed":
            changed["hook"] = "patient-view" if changed["hook"] == "order-sign" else changed["hook"]
    return changed


EDITS = (
    "none",
    "gone",
    "corrected",
    "earlier",
    "another lesion",
    "not read",
    "another order",
    "order signed",
)


@given(
    steps=st.lists(st.tuples(st.sampled_from(NAMES), st.sampled_from(EDITS), st.integers(0, 40)), max_size=5)
)
@hypothesis_settings(max_examples=25, deadline=None)
def test_whatever_changes_the_answer_is_that_of_a_service_that_keeps_nothing(
    again: Site, anew: Site, steps: list[tuple[str, str, int]]
) -> None:
    for name, edit, at in steps:
        call = edited(prefetched(name), edit, at)
        assert bare(again.cards(call)) == bare(anew.cards(call))


def test_the_site_that_keeps_nothing_decides_each_time(anew: Site) -> None:
    call = prefetched("ct-only-watch-and-wait")
    before = anew.evaluated
    anew.cards(call)
    anew.cards(call)
    assert anew.evaluated == before + 2
