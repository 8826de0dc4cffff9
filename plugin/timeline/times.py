"""Days that cannot be right: after today, or before the patient was born."""

from __future__ import annotations

import re
from collections.abc import Mapping
from datetime import date, datetime
from typing import Any, TypeVar
from zoneinfo import ZoneInfo

from msgspec.structs import replace

from fhir_profiles.records import NewLesionStatement, Rejected, Sighting, Stated, Treatment
from plugin.timeline.days import up_to

StatedT = TypeVar("StatedT", bound=Stated)
_TIME = re.compile(r"\d{4}-\d{2}-\d{2}T\d{2}:\d{2}(:\d{2}(\.\d+)?)?[+-]\d{2}:\d{2}", re.ASCII)
_UTC = ZoneInfo("UTC")


def in_utc(value: Any) -> Any:
    """Gives a resource with every time that has an offset told in UTC, which is read in the site's zone.

    The author of a time may already be in tomorrow: what was written there a while ago is not in the future.
    """
    if isinstance(value, Mapping):
        return {key: in_utc(each) for key, each in value.items()}
    if isinstance(value, list):
        return [in_utc(each) for each in value]
    if isinstance(value, str) and _TIME.fullmatch(value):
        try:
            return datetime.fromisoformat(value).astimezone(_UTC).isoformat()
        except (ValueError, OverflowError):
            return value
    return value


def impossible(record: Stated, today: date, birth: date | None) -> str | None:
    """Gives why the day of a record cannot be right; None where it can."""
    if record.day is not None and record.day.first > today:
        return "after-today"
    if record.day is not None and birth is not None and record.day.last < birth:
        return "before-birth"
    return None


def cut(record: StatedT, today: date) -> StatedT:
    """Gives the record with its range of days cut at today."""
    if record.day is None or record.day.last <= today:
        return record
    return replace(record, day=up_to(record.day, today))


def undated(record: Stated) -> Stated | None:
    """Gives a sighting, a doubt or a new lesion without its day; None for a record that is rejected.

    With its impossible day alone nothing of it is wrong, and what was seen must not be lost: it takes the day
    of its study where there is one.
    """
    if isinstance(record, Sighting):
        seen = record.visibility in ("visible", "indeterminate")
        return replace(record, day=None) if seen or (record.visibility is None and record.size_text) else None
    if isinstance(record, NewLesionStatement) and record.statement != "not-new":
        return replace(record, day=None)
    return None


def out_of_time(record: Stated, reason: str) -> Rejected:
    """Gives the refusal of a record whose day cannot be right."""
    kind = record.source.split("/", 1)[0]
    return Rejected(source=record.source, resource_type=kind, reason=reason, subject=record.subject)


def operates(record: Stated) -> bool:
    """Says whether a record is a resection or ablation that may have been done, whatever its day."""
    if not isinstance(record, Treatment) or record.type not in ("resected", "ablated"):
        return False
    return record.completed or record.doubtful
