"""The service under test: what it offers, what it answered to ordinary calls, and how it is asked more."""

from __future__ import annotations

import json
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from functools import cached_property
from typing import Any
from urllib.parse import quote
from uuid import uuid4

from cds_hooks.conformance.checks import Skip, TokenWanted
from cds_hooks.conformance.exchange import Answer, Client
from cds_hooks.conformance.items import Item, filled, listed, now
from cds_hooks.conformance.library import Profile, profiles
from cds_hooks.conformance.patients import SyntheticPatient
from cds_hooks.conformance.tokens import Signer, stranger

MAX_SERVICES = 20
MAX_CALLS = 60
MAX_KEYS = 100
JSON = {"Content-Type": "application/json", "Accept": "application/json"}
Json = dict[str, Any]


@dataclass(frozen=True, kw_only=True)
class Options:
    """How a service is checked; `base` is its address without a trailing slash.

    `signer` or `bearer` authenticate the calls; `audience` is the base that tokens name, where it is another.
    `slow`: seconds from which an answer is slow. `services` (id and hook) are called beside the listed ones;
    `prefetch` is filled for a service that lists no templates, as where an EHR has them typed in. With
    `fhir_port` the checker serves FHIR at http://127.0.0.1:PORT/fhir, which the service has to allow.
    """

    base: str
    patients: Sequence[SyntheticPatient]
    profile: Profile = field(default_factory=lambda: profiles()["generic"])
    signer: Signer | None = None
    bearer: str | None = field(default=None, repr=False)
    audience: str | None = None
    origin: str | None = None
    discovery: str = "/cds-services"
    slow: float = 5.0
    services: Sequence[tuple[str, str]] = ()
    prefetch: Mapping[str, str] = field(default_factory=dict)
    fhir_port: int | None = None


@dataclass(frozen=True)
class Service:
    """One entry of the discovery document that can be called."""

    id: str
    hook: str
    entry: Json
    templates: Mapping[str, str]

    @property
    def path(self) -> str:
        """Its address below the base."""
        return f"/cds-services/{quote(self.id, safe='')}"


@dataclass(frozen=True)
class Call:
    """One ordinary call and its answer."""

    service: Service
    patient: SyntheticPatient
    body: Json
    answer: Answer

    @property
    def cards(self) -> list[Any]:
        """The cards, empty where there is no list of them."""
        cards = self.answer.object.get("cards") if self.answer.status == 200 else None
        return cards if isinstance(cards, list) else []


class Subject:
    """The service under test; what is read once is kept, what was looked at is noted for the verdict."""

    def __init__(self, options: Options, client: Client) -> None:
        self.options = options
        self.client = client
        self.looked: list[Answer] = []
        self.stranger = stranger()

    # Asking -------------------------------------------------------------------------------------------------

    def look(self, answer: Answer) -> Answer:
        """Notes that a verdict rests on this exchange, and returns it."""
        if answer not in self.looked:
            self.looked.append(answer)
        return answer

    def token(self, path: str) -> str | None:
        """Returns a fresh token for one path, or None where calls are not authenticated."""
        if self.options.signer is not None:
            return self.options.signer.token(self.audience(path))
        return self.options.bearer

    @property
    def authenticates(self) -> bool:
        """Whether calls carry a token."""
        return self.options.signer is not None or self.options.bearer is not None

    def audience(self, path: str) -> str:
        """Returns the audience that a token for this path names."""
        return (self.options.audience or self.options.base) + path

    def send(
        self,
        method: str,
        path: str,
        document: Any = None,
        *,
        body: bytes | None = None,
        headers: Mapping[str, str] | None = None,
        token: str | None = "",
    ) -> Answer:
        """Sends one request to a path below the base; `token` "" means a good one, None means none."""
        if document is not None:
            body = json.dumps(document).encode()
        sent = dict(JSON) if body is not None else {"Accept": "application/json"}
        sent.update(headers or {})
        chosen = self.token(path) if token == "" else token
        if chosen is not None:
            sent.setdefault("Authorization", f"Bearer {chosen}")
        return self.look(self.client.send(method, self.options.base + path, body=body or b"", headers=sent))

    def post(self, service: Service, document: Any, **options: Any) -> Answer:
        """Posts a body to one service."""
        return self.send("POST", service.path, document, **options)

    # What was found -----------------------------------------------------------------------------------------

    @cached_property
    def _discovery(self) -> Answer:
        return self.send("GET", self.options.discovery)

    @cached_property
    def at_published_path(self) -> Answer:
        """The answer at the address that the specification names."""
        if self.options.discovery == "/cds-services":
            return self._discovery
        return self.send("GET", "/cds-services")

    @property
    def discovery(self) -> Answer:
        """The discovery answer, wherever it was found."""
        return self.look(self._discovery)

    @property
    def entries(self) -> list[Any]:
        """The list of services, whatever it holds; raises Skip where there is none."""
        entries = self.discovery.object.get("services") if self.discovery.ok else None
        if not isinstance(entries, list):
            raise Skip(f"there is no discovery document to read: {self.discovery.said}")
        return entries[:MAX_SERVICES]

    @property
    def listed(self) -> list[tuple[str, Json]]:
        """The services that are objects, each with where it stands; raises Skip where there is none."""
        found = [(f"services[{at}]", one) for at, one in enumerate(self.entries) if isinstance(one, dict)]
        if not found:
            raise Skip("discovery lists no service")
        return found

    @cached_property
    def services(self) -> list[Service]:
        """The services that can be called: those with an id and a hook, listed or given."""
        found = [Service(own, hook, {}, {}) for own, hook in self.options.services]
        try:
            listed = [_service(entry) for _, entry in self.listed]
        except Skip:
            if not found:
                raise
            listed = []
        return [one for one in listed if one is not None] + found

    def body(self, service: Service, patient: SyntheticPatient, **changes: Any) -> dict[str, Any]:
        """Returns the body of a call as the chosen client makes it; a change to None leaves a member out."""
        profile = self.options.profile
        context = patient.context_for(service.hook, profile)
        templates = service.templates or self.options.prefetch
        made = {
            "hook": service.hook,
            "hookInstance": str(uuid4()),
            "context": context,
            "prefetch": patient.prefetch(templates, context) or None,
            "extension": profile.extension or None,
            **changes,
        }
        return {name: value for name, value in made.items() if value is not None}

    @cached_property
    def _calls(self) -> list[Call]:
        made = []
        pairs = [(service, patient) for service in self.services for patient in self.options.patients]
        for service, patient in pairs[:MAX_CALLS]:
            body = self.body(service, patient)
            made.append(Call(service, patient, body, self.post(service, body)))
        return made

    @property
    def calls(self) -> list[Call]:
        """One ordinary call for each service and patient; raises Skip where none can be made."""
        if not self.services:
            raise Skip("discovery lists no service that can be called")
        if self.tokens_wanted and not self.authenticates:
            raise TokenWanted
        for call in self._calls[:1]:
            self.look(call.answer)
        return self._calls

    @property
    def answered(self) -> list[Call]:
        """The ordinary calls that were answered with 200; raises Skip where none was."""
        found = [call for call in self.calls if call.answer.status == 200]
        if not found:
            raise Skip(f"no call was answered with 200 (the first: {self.calls[0].answer.said})")
        return found

    @property
    def probes(self) -> list[Call]:
        """One answered call for each service, one with cards where there is any."""
        best: dict[tuple[str, str], Call] = {}
        for call in self.answered:
            key = (call.service.id, call.service.hook)
            if key not in best or (call.cards and not best[key].cards):
                best[key] = call
        return list(best.values())

    @property
    def probe(self) -> Call:
        """The call by which single questions are asked: one with cards where there is any."""
        return next((call for call in self.probes if call.cards), self.probes[0])

    @cached_property
    def tokens_wanted(self) -> bool:
        """Whether a call without a token is refused for want of one."""
        if not self.services:
            return self.send("GET", self.options.discovery, token=None).status in (401, 403)
        return self.tokenless.status in (401, 403)

    @cached_property
    def tokenless(self) -> Answer:
        """The answer to an ordinary call without a token."""
        service, patient = self.services[0], self.options.patients[0]
        return self.post(service, self.body(service, patient), token=None)

    @cached_property
    def plain_feedback(self) -> Answer:
        """The answer to the simplest feedback; raises Skip where no call can be made."""
        item = {"card": str(uuid4()), "outcome": "overridden", "outcomeTimestamp": now()}
        _ = self.calls
        return self.send("POST", f"{self.services[0].path}/feedback", {"feedback": [item]})

    # What the answers hold ----------------------------------------------------------------------------------

    def cards(self) -> list[Item]:
        """Returns every card that was shown; raises Skip where none was."""
        found = [
            Item(card, f"{call.service.id}, {call.patient.name}: cards[{at}]", call)
            for call in self.answered
            for at, card in enumerate(call.cards)
            if isinstance(card, dict)
        ]
        return self._some(found, "card")

    def inside(self, name: str, items: Sequence[Item] | None = None) -> list[Item]:
        """Returns the objects in one list of every card (or item); raises Skip where there is none."""
        found = [
            Item(held, f"{item.where}.{name}[{at}]", item.call)
            for item in (self.cards() if items is None else items)
            for at, held in enumerate(listed(item.held.get(name)))
            if isinstance(held, dict)
        ]
        return self._some(found, name.rstrip("s"))

    def actions(self) -> list[Item]:
        """Returns every action of a suggestion and every system action; raises Skip where there is none."""
        found = [
            Item(held, f"{call.service.id}, {call.patient.name}: systemActions[{at}]", call)
            for call in self.answered
            for at, held in enumerate(listed(call.answer.object.get("systemActions")))
            if isinstance(held, dict)
        ]
        try:
            found += self.inside("actions", self.inside("suggestions"))
        except Skip:
            pass
        return self._some(found, "action")

    def _some(self, found: list[Item], what: str) -> list[Item]:
        if not found:
            raise Skip(f"no {what} was shown for any of the patients")
        self.look(found[0].call.answer)
        return found


def _service(entry: Json) -> Service | None:
    own, hook, templates = entry.get("id"), entry.get("hook"), entry.get("prefetch")
    if not filled(own) or not filled(hook):
        return None
    held = templates.items() if isinstance(templates, dict) else ()
    pairs = [(key, text) for key, text in held if isinstance(text, str)][:MAX_KEYS]
    return Service(own, hook, entry, dict(pairs))
