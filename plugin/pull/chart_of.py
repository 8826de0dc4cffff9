"""Puts the answers together to one chart: owners checked, duplicates folded, gaps weighed."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from typing import Any

from plugin.chart import Gap, GapReason
from plugin.pull.owner import Identity, Owner
from plugin.pull.prefetch import Answer, State, gap
from plugin.pull.queries import Query
from plugin.versions import newest


def owned(answer: Answer, identity: Identity) -> Answer:
    """Returns the answer without what is not our patient's, with a gap for whatever was left out.

    An answer in which nothing is ours did not answer the question and weighs as the query does; beside
    resources of ours, a stray one is shown and takes nothing from them.
    """
    kept: list[Mapping[str, Any]] = []
    strays = unstated = 0
    for resource in answer.resources:
        owner = identity.owner(resource)
        if owner in (Owner.OURS, Owner.SHARED):
            kept.append(resource)
        elif owner is Owner.OTHER:
            strays += 1
        else:
            unstated += 1
    if not strays and not unstated:
        return answer
    none = not any(one.get("resourceType") == answer.query.resource for one in kept)
    weight = answer.query.decisive and none
    gaps = list(answer.gaps)
    if strays:
        gaps.append(_left_out(answer.query, GapReason.WRONG_PATIENT, strays, "are another patient's", weight))
    if unstated:
        # Nobody's finding could be ours: it is missing from the record as far as we can tell.
        weight = answer.query.decisive
        gaps.append(
            _left_out(answer.query, GapReason.UNREADABLE, unstated, "name no patient who can be told", weight)
        )
    state = State.FAILED if none else answer.state
    return Answer(query=answer.query, state=state, resources=tuple(kept), gaps=tuple(gaps))


def _left_out(query: Query, reason: GapReason, count: int, why: str, decisive: bool) -> Gap:
    return gap(query, reason, f"{count} resources left out that {why}", decisive=decisive)


def folded(resources: Iterable[Mapping[str, Any]]) -> tuple[Mapping[str, Any], ...]:
    """Returns each resource once, by type and id, in the newest version, in an order of its own.

    Versions that differ and cannot be ranked are all kept, so that none of them is believed by chance.
    Resources without an id are kept as they are.
    """
    versions: dict[tuple[str, str], list[Mapping[str, Any]]] = {}
    nameless: list[Mapping[str, Any]] = []
    for resource in resources:
        kind, own = str(resource.get("resourceType")), resource.get("id")
        if isinstance(own, str):
            versions.setdefault((kind, own), []).append(resource)
        else:
            nameless.append(resource)
    kept = [each for key in sorted(versions) for each in newest(versions[key])]
    return (*kept, *sorted(nameless, key=repr))


def weighed(
    gaps: Iterable[Gap], resources: tuple[Mapping[str, Any], ...], unresolved: frozenset[str]
) -> tuple[Gap, ...]:
    """Returns the gaps without those that other resources make good.

    A server without lesions or studies as resources of their own, or without a search for them, still tells
    of them by reference: `unresolved` names the resource types that are referred to and could not be read.
    Lesions that were all read by reference are complete, for one that nothing refers to was never sighted.
    A study that nothing refers to may still have been silent on a lesion: its gap stays, and decides only
    where an observation does not tell its study itself.
    """
    return tuple(
        left for one in dict.fromkeys(gaps) if (left := _weighed(one, resources, unresolved)) is not None
    )


def _weighed(one: Gap, resources: tuple[Mapping[str, Any], ...], unresolved: frozenset[str]) -> Gap | None:
    if one.reason is not GapReason.UNSUPPORTED:
        return one
    if one.resource == "BodyStructure":
        return one if "BodyStructure" in unresolved else None
    if one.resource == "ImagingStudy":
        told = "ImagingStudy" not in unresolved or all(_tells_study(obs) for obs in _imaging(resources))
        return _weakened(one) if told else one
    return one


def _imaging(resources: tuple[Mapping[str, Any], ...]) -> list[Mapping[str, Any]]:
    return [
        one
        for one in resources
        if one.get("resourceType") == "Observation" and ("partOf" in one or "derivedFrom" in one)
    ]


def _tells_study(observation: Mapping[str, Any]) -> bool:
    """Says whether an observation itself gives the day and the modality of its study."""
    dated = any(key.startswith("effective") for key in observation)
    return dated and "method" in observation


def _weakened(one: Gap) -> Gap:
    return Gap(
        resource=one.resource,
        reason=one.reason,
        detail=f"{one.detail}; taken from observations and reports instead",
        decisive=False,
        query=one.query,
    )
