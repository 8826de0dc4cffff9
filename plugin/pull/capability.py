"""What a FHIR server can do, by its CapabilityStatement and the dialect of its make, and how it is asked."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field, replace
from typing import Any
from urllib.parse import parse_qsl

from plugin.chart import GapReason
from plugin.dialects import Dialect, recognised
from plugin.pull.prefetch import Answer, State, failed
from plugin.pull.queries import PATIENT_ID, Query

_BY_PATIENT = f"patient={PATIENT_ID}"
_BY_SUBJECT = f"subject=Patient/{PATIENT_ID}"
# Faults that say nothing of what the server can do.
_PASSING = frozenset(
    {GapReason.NOT_AUTHORISED, GapReason.THROTTLED, GapReason.TIMEOUT, GapReason.WRONG_PATIENT}
)


@dataclass(frozen=True, kw_only=True)
class Capability:
    """What is known of one server; the default is an unknown one, which is asked as the standard says.

    `searches`: the search parameters of each resource type that the server lists with a search; None where
    there is no statement. `listed`: every resource type it lists.
    """

    listed: frozenset[str] | None = None
    searches: Mapping[str, frozenset[str]] = field(default_factory=dict)
    dialect: Dialect | None = None

    def lacks(self, resource: str) -> bool:
        """Says whether reading this resource type by its id is of no use."""
        return self.dialect is not None and self.dialect.lacks(resource)

    def count(self, resource: str) -> int | None:
        """Returns how large a page to ask for, or None to leave it to the server."""
        return None if self.dialect is None else self.dialect.count(resource)


UNKNOWN = Capability()


def capability_of(statement: Mapping[str, Any], dialect: Dialect | None = None) -> Capability:
    """Returns what a CapabilityStatement tells; `dialect` is the one that the site configured.

    A statement without resource types tells nothing.
    """
    listed: set[str] = set()
    searches: dict[str, frozenset[str]] = {}
    for one in _resources(statement):
        kind = one.get("type")
        if not isinstance(kind, str):
            continue
        listed.add(kind)
        interactions = _codes(one.get("interaction"), "code")
        if not interactions or "search-type" in interactions:
            searches[kind] = _codes(one.get("searchParam"), "name")
    known = dialect if dialect is not None else recognised(statement)
    return Capability(listed=frozenset(listed) if listed else None, searches=searches, dialect=known)


def _resources(statement: Mapping[str, Any]) -> Iterator[Mapping[str, Any]]:
    rests = statement.get("rest")
    for rest in rests if isinstance(rests, list) else []:
        if isinstance(rest, Mapping) and rest.get("mode", "server") == "server":
            resources = rest.get("resource")
            yield from (
                one for one in (resources if isinstance(resources, list) else []) if isinstance(one, Mapping)
            )


def _codes(value: Any, name: str) -> frozenset[str]:
    items = value if isinstance(value, list) else []
    return frozenset(
        item[name] for item in items if isinstance(item, Mapping) and isinstance(item.get(name), str)
    )


@dataclass(frozen=True, kw_only=True)
class Plan:
    """The ways to ask one query of one server, best first; `refusal` says why there is none."""

    ways: tuple[str, ...]
    refusal: str = ""


def plan(query: Query, known: Capability) -> Plan:
    """Returns the ways to ask: none that the dialect rules out, those with listed parameters first.

    What a server merely does not list is still asked, for many statements are incomplete; `judged` weighs the
    answer.
    """
    templates = (query.template, *query.alternatives)
    if known.dialect is not None:
        refusals = {way: known.dialect.refuses(query.resource, _parameters(way)) for way in templates}
        templates = tuple(way for way in templates if refusals[way] is None)
        if not templates:
            return Plan(ways=(), refusal=refusals[query.template] or "")
    listed = known.searches.get(query.resource, frozenset())
    if "subject" in listed and "patient" not in listed:
        templates = tuple(way.replace(_BY_PATIENT, _BY_SUBJECT) for way in templates)
    if not listed:
        return Plan(ways=templates)
    return Plan(ways=tuple(sorted(templates, key=lambda way: not set(_parameters(way)) <= listed)))


def judged(answer: Answer, known: Capability) -> Answer:
    """Returns the answer to a search; where the server lists no such search, finding nothing is no answer.

    Such a search is "unsupported": what it would have found is looked for in other ways.
    """
    query = answer.query
    if query.is_read or known.listed is None or query.resource in known.searches:
        return answer
    if answer.state not in (State.FAILED, State.NONE) or any(one.reason in _PASSING for one in answer.gaps):
        return answer
    return unsupported(query, f"the server lists no search of {query.resource}")


def unsupported(query: Query, detail: str) -> Answer:
    """Returns the answer of a search that the server does not offer."""
    return failed(query, GapReason.UNSUPPORTED, detail)


def configured(dialect: Dialect | None) -> Capability:
    """Returns what is known of a server before its statement was read."""
    return UNKNOWN if dialect is None else replace(UNKNOWN, dialect=dialect)


def _parameters(way: str) -> dict[str, str]:
    return dict(parse_qsl(way.partition("?")[2]))
