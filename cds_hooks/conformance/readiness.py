"""Checks of readiness for CDS Hooks 3.0: a service of today breaks nothing by failing them."""

from __future__ import annotations

import re
from collections.abc import Iterator

from cds_hooks.conformance.checks import Problem, Skip, check
from cds_hooks.conformance.errors import refusals
from cds_hooks.conformance.items import filled, present
from cds_hooks.conformance.library import hooks, resource_types
from cds_hooks.conformance.patients import TOKEN
from cds_hooks.conformance.services import Service
from cds_hooks.conformance.shown import value
from cds_hooks.conformance.subject import Subject
from fhir_profiles.check import check as fhir_problems

_VERSION = re.compile(r"\d+\.\d+(\.\d+)?([-+].+)?|STU[123]")
_CODES = "http://terminology.hl7.org/CodeSystem/non-adherence-reason-codes"
_DAYS = re.compile(r"today\(\)(\s*[-+]\s*\d+\s+days)?")


@check("readiness.version", 20)
def version(subject: Subject) -> Iterator[Problem]:
    """A service that states a version of CDS Hooks states it in a known form."""
    found = [(where, entry["version"]) for where, entry in subject.listed if entry.get("version") is not None]
    if not found:
        raise Skip("no service states the version of CDS Hooks that it follows (recommended in 3.0)")
    for where, held in found:
        if not isinstance(held, str) or not _VERSION.fullmatch(held):
            yield Problem(f"{where}.version is {value(held)}", subject.discovery)


@check("readiness.hook-version", 21)
def hook_version(subject: Subject) -> Iterator[Problem]:
    """A stated hookVersion is a published one of its hook."""
    found = [one for one in subject.offered if one.entry.get("hookVersion") is not None]
    if not found:
        raise Skip("no service states a hookVersion")
    for one in found:
        held = one.entry["hookVersion"]
        published = hooks()[one.hook].versions if one.hook in hooks() else ()
        if not filled(held) or (published and held not in published):
            yield Problem(f"{one.id}: hookVersion of {one.hook} is {value(held)}", subject.discovery)


@check("readiness.key-order", 44)
def key_order(subject: Subject) -> Iterator[Problem]:
    """A template that uses the answer of another key stands after it."""
    for service, name, used, earlier in _variables(subject):
        if used not in earlier:
            yield Problem(f"{service.id}: prefetch {value(name)} uses %{used} before it", subject.discovery)


@check("readiness.paths", 45)
def paths(subject: Subject) -> Iterator[Problem]:
    """ofType names a FHIR type, and today() is moved by days only."""
    found = [
        (service, name, token)
        for service in subject.offered
        for name, template in service.templates.items()
        for token in TOKEN.findall(template)
        if "ofType(" in token or "today()" in token
    ]
    if not found:
        raise Skip("no template uses the paths of 3.0")
    for service, name, token in found:
        for kind in re.findall(r"ofType\(\s*([^)\s]*)\s*\)", token):
            if kind not in resource_types():
                yield Problem(f"{service.id}: prefetch {value(name)}: {value(kind)}", subject.discovery)
        if "today()" in token and not _DAYS.fullmatch(token.strip()):
            yield Problem(f"{service.id}: prefetch {value(name)}: {value(token)}", subject.discovery)


@check("readiness.outcome", 82, 110)
def outcome(subject: Subject) -> Iterator[Problem]:
    """An error explains itself in an OperationOutcome."""
    for answer in refusals(subject):
        if answer.refused and answer.object.get("resourceType") != "OperationOutcome":
            yield Problem(f"{answer.said} without an OperationOutcome", answer)


@check("readiness.resource", 7, 144)
def resource(subject: Subject) -> Iterator[Problem]:
    """The resource of an action is valid FHIR R4 in JSON."""
    for one, held in present(subject.actions(), "resource"):
        for fault in fhir_problems(held) if isinstance(held, dict) else ():
            yield Problem(f"{one.where}: {fault}", one.call.answer)


@check("readiness.action-selection", 145)
def action_selection(subject: Subject) -> Iterator[Problem]:
    """No actionSelectionBehavior goes to a client that is not known to read it."""
    for one, held in present(subject.inside("suggestions"), "actionSelectionBehavior"):
        yield Problem(f"{one.where}: actionSelectionBehavior {value(held)}", one.call.answer)


@check("readiness.reason-codes", 161)
def reason_codes(subject: Subject) -> Iterator[Problem]:
    """Override reasons have codes of the suggested system, or of a system with an absolute name."""
    for one, held in present(subject.inside("overrideReasons"), "system"):
        if held != _CODES and not re.match(r"https?://|urn:", str(held)):
            yield Problem(f"{one.where}: system {value(held)} is no address", one.call.answer)


def _variables(subject: Subject) -> Iterator[tuple[Service, str, str, list[str]]]:
    found = False
    for service in subject.offered:
        keys = list(service.templates)
        for at, (name, template) in enumerate(service.templates.items()):
            for token in TOKEN.findall(template):
                for used in re.findall(r"%([A-Za-z_][\w-]*)", token):
                    found = True
                    yield service, name, used, keys[:at]
    if not found:
        raise Skip("no template uses the answer of another key")
