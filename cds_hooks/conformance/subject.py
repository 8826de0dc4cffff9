"""The service under test: what it offers, what it answered to ordinary calls, and how it is asked more."""

from __future__ import annotations

import json
from collections.abc import Iterator, Mapping, Sequence
from functools import cached_property
from itertools import cycle
from typing import Any
from uuid import uuid4

from cds_hooks.conformance.checks import Skip, TokenWanted
from cds_hooks.conformance.exchange import Answer, Client
from cds_hooks.conformance.items import Item, listed, now
from cds_hooks.conformance.options import Options
from cds_hooks.conformance.patients import SyntheticPatient
from cds_hooks.conformance.services import (
    MAX_CALLS,
    MAX_SERVICES,
    Call,
    Json,
    Service,
    Shown,
    cards_shown,
    service_of,
)
from cds_hooks.conformance.tokens import stranger

JSON = {"Content-Type": "application/json", "Accept": "application/json"}


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
        return entries

    @property
    def listed(self) -> list[tuple[str, Json]]:
        """The services that are objects, each with where it stands; raises Skip where there is none."""
        found = [(f"services[{at}]", one) for at, one in enumerate(self.entries) if isinstance(one, dict)]
        if not found:
            raise Skip("discovery lists no service")
        return found

    @cached_property
    def offered(self) -> list[Service]:
        """The services with an id and a hook, listed or given, however many they are."""
        given = [Service(own, hook, {}, {}) for own, hook in self.options.services]
        try:
            found = [service_of(entry) for _, entry in self.listed]
        except Skip:
            if not given:
                raise
            found = []
        return [one for one in found if one is not None] + given

    @cached_property
    def services(self) -> list[Service]:
        """The services that are called: those given, and as many of those listed as there is room for."""
        given = len(self.options.services)
        own = self.offered[len(self.offered) - given :] if given else []
        return [*self.offered[: len(self.offered) - given][:MAX_SERVICES], *own]

    def body(self, service: Service, patient: SyntheticPatient, **changes: Any) -> dict[str, Any]:
        """Returns the body of a call as the chosen client makes it; a change to None leaves a member out."""
        profile = self.options.profile
        context = patient.context_for(service.hook, profile)
        templates = service.filled or self.options.prefetch
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
        """Every service is called for the first patient, then for the second: none is left out."""
        made = []
        pairs = [(service, patient) for patient in self.options.patients for service in self.services]
        for service, patient in pairs[: max(MAX_CALLS, len(self.services))]:
            body = self.body(service, patient)
            made.append(Call(service, patient, body, self.post(service, body)))
        return made

    @property
    def calls(self) -> list[Call]:
        """One ordinary call for each service and patient; raises Skip where none can be made."""
        if not self.services:
            raise Skip("discovery lists no service that can be called")
        if not self.authenticates and self.tokens_wanted:
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
        """Whether a call of one of the services without a token is refused for want of one."""
        if not self.services:
            return self.send("GET", self.options.discovery, token=None).status in (401, 403)
        return any(answer.status in (401, 403) for _, answer in self.tokenless)

    @cached_property
    def tokenless(self) -> list[tuple[Service, Answer]]:
        """The answer of each service to an ordinary call without a token."""
        patient = self.options.patients[0]
        return [(one, self.post(one, self.body(one, patient), token=None)) for one in self.services]

    @cached_property
    def _shown(self) -> dict[str, list[Shown]]:
        return {one.path: cards_shown(self.calls, one) for one in self.services}

    @cached_property
    def _in_turn(self) -> dict[str, Iterator[Shown]]:
        return {path: cycle(cards) for path, cards in self._shown.items()}

    @cached_property
    def told(self) -> Service:
        """The service that single feedback is sent to: one that showed a card, where any did."""
        return next((one for one in self.services if self.showed(one)), self.services[0])

    def showed(self, service: Service) -> bool:
        """Returns whether the service showed a card with a uuid; raises Skip where no call can be made."""
        return not self._shown[service.path][0].invented

    def feedback(self, service: Service, **changes: Any) -> Json:
        """Returns an item of feedback on a card of the service, on the next one each time.

        Where it showed none the card is invented. A change to None leaves a member out.
        """
        card = next(self._in_turn[service.path])
        made = {"card": card.uuid, "outcome": "overridden", "outcomeTimestamp": now(), **changes}
        return {name: held for name, held in made.items() if held is not None}

    def suggested(self, service: Service) -> bool:
        """Returns whether a card of the service showed a suggestion with a uuid."""
        return bool(self._shown[service.path][-1].suggestions)

    def acceptance(self, service: Service) -> Json:
        """Returns an item of feedback that accepts a suggestion, one that was shown where any was."""
        card = self._shown[service.path][-1]
        accepted = [{"id": one} for one in card.suggestions[:1] or (str(uuid4()),)]
        return self.feedback(service, card=card.uuid, outcome="accepted", acceptedSuggestions=accepted)

    @cached_property
    def plain_feedback(self) -> Answer:
        """The answer to the simplest feedback; raises Skip where no call can be made."""
        _ = self.calls
        return self.send("POST", f"{self.told.path}/feedback", {"feedback": [self.feedback(self.told)]})

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
