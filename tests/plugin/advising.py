"""Decisions for tests of advice: the status of each lesion is put in as a fact, everything above it is real."""

from __future__ import annotations

from datetime import date
from functools import lru_cache
from typing import Any

from plugin.decision import Decision, LesionOutcome
from plugin.timeline import Timeline
from rules.evaluate import Evaluator
from rules.evaluation import Derived, Evaluation
from rules.facts import Fact
from rules.finding import Finding
from rules.language import Pack, load_pack

TODAY = date(2026, 10, 10)
FIRST_ADVICE = 50


@lru_cache(maxsize=1)
def pack() -> Pack:
    return load_pack()


@lru_cache(maxsize=1)
def advisers() -> Evaluator:
    """The statements above the status, with facts of every kind accepted."""
    chosen = [
        one for one in pack().statements.values() if one.stratum >= FIRST_ADVICE or one.id == "AX-chart"
    ]
    return Evaluator.alone(pack(), chosen, mode="reference")


@lru_cache(maxsize=1)
def suppressors() -> Evaluator:
    """The two statements that apply the matrix."""
    chosen = [pack().statements[name] for name in ("SU-lesion", "SU-patient")]
    return Evaluator.alone(pack(), chosen, mode="reference")


@lru_cache(maxsize=1)
def matrix() -> tuple[Fact, ...]:
    """The tables as facts, the suppression matrix among them; single statements are given them by hand."""
    return tuple(Fact(kind, row) for kind, rows in pack().tables.items() for row in rows)


def fact(kind: str, **values: Any) -> Fact:
    return Fact(kind, {name.rstrip("_"): value for name, value in values.items()}, (f"{kind}/1",))


def lesion(
    id_: str, status: str, *, label: str | None = None, reason: str = "none", **values: Any
) -> tuple[Fact, ...]:
    """A lesion with its status and history; keyword arguments are properties of the lesion or of its status."""
    known = pack().kinds["lesion"].properties
    mine = {name: value for name, value in values.items() if name in known}
    its = {name: value for name, value in values.items() if name not in known}
    its = {
        "asOf": date(2026, 10, 1),
        "class": "MRI",
        **{name.rstrip("_"): value for name, value in its.items()},
    }
    return (
        fact("lesion", id=id_, label=label or id_, **mine),
        fact("status", lesion=id_, value=status, reason=reason, **its),
        fact(
            "lesion_history",
            lesion=id_,
            baselineMm=14,
            baselineDay=date(2026, 4, 2),
            baselineClass="MRI",
            lastSaid="visible"
            if status in ("VISIBLE", "SMALL_RESIDUAL", "RESIDUAL_TINY", "REAPPEARED")
            else "not-visible",
            lastSaidDay=its["asOf"],
            lastSaidClass=its["class"],
        ),
    )


def patient(**values: Any) -> Fact:
    return fact(
        "patient",
        **{"id": "P", "today": TODAY, "trackedLesions": 3, "crlmScope": "crlm", "ageYears": 60, **values},
    )


def decided(*facts: Fact | tuple[Fact, ...], today: date = TODAY) -> Decision:
    """The decision that the advice rules take on these facts; a patient is added where there is none."""
    given: list[Fact] = []
    for one in facts:
        given += [one] if isinstance(one, Fact) else list(one)
    if not any(one.kind == "patient" for one in given):
        given.append(patient(today=today))
    return decision(tuple(given), advisers().evaluate([*given, *matrix()]), today)


def decision(given: tuple[Fact, ...], evaluation: Evaluation, today: date = TODAY) -> Decision:
    labels = {str(one.values["id"]): str(one.values["label"]) for one in given if one.kind == "lesion"}
    outcomes = tuple(
        LesionOutcome(
            id=str(one.values["lesion"]),
            label=labels.get(str(one.values["lesion"]), "?"),
            segment="VI",
            status=str(one.values["value"]),
            reasons=(),
            as_of=None,
            flags={},
            timeline=Timeline(patient="P", today=today),
        )
        for one in given
        if one.kind == "status"
    )
    return Decision(
        patient="P",
        today=today,
        lesions=outcomes,
        patient_status="UNDETERMINED",
        certainty=None,
        findings=evaluation.findings,
        facts=given,
        evaluation=evaluation,
        timeline=Timeline(patient="P", today=today),
        gaps=(),
        pack=pack(),
    )


def finding(rule: str, subject: str | None = "L1", *, indicator: str = "warning", **changes: Any) -> Finding:
    """A finding as the pack would make it, for tests of placing and order."""
    statement = pack().statements.get(rule)
    specs = [one for one in statement.finding_specs() if one.display == "card"] if statement else []
    specs = specs or (list(statement.finding_specs()) if statement else [])
    values: dict[str, Any] = {
        "rule": rule,
        "case": None,
        "title": rule,
        "subject": subject,
        "conclusion": "test",
        "indicator": indicator,
        "display": specs[0].display if specs else "card",
        "family": specs[0].family if specs else "F9",
        "hooks": specs[0].hooks if specs else ("all",),
        "status": "active",
        "says": ({},),
        "facts": (),
        "sources": (),
        "parameters": (),
        "revision": pack().revision,
    }
    return Finding(**{**values, **changes})


def with_findings(*findings: Finding, facts: tuple[Fact, ...] = ()) -> Decision:
    """A decision that holds these findings, with the suppression that the matrix of the pack gives them."""
    given = [
        Fact(
            "finding",
            {
                name: value
                for name, value in (
                    ("rule", one.rule),
                    ("subject", one.subject),
                    ("indicator", one.indicator),
                    ("conclusion", one.conclusion),
                    ("family", one.family),
                )
                if value is not None
            },
        )
        for one in findings
    ]
    acted = suppressors().evaluate([*given, *matrix()])
    derived: tuple[Derived, ...] = acted.facts
    evaluation = Evaluation(pack().revision, tuple(findings), derived, (), (), ("reference",))
    return decision((patient(), *facts), evaluation)
