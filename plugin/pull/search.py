"""Answers one query from the FHIR server: every page, and another way where the server refuses the first."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

from plugin.chart import Gap, GapReason
from plugin.errors import FhirError
from plugin.pull.bundle import Page, page
from plugin.pull.capability import UNKNOWN, Capability, judged, plan, unsupported
from plugin.pull.client import Client
from plugin.pull.prefetch import Answer, State, failed, gap, narrowed, shortfall, usable
from plugin.pull.queries import Query, path
from plugin.pull.self_link import ignores_patient

_EXPIRED = (GapReason.NOT_FOUND,)


def answer(client: Client, query: Query, patient_id: str, known: Capability = UNKNOWN) -> Answer:
    """Returns the answer of the FHIR server to a query; a fault is a gap, never an exception.

    A search that the server does not offer, or refuses, is tried in the other ways that the query names.
    """
    if query.is_read:
        return _read(client, query, patient_id)
    planned = plan(query, known)
    if not planned.ways:
        return unsupported(query, planned.refusal)
    count = known.count(query.resource)
    first, *others = (_sized(way, count) for way in planned.ways)
    result = judged(_search(client, query, first, patient_id), known)
    for way in others:
        if not _refused(result):
            break
        result = judged(_search(client, query, way, patient_id), known)
    return result


def _sized(way: str, count: int | None) -> str:
    return way if count is None else f"{way}&_count={count}"


def follow(client: Client, query: Query, begun: Answer) -> Answer:
    """Returns a prefetched answer completed by the further pages that its Bundle names.

    Pages are followed verbatim, inside the server's base, with the token of the call.
    """
    collected = _Collected(query)
    collected.take(begun.resources, begun.gaps)
    collected.state_next(begun.next_url)
    collected.walk(client)
    return collected.answer()


def _read(client: Client, query: Query, patient_id: str) -> Answer:
    try:
        resource = client.get(path(query.template, patient_id))
    except FhirError as error:
        return failed(query, error.reason, error.detail)
    if resource["resourceType"] != query.resource:
        return failed(query, GapReason.UNREADABLE, "the server answered with another resource type")
    return Answer(query=query, state=State.PRESENT, resources=(resource,))


def _search(client: Client, query: Query, template: str, patient_id: str) -> Answer:
    """Runs one search; where a later page has expired it is begun once more."""
    for attempt in (1, 2):
        collected = _Collected(query)
        try:
            first = _page(client.get(path(template, patient_id)))
        except FhirError as error:
            # A server without the resource type has no such path.
            reason = GapReason.UNSUPPORTED if error.reason is GapReason.NOT_FOUND else error.reason
            return failed(query, reason, error.detail)
        if first.self_url and ignores_patient(first.self_url, query, patient_id):
            return failed(query, GapReason.UNSUPPORTED, "the server ignored the patient in the search")
        collected.note(narrowed(query, first, (template,), patient_id))
        collected.turn(first)
        collected.walk(client)
        if not collected.expired or attempt == 2:
            break
    return collected.answer()


def _page(resource: Mapping[str, Any]) -> Page:
    if resource["resourceType"] != "Bundle":
        raise FhirError(GapReason.UNREADABLE, "the server answered a search without a Bundle")
    return page(resource)


def _refused(result: Answer) -> bool:
    return result.state is State.FAILED and all(one.reason is GapReason.UNSUPPORTED for one in result.gaps)


@dataclass(frozen=True)
class _Stop:
    """Why the walk through the pages ended before the last."""

    reason: GapReason
    detail: str


class _Collected:
    """The pages of one search so far."""

    def __init__(self, query: Query) -> None:
        self._query = query
        self._resources: list[Mapping[str, Any]] = []
        self._gaps: list[Gap] = []
        self._last = Page()
        self._received = 0
        self._pages = 0
        self._stop: _Stop | None = None
        self.expired = False

    def take(self, resources: tuple[Mapping[str, Any], ...], gaps: tuple[Gap, ...]) -> None:
        """Adds what a page gave."""
        self._resources.extend(resources)
        self._gaps.extend(gaps)
        self._received += len(resources)
        self._pages += 1

    def note(self, gaps: tuple[Gap, ...]) -> None:
        """Adds what is amiss with the search as a whole."""
        self._gaps.extend(gaps)

    def state_next(self, url: str | None) -> None:
        """Notes the further page of a Bundle that did not come from the server."""
        self._last = Page(next_url=url)

    def turn(self, found: Page) -> None:
        """Adds one page and makes it the last read."""
        resources, gaps = usable(self._query, found)
        received = self._received + len(found.matches) + found.broken
        self.take(resources, gaps)
        self._received = received
        self._last = found

    def walk(self, client: Client) -> None:
        """Reads the further pages until there is none, a limit is reached or something fails."""
        seen: set[str] = set()
        while self._last.next_url is not None and self._stop is None:
            url = self._last.next_url
            if not url:
                self._stop = _Stop(GapReason.TRUNCATED, "the address of a further page cannot be read")
            elif url in seen:
                self._stop = _Stop(GapReason.TRUNCATED, "the further pages form a loop")
            elif self._pages >= client.limits.max_pages or self._received >= client.limits.max_entries:
                self._stop = _Stop(GapReason.TRUNCATED, "there are more pages or entries than are read")
            else:
                seen.add(url)
                self._turn_to(client, url)

    def _turn_to(self, client: Client, url: str) -> None:
        try:
            self.turn(_page(client.get(url)))
        except FhirError as error:
            self.expired = error.reason in _EXPIRED
            self._stop = _Stop(GapReason.TRUNCATED, f"a further page could not be read: {error.detail}")

    def answer(self) -> Answer:
        """Returns what was collected, with a gap for whatever is lacking."""
        gaps = list(dict.fromkeys(self._gaps))
        if self._stop is not None:
            gaps.append(gap(self._query, self._stop.reason, self._stop.detail))
        elif (short := shortfall(self._query, self._last, self._received)) is not None:
            gaps.append(short)
        partial = any(one.decisive == self._query.decisive for one in gaps)
        if gaps and not self._resources:
            state = State.FAILED
        elif partial:
            state = State.INCOMPLETE
        else:
            state = State.PRESENT if self._resources else State.NONE
        return Answer(query=self._query, state=state, resources=tuple(self._resources), gaps=tuple(gaps))
