"""Quantities with a meaning: lengths in millimetres and the measures of a lesion in their own units."""

from __future__ import annotations

import re
from collections.abc import Sequence
from decimal import Decimal
from typing import Any

from msgspec import Struct

from fhir_profiles.codes import Measure
from fhir_profiles.read.element import Json, Pair, number, obj, text, unit_of

MAX_MM = Decimal(300)
MAX_PERCENT = 100
_FACTOR = {
    "mm": Decimal(1),
    "millimeter": Decimal(1),
    "millimetre": Decimal(1),
    "millimeters": Decimal(1),
    "cm": Decimal(10),
    "centimeter": Decimal(10),
    "centimetre": Decimal(10),
    "centimeters": Decimal(10),
}
_NOT_ZERO = re.compile(r"[1-9]", re.ASCII)
_NOTHING_BUT_ZERO = re.compile(r"\s*0+([.,]0*)?\s*", re.ASCII)
_COMPARATORS = {"<", "<=", ">", ">="}
# All in um2/s: 1e-3 mm2/s = 1000 um2/s.
_ADC_FACTOR = {
    "mm2/s": Decimal(1_000_000),
    "um2/s": Decimal(1),
    "10*-3.mm2/s": Decimal(1000),
    "10*-6.mm2/s": Decimal(1),
    "10-3.mm2/s": Decimal(1000),
    "10-6.mm2/s": Decimal(1),
}
_ZERO, _ONE = Decimal(0), Decimal(1)
_HU = dict.fromkeys(("[hnsf'U]", "HU", "[HU]"), _ONE)
_SUV = dict.fromkeys(("g/ml{SUVbw}", "g/mL{SUVbw}", "{SUVbw}g/ml", "{SUVbw}g/mL", "1", "{SUV}"), _ONE)
_SUL = dict.fromkeys(("g/ml{SUVlbm}", "g/mL{SUVlbm}", "{SUVlbm}g/ml", "{SUVlbm}g/mL", "1"), _ONE)
# The field of each measure, and what its units are multiplied with.
_MEASURED: dict[Measure, tuple[str, dict[str, Decimal]]] = {
    Measure.ADC: ("adc", _ADC_FACTOR),
    Measure.ADC_MONO: ("adc", _ADC_FACTOR),
    Measure.ATTENUATION: ("hu", _HU),
    Measure.SUV: ("suv", _SUV),
    Measure.SUL: ("sul", _SUL),
}
# Before Python 3.12 each look at a member of an enum takes a call.
_ADC_MONO = Measure.ADC_MONO
_MEASURES = {(kind.system, kind.code): kind for kind in Measure}


class Length(Struct, frozen=True, gc=False):
    """A length: mm when it can be counted; positive when a number above 0 was given at all; why it was
    refused."""

    mm: Decimal | None = None
    positive: bool = False
    zero: bool = False
    comparator: str | None = None
    refused: str | None = None


def length(value: object) -> Length:
    """The length a Quantity gives in mm; a bad unit or an implausible number refuses the size, not the
    sighting."""
    quantity = obj(value)
    written = quantity.get("value")
    given = number(written)
    if given is None:
        return _unread(written) if quantity else Length()
    if given <= _ZERO:
        return Length(zero=True) if given == _ZERO else Length(refused="negative")
    unit = unit_of(quantity)
    factor = _FACTOR.get(unit) if unit is not None else None
    if factor is None:
        return Length(positive=True, refused="unit")
    comparator = text(quantity.get("comparator"))
    if comparator is not None and comparator not in _COMPARATORS:
        return Length(positive=True, refused="comparator")
    mm = given * factor
    if mm > MAX_MM:
        return Length(positive=True, refused="implausible")
    return Length(mm=mm, positive=True, comparator=comparator)


def _unread(written: object) -> Length:
    """A value that is there and is no number ("1,2"): something was measured unless it plainly is nothing."""
    said = "" if isinstance(written, bool) or not isinstance(written, str | int | float) else str(written)
    if said.strip().startswith("-"):
        return Length(refused="negative")
    return Length(
        positive=measured(said), zero=_NOTHING_BUT_ZERO.fullmatch(said) is not None, refused="no-number"
    )


def measured(said: str) -> bool:
    """True where a text holds a digit other than 0, so that it may tell a size."""
    return _NOT_ZERO.search(said) is not None


def measure(pairs: Sequence[Pair], element: Json) -> dict[str, Any]:
    """Fields of a Sighting that an ADC, attenuation, SUV or SUL gives; without a fitting unit only its name.

    A number without its unit is never compared, and that one was recorded is still said (`unusable`).
    """
    kind = next((_MEASURES[pair] for pair in pairs if pair in _MEASURES), None)
    if kind is None:
        return {}
    name, factors = _MEASURED[kind]
    quantity = obj(element.get("valueQuantity"))
    value, unit = number(quantity.get("value")), unit_of(quantity)
    if value is None:
        return {"unusable": (name,)} if _given_otherwise(element) else {}
    if unit is None or unit not in factors or text(quantity.get("comparator")):
        return {"unusable": (name,)}
    model = {"adc_model": "mono"} if kind is _ADC_MONO else {}
    return {name: value * factors[unit], **model}


def _given_otherwise(element: Json) -> bool:
    """True where a value is given that is no single quantity with a number."""
    return any(name in element for name in ("valueString", "valueRange", "valueInteger", "valueRatio"))


def percent(element: Json) -> Decimal | None:
    """A percentage of 0 to 100; None without its unit, beyond the range, or with a comparator."""
    quantity = obj(element.get("valueQuantity"))
    given = number(quantity.get("value"))
    usable = given is not None and 0 <= given <= MAX_PERCENT and unit_of(quantity) == "%"
    return given if usable and text(quantity.get("comparator")) is None else None
