"""Our own service behind a layer that breaks one requirement at a time.

What it can break stands in `tests/servers/mutations.py`: each mutation names the check that has to find it.
"""

from __future__ import annotations

import dataclasses
import json
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import jwt
import requests
from starlette.concurrency import run_in_threadpool
from starlette.types import ASGIApp, Message, Receive, Scope, Send

from cds_hooks.answer import Answer as Answered
from cds_hooks.app import create_app
from cds_hooks.call import HookCall
from cds_hooks.trust import Caller
from plugin.errors import NoData
from plugin.settings import Issuer, Service, Settings, Trust
from tests.cds_hooks.jwts import Client, elliptic, key_file
from tests.cds_hooks.serving import DRAFT, ORIGIN, SUGGESTION, Said, advice, free_port, served

FIRST = "/cds-services/crlm-lesion-review"
KEPT = ("patient-view", "order-select", "order-sign")
PREFETCH = {
    "patient": "Patient/{{context.patientId}}",
    "conditions": "Condition?patient={{context.patientId}}",
}


class Reader(Said):
    """A use case that counts what it was given, and refuses what it cannot read or what is another patient's.

    What was not prefetched is asked of the one FHIR server that is allowed. `fault` is what it does wrong there.
    """

    allowed = ""
    fault = ""

    def __call__(self, call: HookCall, caller: Caller) -> Answered:
        held = {**self.fetched(call), **(call.prefetch or {})}
        if not held:
            raise NoData("nothing was prefetched")
        found = [one for value in held.values() for one in resources(value)]
        if any(call.patient_id not in json.dumps(one) for one in found if one["resourceType"] != "Basic"):
            raise NoData("another patient's")
        draft = {**DRAFT, "subject": {"reference": f"Patient/{call.patient_id}"}}
        count = sum(one["resourceType"] != "Basic" for one in found)
        if self.fault == "counts twice" and not call.prefetch:
            count *= 2
        suggested = dataclasses.replace(SUGGESTION, resource=draft)
        said = advice(summary=f"{count} resources of {call.patient_id}", suggestions=(suggested,))
        return Answered(advices=(said,), record=self.record)

    def fetched(self, call: HookCall) -> dict[str, Any]:
        """What the FHIR server holds for the keys that did not come."""
        keys = [key for key in PREFETCH if key not in (call.prefetch or {}) or self.fault == "asks for all"]
        access = call.authorization or {}
        usable = access.get("token_type") == "Bearer" or self.fault == "any type"
        usable = usable and (access.get("expires_in", 0) > 0 or self.fault == "any time")
        if call.fhir_server != self.allowed or not usable or self.fault == "prefetch only":
            return {}
        return {key: self.asked(call, PREFETCH[key], access["access_token"]) for key in keys}

    def asked(self, call: HookCall, template: str, token: str) -> Any:
        address = f"{self.allowed}/{template.replace('{{context.patientId}}', call.patient_id)}"
        headers = {} if self.fault == "no token" else {"Authorization": f"Bearer {token}"}
        answer = requests.get(address, headers=headers, timeout=60)
        if answer.status_code == 200:
            return answer.json()
        if self.fault == "crashes":
            raise RuntimeError("the FHIR server failed")
        raise NoData("the FHIR server failed")


def resources(held: Any) -> list[dict[str, Any]]:
    if held is None:
        return []
    if not isinstance(held, dict) or held.get("resourceType") == "OperationOutcome":
        raise NoData("unreadable")
    if held.get("resourceType") != "Bundle":
        return [held]
    found = [entry["resource"] for entry in held.get("entry", [])]
    return [one for one in found if one["resourceType"] != "OperationOutcome"]


@dataclass
class Exchange:
    """One request on its way in, or one answer on its way out, as a mutation may change it."""

    method: str
    path: str
    headers: dict[str, str]
    body: bytes
    mutant: Mutant
    status: int = 0
    out: dict[str, str] = field(default_factory=dict)
    said: bytes = b""

    @property
    def is_discovery(self) -> bool:
        return self.path.rstrip("/") == "/cds-services"

    @property
    def is_feedback(self) -> bool:
        return self.path.endswith("/feedback")

    @property
    def is_call(self) -> bool:
        return self.method == "POST" and not self.is_feedback

    @property
    def asked(self) -> dict[str, Any]:
        """The body that came, where it is an object."""
        try:
            found = json.loads(self.body)
        except (ValueError, RecursionError):
            return {}
        return found if isinstance(found, dict) else {}

    @property
    def item(self) -> dict[str, Any]:
        """The first item of feedback."""
        return self.items[0] if self.items else {}

    @property
    def items(self) -> list[dict[str, Any]]:
        """All items of feedback."""
        items = self.asked.get("feedback")
        return items if isinstance(items, list) else []

    @property
    def prefetch(self) -> dict[str, Any]:
        held = self.asked.get("prefetch")
        return held if isinstance(held, dict) else {}

    @property
    def patient(self) -> str:
        context = self.asked.get("context")
        return str(context.get("patientId")) if isinstance(context, dict) else ""

    def change(self, **members: Any) -> None:
        """Changes members of the body that came; None takes one away."""
        made = {**self.asked, **members}
        self.body = json.dumps({name: held for name, held in made.items() if held is not None}).encode()

    def answer(self, status: int, document: Any = None) -> None:
        """Answers in place of the service."""
        self.status = status
        self.said = b"" if document is None else json.dumps(document).encode()
        self.out = {"content-type": "application/json"}

    @property
    def document(self) -> Any:
        return json.loads(self.said)

    @document.setter
    def document(self, document: Any) -> None:
        self.said = json.dumps(document).encode()

    @property
    def token(self) -> str:
        return self.headers.get("authorization", "").partition(" ")[2]

    @property
    def head(self) -> dict[str, Any]:
        """The header of the token that came."""
        try:
            return dict(jwt.get_unverified_header(self.token))
        except jwt.PyJWTError:
            return self.decoded(0)

    @property
    def claims(self) -> dict[str, Any]:
        """The claims of the token that came."""
        return self.decoded(1)

    def decoded(self, part: int) -> dict[str, Any]:
        try:
            return dict(json.loads(jwt.utils.base64url_decode(self.token.split(".")[part])))
        except (ValueError, IndexError, TypeError):
            return {}

    def believe(self) -> None:
        """Puts a good token in place of the one that came."""
        token = self.mutant.client.token(self.mutant.client.claims(aud=self.mutant.base + self.path))
        self.headers["authorization"] = f"Bearer {token}"


Change = Callable[[Exchange], None]


@dataclass(frozen=True, kw_only=True)
class Mutation:
    """One broken requirement: the check that finds it, and what else cannot help finding it.

    `before` sees the request and may answer it, `after` sees the answer, `fault` is what the use case does
    wrong. `options` go to the checker.
    """

    check: str
    before: Change | None = None
    after: Change | None = None
    also: tuple[str, ...] = ()
    fault: str = ""
    groups: tuple[str, ...] = ()
    options: dict[str, Any] = field(default_factory=dict)
    name: str = ""

    @property
    def title(self) -> str:
        return f"{self.check} {self.name}".strip()


class Mutant:
    """The layer around the service; `mutation` is what it breaks at the moment."""

    def __init__(self, app: ASGIApp, reader: Reader, client: Client, base: str) -> None:
        self.app = app
        self.reader = reader
        self.client = client
        self.base = base
        self.fhir_port = 0
        self.mutation: Mutation | None = None
        self.seen: dict[Any, int] = {}
        self.answers: dict[tuple[str, str], bytes] = {}

    def breaks(self, mutation: Mutation | None) -> None:
        self.mutation = mutation
        self.reader.fault = mutation.fault if mutation else ""
        self.seen, self.answers = {}, {}

    def times(self, key: Any) -> int:
        """How often this was asked, this time included."""
        self.seen[key] = self.seen.get(key, 0) + 1
        return self.seen[key]

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        if scope["type"] != "http":
            await self.app(scope, receive, send)
            return
        headers = {name.decode(): text.decode("latin-1") for name, text in scope["headers"]}
        exchange = Exchange(scope["method"], scope["path"], headers, await whole(receive), self)
        mutation = self.mutation
        if mutation and mutation.before:
            await run_in_threadpool(mutation.before, exchange)
        if exchange.status == 0:
            await self.ask(scope, exchange)
            if exchange.is_discovery and exchange.method == "GET" and exchange.status == 200:
                trim(exchange)
        if mutation and mutation.after:
            mutation.after(exchange)
        await answer(exchange, send)

    async def ask(self, scope: Scope, exchange: Exchange) -> None:
        """Asks the service itself."""
        head = [(name.encode(), text.encode("latin-1")) for name, text in exchange.headers.items()]
        head = [pair for pair in head if pair[0] != b"content-length"]
        if exchange.body:
            head.append((b"content-length", str(len(exchange.body)).encode()))
        inner = {**scope, "path": exchange.path, "raw_path": exchange.path.encode(), "headers": head}
        body = [exchange.body]

        async def receive() -> Message:
            if body:
                return {"type": "http.request", "body": body.pop(), "more_body": False}
            return {"type": "http.disconnect"}

        async def keep(message: Message) -> None:
            if message["type"] == "http.response.start":
                exchange.status = message["status"]
                exchange.out = {name.decode(): text.decode() for name, text in message["headers"]}
            else:
                exchange.said += message.get("body", b"")

        await self.app(inner, receive, keep)


async def whole(receive: Receive) -> bytes:
    body = b""
    while True:
        message = await receive()
        body += message.get("body", b"")
        if not message.get("more_body"):
            return body


async def answer(exchange: Exchange, send: Send) -> None:
    out = {name: text for name, text in exchange.out.items() if name != "content-length"}
    body = b"" if exchange.method == "HEAD" else exchange.said
    headers = [(name.encode(), text.encode("latin-1")) for name, text in out.items()]
    if exchange.status not in (204, 304):
        headers.append((b"content-length", str(len(body)).encode()))
    await send({"type": "http.response.start", "status": exchange.status, "headers": headers})
    await send({"type": "http.response.body", "body": body})


def trim(exchange: Exchange) -> None:
    """Three services with two templates do: the rest would only take time."""
    services = [one for one in exchange.document["services"] if one["hook"] in KEPT]
    exchange.document = {"services": [{**one, "prefetch": PREFETCH} for one in services]}


@contextmanager
def mutant(folder: Path) -> Iterator[Mutant]:
    """Yields the layer around a running service that authenticates its one client."""
    client, port = elliptic(), free_port()
    base = f"http://127.0.0.1:{port}"
    issuers = (Issuer(issuer=client.issuer, jwks_file=key_file(folder, client)),)
    settings = Settings(
        service=Service(public_url=base, cors_origins=(ORIGIN,)),
        trust=Trust(issuers=issuers, behind_tls_proxy=True, replay_store="process"),
    )
    reader = Reader()
    layer = Mutant(create_app(settings, reader), reader, client, base)
    layer.fhir_port = free_port()
    reader.allowed = f"http://127.0.0.1:{layer.fhir_port}/fhir"
    with served(layer, port):
        yield layer
