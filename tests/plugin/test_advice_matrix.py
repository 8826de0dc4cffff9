"""The suppression matrix at work: each cell of the table does to a card what it says, and nothing falls silent."""

from __future__ import annotations

from dataclasses import replace

import pytest

from plugin.advice import advise, shown
from plugin.decision import Shown
from plugin.settings import Settings
from rules.language import load_pack
from tests.plugin.advising import decision, fact, finding, lesion, pack, with_findings

ROWS = [
    (str(row["actor"]), str(row["target"]), str(row["action"]), str(row["level"]), str(row["always"]))
    for row in pack().tables["suppression"]
]
TARGETS_THAT_ARE_LINES = {
    one.id for one in pack().statements.values() if all(s.display == "row" for s in one.finding_specs())
}


def place(actor: str, target: str, *, same: bool = True, **changes: object) -> Shown:
    """Where the target goes beside the actor, on a hook where both may speak."""
    first = finding(actor, "L1", **changes)
    second = finding(target, "L1" if same else "L2")
    hook = next((hook for hook in second.hooks if hook != "all"), "patient-view")
    return next(one for one in shown(with_findings(first, second), hook) if one.finding is second)


@pytest.mark.parametrize(("actor", "target", "action", "level", "always"), ROWS)
def test_cell(actor: str, target: str, action: str, level: str, always: str) -> None:
    found = place(actor, target)
    line = target in TARGETS_THAT_ARE_LINES
    if action == "hide":
        assert (found.shown, found.hidden_by) == ("hidden", actor)
    elif action == "strip":
        assert found.shown == "card"
        assert found.stripped
    elif action == "merge" and not line:
        assert (found.shown, found.merged_into) == ("row", actor)
    else:
        assert (found.shown, found.hidden_by) == ("row", actor)


@pytest.mark.parametrize(
    ("actor", "target", "action", "level", "always"), [r for r in ROWS if r[3] == "lesion"]
)
def test_a_cell_of_one_lesion_leaves_the_others_alone(
    actor: str, target: str, action: str, level: str, always: str
) -> None:
    assert place(actor, target, same=False).hidden_by is None


@pytest.mark.parametrize(("actor", "target", "action", "level", "always"), [r for r in ROWS if r[4] == "no"])
def test_a_message_that_is_only_a_line_pushes_nothing_aside(
    actor: str, target: str, action: str, level: str, always: str
) -> None:
    assert place(actor, target, display="row").hidden_by is None


def test_a_reduced_message_does_not_swallow_the_search_at_operation() -> None:
    """Immune therapy makes a line of DA-10; the advice to search, which it would have carried, stays a card."""
    made = with_findings(finding("DA-18", "L1"), finding("DA-10", "L1"), finding("DA-03", "L1"))
    found = {one.finding.rule: one for one in shown(made, "order-sign")}
    assert found["DA-10"].shown == "row"
    assert found["DA-03"].shown == "card"
    assert found["DA-03"].stripped


def test_what_is_merged_still_acts() -> None:
    made = with_findings(finding("DA-10", "L1"), finding("DA-03", "L1"), finding("HN-03", "L1"))
    found = {one.finding.rule: one for one in shown(made, "order-sign")}
    assert found["DA-03"].merged_into == "DA-10"
    assert found["HN-03"].shown == "row"


def test_a_hidden_message_does_not_hide_another() -> None:
    """The transplant pathway hides DA-11, which therefore does not hide the review of cycles by itself."""
    made = with_findings(finding("DA-04", "L1"), finding("DA-10", "L1"), finding("DA-11", None))
    found = {one.finding.rule: one for one in shown(made, "order-sign")}
    assert found["DA-10"].shown == "hidden"
    assert found["DA-11"].shown == "card"


def test_not_on_this_hook_is_hidden_by_nobody() -> None:
    made = with_findings(finding("DA-19", "L1"))
    assert [(one.shown, one.hidden_by) for one in shown(made, "order-sign")] == [("hidden", None)]


def test_one_lesion_has_one_message_on_treating_or_leaving_it() -> None:
    made = with_findings(finding("DA-08", "L1"), finding("DA-01", "L1"), finding("DA-16", "L2"))
    found = {one.finding.rule: one.shown for one in shown(made, "patient-view")}
    assert found == {"DA-08": "card", "DA-01": "row", "DA-16": "card"}


def test_shadowed_findings_go_nowhere() -> None:
    made = with_findings(finding("DA-02", "L1", status="shadow"))
    assert shown(made, "patient-view") == ()
    assert advise(made, "patient-view", settings=Settings()) == ()


def test_a_switched_off_rule_that_would_have_spoken_is_told() -> None:
    made = with_findings(finding("DA-02", "L1", status="off"))
    (card,) = advise(made, "patient-view", settings=Settings())
    assert card.family == "F7"
    assert card.rules == ("DA-02",)
    assert "DA-02" in card.detail


def test_cards_name_the_rules_that_are_not_in_force() -> None:
    made = with_findings(finding("DA-02", "L1"))
    (card,) = advise(made, "patient-view", settings=Settings())
    assert "not in force here" not in card.detail
    changed = replace(made, pack=load_pack(states={"DA-09": "shadow", "PT-04": "off"}))
    (card,) = advise(changed, "patient-view", settings=Settings())
    assert "not in force here DA-09 (in trial), PT-04 (switched off)." in card.detail


def test_merged_lines_stand_in_the_card() -> None:
    facts = lesion("L1", "APPARENT_DLM", **{"class": "CT"}) + (fact("operation", planned="yes"),)
    made = with_findings(finding("DA-03", "L1"), finding("DA-01", "L1"), facts=facts)
    (card,) = advise(made, "order-sign", settings=Settings())
    assert card.rules == ("DA-03", "DA-01")
    assert "Hepatobiliary MRI with diffusion for L1" in card.detail


def test_decision_helper_keeps_the_status() -> None:
    made = decision(lesion("L1", "VISIBLE"), with_findings().evaluation)
    assert made.about("status", "L1")["value"] == "VISIBLE"
    assert made.fact("nothing") == {}
