"""What is lost with a resource that is not used: a lesion, a study, a sighting, an operation of the liver."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from datetime import date
from typing import Any

from fhir_profiles.codes import Measure
from fhir_profiles.read.element import codings, lookup, objs, text, values
from fhir_profiles.read.procedure import treats
from fhir_profiles.read.sighting import CODES as SIGHTING_CODES
from fhir_profiles.read.sighting import GROUP
from fhir_profiles.records import Rejected
from plugin.timeline.days import first_of, last_of
from plugin.timeline.identity import Identity, Register
from plugin.timeline.model import LesionSighting

_LOST = {"unreadable", "no-id", "no-type", "not-an-object", "modifier-extension", "value-not-accepted"}
_DECISIVE = {"BodyStructure", "ImagingStudy", "?"}
_NOT_DONE = {"preparation", "not-done"}
_HIDING = SIGHTING_CODES - set(lookup([Measure]))
"""Codes of a statement on whether a lesion is seen; a density or diffusion value is none (DQ-14)."""


def hides(rejected: Rejected, resource: Mapping[str, Any]) -> bool:
    """Says whether a lesion, a study, a statement on a lesion or an operation is lost with what was rejected.

    An operation that does not count may be why a lesion is not seen (R-58).
    """
    reason, kind = rejected.reason, rejected.resource_type
    if kind == "Procedure":
        may_count = text(resource.get("status")) not in _NOT_DONE
        return reason in _LOST and may_count and treats(resource)
    if kind != "Observation":
        return reason in _LOST and kind in _DECISIVE
    codes = set(codings(resource.get("code"))) & _HIDING
    if reason == "no-value":
        return bool(codes - GROUP) and any(values(part) for part in objs(resource.get("component")))
    return reason == "code-not-known" or (reason in _LOST and bool(codes))


def bearing(
    refused: Iterable[Rejected], register: Register, sightings: Sequence[LesionSighting]
) -> list[Rejected]:
    """Gives the refusals that may hide something: one that names lesions, only where it bears on a negative.

    That is where a lesion it names was said not to be seen, on that day or before; where it cannot be told
    which lesion it names, where that was said of any.
    """
    return [each for each in refused if not each.lesions or _bears(each, register, sightings)]


def _bears(refused: Rejected, register: Register, sightings: Sequence[LesionSighting]) -> bool:
    until = last_of(refused.day) or date.max
    denied = {
        each.lesion
        for each in sightings
        if each.visibility == "not-visible" and (first_of(each.day) or date.min) <= until
    }
    matches = [register.resolve(lesion) for lesion in refused.lesions]
    unknown = any(match.identity is Identity.UNKNOWN for match in matches)
    return bool(denied) if unknown else any(match.lesion in denied for match in matches)
