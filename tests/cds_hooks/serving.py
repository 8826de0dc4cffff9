"""A service on a real socket, and a use case that says what a test wants it to say."""

import contextlib
import threading
import time
from collections.abc import Iterator, Sequence
from dataclasses import dataclass, field
from typing import Any

import requests
import uvicorn
from starlette.types import ASGIApp

from cds_hooks.answer import Answer, Sent
from cds_hooks.call import HookCall
from cds_hooks.server import listen, port_of
from cds_hooks.trust import Caller
from plugin.decision import Advice, OverrideReason, Suggestion
from plugin.errors import StoreError
from plugin.pull.queries import PREFETCH
from plugin.recorder import Recording
from plugin.rows import FeedbackItem
from plugin.settings import Service, Settings

ORIGIN = "http://ehr.example"

DRAFT = {
    "resourceType": "ServiceRequest",
    "status": "draft",
    "intent": "proposal",
    "code": {"coding": [{"system": "http://loinc.org", "code": "30706-6"}]},
    "subject": {"reference": "Patient/p1"},
}
SUGGESTION = Suggestion(label="Order ultrasound", description="Order it", resource=DRAFT, recommended=True)
REASON = OverrideReason(code="need-more-info", display="Needs more information", system="urn:example:reasons")


def advice(**changes: Any) -> Advice:
    values: dict[str, Any] = {
        "family": "F1",
        "indicator": "warning",
        "summary": "Lesion L1 is not confirmed as gone",
        "detail": "| a | b |\n|---|---|\n| 1 | 2 |",
        "rules": ("DA-10",),
        "subjects": ("L1",),
        "topic": "F1DA10",
        "suggestions": (SUGGESTION,),
        "override_reasons": (REASON,),
        "sources": ("Observation/o1",),
    }
    return Advice(**{**values, **changes})


@dataclass
class Said:
    """Stands where the use case stands: answers with `advices`, or raises `error`, after `seconds`."""

    advices: tuple[Advice, ...] = ()
    alarms: tuple[str, ...] = ()
    error: Exception | None = None
    seconds: float = 0.0
    revision: str = "abc123"
    prefetch: Any = field(default_factory=lambda: PREFETCH)
    decisive: Sequence[str] = ("imaging",)
    calls: list[tuple[HookCall, Caller]] = field(default_factory=list)
    feedback: list[FeedbackItem] = field(default_factory=list)
    recorded: list[tuple[str, ...]] = field(default_factory=list)
    store_error: StoreError | None = None
    closed: bool = False

    def __call__(self, call: HookCall, caller: Caller) -> Answer:
        self.calls.append((call, caller))
        time.sleep(self.seconds)
        if self.error is not None:
            raise self.error
        return Answer(advices=self.advices, alarms=self.alarms, record=self.record)

    def record(self, cards: tuple[Sent, ...]) -> None:
        if self.store_error is not None:
            raise self.store_error
        self.recorded.append(tuple(card.uuid for card in cards))

    def store_feedback(self, items: Sequence[FeedbackItem]) -> None:
        if self.store_error is not None:
            raise self.store_error
        self.feedback.extend(items)

    @property
    def turns(self) -> int | None:
        return None

    def close(self) -> None:
        self.closed = True

    def missing(self) -> str | None:
        if self.store_error is not None:
            return str(self.store_error)
        return None

    @property
    def both_engines(self) -> bool:
        return not self.alarms

    @property
    def recording(self) -> Recording | None:
        return None


def open_settings(**service: Any) -> Settings:
    return Settings(service=Service(**{"open": True, "cors_origins": (ORIGIN,), **service}))


@contextlib.contextmanager
def served(app: ASGIApp, port: int = 0) -> Iterator[str]:
    """Yields the address of the application, answering on a port of loopback (0: a free one)."""
    bound = listen("127.0.0.1", port)
    server = uvicorn.Server(
        uvicorn.Config(app, log_config=None, access_log=False, timeout_graceful_shutdown=1)
    )
    thread = threading.Thread(target=server.run, kwargs={"sockets": [bound]}, daemon=True)
    thread.start()
    try:
        while not server.started:
            assert thread.is_alive(), "the server did not start"
            time.sleep(0.01)
        yield f"http://127.0.0.1:{port_of(bound)}"
    finally:
        server.should_exit = True
        thread.join(10)
        bound.close()


def free_port() -> int:
    """Returns a port of loopback that nobody listened on a moment ago."""
    held = listen("127.0.0.1", 0)
    port = port_of(held)
    held.close()
    return port


def body(hook: str = "patient-view", **changes: Any) -> dict[str, Any]:
    """Returns a complete call of one hook; a change to None takes the member away."""
    context: dict[str, Any] = {"userId": "Practitioner/u1", "patientId": "p1"}
    bundle = {"resourceType": "Bundle", "entry": [{"resource": {**DRAFT, "id": "d1"}}]}
    if hook in ("order-select", "order-sign"):
        context["draftOrders"] = bundle
    if hook == "order-select":
        context["selections"] = ["ServiceRequest/d1"]
    if hook == "appointment-book":
        context["appointments"] = {"resourceType": "Bundle", "entry": []}
    if hook == "order-dispatch":
        context = {
            "patientId": "p1",
            "dispatchedOrders": ["ServiceRequest/d1"],
            "performer": "Organization/o1",
        }
    if hook in ("encounter-start", "encounter-discharge"):
        context["encounterId"] = "e1"
    made = {
        "hook": hook,
        "hookInstance": "d1577c69-dfbe-44ad-ba6d-3e05e953b2ea",
        "context": context,
        **changes,
    }
    return {name: value for name, value in made.items() if value is not None}


def post(address: str, document: Any, **headers: str) -> requests.Response:
    kind = {"Content-Type": "application/json", **headers}
    data = document if isinstance(document, bytes) else None
    return requests.post(
        address, data=data, json=None if data is not None else document, headers=kind, timeout=20
    )
