"""What a sample is, and how its dates move with today."""

from __future__ import annotations

import re
from datetime import date, timedelta
from typing import Any

import msgspec

_DATE = re.compile(r"^(\d{4}-\d{2}-\d{2})(T.*)?$")


class Sample(msgspec.Struct, frozen=True, kw_only=True):
    """One synthetic patient: a transaction Bundle, the call that goes with it, what is to be found, its
    own today.

    hook: {"hook": name, "context": {...}} as a CDS Hooks client sends it. expected: {"lesions": {label:
    status}, "patientStatus": value, "rules": {id: indicator}, "absent": [ids]}.
    """

    name: str
    title: str
    bundle: dict[str, Any]
    hook: dict[str, Any]
    expected: dict[str, Any]
    anchor: date


def moved(value: Any, days: timedelta) -> Any:
    """The same JSON with every date and the date of every time moved."""
    if isinstance(value, dict):
        return {key: moved(item, days) for key, item in value.items()}
    if isinstance(value, list):
        return [moved(item, days) for item in value]
    match = _DATE.match(value) if isinstance(value, str) else None
    if match is None:
        return value
    return f"{(date.fromisoformat(match[1]) + days).isoformat()}{match[2] or ''}"
