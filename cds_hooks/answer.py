"""What the protocol needs of the use case: a checked call in, advice out."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING, Protocol

from cds_hooks.call import HookCall
from cds_hooks.counted import NOTHING, Counted
from cds_hooks.trust import Caller
from plugin.rows import FeedbackItem

if TYPE_CHECKING:
    from plugin.decision import Advice
    from plugin.recorder import Recording


@dataclass(frozen=True, kw_only=True)
class Sent:
    """One card as it left: the advice in it, its uuid, and the uuids of its suggestions."""

    advice: Advice
    uuid: str
    suggestions: tuple[str, ...] = ()


def _not_recorded(_cards: tuple[Sent, ...]) -> None:
    """Records nothing."""


def _not_late() -> None:
    """Records nothing."""


@dataclass(frozen=True, kw_only=True)
class Answer:
    """What one call is answered with, and what is counted of it.

    `record` is called with the cards just before they are sent, `late` where it is too late for them; both
    may raise StoreError.
    """

    advices: tuple[Advice, ...]
    gaps: int = 0
    alarms: tuple[str, ...] = ()
    counted: Counted = NOTHING
    record: Callable[[tuple[Sent, ...]], None] = _not_recorded
    late: Callable[[], None] = _not_late


class Answerer(Protocol):
    """Answers hook calls and keeps feedback; used from several threads."""

    @property
    def prefetch(self) -> Mapping[str, str]:
        """The prefetch templates by key, for every service."""

    @property
    def decisive(self) -> Sequence[str]:
        """The prefetch keys without which nothing can be decided."""

    @property
    def revision(self) -> str:
        """The revision of the rule pack."""

    def __call__(self, call: HookCall, caller: Caller) -> Answer:
        """Returns the advice for one call; raises CallError where it cannot be answered."""

    @property
    def turns(self) -> int | None:
        """How many calls it works on at the same time, but for waiting; None where that is all the same."""

    def store_feedback(self, items: Sequence[FeedbackItem]) -> None:
        """Keeps every item, or raises StoreError and keeps none."""

    @property
    def both_engines(self) -> bool:
        """Whether both evaluations answer now."""

    @property
    def recording(self) -> Recording | None:
        """How the decision records stand, None where none are kept."""

    def missing(self) -> str | None:
        """Returns what is missing to answer calls and keep feedback, or None."""

    def close(self) -> None:
        """Gives back what it holds; it answers nothing after that."""
