"""Quantities with a meaning: lengths in millimetres and the measures of a lesion in their own units."""

from __future__ import annotations

from collections.abc import Sequence
from decimal import Decimal
from typing import Any, NamedTuple

from fhir_profiles.codes import Measure
from fhir_profiles.read.element import Json, Pair, lookup, number, obj, text, unit_of

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
_HU = {"[hnsf'U]", "HU", "[HU]"}
_SUV = {"g/ml{SUVbw}", "g/mL{SUVbw}", "{SUVbw}g/ml", "{SUVbw}g/mL", "1", "{SUV}"}
_SUL = {"g/ml{SUVlbm}", "g/mL{SUVlbm}", "{SUVlbm}g/ml", "{SUVlbm}g/mL", "1"}
_MEASURES = lookup([Measure])


class Length(NamedTuple):
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
    given = number(quantity.get("value"))
    if given is None:
        return Length(refused="no-number") if quantity else Length()
    if given < 0:
        return Length(refused="negative")
    if given == 0:
        return Length(zero=True)
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


def measure(pairs: Sequence[Pair], element: Json) -> dict[str, Any]:
    """Fields of a Sighting that an ADC, attenuation, SUV or SUL gives; empty without a unit that fits."""
    kind = next((_MEASURES[pair] for pair in pairs if pair in _MEASURES), None)
    if kind is None:
        return {}
    quantity = obj(element.get("valueQuantity"))
    value, unit = number(quantity.get("value")), unit_of(quantity)
    if value is None or unit is None or text(quantity.get("comparator")):
        return {}
    if kind in (Measure.ADC, Measure.ADC_MONO) and unit in _ADC_FACTOR:
        model = {"adc_model": "mono"} if kind is Measure.ADC_MONO else {}
        return {"adc": value * _ADC_FACTOR[unit], **model}
    if kind is Measure.ATTENUATION and unit in _HU:
        return {"hu": value}
    if kind is Measure.SUV and unit in _SUV:
        return {"suv": value}
    if kind is Measure.SUL and unit in _SUL:
        return {"sul": value}
    return {}


def percent(element: Json) -> Decimal | None:
    """A percentage of 0 to 100; None without its unit, beyond the range, or with a comparator."""
    quantity = obj(element.get("valueQuantity"))
    given = number(quantity.get("value"))
    usable = given is not None and 0 <= given <= MAX_PERCENT and unit_of(quantity) == "%"
    return given if usable and text(quantity.get("comparator")) is None else None
