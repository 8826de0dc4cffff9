"""One service of those under test, an ordinary call of it, and a card that it showed."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from typing import Any
from urllib.parse import quote
from uuid import uuid4

from cds_hooks.conformance.exchange import Answer
from cds_hooks.conformance.items import filled, listed
from cds_hooks.conformance.patients import SyntheticPatient

# Every entry and every template is looked at; only so many are called and filled.
MAX_SERVICES = 20
MAX_KEYS = 100
MAX_CALLS = 60
Json = dict[str, Any]


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

    @property
    def filled(self) -> Mapping[str, str]:
        """The templates that are filled for a call."""
        return dict(list(self.templates.items())[:MAX_KEYS])


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


@dataclass(frozen=True)
class Shown:
    """A card that feedback can be about; `invented` where the service showed none with a uuid."""

    uuid: str
    suggestions: tuple[str, ...] = ()
    invented: bool = False


def service_of(entry: Json) -> Service | None:
    """Returns the service of an entry of discovery, or None where it cannot be called."""
    own, hook, templates = entry.get("id"), entry.get("hook"), entry.get("prefetch")
    if not filled(own) or not filled(hook):
        return None
    held = templates.items() if isinstance(templates, dict) else ()
    return Service(own, hook, entry, {key: text for key, text in held if isinstance(text, str)})


def cards_shown(calls: Iterable[Call], service: Service) -> list[Shown]:
    """Returns the cards with a uuid that a service showed (suggestions last), or an invented one."""
    cards = [card for call in calls if call.service.path == service.path for card in call.cards]
    found = [
        Shown(card["uuid"], tuple(_uuids(card.get("suggestions"))))
        for card in cards
        if isinstance(card, dict) and filled(card.get("uuid"))
    ]
    return sorted(found, key=lambda one: bool(one.suggestions)) or [Shown(str(uuid4()), invented=True)]


def _uuids(suggestions: Any) -> Iterable[str]:
    for one in listed(suggestions):
        if isinstance(one, dict) and filled(one.get("uuid")):
            yield one["uuid"]
