"""Exact numbers: the limits that every number of the rule language keeps."""

from __future__ import annotations

from decimal import Context, Decimal, Inexact, InvalidOperation, Overflow

PLACES = 6
MAGNITUDE = 10**9
"""Numbers lie strictly between -10**9 and 10**9, so that a millionth of one fits in 50 bits."""

EXACT = Context(prec=60, traps=[Inexact, InvalidOperation, Overflow])
"""Refuses to round: sixty digits hold every sum of products of admissible numbers."""


def fits(number: int | Decimal) -> bool:
    """Tells whether the number is finite, small enough and has at most six decimal places."""
    if isinstance(number, int):
        return -MAGNITUDE < number < MAGNITUDE
    if not number.is_finite() or not -MAGNITUDE < number < MAGNITUDE:
        return False
    _, digits, exponent = number.as_tuple()
    if not isinstance(exponent, int) or exponent >= -PLACES:
        return True
    surplus = digits[exponent + PLACES :] if len(digits) > -exponent - PLACES else digits
    return not any(surplus)


def tidy(number: Decimal) -> Decimal:
    """Returns the same number in its shortest plain form: 5.10 becomes 5.1 and 1E+2 becomes 100."""
    whole = int(number)
    return Decimal(whole) if number == whole else number.normalize()
