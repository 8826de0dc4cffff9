"""The use case behind the protocol: pull, decide, advise, record."""

from __future__ import annotations

import gc
from collections.abc import Mapping, Sequence
from functools import partial

from cds_hooks.answer import Answer
from cds_hooks.call import HookCall
from cds_hooks.feedback import FeedbackItem
from cds_hooks.rulebook import evaluator_of
from cds_hooks.trust import Caller
from plugin.advice import advise, shown
from plugin.chart import Chart
from plugin.decide import decide
from plugin.decision import Decision
from plugin.errors import StoreError
from plugin.pull import PREFETCH, QUERIES, HookInput, Sessions, pull
from plugin.record import Pseudonyms, RecordedFinding, record_of
from plugin.settings import Settings, today
from plugin.store import Store
from rules.finding import Finding

START_SECONDS = 30.0


class UseCase:
    """Answers hook calls with the site's rule pack; safe to use from several threads."""

    def __init__(self, settings: Settings) -> None:
        self._settings = settings
        self._evaluator = evaluator_of(settings)
        self._sessions = Sessions(settings)
        self._store = Store(settings.store.url)
        self._pseudonyms = Pseudonyms(self._store.pseudonym_key())
        self._evaluator.wait(START_SECONDS)
        # Pack and compiled rules live as long as the process: the collector need not look at them again.
        gc.collect()
        gc.freeze()

    @property
    def prefetch(self) -> Mapping[str, str]:
        """The templates of the query registry."""
        return PREFETCH

    @property
    def decisive(self) -> Sequence[str]:
        """The keys of the decisive queries."""
        return tuple(query.key for query in QUERIES if query.decisive)

    @property
    def revision(self) -> str:
        """The revision of the rule pack."""
        return self._evaluator.pack.revision

    def __call__(self, call: HookCall, caller: Caller) -> Answer:
        """Returns the advice for one call; raises NoData (412) where nothing decisive can be read."""
        settings = self._settings
        chart = pull(_input(call, caller), settings, self._sessions)
        decision = decide(chart, self._evaluator, today=today(settings), settings=settings)
        return Answer(
            advices=advise(decision, call.hook, settings=settings, language=settings.cards.language),
            gaps=len(decision.gaps),
            alarms=tuple(alarm.kind for alarm in decision.alarms),
            record=partial(self._record, call, caller, chart, decision),
        )

    def store_feedback(self, items: Sequence[FeedbackItem]) -> None:
        """Keeps feedback in the site's store."""
        self._store.add_feedback(items)

    def missing(self) -> str | None:
        """Returns what is wrong with the store, or None."""
        try:
            self._store.check()
        except StoreError as error:
            return str(error)
        return None

    @property
    def both_engines(self) -> bool:
        """Whether durable_rules answers beside the second evaluation; not while a worker starts anew."""
        return self._evaluator.wait(0)

    def close(self) -> None:
        """Ends the rule engine and closes every connection."""
        self._evaluator.close()
        self._sessions.close()
        self._store.close()

    def _record(
        self, call: HookCall, caller: Caller, chart: Chart, decision: Decision, cards: tuple[str, ...]
    ) -> None:
        if not self._settings.store.records:
            return
        record = record_of(
            chart,
            self._pseudonyms,
            service=call.service,
            today=decision.today,
            pack_revision=decision.pack_revision,
            parameters={name: one.value for name, one in decision.parameters.items()},
            findings=[_recorded(one.finding, one.shown) for one in shown(decision, call.hook)],
            cards=cards,
            hook_instance=call.hook_instance if call.instance_is_uuid else None,
            client=caller.issuer,
            alarms=[alarm.message for alarm in decision.alarms],
        )
        self._store.add_record(record)


def _recorded(finding: Finding, shown_as: str) -> RecordedFinding:
    return RecordedFinding(
        rule=finding.rule,
        conclusion=finding.conclusion,
        indicator=finding.indicator,
        shown=shown_as,
        subject=finding.subject,
    )


def _input(call: HookCall, caller: Caller) -> HookInput:
    return HookInput(
        hook=call.hook,
        patient_id=call.patient_id,
        context=call.context,
        prefetch=call.prefetch,
        fhir_server=call.fhir_server,
        authorization=call.authorization,
        issuer=caller.issuer,
    )
