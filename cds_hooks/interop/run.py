"""One run: load, read, fire, compare, remove; whatever happens in between, what was created is removed."""

from __future__ import annotations

import time
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from datetime import UTC, datetime
from typing import Any

from cds_hooks.hooks import Hook
from cds_hooks.interop.calls import body_of, charted, context_of, hooks_of, prefetch_of
from cds_hooks.interop.clean import clean, count
from cds_hooks.interop.compare import decided_as_expected, rules_of, said_as_decided
from cds_hooks.interop.load import Loaded, Loading, load
from cds_hooks.interop.manifest import Manifest
from cds_hooks.interop.outcome import Check, Examined, Outcome
from cds_hooks.interop.patients import Expected, Subject, marked
from cds_hooks.interop.reader import Reader
from cds_hooks.interop.service import Service
from plugin.advice import advise
from plugin.chart import Chart
from plugin.decision import Decision
from plugin.errors import FhirError, NoData, Stopped
from plugin.probe.asker import Asker
from plugin.pull.owner import Identity, Owner
from plugin.settings import today
from plugin.version import VERSION

Told = Callable[[int, int, str], None]


@dataclass(frozen=True, kw_only=True)
class Means:
    """What a run works with.

    `every_hook`: every hook is fired with and without prefetch; else the one of the patient's story.
    `own_service`: the service runs with our settings, so its words are compared to the letter.
    """

    asker: Asker
    reader: Reader
    service: Service
    told: Told
    every_hook: bool
    own_service: bool


def begun(means: Means, mode: Any, run: str) -> Outcome:
    """Returns the outcome of a run that has not yet done anything."""
    return Outcome(
        run=run,
        base=means.asker.base,
        mode=mode,
        service=means.service.address,
        version=VERSION,
        pack=means.reader.revision,
        today=today(means.reader.settings).isoformat(),
        started=datetime.now(UTC).isoformat(timespec="seconds"),
        dialect=None if means.reader.dialect is None else means.reader.dialect.name,
    )


def write(means: Means, subjects: Sequence[Subject], manifest: Manifest, *, keep: bool) -> Outcome:
    """Returns the outcome of loading, calling and removing; told to stop, it removes what it created."""
    outcome = begun(means, "write", manifest.run)
    outcome.manifest = str(manifest.path)
    outcome.kept = keep
    kinds = sorted({one["resourceType"] for subject in subjects for one in subject.resources})
    loading, started = Loading(), time.monotonic()
    try:
        outcome.before = count(kinds, means.asker)
        hooks = hooks_of(means.service.discovered(), None)
        for place, subject in enumerate(subjects, start=1):
            means.told(place - 1, len(subjects), subject.name)
            outcome.patients.append(_loaded_and_called(means, subject, hooks, manifest, loading))
        means.told(len(subjects), len(subjects), "removing")
    except Stopped:
        outcome.interrupted = True
        outcome.notes.append("stopped by hand")
    finally:
        means.asker.stop.clear()
        if not keep:
            outcome.cleaned = clean(manifest, means.asker, check=False)
    outcome.notes += loading.notes
    outcome.created = loading.created
    try:
        outcome.after = count(kinds, means.asker)
    except Stopped:
        outcome.interrupted = True
        outcome.notes.append("stopped again: what is on the server now was not counted")
    return ended(outcome, means, started)


def ended(outcome: Outcome, means: Means, started: float) -> Outcome:
    """Returns the outcome with what is known at the end."""
    outcome.requests = len(means.asker.journal.entries)
    outcome.waits = means.asker.waits
    outcome.seconds = round(time.monotonic() - started, 1)
    return outcome


def _loaded_and_called(
    means: Means, subject: Subject, hooks: Sequence[tuple[str, Hook]], manifest: Manifest, loading: Loading
) -> Examined:
    started = time.monotonic()
    try:
        loaded = load(marked(subject, manifest.run), means.asker, manifest, loading)
        return _called(means, loaded, hooks, started)
    except (FhirError, NoData) as error:
        check = Check(name="the patient can be loaded and read", verdict="fail", detail=str(error))
        return Examined(name=subject.name, title=subject.title, patient="", checks=(check,))


def _called(means: Means, loaded: Loaded, hooks: Sequence[tuple[str, Hook]], started: float) -> Examined:
    subject, reader = loaded.subject, means.reader
    chart = reader.read(subject.hook, subject.context)
    prefetch = prefetch_of(reader.readings, subject.patient_id)
    decision = reader.decided(chart)
    checks = list(decided_as_expected(loaded, decision, reader.dialect))
    checks += fired(means, subject, chart, decision, prefetch, hooks)
    return examined(subject.name, subject.title, decision, checks, started)


def examined(name: str, title: str, decision: Decision, checks: Iterable[Check], started: float) -> Examined:
    """Returns what was found of one patient."""
    return Examined(
        name=name,
        title=title,
        patient=decision.patient,
        checks=tuple(checks),
        lesions={one.label: one.status for one in decision.lesions},
        patient_status=decision.patient_status,
        rules=rules_of(decision),
        gaps=tuple(f"{one.resource}: {one.reason.value}: {one.detail}" for one in decision.gaps),
        seconds=round(time.monotonic() - started, 2),
    )


def fired(
    means: Means,
    subject: Subject,
    chart: Chart,
    decided: Decision,
    prefetch: Mapping[str, Any],
    hooks: Sequence[tuple[str, Hook]],
) -> Iterator[Check]:
    """Yields a check for every hook that was fired, with and without prefetch."""
    for service, hook in hooks:
        if not means.every_hook and hook.name != subject.hook:
            continue
        context = context_of(subject, hook)
        if context is None:
            continue
        own = hook.name == subject.hook
        decision = decided if own else means.reader.decided(charted(chart, hook, context))
        advices = advise(
            decision,
            hook.advice,
            settings=means.reader.settings,
            language=means.reader.settings.cards.language,
        )
        for way, given in (("from the server", None), ("with prefetch", prefetch)):
            means.asker.go_on()
            body = body_of(hook, context, base=means.asker.base, token=means.reader.token(), prefetch=given)
            called = means.service.call(service, body, f"{subject.name}, {hook.name}, {way}")
            yield said_as_decided(
                f"{hook.name} {way}",
                called,
                advices,
                address=means.service.address,
                to_the_letter=means.own_service,
            )


def read_only(means: Means, patients: Sequence[str], run: str) -> Outcome:
    """Returns the outcome of calling for patients that are there: nothing said may be invented."""
    outcome, started = begun(means, "read-only", run), time.monotonic()
    try:
        hooks = hooks_of(means.service.discovered(), None)
        for place, patient in enumerate(patients, start=1):
            means.told(place - 1, len(patients), f"patient {place}")
            outcome.patients.append(_looked_at(means, patient, hooks))
    except Stopped:
        outcome.interrupted = True
        outcome.notes.append("stopped by hand")
    return ended(outcome, means, started)


def _looked_at(means: Means, patient: str, hooks: Sequence[tuple[str, Hook]]) -> Examined:
    started = time.monotonic()
    context = {"patientId": patient, "userId": "Practitioner/vestige-interop"}
    subject = Subject(
        name=patient,
        title="a patient of the server",
        resources=(),
        hook="patient-view",
        context=context,
        expected=Expected(),
        today=today(means.reader.settings),
    )
    try:
        chart = means.reader.read("patient-view", context)
    except (FhirError, NoData) as error:
        check = Check(name="the patient can be read", verdict="fail", detail=str(error))
        return Examined(name=patient, title=subject.title, patient=patient, checks=(check,))
    prefetch = prefetch_of(means.reader.readings, patient)
    decision = means.reader.decided(chart)
    checks = [cited(decision, means.asker), gaps_shown(decision, means)]
    checks += fired(means, subject, chart, decision, prefetch, hooks)
    return examined(patient, subject.title, decision, checks, started)


def cited(decision: Decision, asker: Asker) -> Check:
    """Checks that every resource a finding or a history rests on is on the server, and this patient's."""
    named = {source for one in decision.findings for source in one.sources}
    named |= {source for one in decision.lesions for entry in one.history for source in entry.sources}
    identity = Identity(decision.patient, asker.base)
    faults = []
    for name in sorted({one.split("/_history/")[0] for one in named}):
        reply = asker.get(name, about="is it there")
        resource = reply.resource if reply.status == 200 else None
        if resource is None:
            faults.append(f"{name} is not there ({reply.fault or f'HTTP {reply.status}'})")
        elif f"{resource['resourceType']}/{resource.get('id')}" != name:
            faults.append(f"{name} is another resource")
        elif identity.owner(resource) not in (Owner.OURS, Owner.SHARED):
            faults.append(f"{name} is not this patient's")
    detail = "; ".join(faults) or f"{len(named)} resources looked up"
    return Check(name="every cited resource is there", verdict="fail" if faults else "pass", detail=detail)


def gaps_shown(decision: Decision, means: Means) -> Check:
    """Checks that a gap that decides is told on a card wherever there are lesions."""
    name = "what was not read is told"
    decisive = [one for one in decision.gaps if one.decisive]
    if not decisive or not decision.lesions:
        return Check(name=name, verdict="pass")
    if advise(decision, "patient-view", settings=means.reader.settings):
        return Check(name=name, verdict="pass", detail=f"{len(decisive)} gaps")
    return Check(name=name, verdict="fail", detail=f"{decisive[0].resource}: {decisive[0].detail}: no card")
