"""Exact numbers: lengths as whole tenths of a millimetre, everything else as Decimal."""

from decimal import Decimal

Number = Decimal | int


class CriterionError(ValueError):
    """What was asked cannot be computed by the criterion; the message names the input at fault."""


def tenths(mm: Number) -> int:
    """Gives a length in whole tenths of a millimetre; a negative or finer one is refused, never rounded."""
    scaled = Decimal(mm) * 10
    if not scaled.is_finite() or scaled < 0:
        raise CriterionError(f"a length must be 0 mm or more, not {mm}")
    if scaled != scaled.to_integral_value():
        raise CriterionError(f"{mm} mm is finer than a tenth of a millimetre; give the recorded value")
    return int(scaled)


def millimetres(value: int) -> Decimal:
    """Gives whole tenths of a millimetre back as millimetres."""
    return Decimal(value) / 10


def positive(name: str, value: Number) -> Decimal:
    """Gives the value as Decimal; zero, negative and infinite values are refused by name."""
    number = Decimal(value)
    if not number.is_finite() or number <= 0:
        raise CriterionError(f"{name} must be greater than 0, not {value}")
    return number


def not_negative(name: str, value: Number) -> Decimal:
    """Gives the value as Decimal; negative and infinite values are refused by name."""
    number = Decimal(value)
    if not number.is_finite() or number < 0:
        raise CriterionError(f"{name} must be 0 or more, not {value}")
    return number
