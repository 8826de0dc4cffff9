"""Checks of links."""

from __future__ import annotations

from collections.abc import Iterator

from cds_hooks.conformance.cards import absolute
from cds_hooks.conformance.checks import Problem, Skip, check
from cds_hooks.conformance.items import Item, filled, present
from cds_hooks.conformance.shown import value
from cds_hooks.conformance.subject import Subject


@check("links.label", 151)
def label(subject: Subject) -> Iterator[Problem]:
    """A link has a label."""
    for link in subject.inside("links"):
        if not filled(link.held.get("label")):
            yield _problem(link, f"label is {value(link.held.get('label'))}")


@check("links.url", 152)
def url(subject: Subject) -> Iterator[Problem]:
    """A link's url is absolute."""
    for link in subject.inside("links"):
        if not absolute(link.held.get("url")):
            yield _problem(link, f"url is {value(link.held.get('url'))}, no absolute address")


@check("links.type", 153)
def link_type(subject: Subject) -> Iterator[Problem]:
    """A link's type is absolute or smart."""
    for link in subject.inside("links"):
        if link.held.get("type") not in ("absolute", "smart"):
            yield _problem(link, f"type is {value(link.held.get('type'))}")


@check("links.app-context", 154)
def app_context(subject: Subject) -> Iterator[Problem]:
    """appContext is text."""
    for link, held in present(subject.inside("links"), "appContext"):
        if not isinstance(held, str):
            yield _problem(link, f"appContext is {value(held)}, no text")


@check("links.app-context-smart", 155)
def app_context_smart(subject: Subject) -> Iterator[Problem]:
    """appContext stands on smart links only."""
    for link, _ in present(subject.inside("links"), "appContext"):
        if link.held.get("type") == "absolute":
            yield _problem(link, "appContext on an absolute link")


@check("links.autolaunchable", 156, strength="SHALL")
def autolaunchable(subject: Subject) -> Iterator[Problem]:
    """autolaunchable is true or false, and spelt so."""
    for link in subject.inside("links"):
        held = link.held.get("autolaunchable", False)
        if held is not None and not isinstance(held, bool):
            yield _problem(link, f"autolaunchable is {value(held)}")
        if "autoLaunchable" in link.held:
            yield _problem(link, "autoLaunchable is spelt with a capital letter")


@check("links.patient", 158)
def patient(subject: Subject) -> Iterator[Problem]:
    """No link carries the id of the patient."""
    for link, held in present(subject.inside("links"), "url"):
        if isinstance(held, str) and link.call.patient.id in held:
            yield _problem(link, "the url holds the id of the patient")


@check("links.client", 157, 207)
def client(subject: Subject) -> Iterator[Problem]:
    """Links are what the chosen client supports."""
    profile = subject.options.profile
    if profile.app_context:
        raise Skip(f"no limit on links is known of the client {profile.name}")
    for link, _ in present(subject.inside("links"), "appContext"):
        yield _problem(link, f"{profile.name} does not pass appContext on")


def _problem(item: Item, text: str) -> Problem:
    return Problem(f"{item.where}: {text}", item.call.answer)
