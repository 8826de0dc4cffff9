"""What one prefetch key means: the decision table between "no data" and "not fetched"."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from enum import Enum
from typing import Any
from urllib.parse import unquote

from plugin.chart import Gap, GapReason
from plugin.pull.bundle import Page, Remark, page, remarks_of, with_ids, worst
from plugin.pull.queries import Query
from plugin.pull.self_link import as_wide, ignores_patient, narrows


class State(Enum):
    """What a prefetch key, or a finished search, tells of the record.

    PRESENT: all of it is there. NONE: the client asked and there is nothing. MISSING: not asked, so the FHIR
    server may be. FAILED: asked in vain; the same is not asked again (CDS Hooks 2.0.1, "Prefetch tokens").
    INCOMPLETE: a part is there, and absence must not be concluded from it.
    """

    PRESENT = "present"
    NONE = "none"
    MISSING = "missing"
    FAILED = "failed"
    INCOMPLETE = "incomplete"


@dataclass(frozen=True, kw_only=True)
class Answer:
    """How one query was answered; `next_url` is a further page that was not read yet."""

    query: Query
    state: State
    resources: tuple[Mapping[str, Any], ...] = ()
    gaps: tuple[Gap, ...] = ()
    next_url: str | None = None

    @property
    def usable(self) -> bool:
        """True where it says something of the record."""
        return self.state in (State.PRESENT, State.NONE, State.INCOMPLETE)


def gap(query: Query, reason: GapReason, detail: str, *, decisive: bool | None = None) -> Gap:
    """Returns the gap that a query leaves; decisive as the query is, unless told."""
    weight = query.decisive if decisive is None else decisive
    return Gap(resource=query.resource, reason=reason, detail=detail, decisive=weight, query=query.key)


def failed(query: Query, reason: GapReason, detail: str) -> Answer:
    """Returns the answer of a query that was asked in vain."""
    return Answer(query=query, state=State.FAILED, gaps=(gap(query, reason, detail),))


def judge(query: Query, prefetch: Mapping[str, Any] | None, patient_id: str) -> Answer:
    """Returns what the prefetch says to one query; owners are checked later, page by page alike."""
    if prefetch is None or query.key not in prefetch:
        return Answer(query=query, state=State.MISSING)
    value = prefetch[query.key]
    if value is None:
        return Answer(query=query, state=State.NONE)
    kind = value.get("resourceType") if isinstance(value, dict) else None
    if kind == "OperationOutcome":
        remark = worst(remarks_of(value))
        reason = remark.reason if remark else GapReason.NOT_FETCHED
        return failed(query, reason, "the client sent an OperationOutcome in place of the data")
    if kind == "Bundle":
        return _judge_bundle(query, value, patient_id)
    if kind == query.resource:
        return Answer(query=query, state=State.PRESENT, resources=(value,))
    return failed(query, GapReason.UNREADABLE, "the prefetch holds something else than was asked for")


def _judge_bundle(query: Query, bundle: Mapping[str, Any], patient_id: str) -> Answer:
    found = page(with_ids(bundle))
    if query.is_read:
        # A read answered with a Bundle: the specification's own examples do so.
        found = _only(found, query.resource)
    if found.self_url and not query.is_read and _unanswered(found.self_url, query, patient_id):
        return failed(query, GapReason.UNREADABLE, "its self link is not of the search asked for")
    resources, gaps = usable(query, found)
    if not query.is_read:
        gaps = (*gaps, *narrowed(query, found, as_wide(query), patient_id))
    if gaps and not resources:
        return Answer(query=query, state=State.FAILED, gaps=gaps)
    short = shortfall(query, found, len(found.matches) + found.broken)
    if found.next_url is None and short is not None:
        gaps = (*gaps, short)
    partial = short is not None or any(one.decisive == query.decisive for one in gaps)
    state = State.INCOMPLETE if partial else State.PRESENT if resources else State.NONE
    return Answer(query=query, state=state, resources=resources, gaps=gaps, next_url=found.next_url)


def usable(query: Query, found: Page) -> tuple[tuple[Mapping[str, Any], ...], tuple[Gap, ...]]:
    """Returns the resources of a page that answer the query, and the gaps that the rest of it leaves."""
    resources = tuple(one for one in found.matches if one["resourceType"] == query.resource)
    shared = tuple(one for one in (*found.matches, *found.others) if one["resourceType"] == "Medication")
    gaps = [_withheld(query, remark) for remark in found.remarks]
    if found.broken:
        text = f"{found.broken} of its entries or elements cannot be read"
        gaps.append(gap(query, GapReason.UNREADABLE, text))
    if not found.answers:
        gaps.append(gap(query, GapReason.UNREADABLE, "the Bundle is of a type that answers no search"))
    if not resources and any(one["resourceType"] != "Medication" for one in found.matches):
        gaps.append(gap(query, GapReason.UNREADABLE, "the Bundle holds other resource types than asked for"))
    if any(_is_subset(one) for one in resources):
        gaps.append(gap(query, GapReason.TRUNCATED, "the server sent parts of resources only (SUBSETTED)"))
    return resources + (shared if query.resource != "Medication" else ()), tuple(dict.fromkeys(gaps))


def shortfall(query: Query, found: Page, received: int) -> Gap | None:
    """Returns the gap where a further page was not read or the total says that entries are lacking."""
    if found.next_url is not None:
        return gap(query, GapReason.TRUNCATED, "a further page was not read")
    if found.total is not None and found.total > received:
        return gap(query, GapReason.TRUNCATED, "the total is larger than the number of entries received")
    return None


def narrowed(query: Query, found: Page, ways: Iterable[str], patient_id: str) -> tuple[Gap, ...]:
    """Returns the gap where the self link says that less was searched for than any of the ways asks."""
    if not found.self_url or not narrows(found.self_url, query, ways, patient_id):
        return ()
    return (gap(query, GapReason.TRUNCATED, "its self link shows a search for less than was asked"),)


def _withheld(query: Query, remark: Remark) -> Gap:
    decisive = query.decisive and (remark.fatal or not query.whole)
    said = "an error" if remark.fatal else "a warning"
    return gap(query, remark.reason, f"the Bundle holds {said} ({remark.code})", decisive=decisive)


def _only(found: Page, kind: str) -> Page:
    matches = tuple(one for one in (*found.matches, *found.others) if one["resourceType"] == kind)
    return Page(matches=matches, remarks=found.remarks, broken=found.broken)


def _unanswered(self_url: str, query: Query, patient_id: str) -> bool:
    """Says whether a search cannot have been the one asked for: template unfilled, or another patient's."""
    return "{{" in unquote(self_url) or ignores_patient(self_url, query, patient_id)


def _is_subset(resource: Mapping[str, Any]) -> bool:
    meta = resource.get("meta")
    tags = meta.get("tag") if isinstance(meta, dict) else None
    return isinstance(tags, list) and any(
        isinstance(tag, dict) and tag.get("code") == "SUBSETTED" for tag in tags
    )
