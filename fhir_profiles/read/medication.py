"""Medication given and asked for: systemic therapy and contrast agents."""

from __future__ import annotations

from datetime import timedelta

from msgspec.structs import replace

from fhir_profiles.codes import (
    AGENT_OF,
    ANTINEOPLASTIC_ATC_PREFIX,
    ATC,
    CONTRAST_OF,
    ICI_ATC_PREFIXES,
    INTENT_OF,
    Drug,
    Intent,
    Topic,
)
from fhir_profiles.read.common import Context, Refused, Shared, shared, stated
from fhir_profiles.read.element import (
    Json,
    codings,
    day,
    extensions,
    flag,
    has_timed,
    members,
    obj,
    objs,
    text,
    timed,
    whole,
)
from fhir_profiles.read.reference import contained, normalise
from fhir_profiles.records import ContrastDose, DayRange, Dose, Plan, Record

CYCLE_EXTENSION = "https://vestige.example/fhir/StructureDefinition/crlm-cycle"
INTENT_EXTENSION = "https://vestige.example/fhir/StructureDefinition/crlm-intent"
_MCODE_INTENT = "http://hl7.org/fhir/us/mcode/StructureDefinition/mcode-treatment-intent"
_MCODE_PROFILE = "mcode-cancer-related-medication"
_GIVEN = {"completed", "in-progress"}
_TAKEN = {"active", "completed", "stopped"}
_AGENTS = {(drug.system, drug.code): AGENT_OF[drug] for drug in Drug}
_CONTRASTS = {(agent.system, agent.code): name for agent, name in CONTRAST_OF.items()}
_HAI = (Topic.HAI.system, Topic.HAI.code)
_LONGEST_INFUSION = timedelta(days=7)
_WHOLE_DAY = len("2026-01-31")


def concepts_of(resource: Json, base: str | None) -> list[Json]:
    """The concepts that code the medication: its own, or those of a contained Medication."""
    found = [*objs(resource.get("medicationCodeableConcept"))]
    references = [*objs(resource.get("medicationReference"))]
    for item in objs(resource.get("medication")):
        found += objs(item.get("concept"))
        references += objs(item.get("reference"))
    for reference in references:
        inner = contained(resource, normalise(reference.get("reference"), base))
        found += objs(inner.get("code"))
        for ingredient in objs(inner.get("ingredient")):
            found += objs(ingredient.get("itemCodeableConcept"))
            found += objs(obj(ingredient.get("item")).get("concept"))
    return found


def agents_of(concepts: list[Json], resource: Json) -> tuple[str, ...]:
    """Antineoplastic agents; "other" for one without a class of its own; empty when it is none."""
    found: list[str] = []
    antineoplastic = False
    for system, code in [pair for concept in concepts for pair in codings(concept)]:
        upper = code.upper()
        antineoplastic = antineoplastic or (system == ATC and upper.startswith(ANTINEOPLASTIC_ATC_PREFIX))
        if (system, upper) in _AGENTS:
            found.append(_AGENTS[system, upper])
        elif system == ATC and upper.startswith(ICI_ATC_PREFIXES):
            found.append("ici")
    if not found and (antineoplastic or _declared_antineoplastic(resource)):
        found.append("other")
    return tuple(dict.fromkeys(found))


def _declared_antineoplastic(resource: Json) -> bool:
    profiles = obj(resource.get("meta")).get("profile")
    named = isinstance(profiles, list) and any(_MCODE_PROFILE in str(profile) for profile in profiles)
    return named or next(extensions(resource, _MCODE_INTENT), None) is not None


def intent_of(resource: Json) -> str | None:
    """Coded intent of treatment, from our extension or mCODE's."""
    for item in extensions(resource, INTENT_EXTENSION, _MCODE_INTENT):
        found = {INTENT_OF[one] for one in members(item.get("valueCodeableConcept"), Intent)}
        if len(found) == 1:
            return found.pop()
    return None


def read_administration(resource: Json, ctx: Context) -> tuple[Record, ...]:
    """Doses, or a contrast agent given; nothing for any other medicine."""
    concepts = concepts_of(resource, ctx.base)
    _require_code(resource, concepts)
    agents = agents_of(concepts, resource)
    contrast = {_CONTRASTS[pair] for concept in concepts for pair in codings(concept) if pair in _CONTRASTS}
    if not agents and not contrast:
        return ()
    if text(resource.get("status")) not in _GIVEN:
        raise Refused("not-given", "MedicationAdministration.status")
    days = _days(resource, ctx, "effective", "occurence", "occurrence")
    flags = () if days[0] else ("no-date",)
    if not agents:
        given = stated(resource, ctx, day=days[0], flags=flags)
        return tuple(ContrastDose(**given, agent=agent) for agent in sorted(contrast))
    return _doses(resource, shared(resource, ctx, None, flags), agents, days, "administration", concepts)


def read_statement(resource: Json, ctx: Context) -> tuple[Record, ...]:
    """Doses from what is stated to be taken: one at each known end of the period."""
    concepts = concepts_of(resource, ctx.base)
    _require_code(resource, concepts)
    agents = agents_of(concepts, resource)
    if not agents:
        return ()
    if text(resource.get("status")) not in _TAKEN | {"recorded"}:
        raise Refused("not-given", "MedicationStatement.status")
    days = _days(resource, ctx, "effective")
    said = shared(resource, ctx, None, () if days[0] else ("no-date",))
    return _doses(resource, said, agents, days, "statement", concepts)


def _require_code(resource: Json, concepts: list[Json]) -> None:
    if not any(True for concept in concepts for _ in codings(concept)):
        named = resource.get("medicationReference") or obj(resource.get("medication")).get("reference")
        if named:
            raise Refused("medication-not-resolved", "medicationReference")


def _days(resource: Json, ctx: Context, *names: str) -> tuple[DayRange | None, ...]:
    """One day; the two ends of a period longer than an infusion, each as exact as it is written."""
    for name in names:
        found = timed(resource, name, ctx.timezone)
        if found is None:
            if has_timed(resource, name):
                return (None,)
            continue
        written = obj(resource.get(f"{name}Period"))
        start, end = day(written.get("start"), ctx.timezone), day(written.get("end"), ctx.timezone)
        if start is not None and end is not None and found.last - found.first > _LONGEST_INFUSION:
            return start, DayRange(max(start.first, end.first), end.last)
        return (found,)
    return (None,)


def _over_days(resource: Json) -> bool:
    """Says whether the resource has a period of which both ends are whole days; a month alone has no ends."""
    periods = (obj(resource.get(f"{name}Period")) for name in ("effective", "occurence", "occurrence"))
    return any(
        len(text(each.get("start")) or "") >= _WHOLE_DAY and len(text(each.get("end")) or "") >= _WHOLE_DAY
        for each in periods
    )


def _doses(
    resource: Json,
    said: Shared,
    agents: tuple[str, ...],
    days: tuple[DayRange | None, ...],
    kind: str,
    concepts: list[Json],
) -> tuple[Record, ...]:
    artery = _hepatic_artery(resource)
    cycles = [whole(item.get("valuePositiveInt")) for item in extensions(resource, CYCLE_EXTENSION)]
    name, intent = _name(concepts), intent_of(resource)
    infusion = len(days) == 1 and _over_days(resource)
    found = [
        Dose(
            source=said.source,
            status=said.status,
            subject=said.subject,
            day=day,
            version=said.version,
            updated=said.updated,
            identifiers=said.identifiers,
            flags=said.flags,
            agent=agent,
            kind=kind,
            name=name,
            cycle=cycles[0] if cycles else None,
            continuous=len(days) > 1,
            infusion=infusion,
            hepatic_artery=artery or None,
            intent=intent,
        )
        for day in days
        for agent in (("other",) if artery else agents)
    ]
    return tuple(replace(dose, replaces=said.replaces) if said.replaces else dose for dose in found)


def _name(concepts: list[Json]) -> str | None:
    """The drug in the words of the resource, else the display of a code."""
    for concept in concepts:
        if (written := text(concept.get("text"))) is not None:
            return written
    for concept in concepts:
        for coding in objs(concept.get("coding")):
            if (shown := text(coding.get("display"))) is not None:
                return shown
    return None


def _hepatic_artery(resource: Json) -> bool:
    return any(_HAI in codings(dosage.get("route")) for dosage in objs(resource.get("dosage")))


def read_request(resource: Json, ctx: Context) -> tuple[Record, ...]:
    """An order of systemic therapy, or an order to stop it (doNotPerform); nothing for any other medicine."""
    concepts = concepts_of(resource, ctx.base)
    _require_code(resource, concepts)
    agents = agents_of(concepts, resource)
    if not agents:
        return ()
    first = next(iter(objs(resource.get("dosageInstruction"))), {})
    record = Plan(
        **stated(resource, ctx, day=_event(first, ctx)),
        type="stop-chemotherapy" if flag(resource.get("doNotPerform")) else "chemotherapy",
        intent=text(resource.get("intent")),
        authored=timed(resource, "authoredOn", ctx.timezone),
        agents=agents,
    )
    return (record,)


def _event(dosage: Json, ctx: Context) -> DayRange | None:
    return timed({"planTiming": dosage.get("timing")}, "plan", ctx.timezone)
