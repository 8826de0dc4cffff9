"""The documents of the protocol as types: what leaves is checked against them, OpenAPI is made of them.

CDS Hooks 2.0.1: "Discovery", "CDS Service Response", "Feedback"; errors are FHIR OperationOutcomes.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import Annotated, Any, Literal, TypeVar

import msgspec
from msgspec import UNSET, Meta, Struct, UnsetType

from cds_hooks.wire import without_empty
from plugin.ready import ready

Text = Annotated[str, Meta(min_length=1)]
Url = Annotated[str, Meta(pattern=r"^https?://[^\s/]+")]
Uuid = Annotated[str, Meta(pattern=r"^[0-9a-f]{8}(-[0-9a-f]{4}){3}-[0-9a-f]{12}$")]
Members = Annotated[dict[str, Any], Meta(min_length=1)]


class Sent(Struct, frozen=True, kw_only=True, rename="camel", omit_defaults=True, forbid_unknown_fields=True):
    """A document that leaves: no member that is not named here, none without a value."""


class Coding(Sent, frozen=True, kw_only=True):
    """A code with its system."""

    system: Text
    code: Text
    display: Text | UnsetType = UNSET


class OverrideReason(Sent, frozen=True, kw_only=True):
    """A Coding whose display is required."""

    system: Text
    code: Text
    display: Text


class Topic(Sent, frozen=True, kw_only=True):
    """What a card is about; clients remember overrides by the code."""

    system: Text
    code: Annotated[str, Meta(pattern=r"^[A-Za-z0-9]{1,100}$")]
    display: Text | UnsetType = UNSET


class Source(Sent, frozen=True, kw_only=True):
    """Where the guidance of a card comes from."""

    label: Text
    topic: Topic
    url: Url | UnsetType = UNSET


class Action(Sent, frozen=True, kw_only=True):
    """A draft that is made on acceptance; nothing is ever changed or deleted."""

    type: Literal["create"]
    description: Text
    resource: Members


class Suggestion(Sent, frozen=True, kw_only=True):
    """What a clinician may accept."""

    label: Text
    uuid: Uuid
    actions: Annotated[list[Action], Meta(min_length=1, max_length=1)]
    is_recommended: Literal[True] | UnsetType = UNSET


class Link(Sent, frozen=True, kw_only=True):
    """One of the site's own links, or that to the timeline page, whose `appContext` says what it is about."""

    label: Text
    url: Url
    type: Literal["absolute", "smart"]
    app_context: Text | UnsetType = UNSET


class Card(Sent, frozen=True, kw_only=True):
    """One piece of advice."""

    uuid: Uuid
    summary: Annotated[str, Meta(min_length=1, max_length=139)]
    indicator: Literal["info", "warning", "critical"]
    source: Source
    detail: Text | UnsetType = UNSET
    suggestions: Annotated[list[Suggestion], Meta(min_length=1)] | UnsetType = UNSET
    selection_behavior: Literal["any", "at-most-one"] | UnsetType = UNSET
    override_reasons: Annotated[list[OverrideReason], Meta(min_length=1)] | UnsetType = UNSET
    links: Annotated[list[Link], Meta(min_length=1)] | UnsetType = UNSET
    extension: Members | UnsetType = UNSET

    def __post_init__(self) -> None:
        """Refuses a card whose suggestions and selectionBehavior do not come together."""
        if (self.suggestions is UNSET) != (self.selection_behavior is UNSET):
            raise ValueError("suggestions and selectionBehavior come together")


class HookResponse(Sent, frozen=True, kw_only=True):
    """The answer to a hook call; without advice its cards are an empty list."""

    cards: list[Card]


class ServiceEntry(Sent, frozen=True, kw_only=True):
    """One service in discovery."""

    hook: Text
    title: Text
    description: Text
    id: Annotated[str, Meta(pattern=r"^[A-Za-z0-9._-]+$")]
    prefetch: Annotated[dict[str, Text], Meta(min_length=1)] | UnsetType = UNSET
    usage_requirements: Text | UnsetType = UNSET
    extension: Members | UnsetType = UNSET


class DiscoveryResponse(Sent, frozen=True, kw_only=True):
    """The answer to discovery."""

    services: list[ServiceEntry]


class Issue(Sent, frozen=True, kw_only=True):
    """One fault."""

    severity: Literal["fatal", "error", "warning", "information"]
    code: Text
    diagnostics: Text


class OperationOutcome(Sent, frozen=True, kw_only=True):
    """A refusal or a fault, as FHIR says it."""

    resource_type: Literal["OperationOutcome"]
    issue: Annotated[list[Issue], Meta(min_length=1)]


SentT = TypeVar("SentT", bound=Sent)

ready(HookResponse, DiscoveryResponse, OperationOutcome)


def encoded(document: Mapping[str, Any], kind: type[SentT]) -> bytes:
    """Returns the document as JSON without empty members; raises ValueError where it is not of this kind.

    The error names the place and not the value, which may be the record's.
    """
    try:
        checked = msgspec.convert(without_empty(document), kind)
    except msgspec.ValidationError as error:
        place = str(error).rpartition("`")[0].rpartition("`")[2]
        raise ValueError(f"no {kind.__name__} as the protocol wants it, at {place or '$'}") from None
    return msgspec.json.encode(checked)
