"""What was read of one patient, and what was not."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field
from enum import Enum
from typing import Any

Resource = Mapping[str, Any]


class GapReason(Enum):
    """Why something that should have been read was not."""

    NOT_AUTHORISED = "not-authorised"
    FORBIDDEN = "forbidden"
    NOT_FOUND = "not-found"
    THROTTLED = "throttled"
    SERVER_ERROR = "server-error"
    TIMEOUT = "timeout"
    TRUNCATED = "truncated"
    WRONG_PATIENT = "wrong-patient"
    UNREADABLE = "unreadable"
    UNSUPPORTED = "unsupported"
    NOT_FETCHED = "not-fetched"


@dataclass(frozen=True, kw_only=True)
class Gap:
    """One thing that was not read: the FHIR resource type, the reason, and a detail without patient data.

    `decisive` says that the history of a lesion may be cut short by it.
    `query` is the prefetch key concerned, where there is one.
    """

    resource: str
    reason: GapReason
    detail: str
    decisive: bool
    query: str | None = None


@dataclass(frozen=True, kw_only=True)
class Read:
    """How one query of the registry was answered: from `prefetch`, `fhir` or `references`, with how many."""

    query: str
    source: str
    count: int


@dataclass(frozen=True, kw_only=True)
class Chart:
    """The raw FHIR resources of one patient, each checked to be of that patient, beside the gaps.

    `resources` are those on record; `drafts` come from the hook context and are not on record yet;
    `draft_tokens` are their `Type/id`; `selections` are those the user just selected.
    `base` is the FHIR base address of the resources where it is known, `hook` the hook that asked and
    `encounter` the id of the encounter in which it did.
    """

    patient_id: str
    resources: tuple[Resource, ...] = ()
    drafts: tuple[Resource, ...] = ()
    gaps: tuple[Gap, ...] = ()
    base: str | None = None
    hook: str | None = None
    draft_tokens: tuple[str, ...] = ()
    selections: tuple[str, ...] = ()
    encounter: str | None = None
    reads: tuple[Read, ...] = ()
    milliseconds: Mapping[str, float] = field(default_factory=dict, compare=False)

    def of_type(self, resource_type: str) -> Iterator[Resource]:
        """Yields the resources on record of one type."""
        return (one for one in self.resources if one.get("resourceType") == resource_type)

    @property
    def decisive_gaps(self) -> tuple[Gap, ...]:
        """The gaps that may cut a lesion's history short."""
        return tuple(gap for gap in self.gaps if gap.decisive)
