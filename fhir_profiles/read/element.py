"""Lenient access to the elements of a FHIR resource: whatever the JSON holds, these give a typed value or
nothing."""

from __future__ import annotations

import re
from calendar import monthrange
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from datetime import date, datetime
from decimal import Decimal, InvalidOperation
from functools import cache, lru_cache
from typing import Any, TypeAlias, TypeVar
from zoneinfo import ZoneInfo

from fhir_profiles.codes import SYSTEM_ALIASES, UCUM, Coded, ProtocolValue
from fhir_profiles.records import DayRange

Json: TypeAlias = Mapping[str, Any]
Pair: TypeAlias = tuple[str, str]
"""The canonical system and the code of a Coding."""
CodedT = TypeVar("CodedT", bound=Coded)
_YEAR_OR_MONTH = re.compile(r"(\d{4})(?:-(\d{2}))?", re.ASCII)
_DATE_LENGTH = 10
_BEFORE_TIME = ("T", " ")
_NUMBER = re.compile(r"[+-]?[0-9]*\.?[0-9]+([eE][+-]?[0-9]+)?")
_EXTREME_EXPONENT = 18
# The UCUM code of each spelling of a length, singular; plurals and capitals are the same.
_LENGTHS = {
    **dict.fromkeys(("mm", "millimeter", "millimetre"), "mm"),
    **dict.fromkeys(("cm", "centimeter", "centimetre"), "cm"),
    **dict.fromkeys(("m", "meter", "metre"), "m"),
    **dict.fromkeys(("um", "\u00b5m", "\u03bcm", "micrometer", "micrometre", "micron"), "um"),
    **dict.fromkeys(("[in_i]", "in", "inch", "inche"), "[in_i]"),
}
_LISTS = (list, tuple)
_NUMBERS = (int, float, Decimal, str)
_ANSWERS = {
    ProtocolValue.YES: True,
    ProtocolValue.PRESENT: True,
    ProtocolValue.NO: False,
    ProtocolValue.NONE: False,
}
_KNOWN_PAIRS: dict[tuple[str, str], tuple[Pair, ...]] = {
    (member.system, member.code): ((member.system, member.code),)
    for kinds in Coded.__subclasses__()
    for member in kinds
}
"""The pairs of codings as they are written: every code that is read, and others as they are met."""
_MOST_PAIRS = 8192
_REMEMBERED, _REMEMBERED_URL = 64, 300
"""Longer texts are read anew each time: what is remembered stays small whatever arrives."""


# A JSON parser gives plain dicts: asking for exactly that first is several times faster than for any Mapping.


def is_object(value: object) -> bool:
    """True for a JSON object."""
    return type(value) is dict or isinstance(value, Mapping)


def obj(value: object) -> Json:
    """The object itself, or an empty one."""
    if type(value) is dict:
        return value
    # Asking whether None is a Mapping takes longer than everything else here.
    return value if value is not None and isinstance(value, Mapping) else {}


def objs(value: object) -> Sequence[Json]:
    """The objects of a list, or the single object where a list is expected; never to be changed."""
    if value is None:
        return ()
    if type(value) is list:
        # Nearly every list holds objects alone and can be given as it is.
        for item in value:
            if type(item) is not dict:
                return tuple(filter(is_object, value))
        return value
    if isinstance(value, _LISTS):
        return tuple(filter(is_object, value))
    return (obj(value),) if is_object(value) else ()


def text(value: object) -> str | None:
    """A non-blank string, stripped."""
    return value.strip() or None if isinstance(value, str) else None


def flag(value: object) -> bool | None:
    """A JSON boolean."""
    return value if isinstance(value, bool) else None


def number(value: object) -> Decimal | None:
    """A finite number exactly as written; a float gives its shortest decimal form."""
    kind = type(value)
    if kind is not float and kind is not int and (kind is bool or not isinstance(value, _NUMBERS)):
        return None
    written = str(value)
    if isinstance(value, str):
        written = written.strip()
        # Decimal also takes 1_2, digits of other scripts and NaN.
        if _NUMBER.fullmatch(written) is None:
            return None
    try:
        given = Decimal(written)
    except InvalidOperation:
        return None
    return given if given.is_finite() and abs(given.adjusted()) <= _EXTREME_EXPONENT else None


def whole(value: object) -> int | None:
    """A whole number."""
    given = number(value)
    return int(given) if given is not None and given == given.to_integral_value() else None


def codings(value: object) -> tuple[Pair, ...]:
    """Every (system, code) of a Coding, CodeableConcept, CodeableReference or a list of them."""
    if value is None:
        return ()
    try:
        # Nearly every concept has one coding, and a chart repeats few codes many times.
        (item,) = value["coding"]  # type: ignore[index]
        known = _KNOWN_PAIRS.get((item["system"], item["code"]))
    except (KeyError, TypeError, ValueError):
        known = None
    if known is not None and not ("coding" in item or "concept" in item or "concept" in value):  # type: ignore[operator]
        return known
    found: list[Pair] = []
    _collect(value, found)
    return tuple(found)


def _collect(value: object, found: list[Pair]) -> None:
    for item in objs(value):
        nested = item.get("coding")
        if nested is not None or "coding" in item or "concept" in item:
            _collect(nested, found)
            if "concept" in item:
                _collect(item["concept"], found)
            continue
        code, system = item.get("code"), item.get("system")
        if isinstance(code, str):
            found += _pair(system if isinstance(system, str) else "", code)


def _pair(system: str, code: str) -> tuple[Pair, ...]:
    """The pair of one Coding as it is written; none for a blank code."""
    stripped, short = system.strip(), code.strip()
    pairs = ((SYSTEM_ALIASES.get(stripped, stripped), short),) if short else ()
    if len(_KNOWN_PAIRS) < _MOST_PAIRS and len(code) <= _REMEMBERED and len(system) <= _REMEMBERED_URL:
        _KNOWN_PAIRS[system, code] = pairs
    return pairs


def lookup(enums: Iterable[type[Coded]]) -> dict[Pair, Coded]:
    """A table from (system, code) to the enum member."""
    return {(member.system, member.code): member for enum in enums for member in enum}


def members(value: object, enum: type[CodedT]) -> tuple[CodedT, ...]:
    """The members of one enum that a concept names, without repetition."""
    pairs = codings(value)
    if not pairs:
        return ()
    table: dict[Pair, CodedT] = _table(enum)
    if len(pairs) == 1:
        only = table.get(pairs[0])
        return (only,) if only is not None else ()
    return tuple(dict.fromkeys(table[pair] for pair in pairs if pair in table))


@cache
def _table(enum: type[CodedT]) -> dict[Pair, CodedT]:
    return {(member.system, member.code): member for member in enum}


def member(value: object, enum: type[CodedT]) -> CodedT | None:
    """The one member of an enum that a concept names; None when it names none or contradicts itself."""
    if value is None:
        return None
    found = members(value, enum)
    return found[0] if len(found) == 1 else None


def values(element: Json) -> tuple[str, ...]:
    """Names of the value[x] elements that are present."""
    return tuple(key for key in element if key.startswith("value") and len(key) > len("value"))


def yes_no(element: Json) -> bool | None:
    """A yes/no from valueBoolean, or from the coded answers yes and no, present and none."""
    given = flag(element.get("valueBoolean"))
    if given is not None:
        return given
    found = member(element.get("valueCodeableConcept"), ProtocolValue)
    return _ANSWERS.get(found) if found is not None else None


def parts(resource: Json) -> Iterator[tuple[object, Json]]:
    """(code concept, component) of every component."""
    for component in objs(resource.get("component")):
        yield component.get("code"), component


def extensions(element: Json, *urls: str) -> Iterator[Json]:
    """The extensions with one of the URLs."""
    return (item for item in objs(element.get("extension")) if item.get("url") in urls)


def bare_uid(value: str) -> str:
    """A DICOM UID without its urn prefix."""
    return value[len("urn:oid:") :] if value.lower().startswith("urn:oid:") else value


# ------------------------------------------------------------------------------------------------ quantities


def unit_of(quantity: Json) -> str | None:
    """The UCUM code of a Quantity; without one, its bare unit; None when the two name different lengths."""
    code, unit, system = text(quantity.get("code")), text(quantity.get("unit")), quantity.get("system")
    if code is None:
        return unit
    if system is not None and system != UCUM and SYSTEM_ALIASES.get(str(system)) != UCUM:
        return unit
    if code == unit or unit is None:
        return code
    coded, written = _length_unit(code), _length_unit(unit)
    return None if coded is not None and written is not None and coded != written else code


def _length_unit(spelling: str) -> str | None:
    """The UCUM code of a unit of length, however it is spelled."""
    return _LENGTHS.get(spelling.lower()) or _LENGTHS.get(spelling.lower().rstrip(".").removesuffix("s"))


def upper_limit(observation: Json, fits: Callable[[Json], bool]) -> Decimal | None:
    """The smallest upper limit among the normal reference ranges whose Quantity fits the value."""
    highs = []
    for given in objs(observation.get("referenceRange")):
        kinds = {code for _, code in codings(given.get("type"))}
        if kinds and "normal" not in kinds:
            continue
        high = obj(given.get("high"))
        value = number(high.get("value"))
        if value is not None and value > 0 and fits(high):
            highs.append(value)
    return min(highs) if highs else None


# ------------------------------------------------------------------------------------------------ days


def day(value: object, timezone: ZoneInfo) -> DayRange | None:
    """The local calendar day, or the range of days, of a date, dateTime or instant; None when it is not one.

    A time in UTC (Z) is turned into the site's zone; a time with another offset keeps the day its author
    wrote.
    """
    if not isinstance(value, str):
        return None
    return _known_day(value, timezone) if len(value) <= _REMEMBERED else _day(value, timezone)


def _day(given: str, timezone: ZoneInfo) -> DayRange | None:
    given = given.strip()
    try:
        # Python reads forms that FHIR does not know: only those with hyphens here, and T or a blank.
        if given[4:5] == given[7:8] == "-":
            if len(given) == _DATE_LENGTH:
                exact = date.fromisoformat(given)
                return DayRange(exact, exact)
            timed_in_one_line = given[10:11] in _BEFORE_TIME and "\n" not in given
            return _day_of_time(given, timezone) if timed_in_one_line else None
        match = _YEAR_OR_MONTH.fullmatch(given)
        if match is None:
            return None
        year, month = int(match[1]), match[2]
        if month is None:
            return DayRange(date(year, 1, 1), date(year, 12, 31))
        return DayRange(date(year, int(month), 1), date(year, int(month), monthrange(year, int(month))[1]))
    except (ValueError, OverflowError):
        return None


def _day_of_time(given: str, timezone: ZoneInfo) -> DayRange:
    stamp = datetime.fromisoformat(given)
    if stamp.tzinfo is not None and not stamp.utcoffset():
        stamp = stamp.astimezone(timezone)
    exact = stamp.date()
    return DayRange(exact, exact)


_known_day = lru_cache(maxsize=4096)(_day)


def period(value: object, timezone: ZoneInfo) -> DayRange | None:
    """First to last possible day of a Period; a missing end leaves the start, a missing start the end."""
    given = obj(value)
    start, end = day(given.get("start"), timezone), day(given.get("end"), timezone)
    if start is None or end is None:
        return start or end
    return DayRange(start.first, end.last) if start.first <= end.last else None


def timed(resource: Json, name: str, timezone: ZoneInfo) -> DayRange | None:
    """The day of a choice element: nameDateTime, nameDate, nameInstant, namePeriod, nameTiming or plain
    name."""
    for key in _choices(name):
        given = resource.get(key)
        found = day(given, timezone) if given is not None else None
        if found is not None:
            return found
    found = period(resource.get(name + "Period"), timezone)
    if found is not None:
        return found
    timing = obj(resource.get(name + "Timing"))
    days = [found for event in _list(timing.get("event")) if (found := day(event, timezone)) is not None]
    return min(days) if days else period(obj(timing.get("repeat")).get("boundsPeriod"), timezone)


@cache
def _choices(name: str) -> tuple[str, ...]:
    return tuple(name + suffix for suffix in ("DateTime", "Date", "Instant", ""))


def has_timed(resource: Json, name: str) -> bool:
    """True when the choice element is present in any form, readable or not."""
    return any(key == name or (key.startswith(name) and key[len(name) :][:1].isupper()) for key in resource)


def _list(value: object) -> list[Any]:
    return value if isinstance(value, list) else []
