"""Texts that no card could be written with are found when they are read; what is left costs one card, not all."""

from __future__ import annotations

import shutil
from pathlib import Path

import pytest
import yaml

from plugin.advice import advise, slots
from plugin.advice.templates import SECTIONS, faults
from plugin.advice.text import faults_of, texts_of
from plugin.errors import SettingsError
from plugin.settings import Cards, Settings
from rules.language import load_pack
from tests.plugin.advising import decided, finding, lesion, with_findings

PACK = load_pack().folder
WATCHED = {"disposition": "watch-and-wait", "dispositionLevel": "lesion"}

INSTEAD = ("without_mri", "pregnant")
WRONG = [
    ("summary: '{study but recorded'", "a brace is not closed"),
    ("summary: 'recorded} here'", "a brace is not closed"),
    ("summary: '{lesionz}.'", "nothing fills the slot {lesionz} here; did you mean 'lesions'?"),
    ("summary: '{0.__class__}'", "{0.__class__} is no slot"),
    ("summary: '{lesions.__class__}'", "is no slot"),
    ("summary: '{lesions[0]}'", "is no slot"),
    ("summary: '{}'", "{} is no slot"),
    ("summary: '{0}'", "{0} is no slot"),
    ("summary: '{lesions!r}'", "{lesions} is no slot"),
    ("summary: '{lesions:>99999999}'", "{lesions} is no slot"),
    ("summary: '{lesions:{study}}'", "{lesions} is no slot"),
    ("sumary: 'x'", "'sumary' is no key of a rule's texts; did you mean 'summary'?"),
    ("summary: [x]", "'summary' is a text"),
    ("options: x", "'options' is a list of texts"),
    ("options: [{a: b}]", "'options' is a list of texts"),
    ("options: ['{lesionz}']", "nothing fills the slot {lesionz}"),
    ("cases: {a: {sumary: x}}", "'sumary' is no key"),
    ("cases: {a: {cases: {b: {}}}}", "'cases' is no key"),
    ("without_mri: {summary: '{lesionz}'}", "nothing fills the slot"),
    ("without_mri: {pregnant: {summary: x}}", "'pregnant' is no key"),
    ("cases: {a: {pregnant: {why: '{'}}}", "a brace is not closed"),
]


def found(text: str) -> list[str]:
    return [message for _, message in faults(yaml.safe_load(text), INSTEAD)]


@pytest.mark.parametrize(("entry", "words"), WRONG)
def test_what_is_refused_in_a_rule(entry: str, words: str) -> None:
    told = found(f"rules: {{DA-02: {{{entry}}}}}")
    assert len(told) == 1
    assert words in told[0]


@pytest.mark.parametrize(
    "text",
    [
        "rules: {DA-02: {summary: '{{{lesions}}} {is} seen'}}\nforms: {is: [is, are]}",
        "rules: {DA-12: {modifiers: {marker: 'CEA ({marker_day})'}, line: '{for_list} {against_list}'}}",
        "rules: {DA-02: {cases: {a: {without_mri: {options: ['{study}']}}}}}",
        "rules: {REFUSED: {why: '{rules}'}}",
        "words: {date_up_to: 'up to {date}'}",
        "situation: {operation_planned: 'planned {operation_for}', presumed: '{lesions}'}",
    ],
)
def test_what_is_taken(text: str) -> None:
    assert found(text) == []


@pytest.mark.parametrize(
    "text",
    [
        "rules: {DA-02: {summary: '{is} seen'}}",
        "rules: {REFUSED: {why: '{lesions}'}}",
        "rules: {DA-02: {why: '{rules}'}}",
        "words: {date_up_to: 'up to {day}'}",
        "words: {why: '{date}'}",
        "status: {VISIBLE: '{lesions}'}",
        "evidence: {E01: {default: 'x}'}}",
        "wordz: {why: x}",
        "rules: [x]",
        "rules: {DA-02: x}",
    ],
)
def test_a_slot_counts_where_something_fills_it(text: str) -> None:
    assert len(found(text)) == 1


@pytest.mark.parametrize("language", ["en", "de"])
def test_the_texts_of_the_pack_are_in_order(language: str) -> None:
    assert list(faults_of(PACK / "text" / f"{language}.yaml")) == []


def test_every_known_section_is_there() -> None:
    text = (PACK / "text" / "en.yaml").read_text(encoding="utf-8")
    assert [one for one in sorted(SECTIONS) if f"\n{one}:" not in text] == []


def changed(folder: Path, old: str, new: str) -> Path:
    shutil.copytree(PACK / "text", folder / "text")
    file = folder / "text" / "en.yaml"
    text = file.read_text(encoding="utf-8")
    assert old in text
    file.write_text(text.replace(old, new, 1), encoding="utf-8")
    return folder


@pytest.mark.parametrize("language", ["en", "de"])
def test_a_text_that_cannot_be_filled_is_refused_when_it_is_read(tmp_path: Path, language: str) -> None:
    """A fault in English is one of every language that leaves texts to it."""
    folder = changed(tmp_path, "{study} but recorded", "{study but recorded")
    with pytest.raises(SettingsError, match=r"en\.yaml: rules\.DA-02\.summary: a brace is not closed"):
        texts_of(folder, language)


@pytest.mark.parametrize("error", [ValueError, KeyError, IndexError, AttributeError])
def test_a_text_that_fails_all_the_same_costs_its_card_and_no_other(
    monkeypatch: pytest.MonkeyPatch, error: type[Exception]
) -> None:
    made = decided(
        lesion("L1", "VISIBLE", **WATCHED), lesion("L2", "APPARENT_DLM", **{"class": "CT"}, **WATCHED)
    )
    plain = advise(made, "order-sign", settings=Settings())
    text = slots.Slots.__missing__

    def broken(self: slots.Slots, key: str) -> str:
        if key == "basis":
            raise error("x")
        return text(self, key)

    monkeypatch.setattr(slots.Slots, "__missing__", broken)
    told = advise(made, "order-sign", settings=Settings())
    lost = [one for one in plain if "DA-10" in one.rules[:1]]
    assert len(lost) == 1
    (card,) = [one for one in told if one.topic == "F7UNWRITTEN"]
    assert (card.family, card.indicator, card.rules) == ("F7", lost[0].indicator, lost[0].rules)
    assert "nothing follows from its absence" in card.summary
    assert "DA-10" in card.detail
    assert {one.summary for one in plain} - {one.summary for one in told} == {lost[0].summary}


def test_the_response_card_is_not_lost_in_silence(monkeypatch: pytest.MonkeyPatch) -> None:
    progress = finding("RC-02", None, indicator="info", case="stable", says=({"category": "SD"},))
    made = with_findings(progress, facts=lesion("L1", "VISIBLE"))
    text = slots.Slots.__missing__

    def broken(self: slots.Slots, key: str) -> str:
        if key == "seen_count":
            raise KeyError(key)
        return text(self, key)

    settings = Settings(cards=Cards(response_summary=True))
    plain = advise(made, "patient-view", settings=settings)
    assert [one.family for one in plain][-1] == "F12"
    monkeypatch.setattr(slots.Slots, "__missing__", broken)
    told = advise(made, "patient-view", settings=settings)
    assert [one.topic for one in told][-1] == "F7UNWRITTEN"
    assert told[-1].indicator == "info"
