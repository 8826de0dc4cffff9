"""The desk behind the routes: everything that is done for a request off the event loop."""

from __future__ import annotations

import time
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from functools import partial

from cds_hooks import log
from cds_hooks.about import about
from cds_hooks.answer import Answer, Answerer
from cds_hooks.call import read_call
from cds_hooks.cards import late_card, response
from cds_hooks.discovery import Discovery, discovery, usage_requirements
from cds_hooks.feedback import read_feedback
from cds_hooks.metrics import Metrics
from cds_hooks.services import Service
from cds_hooks.trust import Caller, Gate
from cds_hooks.wire import render
from plugin.errors import CallError, SettingsError, StoreError
from plugin.settings import Settings


def _nothing() -> None:
    """Does nothing."""


@dataclass(frozen=True)
class Reply:
    """The body of a reply, and what is left to do once it was sent."""

    body: bytes
    afterwards: Callable[[], None] = _nothing


class Desk:
    """One site's service: settings, trust, answerer, store and counts; used from several threads."""

    def __init__(self, settings: Settings, answerer: Answerer) -> None:
        self.settings = settings
        self.base = public_base(settings)
        self.gate = Gate(settings)
        self.metrics = Metrics()
        self.last_alarm: float | None = None
        self.answerer = answerer
        self.discovery: Discovery = discovery(
            answerer.prefetch, answerer.decisive, revision=answerer.revision
        )
        self.about = about(answerer.prefetch, usage_requirements(answerer.decisive, answerer.revision))

    @property
    def revision(self) -> str:
        """The revision of the rule pack that answers."""
        return self.answerer.revision

    def caller(self, authorization: Sequence[str], paths: Sequence[str]) -> Caller:
        """Returns who calls one of these addresses below `/cds-services`, or raises CallError (401)."""
        try:
            return self.gate.caller(authorization, [f"{self.base}/cds-services{path}" for path in paths])
        except CallError:
            self.metrics.count("vestige_refused_total")
            raise

    def call(self, service: Service, body: bytes, authorization: Sequence[str]) -> Reply:
        """Returns the reply to one hook call; raises CallError where it cannot be answered."""
        started = time.perf_counter()
        caller = self.caller(authorization, (f"/{service.id}",))
        call = read_call(body, service)
        answer = self.answerer(call, caller)
        document = response(answer.advices, profile=caller.profile, source_url=self.base)
        reply = render(document)
        self._count(service, [advice.indicator for advice in answer.advices])
        self.metrics.took(service.id, time.perf_counter() - started)
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
        return Reply(reply, partial(self._record, answer, tuple(card["uuid"] for card in document["cards"])))

    def late(self, service: Service) -> Reply:
        """Returns the reply to a call whose deadline passed: one card that says nothing was assessed."""
        log.log.error("late service=%s", service.id)
        self.metrics.count("vestige_late_total")
        card = late_card(self.settings.service.hook_deadline, source_url=self.base)
        self._count(service, [card["indicator"]])
        return Reply(render({"cards": [card]}))

    def feedback(self, service: Service, body: bytes, authorization: Sequence[str]) -> None:
        """Stores one feedback body whole, or raises CallError and stores nothing."""
        path = f"/{service.id}"
        caller = self.caller(authorization, (f"{path}/feedback", path))
        comments = self.settings.store.keep_comments
        items = read_feedback(body, service=service.id, client=caller.issuer, comments=comments)
        self.answerer.store_feedback(items)
        for item in items:
            self.metrics.count("vestige_feedback_total", service=service.id, outcome=item.outcome)

    def missing(self) -> str | None:
        """Returns None when calls can be answered, else what is missing."""
        return self.answerer.missing()

    def _record(self, answer: Answer, cards: tuple[str, ...]) -> None:
        """Records an answer that is on its way; a full disk must not keep a card from its reader."""
        try:
            answer.record(cards)
        except StoreError as error:
            log.fault(error, "record")
            self.metrics.count("vestige_records_lost_total")

    def _count(self, service: Service, indicators: Sequence[str]) -> None:
        self.metrics.count("vestige_calls_total", service=service.id, status="200")
        for indicator in indicators:
            self.metrics.count("vestige_cards_total", service=service.id, indicator=indicator)


def public_base(settings: Settings) -> str:
    """Returns the address at which clients reach the service, without a trailing slash.

    With authentication it must be configured: the audience of a token is never taken from the Host header.
    """
    service = settings.service
    if service.public_url is not None:
        if not service.public_url.startswith(("https://", "http://")):
            raise SettingsError("service.public_url must be an http or https address")
        return service.public_url.rstrip("/")
    if not service.open:
        raise SettingsError("service.public_url is missing: it is the audience that tokens must name")
    host = f"[{service.host}]" if ":" in service.host else service.host
    return f"http://{host}:{service.port}"
