"""Days: ranges of possible local calendar days, and which end of a range counts."""

from __future__ import annotations

from collections.abc import Iterable
from datetime import date

from fhir_profiles.records import DayRange


def up_to(day: DayRange | None, today: date) -> DayRange | None:
    """Gives the range cut at today: what is on record has happened; None stays None."""
    if day is None or day.last <= today:
        return day
    return DayRange(min(day.first, today), today)


def first_of(day: DayRange | None) -> date | None:
    """Gives the first possible day."""
    return None if day is None else day.first


def last_of(day: DayRange | None) -> date | None:
    """Gives the last possible day."""
    return None if day is None else day.last


def latest(days: Iterable[date | None]) -> date | None:
    """Gives the latest of the days that are known."""
    known = [day for day in days if day is not None]
    return max(known) if known else None


def earliest(days: Iterable[date | None]) -> date | None:
    """Gives the earliest of the days that are known."""
    known = [day for day in days if day is not None]
    return min(known) if known else None


def may_be_latest(day: DayRange | None, newest: date | None) -> bool:
    """Says whether a day, exact or not or none, may be the latest; newest: the latest first possible day."""
    return day is None or newest is None or day.last >= newest


def days_between(earlier: date, later: date) -> int:
    """Gives the whole calendar days from one day to another, negative when turned round."""
    return (later - earlier).days
