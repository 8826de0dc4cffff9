"""Facts on the patient: performance status, liver function, remnant, intent, tumour biology."""

from __future__ import annotations

from decimal import Decimal
from typing import Any

from fhir_profiles.codes import (
    INTENT_OF,
    EcogGrade,
    FactValue,
    Gene,
    Intent,
    NodeCategory,
    Response,
    Topic,
)
from fhir_profiles.read.common import Context, Refused, stated, when
from fhir_profiles.read.element import (
    Json,
    member,
    members,
    number,
    obj,
    parts,
    values,
    whole,
    yes_no,
)
from fhir_profiles.read.quantity import percent
from fhir_profiles.read.reference import tokens
from fhir_profiles.records import PatientFact, Record

# Kind of the patient fact and the codes its value may have; None: any number; (): yes or no.
_FACTS: dict[Topic, tuple[str, tuple[str, ...] | None]] = {
    Topic.ECOG: ("ecog", None),
    Topic.FLR: ("flr-percent", None),
    Topic.CHILD_PUGH: ("child-pugh", ("A", "B", "C")),
    Topic.REFUSAL: ("refusal", ()),
    Topic.EXTRAHEPATIC: (
        "extrahepatic",
        ("none", "stable", "response", "progression-definite", "progression-indeterminate"),
    ),
    Topic.MUCINOUS: ("mucinous", ()),
    Topic.MRI_CONTRAINDICATION: (
        "mri-contra",
        ("none-known", "contrast-allergy", "device", "renal", "claustrophobia", "other"),
    ),
    Topic.STEATOSIS: ("steatosis", ("none", "mild", "moderate", "severe")),
    Topic.HAI: ("hai", ()),
    Topic.TRANSPLANT: ("transplant", ()),
    Topic.STABLE: ("clinically-stable", ()),
    Topic.LIVER_NORMAL: ("liver-normal", ()),
    Topic.NODE_POSITIVE: ("node-positive", ()),
    Topic.KRAS_MUTATED: ("kras-mutated", ()),
}
_GRADES = tuple(EcogGrade)
_ECOG_MAX = 5

_NODES = (Topic.PN_CATEGORY, Topic.PN_CATEGORY_SCT)
CODES = {(topic.system, topic.code) for topic in (*_FACTS, *_NODES, Topic.INTENT, Topic.MSI, Topic.VARIANT)}


def read_fact(resource: Json, ctx: Context) -> tuple[Record, ...]:
    """One fact on the patient: performance status, liver function, remnant, intent, tumour biology.

    A genetic variant of another gene than KRAS, or one that is not present, says nothing here: that one
    variant is absent is no wild type.
    """
    topics = members(resource.get("code"), Topic)
    if Topic.VARIANT in topics and not _kras(resource):
        return ()
    topic = topics[0] if len(topics) == 1 else None
    concept = resource.get("valueCodeableConcept")
    fields: dict[str, Any] | None = None
    if topic is Topic.INTENT:
        intents = {INTENT_OF[one] for one in members(concept, Intent)}
        fields = {"kind": "intent", "value": intents.pop()} if len(intents) == 1 else None
    elif topic is Topic.MSI:
        msi = {Response.MSI_HIGH: "msi-h", Response.MSI_LOW: "mss", Response.MS_STABLE: "mss"}
        one = member(concept, Response)
        fields = {"kind": "msi", "value": msi[one]} if one in msi else None
    elif topics and set(topics) <= set(_NODES):
        fields = _nodes(concept)
    elif topic is Topic.VARIANT:
        fields = {"kind": "kras-mutated", "value": "yes"}
    elif topic in _FACTS:
        fields = _fact(resource, *_FACTS[topic])
    if fields is None:
        raise Refused("value-not-accepted" if values(resource) else "no-value", "Observation.value[x]")
    day, flags = when(resource, ctx)
    about = tokens(resource.get("focus"), ctx.base, "Condition")
    return (PatientFact(**stated(resource, ctx, day=day, flags=flags), **fields, about=about),)


def _nodes(concept: object) -> dict[str, Any] | None:
    """The pathological category of the regional nodes; its descriptor where two displays of one are given."""
    found = {"no" if one is NodeCategory.PN0 else "yes" for one in members(concept, NodeCategory)}
    return {"kind": "node-positive", "value": found.pop()} if len(found) == 1 else None


def _kras(resource: Json) -> bool:
    """Whether a variant of KRAS is reported as present."""
    genes = {
        gene
        for concept, component in parts(resource)
        if member(concept, Gene) is Gene.STUDIED
        for gene in members(component.get("valueCodeableConcept"), Gene)
    }
    return genes == {Gene.KRAS} and member(resource.get("valueCodeableConcept"), Gene) is Gene.PRESENT


def _fact(resource: Json, kind: str, allowed: tuple[str, ...] | None) -> dict[str, Any] | None:
    if allowed is None:
        score = _score(resource) if kind == "ecog" else percent(resource)
        return {"kind": kind, "number": score} if score is not None else None
    if not allowed:
        answer = yes_no(resource)
        return {"kind": kind, "value": "yes" if answer else "no"} if answer is not None else None
    given = members(resource.get("valueCodeableConcept"), FactValue)
    found = {value.code for value in given} & set(allowed)
    return {"kind": kind, "value": found.pop()} if len(found) == 1 else None


def _score(element: Json) -> Decimal | None:
    given = whole(element.get("valueInteger"))
    if given is None:
        given = whole(obj(element.get("valueQuantity")).get("value"))
    if given is None:
        answer = member(element.get("valueCodeableConcept"), EcogGrade)
        given = _GRADES.index(answer) if answer is not None else None
    return number(given) if given is not None and 0 <= given <= _ECOG_MAX else None
