"""Spans: the steps of a call as whoever traces it sees them; nothing is done where nobody does."""

from __future__ import annotations

from collections.abc import Mapping
from contextlib import AbstractContextManager, nullcontext
from typing import Protocol

Value = str | int | float | bool


class Span(Protocol):
    """One step; what is told of it holds nothing of a patient: names of ours, counts and reasons only."""

    def tell(self, **values: Value) -> None:
        """Adds what is known of the step by now."""


class Tracer(Protocol):
    """Takes the spans of this process."""

    def span(self, name: str, values: Mapping[str, Value]) -> AbstractContextManager[Span]:
        """Returns a step that lasts as long as the block, within the step around it."""

    def outgoing(self) -> Mapping[str, str]:
        """Returns the headers that tell a FHIR server of the trace; none unless the site wants that."""


class _Silent:
    def tell(self, **_values: Value) -> None:
        """Keeps nothing."""


_NOTHING: AbstractContextManager[Span] = nullcontext(_Silent())
_NO_HEADERS: Mapping[str, str] = {}
_tracer: Tracer | None = None


def use(tracer: Tracer | None) -> None:
    """Has the spans of this process taken by a tracer, or by nobody."""
    global _tracer
    _tracer = tracer


def span(name: str, **values: Value) -> AbstractContextManager[Span]:
    """Returns a step of the call under way."""
    return _NOTHING if _tracer is None else _tracer.span(name, values)


def outgoing() -> Mapping[str, str]:
    """Returns the headers for a FHIR server."""
    return _NO_HEADERS if _tracer is None else _tracer.outgoing()
