"""Facts: what the rules know of one patient."""

from __future__ import annotations

import datetime
from collections.abc import Mapping
from dataclasses import dataclass
from decimal import Decimal

Value = int | Decimal | datetime.date | str


@dataclass(frozen=True, slots=True)
class Fact:
    """Is one typed, flat statement; an absent optional property is left out of `values`.

    Codes, ids and yes/no are `str`. `sources` are opaque tokens of what the fact rests on; they are carried
    to findings and never interpreted.
    """

    kind: str
    values: Mapping[str, Value]
    sources: tuple[str, ...] = ()

    def __hash__(self) -> int:
        return hash((self.kind, frozenset(self.values.items()), self.sources))
