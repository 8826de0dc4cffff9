"""Checks of suggestions, their actions, and system actions."""

from __future__ import annotations

import re
from collections.abc import Iterator

from cds_hooks.conformance.cards import unique_text
from cds_hooks.conformance.checks import Problem, Skip, check
from cds_hooks.conformance.items import Item, filled, present
from cds_hooks.conformance.shown import value
from cds_hooks.conformance.subject import Subject

TYPES = ("create", "update", "delete")
_REFERENCE = re.compile(r"[A-Z][A-Za-z]+/[A-Za-z0-9.\-]{1,64}")


@check("suggestions.label", 132)
def label(subject: Subject) -> Iterator[Problem]:
    """A suggestion has a label."""
    for one in subject.inside("suggestions"):
        if not filled(one.held.get("label")):
            yield _problem(one, f"label is {value(one.held.get('label'))}")


@check("suggestions.uuid", 133)
def own_uuid(subject: Subject) -> Iterator[Problem]:
    """A suggestion's uuid is text, and unlike that of every other."""
    yield from unique_text(subject.inside("suggestions"))


@check("suggestions.recommended", 134)
def recommended(subject: Subject) -> Iterator[Problem]:
    """isRecommended is true or false."""
    for one, held in present(subject.inside("suggestions"), "isRecommended"):
        if not isinstance(held, bool):
            yield _problem(one, f"isRecommended is {value(held)}")


@check("suggestions.actions", 136)
def actions(subject: Subject) -> Iterator[Problem]:
    """Actions are a list of objects."""
    for one, held in present(subject.inside("suggestions"), "actions"):
        if not isinstance(held, list) or not all(isinstance(action, dict) for action in held):
            yield _problem(one, "actions is no list of objects")


@check("suggestions.system-actions", 109, 149, strength="SHALL")
def system_actions(subject: Subject) -> Iterator[Problem]:
    """systemActions are a list of objects."""
    found = [call for call in subject.answered if call.answer.object.get("systemActions") is not None]
    if not found:
        raise Skip("no answer has systemActions")
    for call in found:
        held = call.answer.object["systemActions"]
        if not isinstance(held, list) or not all(isinstance(action, dict) for action in held):
            yield Problem(f"{call.service.id}: systemActions is no list of objects", call.answer)


@check("suggestions.type", 139)
def action_type(subject: Subject) -> Iterator[Problem]:
    """An action's type is create, update or delete."""
    for one in subject.actions():
        if one.held.get("type") not in TYPES:
            yield _problem(one, f"type is {value(one.held.get('type'))}")


@check("suggestions.description", 140)
def description(subject: Subject) -> Iterator[Problem]:
    """An action has a description."""
    for one in subject.actions():
        if not filled(one.held.get("description")):
            yield _problem(one, f"description is {value(one.held.get('description'))}")


@check("suggestions.create", 141)
def create(subject: Subject) -> Iterator[Problem]:
    """A create holds the new resource."""
    for one in _of_type(subject, "create"):
        held = one.held.get("resource")
        if not isinstance(held, dict) or not filled(held.get("resourceType")):
            yield _problem(one, f"resource is {value(held)}, no FHIR resource")


@check("suggestions.update", 142)
def update(subject: Subject) -> Iterator[Problem]:
    """An update holds the whole resource with its id."""
    for one in _of_type(subject, "update"):
        held = one.held.get("resource")
        if not isinstance(held, dict) or not filled(held.get("resourceType")) or not filled(held.get("id")):
            yield _problem(one, f"resource is {value(held)}, no FHIR resource with id")


@check("suggestions.delete", 143)
def delete(subject: Subject) -> Iterator[Problem]:
    """A delete names what it deletes by resourceId."""
    for one in _of_type(subject, "delete"):
        held = one.held.get("resourceId")
        if not isinstance(held, str) or not _REFERENCE.fullmatch(held):
            yield _problem(one, f"resourceId is {value(held)}, not of the form Type/id")


@check("suggestions.subject", 141, strength="silent")
def patient(subject: Subject) -> Iterator[Problem]:
    """What is created is for the patient of the call."""
    for one in _of_type(subject, "create"):
        resource = one.held.get("resource")
        held = resource.get("subject", resource.get("patient")) if isinstance(resource, dict) else None
        reference = held.get("reference") if isinstance(held, dict) else None
        wanted = f"Patient/{one.call.patient.id}"
        if isinstance(reference, str) and not f"/{reference}".endswith(f"/{wanted}"):
            yield _problem(one, "it is for another patient than the call")


@check("suggestions.client", 137)
def client(subject: Subject) -> Iterator[Problem]:
    """A suggestion has as many actions as the chosen client shows."""
    profile = subject.options.profile
    if not profile.one_action:
        raise Skip(f"no limit on actions is known of the client {profile.name}")
    for one, held in present(subject.inside("suggestions"), "actions"):
        if isinstance(held, list) and len(held) != 1:
            yield _problem(one, f"{profile.name} takes one action a suggestion, this has {len(held)}")


def _of_type(subject: Subject, kind: str) -> list[Item]:
    found = [one for one in subject.actions() if one.held.get("type") == kind]
    if not found:
        raise Skip(f"no {kind} was suggested")
    return found


def _problem(item: Item, text: str) -> Problem:
    return Problem(f"{item.where}: {text}", item.call.answer)
