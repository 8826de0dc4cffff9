"""What the checker knows of hooks, of clients and of FHIR, read from `library.yaml`."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from functools import cache
from importlib import resources
from typing import Any

import msgspec
import yaml


@dataclass(frozen=True)
class Field:
    """One context field: whether it is required, whether prefetch may use it, and what it holds.

    `version` is the one version of the hook that has it, where not every one does.
    """

    name: str
    required: bool
    prefetch: bool
    kind: str
    version: str | None = None


@dataclass(frozen=True)
class PublishedHook:
    """One hook of the Hook Library with its published versions and its context."""

    name: str
    versions: tuple[str, ...]
    fields: Mapping[str, Field]


class Profile(msgspec.Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """What is known of one client; every default is the specification's own."""

    name: str = "generic"
    hooks: list[str] = []
    user: str = "Practitioner"
    tokens: list[str] = []
    selection_behavior: str | None = None
    one_action: bool = False
    plain_topic: bool = False
    app_context: bool = True
    bundle_type: bool = True
    needs_card_uuid: bool = False
    extension: dict[str, Any] = {}
    origin: str | None = None


@cache
def hooks() -> Mapping[str, PublishedHook]:
    """Returns the published hooks by name."""
    return {name: _hook(name, held) for name, held in _document()["hooks"].items()}


@cache
def profiles() -> Mapping[str, Profile]:
    """Returns the known clients by name."""
    return {
        name: msgspec.convert({"name": name, **held}, Profile)
        for name, held in _document()["clients"].items()
    }


@cache
def resource_types() -> frozenset[str]:
    """Returns the names of all resource types of FHIR R4."""
    return frozenset(_document()["resource_types"])


@cache
def user_tokens() -> frozenset[str]:
    """Returns the four tokens that stand for the id of the user."""
    return frozenset(_document()["user_tokens"])


def _hook(name: str, held: Mapping[str, Any]) -> PublishedHook:
    fields = {}
    for field, text in held["context"].items():
        required, prefetch, kind, *version = text.split()
        fields[field] = Field(field, required == "R", prefetch == "T", kind, *version)
    return PublishedHook(name, tuple(held["version"]), fields)


@cache
def _document() -> dict[str, Any]:
    text = resources.files("cds_hooks.conformance").joinpath("library.yaml").read_text(encoding="utf-8")
    loaded: dict[str, Any] = yaml.safe_load(text)
    return loaded
