"""What differs from client to client, as data (`clients/*.yaml`); chosen per trusted issuer."""

from __future__ import annotations

from collections.abc import Mapping
from functools import cache
from importlib.resources import files
from types import MappingProxyType
from typing import Literal

import msgspec

from plugin.yaml_text import read_yaml

EPIC_DETAIL_TYPE = "com.epic.cdshooks.card.detail.content-type"


class _Data(msgspec.Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """Data as it is written; an unknown key is a fault."""


class Prefetch(_Data, frozen=True, kw_only=True):
    """What a client can fill: the tokens it knows, and what becomes of a token or parameter that is special.

    `repeated_parameter`: whether two occurrences of one parameter are both asked for (`and`), joined (`or`),
    or nobody says.
    """

    tokens: tuple[str, ...]
    absent_token: str
    repeated_parameter: Literal["and", "or", "unknown"]


class Cards(_Data, frozen=True, kw_only=True):
    """What of a card a client takes in.

    `detail_type` fills Epic's card extension for the content type of `detail`; None leaves it out. Without
    `action_resources` every type is created.
    """

    selection_behavior: Literal["any", "at-most-one"] = "any"
    selection_behaviors: tuple[str, ...] = ("any", "at-most-one")
    detail_type: str | None = None
    detail_types: tuple[str, ...] = ()
    actions_per_suggestion: int | None = None
    action_types: tuple[str, ...] = ("create", "update", "delete")
    action_resources: tuple[str, ...] = ()
    link_types: tuple[str, ...] = ("absolute", "smart")
    app_context: bool = True


class Orders(_Data, frozen=True, kw_only=True):
    """The code systems by which a client finds its own order: their codes stand first in a draft."""

    systems: tuple[str, ...] = ()


class Feedback(_Data, frozen=True, kw_only=True):
    """How a client writes why a card was not followed; every dialect is read from every client."""

    reason_members: tuple[str, ...]
    reason_extension: str | None = None
    batched: bool = False


class Trust(_Data, frozen=True, kw_only=True):
    """How a client signs: its algorithms, and its issuer and key set where they are the same everywhere.

    `anybody`: its private key is published, so that anybody can sign as this client.
    """

    algorithms: tuple[str, ...]
    issuer: str | None = None
    jku: str | None = None
    max_seconds: int = 300
    anybody: bool = False


class Profile(_Data, frozen=True, kw_only=True):
    """One kind of CDS client, with the source of what is said of it; `limits` is what does not work there.

    `fhir_dialect` is the make of FHIR server behind it, where there is one.
    """

    name: str = ""
    title: str
    source: str
    fires: tuple[str, ...]
    reads_discovery: bool
    fhir_dialect: str | None = None
    prefetch: Prefetch
    cards: Cards
    orders: Orders
    feedback: Feedback
    trust: Trust
    limits: tuple[str, ...] = ()


@cache
def profiles() -> Mapping[str, Profile]:
    """Returns every client profile by its name."""
    folder = files("cds_hooks") / "clients"
    found: dict[str, Profile] = {}
    for file in sorted(folder.iterdir(), key=lambda one: one.name):
        if file.name.endswith(".yaml"):
            name = file.name.removesuffix(".yaml")
            profile = msgspec.convert(read_yaml(file.read_text(encoding="utf-8")), Profile)
            found[name] = msgspec.structs.replace(profile, name=name)
    return MappingProxyType(found)


PROFILES: Mapping[str, Profile] = profiles()
