"""Work done once: what follows from an object that never changes is kept with it."""

from __future__ import annotations

from collections.abc import Callable, Hashable
from typing import Any, TypeVar

T = TypeVar("T")


class Once:
    """An object that never changes, and keeps what was worked out from it and from nothing else."""

    def once(self, key: Hashable, work: Callable[[], T]) -> T:
        """Returns what the work gives, done when it is first asked for under this key.

        Of two threads that ask at the same moment both may do it: it must give the same to both.
        """
        known: dict[Hashable, Any] = vars(self).setdefault("_known_once", {})
        if key not in known:
            known[key] = work()
        found: T = known[key]
        return found
