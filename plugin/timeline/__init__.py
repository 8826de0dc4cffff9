"""The timeline: one patient's lesions over studies and modalities, linked without drawing a conclusion."""

from plugin.timeline.build import build
from plugin.timeline.history import Event, EventName, Landmarks, events, landmarks
from plugin.timeline.identity import Identity, Match, Register
from plugin.timeline.model import (
    Decided,
    Held,
    Lesion,
    LesionSighting,
    Note,
    Study,
    Timeline,
    Treated,
)

__all__ = [
    "Decided",
    "Event",
    "EventName",
    "Held",
    "Identity",
    "Landmarks",
    "Lesion",
    "LesionSighting",
    "Match",
    "Note",
    "Register",
    "Study",
    "Timeline",
    "Treated",
    "build",
    "events",
    "landmarks",
]
