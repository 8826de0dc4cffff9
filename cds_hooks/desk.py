"""The desk behind the routes: everything that is done for a request off the event loop."""

from __future__ import annotations

import threading
import time
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, replace
from functools import cached_property, partial
from typing import TYPE_CHECKING, Any

import msgspec

from cds_hooks import log
from cds_hooks.about import about
from cds_hooks.answer import Answerer, Sent
from cds_hooks.call import read_call
from cds_hooks.cards import late_card, response
from cds_hooks.discovery import Discovery, discovery, usage_requirements
from cds_hooks.feedback import read_feedback
from cds_hooks.in_use import InUse
from cds_hooks.metrics import Metrics
from cds_hooks.model import HookResponse, encoded
from cds_hooks.openapi import openapi
from cds_hooks.services import Service, services_of
from cds_hooks.trust import Caller, Gate, Proof
from plugin.address import AddressError, service_address
from plugin.errors import CallError, SettingsError, StoreError
from plugin.settings import Settings
from plugin.spans import span
from plugin.turns import waiting

if TYPE_CHECKING:
    from cds_hooks.timeline_page.page import Page
    from plugin.decision import Advice


# The part of the deadline in which the record is read; what is left is for deciding on what was read by then.
READING = 0.75


@dataclass(frozen=True)
class Reply:
    """The body of a reply."""

    body: bytes


class Turn:
    """Decides between an answer and its deadline: whoever takes the turn first, answers."""

    def __init__(self) -> None:
        self._taken = threading.Lock()

    def take(self) -> bool:
        """Returns True to the first who asks."""
        return self._taken.acquire(blocking=False)


class Reloads:
    """The last reload: since when settings are refused, and which keys wait for a restart."""

    def __init__(self) -> None:
        self.refused: float | None = None
        self.waiting: tuple[str, ...] = ()

    def state(self) -> dict[str, Any]:
        """Returns what readiness says of it: nothing where all is as on disk."""
        said: dict[str, Any] = {}
        if self.refused is not None:
            said = {"settingsRefused": True, "secondsSinceRefused": round(time.time() - self.refused)}
        return {**said, "waitingForRestart": list(self.waiting)} if self.waiting else said


class Desk:
    """One site's service: settings, trust, answerer, store and counts; used from several threads.

    Its settings and rules never change: another desk takes its place, and has from the one `before` what was
    counted, which tokens were used, and who is on the timeline page.
    """

    def __init__(self, settings: Settings, answerer: Answerer, before: Desk | None = None) -> None:
        self.settings = settings
        self.base = public_base(settings)
        self.gate: Gate = Gate(settings) if before is None else before.gate.renewed(settings)
        self.metrics: Metrics = Metrics() if before is None else before.metrics
        self.last_alarm: float | None = None if before is None else before.last_alarm
        self.reloads: Reloads = Reloads() if before is None else before.reloads
        self.page: Page | None = None if before is None else before.page
        self.in_use = InUse()
        self.answerer = answerer
        self.services = services_of(settings)
        offered = tuple(self.services.values())
        self.discovery: Discovery = discovery(
            answerer.prefetch, answerer.decisive, revision=answerer.revision, services=offered
        )
        requirements = usage_requirements(answerer.decisive, answerer.revision)
        self.about = about(answerer.prefetch, requirements, offered)

    @property
    def revision(self) -> str:
        """The revision of the rule pack that answers."""
        return self.answerer.revision

    @cached_property
    def openapi(self) -> bytes:
        """The OpenAPI document of what is served, made when it is first asked for."""
        document = openapi(
            self.services.values(), base=self.base, authenticated=not self.settings.service.open
        )
        return msgspec.json.encode(document)

    def prove(self, authorization: Sequence[str], paths: Sequence[str]) -> Proof:
        """Returns what the headers prove of who calls one of these addresses, or raises CallError (401)."""
        try:
            return self.gate.proven(authorization, [f"{self.base}/cds-services{path}" for path in paths])
        except CallError:
            self.metrics.count("vestige_refused_total")
            raise

    def admit(self, proof: Proof) -> Caller:
        """Returns the proven caller, whose token is now used; raises CallError (401) where it was before."""
        try:
            return self.gate.admitted(proof)
        except CallError:
            self.metrics.count("vestige_refused_total")
            raise

    def call(
        self,
        service: Service,
        body: bytes,
        proof: Proof,
        arrived: float | None = None,
        turn: Turn | None = None,
    ) -> Reply:
        """Returns the reply to one hook call, recorded; raises CallError where it cannot be answered.

        `arrived` is when the call was taken in (time.monotonic); what was waited since is no longer there to
        read the record in. Where somebody else took the `turn`, the reply goes nowhere: recorded as late.
        """
        # Held here too: work that is late goes on when its request has long been answered.
        with self.in_use, span("call", service=service.id, rules=self.revision):
            return self._call(service, body, proof, arrived, turn)

    def _call(
        self,
        service: Service,
        body: bytes,
        proof: Proof,
        arrived: float | None,
        turn: Turn | None,
    ) -> Reply:
        waited = 0.0 if arrived is None else time.monotonic() - arrived
        started = time.perf_counter() - waited
        # A token is put down as used.
        with waiting():
            caller = self.admit(proof)
        call = replace(read_call(body, service), seconds=self._reading_seconds(arrived))
        answer = self.answerer(call, caller)
        document = response(
            answer.advices,
            profile=caller.profile,
            source_url=self.base,
            links=self.settings.cards.links,
            timeline=f"{self.base}/timeline/launch" if self.settings.page.enabled else None,
        )
        reply = encoded(document, HookResponse)
        if turn is not None and not turn.take():
            self._record(answer.late)
            return Reply(reply)
        self._record(partial(answer.record, sent(answer.advices, document["cards"])))
        self._count(service, [advice.indicator for advice in answer.advices])
        self.metrics.took(service.id, time.perf_counter() - started)
        self.metrics.decided(answer.counted)
        for kind in answer.alarms:
            self.metrics.count("vestige_alarms_total", kind=kind)
        if answer.alarms:
            self.last_alarm = time.time()
        log.call_line(
            service=service.id,
            instance=call.hook_instance if call.instance_is_uuid else "not-a-uuid",
            client=caller.issuer or "open",
            rules=self.revision,
            cards=len(answer.advices),
            gaps=answer.gaps,
            alarms=len(answer.alarms),
            milliseconds=round((time.perf_counter() - started) * 1000),
        )
        return Reply(reply)

    def _reading_seconds(self, arrived: float | None) -> float:
        waited = 0.0 if arrived is None else time.monotonic() - arrived
        return READING * self.settings.service.hook_deadline - waited

    def late(self, service: Service) -> Reply:
        """Returns the reply to a call whose deadline passed: one card that says nothing was assessed."""
        log.log.error("late service=%s", service.id)
        self.metrics.count("vestige_late_total")
        card = late_card(self.settings.service.hook_deadline, source_url=self.base)
        self._count(service, [card["indicator"]])
        return Reply(encoded({"cards": [card]}, HookResponse))

    def feedback(self, service: Service, body: bytes, proof: Proof) -> None:
        """Stores one feedback body whole, or raises CallError and stores nothing."""
        with waiting():
            caller = self.admit(proof)
        comments = self.settings.store.keep_comments
        items = read_feedback(body, service=service.id, caller=caller, comments=comments)
        with waiting():
            self.answerer.store_feedback(items)
        for item in items:
            self.metrics.count("vestige_feedback_total", service=service.id, outcome=item.outcome)

    def metrics_text(self) -> bytes:
        """Returns every count in the Prometheus text format, with how the records stand now."""
        recording = self.answerer.recording
        if recording is not None:
            self.metrics.set_recording(recording)
        return self.metrics.text()

    def missing(self) -> str | None:
        """Returns None when calls can be answered, else what is missing."""
        return self.answerer.missing() or self.gate.missing()

    def _record(self, record: Callable[[], None]) -> None:
        """Records an answer; a full disk keeps no card from its reader unless the settings say so."""
        try:
            with span("record"):
                record()
        except StoreError as error:
            log.fault(error, "record")
            self.metrics.count("vestige_records_lost_total")
            self.last_alarm = time.time()
            if self.settings.store.on_failure == "refuse":
                raise

    def _count(self, service: Service, indicators: Sequence[str]) -> None:
        self.metrics.count("vestige_calls_total", service=service.id, status="200")
        for indicator in indicators:
            self.metrics.count("vestige_cards_total", service=service.id, indicator=indicator)


def sent(advices: Sequence[Advice], cards: Sequence[Mapping[str, Any]]) -> tuple[Sent, ...]:
    """Returns each advice with the uuids that its card and its suggestions left with."""
    return tuple(
        Sent(
            advice=advice,
            uuid=card["uuid"],
            suggestions=tuple(one["uuid"] for one in card.get("suggestions") or ()),
        )
        for advice, card in zip(advices, cards, strict=True)
    )


def public_base(settings: Settings) -> str:
    """Returns the address at which clients reach the service, without a trailing slash.

    With authentication it must be configured: the audience of a token is never taken from the Host header.
    """
    service = settings.service
    if service.public_url is not None:
        try:
            return service_address(service.public_url)
        except AddressError as error:
            raise SettingsError(f"service.public_url: cannot be used: {error}") from error
    if not service.open:
        raise SettingsError("service.public_url is missing: it is the audience that tokens must name")
    host = f"[{service.host}]" if ":" in service.host else service.host
    return f"http://{host}:{service.port}"
