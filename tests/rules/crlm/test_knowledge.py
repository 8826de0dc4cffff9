"""The knowledge linter over all texts of the pack and over cards: HN-01, HN-02, PT-06 and what else may never be said.

`test_advice_texts` checks the texts of cards one by one; here the same and further checks run over the statements, the
table of features, the register and cards as they are shown. Each check is shown to find a bad text.
"""

from __future__ import annotations

import re
import shutil
from collections.abc import Callable, Iterator
from datetime import date
from functools import cache
from pathlib import Path
from typing import Any

import msgspec
import pytest
import yaml

from fhir_profiles import samples
from plugin.advice import advise
from plugin.criteria import recist
from plugin.criteria.pathology import nodule_grade, nodule_viable
from plugin.decide import decide
from plugin.decision import Advice, Decision
from plugin.features import features_of
from plugin.pull.files import chart_from_files
from plugin.settings import Settings
from rules.evaluate import Evaluator
from rules.facts import Fact
from rules.language import Statement, load_pack
from tests.plugin.advising import TODAY, decided, fact, lesion
from tests.rules.crlm import knowledge

PACK = load_pack()
FILES = sorted((PACK.folder / "text").rglob("*.yaml"))
FEATURES = features_of(PACK.folder)


def texts() -> Iterator[tuple[str, str]]:
    """Every text that a person may read: card texts of every language, features, titles and advice of statements."""
    for file in FILES:
        document = yaml.safe_load(file.read_text(encoding="utf-8"))
        for path, text in knowledge.strings(document):
            yield f"{file.relative_to(PACK.folder)}{path}", text
    for statement in PACK.statements.values():
        yield from knowledge.said(statement)


def register() -> Iterator[tuple[str, str]]:
    for entry in PACK.evidence.values():
        for name, text in entry.fields.items():
            yield f"evidence/{entry.id}/{name}", text


TEXTS = dict(texts())
REGISTER = dict(register())
NOT_SHOWN = re.compile(r"/sign/|/id$|/scales?/|/source$|/statement$")


def wrong(check: Callable[[str], list[str]], where: dict[str, str]) -> dict[str, list[str]]:
    return {path: found for path, text in where.items() if (found := check(text))}


CHECKS = (
    knowledge.banned,
    knowledge.complete,
    knowledge.personal,
    knowledge.pathology,
    knowledge.cut_off,
    knowledge.regimen,
    knowledge.multiplied,
    knowledge.argued,
)


def test_all_texts_are_looked_at() -> None:
    assert len(FILES) >= 2
    assert len(TEXTS) > 500
    assert any(path.endswith("/advice") for path in TEXTS)


# ------------------------------------------------------------------------------------------ words


def test_no_banned_word() -> None:
    assert wrong(knowledge.banned, TEXTS) == {}


def test_complete_response_is_a_category_of_recist_or_at_pathology() -> None:
    others = {path: text for path, text in TEXTS.items() if not path.startswith("RC-")}
    assert wrong(knowledge.complete, others) == {}


def test_no_probability_of_one_person() -> None:
    assert wrong(knowledge.personal, TEXTS | REGISTER) == {}


def test_composite_is_no_pathology_figure() -> None:
    assert wrong(knowledge.pathology, TEXTS | REGISTER) == {}


def test_no_cut_off_for_diffusion() -> None:
    assert wrong(knowledge.cut_off, TEXTS | REGISTER) == {}
    named = [f"{kind.name}.{name}" for kind in PACK.kinds.values() for name in kind.properties]
    named += list(PACK.parameters)
    assert [name for name in named if "adc" in name.lower() or "diffusioncoef" in name.lower()] == []


def test_no_advice_on_a_regimen() -> None:
    assert wrong(knowledge.regimen, TEXTS) == {}


def test_no_odds_ratio_is_multiplied() -> None:
    assert wrong(knowledge.multiplied, TEXTS | REGISTER) == {}
    numeric = [
        prop.name for prop in PACK.kinds["modifier"].properties.values() if prop.type in ("int", "decimal")
    ]
    assert numeric == [], "a modifier with a number invites a product"
    ratios = [line for line in TEXTS.values() if "odds ratio" in line]
    assert ratios
    assert all("never multiplied" in line for line in ratios)


BAD = [
    (knowledge.banned, "The lesion is cured."),
    (knowledge.banned, "A sterile site."),
    (knowledge.banned, "It is safe to leave."),
    (knowledge.banned, "You must resect it."),
    (knowledge.banned, "L2 is GONE"),
    (knowledge.banned, "Clear of disease."),
    (knowledge.banned, "The lesion disappeared."),
    (knowledge.complete, "A complete response."),
    (knowledge.personal, "This lesion has 21 % risk."),
    (knowledge.personal, "The chance that your lesion is dead"),
    (knowledge.personal, "73 in 100 for this patient"),
    (knowledge.personal, "this patient: probability 0.3"),
    (knowledge.pathology, "83 % had viable tumour at pathology"),
    (knowledge.pathology, "pathologic review found tumour in 83"),
    (knowledge.cut_off, "An ADC above 1.3 means response."),
    (knowledge.cut_off, "The ADC threshold of response"),
    (knowledge.cut_off, "a cut-off for ADC"),
    (knowledge.regimen, "Switch to cetuximab."),
    (knowledge.regimen, "Stop the chemotherapy"),
    (knowledge.regimen, "Continue with FOLFOX"),
    (knowledge.regimen, "Two more cycles of oxaliplatin"),
    (knowledge.multiplied, "together 21.6"),
    (knowledge.multiplied, "4.7 x 4.6"),
    (knowledge.argued, "Cycles >= 6 improve response 90 %."),
    (knowledge.argued, "More cycles bring a better response."),
    (knowledge.argued, "TACE showed no response."),
]


@pytest.mark.parametrize(("check", "text"), BAD)
def test_a_bad_text_is_found(check: Callable[[str], list[str]], text: str) -> None:
    assert check(text)


@pytest.mark.parametrize(
    "text",
    [
        "Pooled studies, true complete response after one year: predictive value 0.73 (0.58-0.85).",
        "More than {cycle_alarm} cycles and no review.",
        "A further cycle is ordered.",
        'recorded reason "disappeared"',
        "Decides nothing; no rule reads an ADC value and there is no cut-off.",
    ],
)
def test_a_good_text_is_let_through(text: str) -> None:
    assert [found for check in CHECKS for found in check(text)] == []


# ------------------------------------------------------------------------------------------ numbers

DEFINED = {"RC-01": {"5", "30"}, "SC-01": {"18"}}
"""Constants of a definition in titles: RECIST 1.1, and the age of an adult."""


def test_constants_of_recist_are_those_of_the_calculator() -> None:
    assert recist.ABSOLUTE_GROWTH == 50, "tenths of a millimetre"
    assert recist.partial_response(1000, 700)
    assert not recist.partial_response(1000, 701)


def test_every_number_has_a_source() -> None:
    looked = {path: text for path, text in TEXTS.items() if not NOT_SHOWN.search(path)}
    faults = {
        path: found
        for path, text in looked.items()
        if (
            found := knowledge.unsourced(
                text, knowledge.figures(PACK) | DEFINED.get(path.split("/")[0], set())
            )
        )
    }
    assert faults == {}


@pytest.mark.parametrize("text", ["Seen in 87 % of cases.", "0.42 (0.1-0.9)", "operate within 17 days"])
def test_a_number_without_a_source_is_found(text: str) -> None:
    assert knowledge.unsourced(text, knowledge.figures(PACK))


def test_a_figure_that_may_not_be_printed_is_found() -> None:
    hidden = {figure for entry in PACK.evidence.values() if not entry.printable for figure in entry.figures}
    assert not (hidden - knowledge.figures(PACK)) & set(knowledge.NUMBER.findall(" ".join(TEXTS.values())))


def test_scales_are_those_of_the_calculators() -> None:
    lines = {scale.scale: scale.text for scale in FEATURES.scales}
    assert [nodule_grade(grade).value for grade in (1, 2, 3, 4, 5)] == [
        "major",
        "major",
        "partial",
        "absent",
        "absent",
    ]
    assert re.search(r"1-2 major, 3 partial, 4-5 absent", lines["rubbia-brandt"])
    assert [nodule_viable(percent).value for percent in (0, 1, 49, 50)] == [
        "complete",
        "major",
        "major",
        "minor",
    ]
    assert re.search(r"0 % complete, below 50 % major, from 50 % minor", lines["blazer"])


# ------------------------------------------------------------------------------------------ sources


def cited(statement: Statement) -> tuple[str, ...]:
    return statement.evidence_for + statement.evidence_against


def test_nothing_rests_on_a_weak_statement() -> None:
    for statement in PACK.statements.values():
        assert knowledge.weak_sources(cited(statement)) == [], statement.id
    assert knowledge.weak_sources(PACK.evidence) == []
    sources = {name: parameter.source for name, parameter in PACK.parameters.items()}
    assert [name for name, source in sources.items() if any(weak in source for weak in knowledge.WEAK)] == []
    assert wrong(knowledge.argued, TEXTS) == {}


def test_a_weak_statement_is_found() -> None:
    assert knowledge.weak_sources(["E20", "S004-35", "S003-04"]) == ["S003-04", "S004-35"]


def test_regrowth_and_empty_specimens_stand_together() -> None:
    """36 % regrown is not shown without 19 of 20 empty specimens on the cards that weigh the two."""
    weighing = ("DA-05", "DA-06", "DA-07", "DA-09")
    for rule in weighing:
        assert "S001-07" in cited(PACK.statements[rule]), rule
    assert "not the same lesions" in " ".join(yaml_rules()["DA-09"]["against"])


def yaml_rules() -> dict[str, Any]:
    document: dict[str, Any] = yaml.safe_load((PACK.folder / "text" / "en.yaml").read_text(encoding="utf-8"))
    rules: dict[str, Any] = document["rules"]
    return rules


# ------------------------------------------------------------------------------------------ HN-01

SITES = ("DA-01", "DA-02", "DA-03", "DA-04", "DA-05", "DA-06", "DA-07", "DA-08", "DA-09", "DA-10")
TRIALS = {"DA-05", "DA-06", "DA-07", "DA-09"}


def lacking(statement: Statement, text: dict[str, Any]) -> list[str]:
    """Returns what a statement of HN-01 lacks: either side, the day and modality of the imaging, the certainty."""
    lacks = []
    if not set(statement.evidence_for) - {"none-found"}:
        lacks.append("for")
    if not set(statement.evidence_against) - {"none-found"}:
        lacks.append("against")
    shown = [spec for spec in statement.finding_specs() if spec.display == "card"]
    for spec in shown:
        names = " ".join(name for name, _ in spec.say)
        if "day" not in names.lower() or "modality" not in names.lower():
            lacks.append("day and modality")
    if text.get("certainty") not in ("low", "moderate"):
        lacks.append("certainty")
    return lacks


@pytest.mark.parametrize("rule", SITES)
def test_advice_on_sites_shows_both_sides(rule: str) -> None:
    assert lacking(PACK.statements[rule], yaml_rules()[rule]) == []


def test_a_statement_with_one_side_is_found() -> None:
    assert {"against"} <= set(lacking(PACK.statements["DA-11"], {}))
    assert "certainty" in lacking(PACK.statements["DA-09"], {})


def test_the_sentence_on_trials_stands_where_it_belongs() -> None:
    assert {rule for rule, entry in yaml_rules().items() if entry.get("trial")} == TRIALS


OPERATION = fact("plan", hepatic="yes", opDay=date(2026, 11, 1))
SEARCHED = fact("plan", hepatic="yes", opDay=date(2026, 11, 1), ious="yes")
LOOKED = fact(
    "sighting", id="S1", lesion="L9", exam="X1", day=TODAY, visibility="not-visible", **{"class": "CEIOUS"}
)
WATCHED = {
    "disposition": "watch-and-wait",
    "dispositionLevel": "lesion",
    "dispositionReason": "disappeared",
    "dispositionDay": date(2026, 10, 5),
}
STORIES: dict[str, tuple[Fact | tuple[Fact, ...], ...]] = {
    "DA-01": (lesion("L1", "APPARENT_DLM", class_="CT"),),
    "DA-02": (lesion("L1", "SMALL_RESIDUAL", mm=6, **WATCHED),),
    "DA-03": (lesion("L1", "CONFIRMED_DLM"), OPERATION),
    "DA-04": (
        lesion("L1", "RESIDUAL_TINY", seenIntraop="yes", class_="IOUS"),
        fact("sighting", id="S", lesion="L1", exam="U", day=TODAY, visibility="visible", **{"class": "IOUS"}),
        fact("plan", opInProgress="yes"),
    ),
    "DA-05": (lesion("L1", "CONFIRMED_DLM", inPlannedSpecimenBefore="yes", inPlannedSpecimen="no"), SEARCHED),
    "DA-06": (lesion("L1", "CONFIRMED_DLM", depthMm=8, extraResection="wedge"), SEARCHED),
    "DA-07": (lesion("L1", "MISSING_CEIOUS", preopMri="yes", depthMm=42, class_="CEIOUS"), SEARCHED),
    "DA-08": (lesion("L1", "CONFIRMED_DLM", marker="yes"), SEARCHED),
    "DA-09": (lesion("L1", "CONFIRMED_DLM", **WATCHED),),
    "DA-10": (lesion("L1", "APPARENT_DLM", class_="CT", **WATCHED),),
}


@cache
def card(rule: str) -> tuple[Decision, Advice]:
    made = decided(*STORIES[rule])
    (found,) = [one for one in advise(made, "order-sign", settings=Settings()) if one.rules[0] == rule]
    return made, found


def incomplete(detail: str) -> list[str]:
    """Returns what a card of HN-01 lacks as it is shown."""
    lacks = [
        side for side in ("For", "Against") if not re.search(rf"\*\*{side}\*\*\n\n- (?!none found)\S", detail)
    ]
    if not re.search(r"\b(CT|MRI|PET|ultrasound) 20\d\d-\d\d-\d\d", detail):
        lacks.append("day and modality")
    if not re.search(r"certainty of the evidence (low|moderate)", detail):
        lacks.append("certainty")
    return lacks


@pytest.mark.parametrize("rule", SITES)
def test_card_shows_both_sides_day_and_certainty(rule: str) -> None:
    _, shown = card(rule)
    assert incomplete(shown.detail) == []
    assert ("No randomised trial was found." in shown.detail) == (rule in TRIALS)


def test_a_card_without_a_side_is_found() -> None:
    _, shown = card("DA-09")
    assert incomplete(shown.detail.replace("**Against**", "**Also**")) == ["Against"]
    assert incomplete(re.sub(r"\d{4}-\d\d-\d\d", "", shown.detail)) == ["day and modality"]
    assert incomplete(
        re.sub(r"(\*\*For\*\*\n\n).*?\n\n", r"\1- none found\n\n", shown.detail, flags=re.DOTALL)
    ) == ["For"]


@pytest.mark.parametrize("rule", SITES)
def test_a_card_as_shown_says_nothing_that_is_banned(rule: str) -> None:
    made, shown = card(rule)
    text = f"{shown.summary}\n{shown.detail}".replace(made.pack_revision, "")
    assert [found for check in CHECKS for found in check(text)] == []


@pytest.mark.parametrize("rule", SITES)
def test_every_number_of_a_card_has_a_source(rule: str) -> None:
    """Figures of the register, settings, and what the record itself holds (sizes, depths, days, labels)."""
    made, shown = card(rule)
    recorded = {str(value) for one in made.facts for value in one.values.values()}
    text = f"{shown.summary}\n{shown.detail}".replace(made.pack_revision, "")
    text = re.sub(r"\d{4}-\d\d-\d\d", "", text)
    assert knowledge.unsourced(text, knowledge.figures(made.pack) | recorded) == []


@pytest.mark.parametrize("name", samples.names())
def test_cards_of_whole_patients(name: str, tmp_path: Path) -> None:
    """The synthetic patients from files to cards: nothing banned, and no number of unknown origin."""
    one = samples.sample(name)
    file = tmp_path / "patient.json"
    file.write_bytes(msgspec.json.encode(one.bundle))
    made = decide(chart_from_files([file], one.hook), evaluator(), today=one.anchor, settings=Settings())
    recorded = {str(value) for each in made.facts for value in each.values.values()}
    recorded |= {str(value) for each in made.evaluation.facts for value in each.fact.values.values()}
    recorded |= {str(value) for each in made.findings for said in each.says for value in said.values()}
    recorded |= {str(number) for number in range(len(made.lesions) + 1)}
    for hook in ("patient-view", "order-sign"):
        for shown in advise(made, hook, settings=Settings()):
            text = f"{shown.summary}\n{shown.detail}".replace(made.pack_revision, "")
            assert [found for check in CHECKS for found in check(text)] == []
            text = re.sub(r"\d{4}-\d\d-\d\d", "", text)
            assert knowledge.unsourced(text, knowledge.figures(made.pack) | recorded) == []


@cache
def evaluator() -> Evaluator:
    return Evaluator(PACK, mode="reference", timeout=60)


# ------------------------------------------------------------------------------------------ features


def test_every_feature_names_what_exists() -> None:
    for feature in FEATURES.features:
        assert set(feature.rules) <= set(PACK.statements), feature.id
        if feature.sign.of != "none":
            known = PACK.kinds[feature.sign.of].properties
            assert feature.sign.property in known, feature.id
            assert set(feature.sign.values) <= set(known[feature.sign.property].values), feature.id
    assert len({feature.id for feature in FEATURES.features}) == len(FEATURES.features)


def test_a_feature_is_recognised_by_its_sign() -> None:
    known = {feature.id: feature for feature in FEATURES.features}
    assert known["calcification"].shown_by({"remnant": "calcified"})
    assert not known["calcification"].shown_by({"remnant": "unknown"})
    assert not known["size-growth"].shown_by({"mm": 12}), "growth takes two studies"


def test_the_table_of_features_belongs_to_the_revision(tmp_path: Any) -> None:
    copy = tmp_path / "crlm"
    shutil.copytree(PACK.folder, copy)
    file = copy / "text" / "features" / "en.yaml"
    assert load_pack(copy).revision == PACK.revision
    file.write_text(file.read_text(encoding="utf-8") + "# changed\n", encoding="utf-8")
    assert load_pack(copy).revision != PACK.revision
