"""Looks at every line that any logger writes during a run of the tests: nothing of a patient, no token.

The names, ids and birth dates of the sample patients, what tests plant, tokens, and in lines of our own any
date at all. Lines of processes that tests start are looked at where these processes end.
"""

from __future__ import annotations

import logging
import re
from datetime import date
from pathlib import Path

from cds_hooks.log import TextLines
from fhir_profiles import samples

_TOKEN = r"eyJ[\w-]{6,}|bearer (?!token\b)[\w.-]{3,}"
_DATE = re.compile(r"\b(19|20)\d\d-\d\d-\d\d\b")
# What stands before the message of a line: its time, and that the clock is fixed.
_OWN_TIME = re.compile(
    r'^\d{4}-\d\d-\d\d \d\d:\d\d:\d\d,\d+|"time":"[^"]+"|^THE CLOCK IS FIXED at .*|^vestige: .*'
)


def _secrets() -> re.Pattern[str]:
    found = {"planted", "hush", r"urn:oid:2\.25\.543\d+", r"vestige-\d+(-[a-z]|\b)"}
    for name in samples.names():
        for entry in samples.sample(name, date(2026, 11, 21)).bundle["entry"]:
            one = entry["resource"]
            if one["resourceType"] == "Patient":
                found |= {re.escape(name["family"]) for name in one["name"]} | {one["birthDate"]}
    return re.compile("|".join((_TOKEN, *sorted(found))), re.IGNORECASE)


SECRETS = _secrets()


def told(text: str, *, ours: bool) -> str | None:
    """Returns what a line must not hold, None where it holds nothing of the kind."""
    found = SECRETS.search(text) or (_DATE.search(text) if ours else None)
    return None if found is None else found[0]


def check_log(log: Path) -> None:
    """Fails where a line that a service wrote holds what it must not."""
    for line in log.read_text(errors="replace").splitlines():
        found = told(_OWN_TIME.sub("", line), ours=" vestige" in line or '"logger":"vestige' in line)
        assert found is None, f"{found!r} is in the log of a service: {line}"


class Guard(logging.Handler):
    """Keeps the lines that hold what they must not, as they would be written."""

    def __init__(self) -> None:
        super().__init__(logging.INFO)
        self.setFormatter(TextLines("%(message)s"))
        self.found: list[str] = []
        self.seen = 0

    def emit(self, record: logging.LogRecord) -> None:
        self.seen += 1
        text = self.format(record)
        found = told(text, ours=record.name.startswith("vestige"))
        if found is not None:
            self.found.append(f"{found!r} is in a line of {record.name}: {text}")

    def taken(self) -> list[str]:
        found, self.found = self.found, []
        return found
