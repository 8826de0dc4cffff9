"""Values of the record as the timeline document has them."""

from __future__ import annotations

from collections.abc import Mapping
from datetime import date
from decimal import Decimal
from typing import Any

from fhir_profiles.records import DayRange
from rules.facts import Value


def plain(value: Value | None) -> Any:
    """Returns a value as JSON has it: a date as text, an exact number as a number, "unknown" as None."""
    if isinstance(value, date):
        return value.isoformat()
    if isinstance(value, Decimal):
        return int(value) if value == value.to_integral_value() else float(value)
    return None if value == "unknown" else value


def plain_fact(values: Mapping[str, Value]) -> dict[str, Any] | None:
    """Returns the values of a fact, None where there is no such fact."""
    return {name: plain(value) for name, value in values.items()} or None


def days(day: DayRange | None) -> dict[str, Any]:
    """Returns `day`, and `dayLast` where the day is not exact; both None without a day."""
    if day is None:
        return {"day": None, "dayLast": None}
    return {"day": day.first.isoformat(), "dayLast": None if day.exact else day.last.isoformat()}
