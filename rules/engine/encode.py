"""Values as integers: millionths, day numbers and interned texts."""

from __future__ import annotations

import datetime
from collections.abc import Callable, Iterable
from decimal import Decimal

from rules.errors import EngineFault, LimitExceeded
from rules.facts import Value
from rules.language.model import NUMERIC, Kind, Type
from rules.numbers import PLACES
from rules.trace import Values

ONE: int = 10**PLACES
LIMIT = 2**50
"""Every integer that enters the engine is smaller in size, calculated ones too."""

Row = tuple[int, *tuple[int | None, ...]]
"""A fact's number (from 0), then its values as integers in the order of the declaration; None: absent."""


def millionths(number: int | Decimal) -> int:
    """Returns a number as a whole number of millionths; refuses to round."""
    if isinstance(number, int):
        return bounded(number * ONE)
    scaled = number.scaleb(PLACES)
    whole = int(scaled)
    if whole != scaled:
        raise LimitExceeded("a number has more than six decimal places")
    return bounded(whole)


def bounded(number: int) -> int:
    """Returns the number; refuses one that the engine cannot hold safely."""
    if -LIMIT < number < LIMIT:
        return number
    raise LimitExceeded("a number is too large for the engine")


class Millionths(dict[int | Decimal, int]):
    """Encodes numbers, and remembers them: the same ones come again in facts that are given."""

    def __missing__(self, number: int | Decimal) -> int:
        encoded = self[number] = millionths(number)
        return encoded


class Texts(dict[str, int]):
    """Numbers texts from 1: those of the pack once, those of one evaluation's facts on top of them."""

    def __init__(self, base: Texts | None = None) -> None:
        super().__init__(base or {})
        self.millionths = Millionths()
        self.names: list[str] = list(base.names) if base is not None else [""]
        """The texts by number; number 0 is no text's."""

    def __missing__(self, text: str) -> int:
        number = self[text] = len(self.names)
        self.names.append(text)
        return number


def encode_value(type_: Type, value: Value, texts: Texts) -> int:
    """Returns a value of a declared type as an integer."""
    if type_ in NUMERIC:
        if isinstance(value, int | Decimal):
            return millionths(value)
    elif type_ == "date":
        if isinstance(value, datetime.date):
            return value.toordinal()
    elif isinstance(value, str):
        return texts[value]
    raise EngineFault(f"a value does not have its declared type {type_}")


def row_maker(kind: Kind, used: Iterable[str]) -> Callable[[int, Values, Texts], Row]:
    """Returns the function that encodes facts of a kind; properties that nothing uses stay None."""
    wanted = set(used)
    parts: list[str] = []
    for place, prop in enumerate(kind.properties.values()):
        if prop.name not in wanted:
            parts.append("None")
            continue
        encoded = {
            "date": f"v[{place}].toordinal()",
            **dict.fromkeys(NUMERIC, f"texts.millionths[v[{place}]]"),
        }
        part = encoded.get(prop.type, f"texts[v[{place}]]")
        certain = prop.required or prop.values
        parts.append(part if certain else f"None if v[{place}] is None else {part}")
    body = ", ".join(["n", *parts]) if wanted else "n,"
    # The text is made here, of numbers and fixed words.
    return eval(f"lambda n, v, texts: ({body})", {})  # type: ignore[no-any-return]  # noqa: S307 # nosec B307


def decode_number(number: int, type_: str) -> int | Decimal:
    """Returns millionths as a number of the type; refuses a part of a unit in an int."""
    if type_ == "int":
        if number % ONE:
            raise EngineFault("a whole number is not whole")
        return number // ONE
    units, rest = divmod(number, ONE)
    return Decimal(number).scaleb(-PLACES).normalize() if rest else Decimal(units)
