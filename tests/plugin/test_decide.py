"""From a chart to a decision and its cards: the nine samples, and what happens when something fails."""

from __future__ import annotations

import json
import random
import re
from decimal import Decimal
from functools import lru_cache
from pathlib import Path

import msgspec
import pytest

from fhir_profiles.check import check
from fhir_profiles.samples import Sample, names, sample
from plugin.advice import advise, shown
from plugin.advice.markdown import units
from plugin.advice.slots import VISIBLE
from plugin.advice.values import number
from plugin.chart import Chart, Gap, GapReason
from plugin.decide import decide
from plugin.decision import Decision
from plugin.errors import SettingsError
from plugin.pull.files import chart_from_files
from plugin.result import as_json
from plugin.settings import Settings
from rules.errors import EngineFault, FactError, RulesError
from rules.evaluate import Evaluator
from rules.language import load_pack

HOOKS = ("patient-view", "order-select", "order-sign", "appointment-book", "encounter-start")
BANNED = ("cured", "sterile", "safe to leave", "must resect", "gone")


@pytest.fixture(scope="module")
def evaluator() -> Evaluator:
    return Evaluator(load_pack(), timeout=60)


@pytest.fixture(scope="module")
def folder(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return tmp_path_factory.mktemp("samples")


@lru_cache(maxsize=16)
def told(name: str) -> Sample:
    return sample(name)


def chart_of(name: str, folder: Path) -> Chart:
    file = folder / f"{name}.json"
    file.write_text(json.dumps(told(name).bundle))
    return chart_from_files([file], told(name).hook)


def decided(name: str, folder: Path, evaluator: Evaluator, chart: Chart | None = None) -> Decision:
    return decide(chart or chart_of(name, folder), evaluator, today=told(name).anchor, settings=Settings())


@pytest.mark.parametrize("name", names())
def test_sample(name: str, folder: Path, evaluator: Evaluator) -> None:
    made = decided(name, folder, evaluator)
    wanted = told(name).expected
    assert {one.label: one.status for one in made.lesions} == wanted["lesions"]
    assert made.patient_status == wanted["patientStatus"]
    found: dict[str, set[str]] = {}
    for one in made.findings:
        found.setdefault(one.rule, set()).add(one.indicator)
    for rule, indicator in wanted["rules"].items():
        assert indicator in found.get(rule, set()), rule
    assert set(wanted["absent"]) & set(found) == set()
    assert made.alarms == ()


@pytest.mark.parametrize("name", names())
@pytest.mark.parametrize("hook", HOOKS)
def test_cards_of_a_sample(name: str, hook: str, folder: Path, evaluator: Evaluator) -> None:
    made = decided(name, folder, evaluator)
    cards = advise(made, hook, settings=Settings())
    assert len({card.family for card in cards}) == len(cards)
    for card in cards:
        assert units(card.summary) < 140
        assert "not recorded" not in card.summary
        assert "{" not in card.summary + card.detail
        assert not any(word in (card.summary + card.detail).lower().split() for word in BANNED)
        assert card.detail.count("**For**") == card.detail.count("**Against**")
        assert card.rules
        assert made.pack_revision in card.detail


def test_the_hook_decides_only_what_is_shown(folder: Path, evaluator: Evaluator) -> None:
    name = "ct-only-watch-and-wait"
    here = chart_of(name, folder)
    there = msgspec.structs.replace(here, hook="patient-view") if isinstance(here, msgspec.Struct) else here
    assert decided(name, folder, evaluator, here).findings == decided(name, folder, evaluator, there).findings


@pytest.mark.parametrize("name", ["ct-only-watch-and-wait", "report-silent", "cea-discordant"])
def test_the_order_of_resources_does_not_matter(name: str, folder: Path, evaluator: Evaluator) -> None:
    chart = chart_of(name, folder)
    mixed = list(chart.resources)
    random.Random(7).shuffle(mixed)
    shuffled = Chart(**{**chart.__dict__, "resources": tuple(mixed)})
    first, second = decided(name, folder, evaluator, chart), decided(name, folder, evaluator, shuffled)
    for hook in ("patient-view", "order-sign"):
        assert advise(first, hook, settings=Settings()) == advise(second, hook, settings=Settings())
    assert first.findings == second.findings


@pytest.mark.parametrize("name", [one for one in names() if one != "nothing-to-say"])
def test_a_cut_record_never_says_gone_and_always_says_so(
    name: str, folder: Path, evaluator: Evaluator
) -> None:
    chart = chart_of(name, folder)
    gap = Gap(resource="Observation", reason=GapReason.TRUNCATED, detail="page 3 of 4", decisive=True)
    made = decided(name, folder, evaluator, Chart(**{**chart.__dict__, "gaps": (gap,)}))
    assert not {one.status for one in made.lesions} & {"CONFIRMED_DLM", "MISSING_IOUS", "MISSING_CEIOUS"}
    for hook in HOOKS:
        cards = advise(made, hook, settings=Settings())
        assert any("HN-03g" in card.rules for card in cards)


def test_a_gap_without_any_lesion_is_told(folder: Path, evaluator: Evaluator) -> None:
    chart = chart_of("nothing-to-say", folder)
    gap = Gap(resource="BodyStructure", reason=GapReason.SERVER_ERROR, detail="HTTP 500", decisive=True)
    made = decided("nothing-to-say", folder, evaluator, Chart(**{**chart.__dict__, "gaps": (gap,)}))
    (card,) = advise(made, "patient-view", settings=Settings())
    assert card.summary.startswith("Record incomplete")
    assert "BodyStructure: the server failed." in card.detail


class Silent:
    """An evaluator of which neither engine answers."""

    def __init__(self, error: RulesError) -> None:
        self.pack, self.error = load_pack(), error

    def evaluate(self, facts: object) -> None:
        raise self.error


@pytest.mark.parametrize(
    "error",
    [EngineFault("the worker did not answer"), FactError("kind 'patient' has no property 'irinotecanEver'")],
)
def test_where_no_engine_answers_a_card_says_so(folder: Path, error: RulesError) -> None:
    made = decide(
        chart_of("mri-visible-called-gone", folder),
        Silent(error),  # type: ignore[arg-type]
        today=told("mri-visible-called-gone").anchor,
        settings=Settings(),
    )
    assert {one.status for one in made.lesions} == {"CANNOT_DECIDE"}
    assert {one.reasons for one in made.lesions} == {("withheld",)}
    assert [alarm.kind for alarm in made.alarms] == ["engine-unavailable"]
    for hook in HOOKS:
        (card,) = advise(made, hook, settings=Settings())
        assert (card.family, card.indicator) == ("F7", "warning")
        assert card.summary.startswith("Could not assess")


def test_what_is_withheld_becomes_a_card(folder: Path, evaluator: Evaluator) -> None:
    made = decided("mri-confirmed-hepatectomy", folder, evaluator)
    refused = type(made.evaluation)(
        made.evaluation.revision, (), made.evaluation.facts, ("DA-03",), (), made.evaluation.engines
    )
    withheld = Decision(**{**_fields(made), "evaluation": refused, "findings": ()})
    (card,) = advise(withheld, "order-sign", settings=Settings())
    assert card.rules == ("DA-03",)
    assert "DA-03" in card.detail


def _fields(made: Decision) -> dict[str, object]:
    return {name: getattr(made, name) for name in Decision.__dataclass_fields__}


@pytest.mark.parametrize("state", ["off", "shadow"])
def test_a_rule_that_is_not_active_never_makes_its_card(state: str, folder: Path) -> None:
    pack = load_pack(states={"DA-10": state, "DA-01": state})  # type: ignore[dict-item]
    with Evaluator(pack, mode="reference", timeout=60) as evaluator:
        made = decided("ct-only-watch-and-wait", folder, evaluator)
    cards = advise(made, "order-sign", settings=Settings())
    assert all(card.family != "F3" for card in cards)
    assert any("switched off" in card.summary for card in cards) == (state == "off")


def test_an_unknown_language_is_refused(folder: Path, evaluator: Evaluator) -> None:
    made = decided("nothing-to-say", folder, evaluator)
    with pytest.raises(SettingsError, match="there are: .*en"):
        advise(made, "patient-view", settings=Settings(), language="xx")


@pytest.mark.parametrize("name", names())
def test_the_document_is_json_and_complete(name: str, folder: Path, evaluator: Evaluator) -> None:
    made = decided(name, folder, evaluator)
    hook = told(name).hook["hook"]
    places = shown(made, hook)
    cards = advise(made, hook, settings=Settings())
    document = json.loads(json.dumps(as_json(made, cards, places)))
    assert set(document) == {
        "patient", "today", "lesions", "patientStatus", "certainty", "findings", "advice", "answers", "gaps",
        "understood", "notUsed", "notes", "rulePack",
    }  # fmt: skip
    assert {one["label"]: one["status"] for one in document["lesions"]} == told(name).expected["lesions"]
    assert {one["shown"] for one in document["findings"]} <= {"card", "row", "hidden"}
    assert document["rulePack"]["revision"] == made.pack_revision
    for one in document["findings"]:
        assert one["resources"] or one["subject"] is None
    for one in document["lesions"]:
        days = [entry["day"] for entry in one["history"] if entry["day"]]
        assert days == sorted(days)


def test_every_card_names_the_resources_behind_it(folder: Path, evaluator: Evaluator) -> None:
    made = decided("ct-only-watch-and-wait", folder, evaluator)
    (card,) = advise(made, "order-sign", settings=Settings())
    kinds = {token.split("/")[0] for token in card.sources}
    assert {"Observation", "BodyStructure"} <= kinds


@pytest.mark.parametrize("name", names())
def test_suggested_orders_are_valid_drafts(name: str, folder: Path, evaluator: Evaluator) -> None:
    made = decided(name, folder, evaluator)
    for hook in HOOKS:
        for card in advise(made, hook, settings=Settings()):
            assert len(card.suggestions) <= 3
            for one in card.suggestions:
                assert check(one.resource) == ()
                assert one.resource["resourceType"] == "ServiceRequest"
                assert one.resource["status"] == "draft"
                assert one.resource["subject"]["reference"].endswith(made.patient.removeprefix("Patient/"))


_NOT_A_FIGURE = re.compile(
    r"\d{4}-\d{2}-\d{2}"  # dates
    r"|RECIST 1\.1|\bT2\b"
    r"|\b(?:[A-Z]{2}-?)+\d+\w*|\b[LE]\d+\b"  # ids of rules, labels of the samples' lesions
    r"|\([^()]*\b(?:19|20)\d\d\b[^()]*\)"  # author and year
    r"|rule pack [0-9a-f]+"
)


@pytest.mark.parametrize("name", names())
@pytest.mark.parametrize("hook", ["patient-view", "order-sign"])
def test_every_number_on_a_card_has_a_source(
    name: str, hook: str, folder: Path, evaluator: Evaluator
) -> None:
    """A fact of the patient, a value a rule says, a parameter, or a printable figure of the register."""
    made = decided(name, folder, evaluator)
    known = {"0", str(len(made.lesions)), str(sum(one.status in VISIBLE for one in made.lesions))}
    for one in (*made.facts, *(derived.fact for derived in made.evaluation.facts)):
        known |= {number(value) for value in one.values.values() if isinstance(value, int | Decimal)}
    for finding in made.findings:
        for way in finding.says:
            known |= {number(value).lstrip("-") for value in way.values() if isinstance(value, int | Decimal)}
    known |= {number(one.value) for one in made.parameters.values()}
    for entry in made.pack.evidence.values():
        if entry.printable:
            known |= {figure.removesuffix(" %") for figure in entry.figures}
    for card in advise(made, hook, settings=Settings()):
        left = _NOT_A_FIGURE.sub(" ", f"{card.summary}\n{card.detail}")
        assert set(re.findall(r"\d+(?:\.\d+)?", left)) <= known, card.rules
