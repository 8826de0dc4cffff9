"""From a chart to a decision: timeline, facts, rules, outcomes."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from datetime import date

from plugin.chart import Chart
from plugin.decision import Decision, LesionOutcome
from plugin.facts import facts_of
from plugin.local_codes import meant
from plugin.orders import matters, ordered
from plugin.settings import Settings
from plugin.spans import span
from plugin.timeline import Timeline, build
from rules.errors import EngineFault, FactError
from rules.evaluate import Evaluator
from rules.evaluation import Alarm, Evaluation
from rules.facts import Fact, Value

UNDECIDED = "CANNOT_DECIDE"
ALL_RULES = "all"
WITHHELD = "withheld"
"""The reason of a lesion whose status the rules did not give, or gave in two ways."""

_FLAGS = (
    "preopMri", "seenIntraop", "reappearedBefore", "petOnly", "usOnly", "presumed", "noRestaging", "contra",
)  # fmt: skip


def decide(
    chart: Chart,
    evaluator: Evaluator,
    *,
    today: date,
    settings: Settings,
    answers: Iterable[Fact] = (),
) -> Decision:
    """Returns what the rules decide on a patient: a pure function of chart, drafts, today and answers.

    `answers` are facts of the kind `override`; they put messages in the background and decide nothing.

    Where neither evaluation of the rules answers, or the pack does not take a fact, nothing is decided and
    the decision says so.
    """
    with span("read", resources=len(chart.resources)) as told:
        chart = meant(chart, settings.codes.meanings)
        timeline = build(chart, today=today, timezone=settings.site.zone)
        in_force = {name: each.value for name, each in evaluator.pack.parameters.items()}
        read = facts_of(timeline, today=today, settings=settings, parameters=in_force)
        told.tell(lesions=len(timeline.lesions), facts=len(read))
    facts = (*read, *answers)
    # The rules never see an answer: it cannot change what is decided, only where a message is shown.
    with span("evaluate", rules=evaluator.pack.revision) as told:
        evaluation = _evaluated(evaluator, read)
        told.tell(findings=len(evaluation.findings), alarms=" ".join(one.kind for one in evaluation.alarms))
    values = next(iter(evaluation.values("patient_status")), {})
    return Decision(
        patient=chart.patient_id,
        today=today,
        lesions=outcomes(timeline, evaluation),
        patient_status=str(values.get("value", "UNDETERMINED")),
        certainty=_known(values.get("certainty")),
        findings=evaluation.findings,
        facts=facts,
        evaluation=evaluation,
        timeline=timeline,
        gaps=chart.gaps,
        pack=evaluator.pack,
        order_matters=matters(ordered(chart), settings.site.zone),
        encounter=chart.encounter,
    )


def _evaluated(evaluator: Evaluator, facts: tuple[Fact, ...]) -> Evaluation:
    """Returns the evaluation; with every statement refused where neither engine answers.

    Neither answers where the pack does not declare a fact as it was made: both refuse it at the door.
    """
    try:
        return evaluator.evaluate(facts)
    except (EngineFault, FactError) as fault:
        alarm = Alarm("engine-unavailable", f"no evaluation of the rules answered: {fault}")
        return Evaluation(evaluator.pack.revision, (), (), (ALL_RULES,), (alarm,), ())


def outcomes(timeline: Timeline, evaluation: Evaluation) -> tuple[LesionOutcome, ...]:
    """Returns every tracked lesion with its status; a lesion without exactly one status cannot be decided."""
    given: dict[str, list[Mapping[str, Value]]] = {}
    for values in evaluation.values("status"):
        given.setdefault(str(values["lesion"]), []).append(values)
    return tuple(
        _outcome(timeline, lesion.id, lesion.label, lesion.segment, given.get(lesion.id, []))
        for lesion in timeline.lesions
    )


def _outcome(
    timeline: Timeline, lesion: str, label: str, segment: str | None, given: list[Mapping[str, Value]]
) -> LesionOutcome:
    known = given[0] if len(given) == 1 else {"value": UNDECIDED, "reason": WITHHELD}
    reason = _known(known.get("reason"))
    as_of = known.get("asOf")
    return LesionOutcome(
        id=lesion,
        label=label,
        segment=segment,
        status=_known(known.get("value")) or UNDECIDED,
        reasons=(reason,) if reason and reason != "none" else (),
        as_of=as_of if isinstance(as_of, date) else None,
        flags={name: value for name in _FLAGS if (value := _known(known.get(name)))},
        timeline=timeline,
    )


def _known(value: object) -> str | None:
    return None if value is None or value == "unknown" else str(value)
