"""The use case behind the protocol: pull, decide, advise, record."""

from __future__ import annotations

import gc
import time
from collections.abc import Mapping, Sequence
from datetime import UTC, date, datetime
from functools import partial

import msgspec

from cds_hooks.answer import Answer, Sent
from cds_hooks.call import HookCall
from cds_hooks.counted import counted
from cds_hooks.kept import Kept
from cds_hooks.memory import Lost, Memory
from cds_hooks.repeats import Decided, Repeats, digest
from cds_hooks.rulebook import Rulebook, revision_of
from cds_hooks.trust import Caller
from plugin.advice import advise, shown
from plugin.advice.memory import answered
from plugin.chart import Chart
from plugin.decide import decide
from plugin.decision import Decision, Shown
from plugin.errors import StoreError
from plugin.pull import PREFETCH, QUERIES, HookInput, Sessions, pull
from plugin.ready import ready
from plugin.record import Entry, Record, RecordedAnswer, RecordedFinding, change_record, record_of
from plugin.recorder import Recording
from plugin.rows import FeedbackItem
from plugin.sent import SentCard, SentRule
from plugin.settings import Settings, today
from plugin.settings_changes import marks
from plugin.spans import span
from rules.evaluation import Alarm
from rules.facts import Fact, Value

START_SECONDS = 30.0


class UseCase:
    """Answers hook calls with the site's rule pack; safe to use from several threads.

    It is one revision of settings and rules, and never changes; `kept` outlives it where it is given.
    """

    def __init__(self, settings: Settings, kept: Kept | None = None) -> None:
        self._settings = settings
        found = marks(settings)
        self._rulebook = Rulebook(settings)
        self._evaluator = self._rulebook.evaluator
        self._sessions = Sessions(settings)
        self._own = Kept(settings) if kept is None else None
        self._kept = self._own or kept
        assert self._kept is not None
        self._store, self._recorder = self._kept.store, self._kept.recorder
        self._pseudonyms = self._kept.pseudonyms
        pack = self._evaluator.pack
        self._memory = Memory(self._store, self._pseudonyms, pack, settings)
        self._parameters = {name: one.value for name, one in pack.parameters.items()}
        self._repeats = Repeats(settings.service.repeat_seconds)
        self._states = {one.id: one.status for one in pack.statements.values() if one.status != "active"}
        self.marks = {**found, **self._kept.marks, "rules.pack": revision_of(pack)}
        self._digest = self._pseudonyms.content(self.marks)
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
        settings, started = self._settings, time.perf_counter()
        self._recorder.require()
        remembered = self._memory.ask(call, caller)
        with span("pull") as told:
            chart = pull(_input(call, caller), settings, self._sessions)
            memory = remembered()
            told.tell(resources=len(chart.resources), gaps=len(chart.gaps), answers=len(memory.answers))
        pulled = time.perf_counter()
        day = today(settings)
        key = digest(chart, call.shown_as, day, memory.answers)
        found = self._repeats.find(key)
        if found is None:
            decided, times = self._decide(call, chart, day, memory.answers)
            self._repeats.keep(key, decided)
        else:
            decided, times = found.again(), _milliseconds(recall=time.perf_counter() - pulled)
        times = {**chart.milliseconds, **times, **_milliseconds(pull=pulled - started)}
        alarms: tuple[Alarm | Lost, ...] = (*decided.alarms, *memory.alarms)
        record = partial(self._record, call, caller, decided, alarms, times)
        return Answer(
            advices=decided.advices,
            gaps=decided.gaps,
            alarms=tuple(alarm.kind for alarm in alarms),
            counted=decided.counted,
            record=record,
            late=partial(record, (), outcome="late"),
        )

    def _decide(
        self, call: HookCall, chart: Chart, day: date, answers: tuple[Fact, ...]
    ) -> tuple[Decided, dict[str, float]]:
        """Decides on a chart and writes the cards of a hook; says how many milliseconds each took."""
        settings, started = self._settings, time.perf_counter()
        decision = decide(chart, self._evaluator, today=day, settings=settings, answers=answers)
        decided = time.perf_counter()
        with span("advise"):
            advices = advise(decision, call.shown_as, settings=settings, language=settings.cards.language)
        times = _milliseconds(decide=decided - started, advise=time.perf_counter() - decided)
        seen = shown(decision, call.shown_as)
        made = Decided(
            advices=advices,
            gaps=len(decision.gaps),
            alarms=decision.alarms,
            counted=counted(decision, chart, seen, settings),
            record=self._recordable(call, chart, decision, seen) if settings.store.records else None,
        )
        return made, times

    @property
    def turns(self) -> int:
        """One; a worker process of the engine has a processor of its own."""
        rules = self._settings.rules
        return 1 + (rules.engine_workers if rules.engine == "pool" else 0)

    def look(self, asked: HookInput) -> tuple[Chart, Decision]:
        """Returns what is read and decided for a person who looks at the record; raises NoData (412)."""
        chart = pull(asked, self._settings, self._sessions)
        return chart, self.decided(chart)

    def decided(self, chart: Chart) -> Decision:
        """Returns what is decided on a chart today."""
        return decide(chart, self._evaluator, today=today(self._settings), settings=self._settings)

    def store_feedback(self, items: Sequence[FeedbackItem]) -> None:
        """Keeps feedback in the site's store."""
        self._store.add_feedback(items)

    def missing(self) -> str | None:
        """Returns what is wrong with the store, or None."""
        try:
            self._recorder.require()
            self._store.check()
        except StoreError as error:
            return str(error)
        return None

    @property
    def recording(self) -> Recording | None:
        """How the decision records and sent cards stand that are on their way to the database."""
        return self._recorder.state()

    @property
    def both_engines(self) -> bool:
        """Whether durable_rules answers beside the second evaluation; not while a worker starts anew."""
        return self._evaluator.wait(0)

    def note_change(self, outcome: str, keys: Sequence[str], alarms: Sequence[str] = ()) -> None:
        """Records a change of settings or rules, or that one was refused: what is in force, and the keys."""
        if not self._settings.store.records:
            return
        pack = self._evaluator.pack
        record = change_record(
            pack_revision=pack.revision,
            parameters=self._parameters,
            states=self._states,
            settings=self._digest,
            today=today(self._settings),
            outcome=outcome,
            changed=keys,
            alarms=alarms,
        )
        self._recorder.keep(Entry(record=record))

    def retire(self) -> None:
        """Ends the rule engine and closes what this revision alone has."""
        self._rulebook.close()
        self._memory.close()
        self._sessions.close()

    def close(self) -> None:
        """Ends the rule engine and closes every connection."""
        self.retire()
        if self._own is not None:
            self._own.close()

    def _recordable(self, call: HookCall, chart: Chart, decision: Decision, seen: Sequence[Shown]) -> Record:
        """Returns what is recorded of a decision, whoever asked for it."""
        held = answered(decision).items()
        return record_of(
            chart,
            self._pseudonyms,
            service=call.service,
            today=decision.today,
            pack_revision=decision.pack_revision,
            parameters=self._parameters,
            findings=[_recorded(one) for one in seen],
            cards=(),
            states=self._states,
            settings=self._digest,
            answers=[_answer(rule, one) for rule, given in held for one in given],
        )

    def _record(
        self,
        call: HookCall,
        caller: Caller,
        decided: Decided,
        alarms: Sequence[Alarm | Lost],
        milliseconds: dict[str, float],
        cards: tuple[Sent, ...],
        outcome: str = "answered",
    ) -> None:
        settings, patient = self._settings, self._memory.patient(call, caller)
        sent = partial(_sent_card, call=call, caller=caller, patient=patient, revision=self.revision)
        if decided.record is None:
            if settings.cards.remember_answers and cards:
                self._recorder.keep(Entry(sent=tuple(sent(one) for one in cards)))
            return
        record = msgspec.structs.replace(
            decided.record,
            service=call.service,
            hook_instance=call.hook_instance if call.instance_is_uuid else None,
            client=caller.issuer,
            cards=tuple(one.uuid for one in cards),
            alarms=tuple(alarm.message for alarm in alarms),
            milliseconds=milliseconds,
            outcome=outcome,
        )
        self._recorder.keep(Entry(record=record, sent=tuple(sent(one, record=record.id) for one in cards)))


def _milliseconds(**seconds: float) -> dict[str, float]:
    return {name: round(value * 1000, 3) for name, value in seconds.items()}


def _recorded(each: Shown) -> RecordedFinding:
    finding = each.finding
    return RecordedFinding(
        rule=finding.rule,
        conclusion=finding.conclusion,
        indicator=finding.indicator,
        shown=each.shown,
        subject=finding.subject,
        hidden_by=each.hidden_by,
    )


def _answer(rule: str, values: Mapping[str, Value]) -> RecordedAnswer:
    named = {name: values[name] for name in ("digest", "outcome", "reason", "day")}
    return msgspec.convert({**named, "rule": rule, "card": values["id"]}, RecordedAnswer)


def _sent_card(
    one: Sent, *, call: HookCall, caller: Caller, patient: str, revision: str, record: str | None = None
) -> SentCard:
    digests = dict(one.advice.digests)
    return SentCard(
        card=one.uuid,
        made=datetime.now(UTC),
        service=call.service,
        patient=patient,
        family=one.advice.family,
        indicator=one.advice.indicator,
        pack_revision=revision,
        rules=tuple(SentRule(rule=rule, digest=digests.get(rule)) for rule in one.advice.rules),
        suggestions=one.suggestions,
        client=caller.issuer,
        tenant=caller.tenant,
        record=record,
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
        seconds=call.seconds,
    )


ready(RecordedAnswer)
