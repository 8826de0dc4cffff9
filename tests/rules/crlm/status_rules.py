"""The status part of the rule pack, evaluated for a history."""

from __future__ import annotations

import functools

from rules.evaluate import Evaluator, Mode
from rules.evaluation import Evaluation
from rules.finding import Finding
from rules.language import Pack, load_pack
from tests.rules.crlm.histories import History, facts_of

HIGHEST_STRATUM = 39


@functools.cache
def pack() -> Pack:
    return load_pack()


class StatusRules:
    """The statements that make the status, without those that make advice of it."""

    def __init__(self, mode: Mode = "in-process") -> None:
        chosen = [s for s in pack().statements.values() if s.stratum <= HIGHEST_STRATUM]
        self.evaluator = Evaluator.alone(pack(), chosen, mode=mode)

    def evaluate(self, history: History) -> Evaluation:
        """Returns the evaluation; a disagreement of the two engines is a failure."""
        evaluation = self.evaluator.evaluate(facts_of(history))
        assert not evaluation.alarms
        assert not evaluation.refused
        return evaluation

    def statuses(self, history: History) -> dict[str, tuple[str, str]]:
        """Returns value and reason of each lesion's status."""
        found = [fact.values for fact in self.evaluate(history).of("status")]
        assert len(found) == len(history.lesions)
        return {str(values["lesion"]): (str(values["value"]), str(values["reason"])) for values in found}

    def values(self, history: History) -> dict[str, str]:
        """Returns the value of each lesion's status."""
        return {lesion: value for lesion, (value, _) in self.statuses(history).items()}

    def grades(self, history: History) -> dict[str, str]:
        """Returns the grade of every negative that is used, by the sighting's id."""
        found = [fact.values for fact in self.evaluate(history).of("negative")]
        return {str(values["id"]): str(values["grade"]) for values in found}

    def findings(self, history: History) -> tuple[Finding, ...]:
        """Returns the findings of data quality and status."""
        return self.evaluate(history).findings


@functools.cache
def rules(mode: Mode = "in-process") -> StatusRules:
    return StatusRules(mode)
