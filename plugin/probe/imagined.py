"""The synthetic patients as a server would give them, by what was found out about it; nothing is written."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import date
from typing import Any
from urllib.parse import parse_qsl

from fhir_profiles import samples
from fhir_profiles.read.element import codings
from fhir_profiles.samples import Sample
from plugin.advice import advise
from plugin.chart import Chart, GapReason
from plugin.decide import decide
from plugin.decision import Decision
from plugin.errors import FhirError
from plugin.probe.examination import Examination, Verdict
from plugin.pull import HookInput, Sessions, pull
from plugin.pull.client import Client
from plugin.pull.queries import path
from plugin.settings import FhirServer, Service, Settings
from rules.evaluate import Evaluator

BASE = "http://localhost/imagined"
NOT_KNOWN = "not known"
_REASONS = {
    Verdict.REFUSED: GapReason.UNSUPPORTED,
    Verdict.IGNORED: GapReason.UNSUPPORTED,
    Verdict.LACKING: GapReason.UNSUPPORTED,
    Verdict.FORBIDDEN: GapReason.FORBIDDEN,
    Verdict.THROTTLED: GapReason.THROTTLED,
    Verdict.FAILED: GapReason.SERVER_ERROR,
}


@dataclass(frozen=True, kw_only=True)
class _World:
    """A server as it was found, holding one patient."""

    examination: Examination
    resources: tuple[Mapping[str, Any], ...]
    patient: str

    def get(self, link: str) -> Mapping[str, Any]:
        """Returns what the server would give for a link, or raises FhirError as its client would."""
        if link == "metadata":
            return self._statement()
        kind, mark, query = link.partition("?")
        return self._search(link, kind, dict(parse_qsl(query))) if mark else self._read(link)

    def _statement(self) -> Mapping[str, Any]:
        if self.examination.statement is None:
            raise FhirError(GapReason.SERVER_ERROR, "there is no CapabilityStatement")
        return self.examination.statement

    def _read(self, link: str) -> Mapping[str, Any]:
        kind = link.partition("/")[0]
        searched = next((one for one in self.examination.searches if one.resource == kind), None)
        if searched is not None and searched.key == "patient" and not searched.works:
            raise FhirError(_REASONS[searched.verdict], searched.detail)
        if searched is not None and searched.readable is False:
            raise FhirError(GapReason.NOT_FOUND, "the server does not have it (HTTP 404)")
        found = next((one for one in self.resources if f"{one['resourceType']}/{one['id']}" == link), None)
        if found is None:
            raise FhirError(GapReason.NOT_FOUND, "the server does not have it (HTTP 404)")
        return found

    def _search(self, link: str, kind: str, asked: Mapping[str, str]) -> Mapping[str, Any]:
        plain = link.rpartition("&_count=")[0] or link
        for searched in self.examination.searches:
            for attempt in searched.attempts:
                if path(attempt.template, self.patient) == plain:
                    if attempt.verdict is not Verdict.SUPPORTED:
                        raise FhirError(_REASONS[attempt.verdict], attempt.detail)
                    return _searchset([one for one in self.resources if _matches(one, kind, asked)])
        raise FhirError(GapReason.UNSUPPORTED, "the server refused the search")


@dataclass(frozen=True, kw_only=True)
class _ImaginedClient(Client):
    world: _World = field(repr=False)

    def get(self, link: str) -> Mapping[str, Any]:
        """Returns what the imagined server gives."""
        return self.world.get(link)


@dataclass(frozen=True, kw_only=True)
class Imagined:
    """One synthetic patient: decided with everything read, and as this server would give it."""

    sample: Sample
    whole: Decision
    here: Decision
    cards: tuple[str, ...]
    """The sentences of the cards that would be shown here and not with everything read."""

    @property
    def changes(self) -> tuple[tuple[str, str, str], ...]:
        """(lesion, status with everything read, status here) for every lesion that differs."""
        labels = {one.id: one.label for one in (*self.here.lesions, *self.whole.lesions)}
        before = {one.id: one.status for one in self.whole.lesions}
        after = {one.id: one.status for one in self.here.lesions}
        return tuple(
            (labels[own], before.get(own, NOT_KNOWN), after.get(own, NOT_KNOWN))
            for own in sorted(labels)
            if before.get(own) != after.get(own)
        )

    @property
    def silenced(self) -> tuple[str, ...]:
        """The rules that would no longer speak."""
        return tuple(sorted(_speaking(self.whole) - _speaking(self.here)))

    @property
    def instead(self) -> tuple[str, ...]:
        """The rules that would speak instead."""
        return tuple(sorted(_speaking(self.here) - _speaking(self.whole)))


def imagine(examination: Examination, evaluator: Evaluator, today: date) -> tuple[Imagined, ...]:
    """Returns every synthetic patient as the server that was examined would have him decided."""
    return tuple(
        _imagined(samples.sample(name, today), examination, evaluator, today) for name in samples.names()
    )


def _imagined(found: Sample, examination: Examination, evaluator: Evaluator, today: date) -> Imagined:
    resources = tuple(entry["resource"] for entry in found.bundle["entry"])
    here = _pulled(found, examination, resources)
    whole = Chart(
        patient_id=here.patient_id,
        resources=resources,
        drafts=here.drafts,
        draft_tokens=here.draft_tokens,
        selections=here.selections,
        hook=here.hook,
    )
    settings, hook = Settings(), found.hook["hook"]
    full = decide(whole, evaluator, today=today, settings=settings)
    less = decide(here, evaluator, today=today, settings=settings)
    known = {one.summary for one in advise(full, hook, settings=settings)}
    cards = tuple(one.summary for one in advise(less, hook, settings=settings) if one.summary not in known)
    return Imagined(sample=found, whole=full, here=less, cards=cards)


def _pulled(found: Sample, examination: Examination, resources: tuple[Mapping[str, Any], ...]) -> Chart:
    context = found.hook["context"]
    world = _World(examination=examination, resources=resources, patient=context["patientId"])
    server = FhirServer(base=BASE, open=True)
    settings = Settings(service=Service(open=True)).with_fhir_servers((BASE,))
    sessions = Sessions(settings, clients=lambda **fields: _ImaginedClient(world=world, **fields))
    try:
        sessions.server(settings.fhir.servers[0]).learn_now(None)
        call = HookInput(
            hook=found.hook["hook"],
            patient_id=context["patientId"],
            context=context,
            fhir_server=server.base,
        )
        return pull(call, settings, sessions)
    finally:
        sessions.close()


def _matches(one: Mapping[str, Any], kind: str, asked: Mapping[str, str]) -> bool:
    if one["resourceType"] != kind:
        return False
    return all(
        {value.rpartition("|")[2] for value in asked[name].split(",")} & _codes(one.get(name))
        for name in ("category", "code")
        if name in asked
    )


def _codes(value: Any) -> set[str]:
    concepts = value if isinstance(value, list) else [value]
    return {code for concept in concepts if concept for _, code in codings(concept)}


def _searchset(found: list[Mapping[str, Any]]) -> Mapping[str, Any]:
    entries = [{"resource": one, "search": {"mode": "match"}} for one in found]
    return {"resourceType": "Bundle", "type": "searchset", "total": len(found), "entry": entries}


def _speaking(decision: Decision) -> set[str]:
    return {one.rule for one in decision.findings if one.status == "active"}
