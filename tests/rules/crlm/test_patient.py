"""The patient's status, new lesions, the lesion table and the rows on data quality, over whole histories."""

from __future__ import annotations

import datetime
from dataclasses import replace
from decimal import Decimal

import pytest

from rules.facts import Fact, Value
from tests.rules.crlm.histories import History, facts_of
from tests.rules.crlm.status_rules import pack, rules
from tests.rules.crlm.stories import story

MAP = ("0 CT visible 14", "L2: 0 CT visible 20", "7 dose")


def one(history: History, kind: str, extra: tuple[Fact, ...] = ()) -> dict[str, Value]:
    evaluation = rules().evaluator.evaluate(changed(history, extra))
    assert not evaluation.alarms
    (fact,) = evaluation.of(kind)
    return dict(fact.values)


def changed(history: History, extra: tuple[Fact, ...]) -> list[Fact]:
    """Returns the facts of a history with the values of `extra` put over facts of the same kind and id."""
    # An evaluator of single statements is given the rows of the pack's tables by hand.
    facts = [*facts_of(history), *(Fact("same_place", row) for row in pack().tables["same_place"])]
    for fact in extra:
        same = [f for f in facts if f.kind == fact.kind and f.values.get("id") == fact.values.get("id")]
        for old in same:
            facts.remove(old)
        base = same[0].values if same else {}
        facts.append(Fact(fact.kind, {**base, **fact.values}))
    return facts


def lesion(id_: str, **values: Value) -> Fact:
    return Fact("lesion", {"id": id_, **values})


@pytest.mark.parametrize(
    ("history", "extra", "value", "certainty"),
    [
        pytest.param(
            story(*MAP, "60 MRI not-visible", "L2: 60 MRI visible 9"), (), "SOME_DISAPPEARED", None, id="some"
        ),
        pytest.param(
            story(
                *MAP, "L3: 0 CT visible 9", "60 MRI not-visible", "L2: 60 MRI visible 9", "L3: 60 MRI silent"
            ),
            (),
            "SOME_DISAPPEARED",
            None,
            id="golden 30: one confirmed, one visible, one not reported",
        ),
        pytest.param(
            story(*MAP, "60 MRI not-visible", "L2: 60 MRI not-visible"),
            (),
            "ALL_DISAPPEARED",
            "confirmed",
            id="all",
        ),
        pytest.param(
            story(*MAP, "61 MRI not-visible", "L2: 60 CT not-visible"),
            (),
            "UNDETERMINED",
            None,
            id="the MRI does not mention the second lesion",
        ),
        pytest.param(
            story(*MAP, "60 CT not-visible", "L2: 60 CT not-visible"),
            (),
            "ALL_DISAPPEARED",
            "unconfirmed",
            id="all on CT",
        ),
        pytest.param(
            story(*MAP, "60 MRI visible 9", "L2: 60 MRI visible 8"), (), "NONE_DISAPPEARED", None, id="none"
        ),
        pytest.param(
            story(*MAP, "60 MRI not-visible", "L2: 60 MRI silent"),
            (),
            "UNDETERMINED",
            None,
            id="one not reported",
        ),
        pytest.param(
            story(*MAP, "60 motion-MRI not-visible", "L2: 60 motion-MRI not-visible"),
            (),
            "UNDETERMINED",
            None,
            id="nothing decided",
        ),
        pytest.param(
            story(*MAP, "40 resected", "L2: 40 resected"), (), "ALL_TREATED", None, id="both resected"
        ),
        pytest.param(
            story(*MAP, "40 resected", "L2: 60 MRI not-visible"),
            (),
            "ALL_DISAPPEARED",
            "confirmed",
            id="one resected, the other vanished",
        ),
        pytest.param(story("60 MRI not-visible", "7 dose"), (), "NOT_APPLICABLE", None, id="never charted"),
        pytest.param(
            story("0 US visible 14", "7 dose", "60 MRI not-visible"),
            (),
            "UNDETERMINED",
            None,
            id="vanished, but no CT or MRI before therapy",
        ),
        pytest.param(
            story(*MAP, "60 MRI not-visible", "L2: 60 MRI visible 9"),
            (lesion("L2", nature="benign"),),
            "ALL_DISAPPEARED",
            "confirmed",
            id="the visible one is benign",
        ),
        pytest.param(
            story(
                "0 CT visible 14", "L2: 0 CT visible 6", "7 dose", "60 MRI not-visible", "L2: 60 MRI silent"
            ),
            (),
            "ALL_DISAPPEARED",
            "confirmed",
            id="the one not reported is only presumed",
        ),
        pytest.param(
            story(
                "0 CT visible 14",
                "L2: 0 CT visible 6",
                "7 dose",
                "60 MRI not-visible",
                "L2: 60 MRI visible 6",
            ),
            (),
            "SOME_DISAPPEARED",
            None,
            id="a presumed one is in sight",
        ),
        pytest.param(
            story(
                *MAP, "60 ablated", "L2: 60 MRI not-visible", "150 MRI visible 12", "L2: 150 MRI not-visible"
            ),
            (),
            "SOME_DISAPPEARED",
            None,
            id="recurrence beside an ablation counts as visible",
        ),
    ],
)
def test_patient_status(history: History, extra: tuple[Fact, ...], value: str, certainty: str | None) -> None:
    found = one(history, "patient_status", extra)
    assert found["value"] == value
    assert found["certainty"] == (certainty or "unknown")


def test_no_lesion_has_no_disappearance() -> None:
    found = one(History(lesions=()), "patient_status")
    assert found["value"] == "NOT_APPLICABLE"


NEW = (*MAP, "0 MRI visible 14", "60 MRI visible 9", "L7: 60 MRI visible 7", "L2: 60 MRI not-visible")


@pytest.mark.parametrize(
    ("history", "extra", "certainty", "reason"),
    [
        pytest.param(story(*NEW), (), "probable", "none", id="an earlier MRI did not show it"),
        pytest.param(
            story(*MAP, "60 MRI visible 9", "L7: 60 MRI visible 7"),
            (),
            "uncharted",
            "none",
            id="only CT before (52)",
        ),
        pytest.param(
            story(*NEW),
            (lesion("L2", segment="VI"), lesion("L7", segment="VI")),
            "indeterminate",
            "same-segment",
            id="golden 31: relabelled",
        ),
        pytest.param(
            story(*NEW),
            (lesion("L2", segment="IVb"), lesion("L7", segment="IV")),
            "indeterminate",
            "same-segment",
            id="IV holds IVb",
        ),
        pytest.param(
            story(*NEW),
            (lesion("L2", segment="IVb"), lesion("L7", segment="IVa")),
            "probable",
            "none",
            id="IVa and IVb differ",
        ),
        pytest.param(
            story(*NEW),
            (lesion("L2", segment="liver"), lesion("L7", segment="liver")),
            "probable",
            "none",
            id="the liver is not a segment",
        ),
    ],
)
def test_new_lesion(history: History, extra: tuple[Fact, ...], certainty: str, reason: str) -> None:
    found = one(history, "new_lesion", extra)
    assert (found["lesion"], found["certainty"], found["reason"]) == ("L7", certainty, reason)


def stated(history: History, lesion_: str, **values: Value) -> tuple[Fact, ...]:
    """Returns the sightings of a lesion with values put over them."""
    return tuple(
        Fact("sighting", {"id": f.values["id"], **values})
        for f in facts_of(history)
        if f.kind == "sighting" and f.values["lesion"] == lesion_
    )


def test_reader_calls_it_new() -> None:
    history = story(*MAP, "60 MRI visible 9", "L7: 60 MRI visible 7")
    assert one(history, "new_lesion", stated(history, "L7", newStatement="new"))["certainty"] == "definite"


def test_bright_nodule_after_oxaliplatin_is_not_called_new() -> None:
    history = story(*MAP, "60 MRI visible 9", "L7: 60 MRI visible 7")
    extra = stated(history, "L7", newStatement="new", hbpSignal="hyper")
    therapy = Fact("therapy", {"oxaliplatinEver": "yes"})
    assert one(history, "new_lesion", (*extra, therapy))["certainty"] == "indeterminate"
    found = rules().evaluator.evaluate(changed(history, (*extra, therapy))).findings
    assert [(f.rule, f.subject, f.indicator) for f in found if f.rule == "LS-10"] == [
        ("LS-10", "L7", "warning")
    ]


def test_history_of_a_lesion() -> None:
    found = one(
        story("0 CT visible 14", "2 PET visible", "7 dose", "60 MRI visible 6", "67 CT not-visible"),
        "lesion_history",
    )
    assert found == {
        "lesion": "L1",
        "firstSeen": datetime.date(2026, 1, 1),
        "baselineMm": Decimal(14),
        "baselineDay": datetime.date(2026, 1, 1),
        "baselineClass": "CT",
        "baselineExam": "CT-0",
        "lastSeenDay": datetime.date(2026, 3, 2),
        "lastSeenMm": Decimal(6),
        "lastSeenClass": "MRI",
        "lastSeenExam": "MRI-60",
        "lastSaid": "not-visible",
        "lastSaidDay": datetime.date(2026, 3, 9),
        "lastSaidClass": "CT",
        "lastSaidExam": "CT-67",
    }


def test_history_of_a_lesion_without_any_study() -> None:
    found = one(History(), "lesion_history")
    assert found["lesion"] == "L1"
    assert "lastSeenDay" not in found


BASE = ("0 CT visible 14", "7 dose")


@pytest.mark.parametrize(
    ("history", "rows"),
    [
        pytest.param(story(), {"DQ-01": "warning"}, id="nothing on record"),
        pytest.param(
            story("0 dose", "20 CT visible 14", "30 dose", "90 MRI not-visible"),
            {"DQ-02": "info", "LS-05": "info"},
            id="golden 29",
        ),
        pytest.param(story(*BASE, "60 unmatched-MRI silent"), {"DQ-03": "warning"}, id="unmatched lesions"),
        pytest.param(story(*BASE, "60 MRI silent"), {"DQ-04": "warning"}, id="golden 5"),
        pytest.param(
            story(*BASE, "60 CT not-visible"), {"DQ-05": "warning", "LS-04": "warning"}, id="CT negative"
        ),
        pytest.param(
            story(*BASE, "60 limited-MRI not-visible"),
            {"DQ-06": "warning", "LS-04": "warning"},
            id="gadobutrol",
        ),
        pytest.param(story(*BASE, "60 MRI not-visible artefact"), {"DQ-07": "warning"}, id="artefact"),
        pytest.param(
            story(*BASE, "60 motion-MRI not-visible", "62 CT not-visible"),
            {"DQ-07": "info", "DQ-05": "warning", "LS-04": "warning"},
            id="golden 26",
        ),
        pytest.param(
            story("0 CT visible 9", "7 dose", "60 5mm-MRI not-visible"),
            {"DQ-08": "warning", "LS-04": "warning", "DQ-16": "info"},
            id="small for the slices",
        ),
        pytest.param(
            story(*BASE, "60 MRI visible 6", "60 MRI not-visible"),
            {"DQ-11": "warning"},
            id="contradiction, no operation",
        ),
        pytest.param(
            story(*BASE, "60 MRI visible 6", "60 MRI not-visible", op_day=407),
            {"DQ-11": "critical"},
            id="operation in 7 days",
        ),
        pytest.param(
            story(*BASE, "60 MRI visible 6", "60 MRI not-visible", op_day=408),
            {"DQ-11": "warning"},
            id="operation in 8 days",
        ),
        pytest.param(
            story(*BASE, "60 MRI visible 6", "60 MRI not-visible", "62 CT visible 8", op_day=405),
            {"DQ-11": "info", "LS-03": "info"},
            id="68: visible on CT",
        ),
        pytest.param(story(*BASE, "60 CT visible 1.4"), {"DQ-12": "warning", "LS-01": "info"}, id="golden 8"),
        pytest.param(
            story("0 CT visible 50", "7 dose", "60 CT visible 5 ttsm"), {"LS-02": "info"}, id="golden 32"
        ),
        pytest.param(
            story(*BASE, "60 MRI not-visible reticulation"),
            {"DQ-15": "warning", "LS-04": "warning"},
            id="reticulation",
        ),
        pytest.param(story(*BASE, "60 IOUS not-visible"), {"LS-06": "info"}, id="missing at operation"),
        pytest.param(
            story(*BASE, "60 MRI not-visible", "120 MRI visible 9"), {"LS-07": "warning"}, id="reappeared"
        ),
        pytest.param(story(*BASE, "60 ablated", "120 MRI visible 9"), {"LS-07": "info"}, id="recurrence"),
        pytest.param(
            story(*BASE, "60 MRI visible 12 calcified"), {"LS-01": "info", "LS-08": "info"}, id="calcified"
        ),
        pytest.param(story(*BASE, "60 resected"), {}, id="resected"),
    ],
)
def test_rows(history: History, rows: dict[str, str]) -> None:
    found = {f.rule: f.indicator for f in rules().findings(history) if f.rule != "LS-09"}
    assert found == rows


def test_only_critical_contradictions_and_bright_nodules_are_cards() -> None:
    history = story(*BASE, "60 MRI visible 6", "60 MRI not-visible", op_day=401)
    assert [f.rule for f in rules().findings(history) if f.display == "card"] == ["DQ-11"]
    assert [f.rule for f in rules().findings(replace(history, op_day=None)) if f.display == "card"] == []
