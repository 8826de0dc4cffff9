"""The texts of cards: no banned word, no figure without a source, both sides, and short enough when filled."""

from __future__ import annotations

import re
import string
from collections.abc import Iterator
from typing import Any

import pytest
import yaml

from rules.language import load_pack

PACK = load_pack()
TEXT: dict[str, Any] = yaml.safe_load((PACK.folder / "text" / "en.yaml").read_text(encoding="utf-8"))

BANNED = re.compile(
    r"\b(cured?|cures|sterile|safe to leave|must resect|gone|clear of disease)\b"
    r"|\b(stop|start|switch|continue|change)\w*\s+(?:\w+\s+)?(chemotherapy|bevacizumab|cetuximab|antibod|drug|regimen|oxaliplatin)"
    r"|(percent|%|in 100)[^.]{0,40}\b(this patient|this lesion|your|probab|risk of)"
    r"|\b(this patient|this lesion|your|probab|risk of)[^.]{0,40}(percent|%|in 100)"
    r"|83[^.]{0,40}patholog|patholog[^.]{0,40}83",
    re.IGNORECASE,
)
ALLOWED_NUMBERS = re.compile(r"RECIST 1\.1|\bT2\b|\([^()]*\b(?:19|20)\d\d\b[^()]*\)|\{[^}]*\}")
SLOTS = {
    "lesions": "segment8, segment8, segment8 +99", "segment": " (segment VIII)", "study": "imaging up to 2026-10-01",
    "basis": "several weak studies", "waiting": "Leaving in situ", "waiting_in": "leaving in situ", "class": "CE-IOUS", "review": "review before signing",
    "date": "up to 2026-10-01", "operation": "2026-12-01", "operation_day": "2026-12-01", "cancelled": "2026-10-01",
    "mri": "2026-10-01", "mdt_since": "2026-10-01", "index": "MRI 2026-10-01", "moves": "segment8 -120.5 mm, segment8 +120.5 mm",
    "from_day": "2026-04-02", "biopsy": "2026-10-01", "seen": "ultrasound 2026-10-01", "unseen": "ultrasound 2026-10-01", "value": "12345.6",
    "baseline": "12345.6", "plan_day": "2026-10-01", "grown": "120.5", "remnant_day": "2026-10-01", "left": " 2026-12-01", "exclusion": "extrahepatic progression",
    "cycles": "12", "next_cycle": "13", "mdt_cycles": "56", "age": "1000", "gap": "30", "limit": "42", "mm": "120.5", "depth": "120.5", "from_mm": "120.5", "disposition_reason": "disease outside the liver",
    "sources": "99 sources", "others": "segment8, segment8, segment8 +99", "target": "CR", "seen_count": "99", "all_count": "99",
}  # fmt: skip


def strings(node: Any, path: str = "") -> Iterator[tuple[str, str]]:
    if isinstance(node, dict):
        for key, value in node.items():
            yield from strings(value, f"{path}/{key}")
    elif isinstance(node, list):
        for place, value in enumerate(node):
            yield from strings(value, f"{path}/{place}")
    elif isinstance(node, str):
        yield path, node


EVERY = dict(strings(TEXT))


@pytest.mark.parametrize("path", EVERY)
def test_no_banned_word(path: str) -> None:
    assert not BANNED.search(EVERY[path])


@pytest.mark.parametrize(
    "text",
    [
        "The lesion is cured.", "a sterile site", "It is safe to leave.", "You must resect it.", "the lesion is gone",
        "stop chemotherapy", "switch to bevacizumab", "21 % probability", "this lesion has 21 % risk", "83 % at pathology",
    ],
)  # fmt: skip
def test_the_linter_finds_what_it_must(text: str) -> None:
    assert BANNED.search(text)


@pytest.mark.parametrize(
    "path",
    [
        path
        for path in EVERY
        if not path.startswith("/evidence/") and "/silent_with/" not in path and "/neutral/" not in path
    ],
)
def test_no_figure_outside_the_evidence(path: str) -> None:
    assert not re.search(r"\d", ALLOWED_NUMBERS.sub("", EVERY[path])), EVERY[path]


@pytest.mark.parametrize("path", [path for path in EVERY if path.startswith("/evidence/")])
def test_every_figure_is_in_the_register(path: str) -> None:
    entry = PACK.evidence[path.split("/")[2]]
    figures = re.findall(r"\d+(?:\.\d+)?(?: %)?", ALLOWED_NUMBERS.sub("", EVERY[path]))
    known = set(entry.figures)
    if figures:
        assert entry.printable, f"{entry.id} may not be quoted with a figure"
        assert set(figures) <= known


def test_every_source_that_is_cited_has_a_line() -> None:
    cited = {
        id_
        for one in PACK.statements.values()
        if any(spec.display == "card" for spec in one.finding_specs())
        for id_ in one.evidence_for + one.evidence_against
    }
    assert cited - {"none-found"} <= set(TEXT["evidence"])


def test_every_line_belongs_to_a_source_that_was_read() -> None:
    for id_ in TEXT["evidence"]:
        assert PACK.evidence[id_].read


CARDS = [
    (one.id, case.id)
    for one in PACK.statements.values()
    for case in one.cases
    if case.finding is not None and case.finding.display == "card" and case.finding.family != "F12"
]


def looked_up(rule: str, case: str | None, key: str) -> Any:
    entry = TEXT["rules"].get(rule, {})
    return entry.get("cases", {}).get(case, {}).get(key, entry.get(key))


@pytest.mark.parametrize(("rule", "case"), CARDS)
def test_every_card_has_a_summary_and_a_reason(rule: str, case: str | None) -> None:
    assert looked_up(rule, case, "summary") or looked_up(rule, case, "summary_mixed")
    assert looked_up(rule, case, "why")


@pytest.mark.parametrize("path", [path for path in EVERY if "/summary" in path])
def test_a_summary_is_one_plain_sentence_that_fits(path: str) -> None:
    slots = {name for _, name, _, _ in string.Formatter().parse(EVERY[path]) if name}
    assert slots <= set(SLOTS), slots - set(SLOTS)
    one = {**SLOTS, "lesions": "segment8"}
    many = {**SLOTS, "segment": ""}
    for values in (one, many):
        filled = EVERY[path].format_map(values)
        assert len(filled.encode("utf-16-le")) // 2 < 140, filled
        assert filled.endswith(".")
        assert "\n" not in filled
        assert not re.search(r"[*_`\[\]<>|]", filled)


def test_survival_stands_with_its_limits() -> None:
    """The sentence on survival names series, era and design in itself, and stands beside that on regrowth."""
    line = TEXT["evidence"]["E05"]
    assert re.search(r"Survival was not worse[^.]*small CT-era series, not randomised", line)
    assert {"E05", "S001-07"} <= set(PACK.statements["DA-09"].evidence_against)


@pytest.mark.parametrize("rule", ["DA-05", "DA-06", "DA-07", "DA-09"])
def test_the_sentence_on_trials(rule: str) -> None:
    assert TEXT["rules"][rule]["trial"] == "yes"


def test_therapy_cards_draw_no_conclusion_on_therapy() -> None:
    for rule in ("DC-06", "DC-07", "DC-08"):
        assert "No conclusion on therapy from this sign alone." in TEXT["rules"][rule]["options"]


def test_statuses_and_reasons_all_have_words() -> None:
    properties = PACK.kinds["status"].properties
    assert set(properties["value"].values) - {"unknown"} <= set(TEXT["status"])
    assert set(properties["reason"].values) - {"unknown", "none"} <= set(TEXT["reason"])
    assert set(PACK.kinds["gap"].properties["reason"].values) - {"unknown"} <= set(TEXT["gap"])
    assert set(PACK.kinds["exclusion"].properties["reason"].values) - {"unknown"} <= set(TEXT["exclusion"])


def test_every_parameter_has_a_name_on_cards() -> None:
    """Any of them can be set by a site, and is on every card then."""
    assert set(TEXT["parameters"]) == set(PACK.parameters)


REDUCED = sorted({str(row["target"]) for row in PACK.tables["suppression"] if row["action"] == "reduce"})


@pytest.mark.parametrize("rule", REDUCED)
def test_what_is_reduced_still_says_its_sentence(rule: str) -> None:
    """A message that becomes a line in another card is a sentence there, in each of its cases, not a table cell."""
    entry = TEXT["rules"][rule]
    for case in [case.id for case in PACK.statements[rule].cases] or [None]:
        assert "line" in entry or "line" in entry.get("cases", {}).get(case, {}), (rule, case)


@pytest.mark.parametrize("case", sorted(TEXT["rules"]["DA-10"]["cases"]))
def test_watching_an_unconfirmed_lesion_has_a_line_of_its_own(case: str) -> None:
    """The line of the rule speaks of what does not show the lesion: it is not true of an undecided one."""
    assert "line" in TEXT["rules"]["DA-10"]["cases"][case]


@pytest.mark.parametrize("rule", ["DA-09", "DA-10"])
def test_another_reason_is_never_told_as_resting_on_imaging(rule: str) -> None:
    cases = {name: entry for name, entry in TEXT["rules"][rule]["cases"].items() if "other-reason" in name}
    assert cases
    for entry in cases.values():
        assert "{disposition_reason}" in entry["summary"]
        said = " ".join(text for _, text in strings(entry))
        assert not re.search(r"rests? on|cannot carry|is needed", said)


def test_rules_named_in_the_texts_exist() -> None:
    own = {"F12", "REFUSED", "SWITCHED-OFF", "UNWRITTEN"}
    assert set(TEXT["rules"]) - own <= set(PACK.statements)
    for rule, entry in TEXT["rules"].items():
        cases = {case.id for case in PACK.statements[rule].cases} if rule not in own else set()
        extra = {
            "DA-10": {
                "undecided",
                "undecided-cancelled",
                "undecided-other-reason",
                "despite-reason",
                "despite-reason-cancelled",
            },
            "DA-01": {"despite-reason"},
            "HN-03": {"clash"},
        }.get(rule, set())
        assert set(entry.get("cases", {})) <= cases | extra, rule
