"""The scopes of the page: what its searches need and no more; to write only for a reading."""

from __future__ import annotations

import re
from collections.abc import Iterable

from plugin.pull.backend import RESOURCES

WRITTEN = ("Observation", "Provenance")
_V2 = re.compile(r"(?:patient|user)/(?P<kind>[A-Za-z]+|\*)\.(?P<may>c?r?u?d?s?)(?:\?.*)?")
_V1 = re.compile(r"(?:patient|user)/(?P<kind>[A-Za-z]+|\*)\.(?P<may>read|write|\*)")


def read_scopes(*, v1: bool, launched: bool) -> tuple[str, ...]:
    """Returns the scopes to read one patient, launched from the EHR or choosing the patient (SMART 2.2)."""
    context = "launch" if launched else "launch/patient"
    kinds = tuple(f"patient/{kind}.{'read' if v1 else 'rs'}" for kind in RESOURCES)
    return ("openid", "fhirUser", context, *kinds)


def write_scopes(*, v1: bool) -> tuple[str, ...]:
    """Returns the scopes that a reading needs beyond those to read: to add, never to change or delete."""
    return tuple(f"patient/{kind}.{'write' if v1 else 'c'}" for kind in WRITTEN)


def may_write(granted: Iterable[str]) -> bool:
    """Tells whether the granted scopes let a reading be stored."""
    open_to = set[str]()
    for scope in granted:
        found = _V1.fullmatch(scope) or _V2.fullmatch(scope)
        if found is not None and (found["may"] in ("write", "*") or found["may"].startswith("c")):
            open_to.add(found["kind"])
    return "*" in open_to or set(WRITTEN) <= open_to
