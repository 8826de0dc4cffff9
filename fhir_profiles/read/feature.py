"""Described properties of a lesion: what one coded component, or one Observation of that code, says."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

from fhir_profiles.codes import Coded, Feature, FeatureValue, ProtocolValue, Size
from fhir_profiles.read.element import Json, Pair, codings, lookup, member, obj, text, whole, yes_no
from fhir_profiles.read.quantity import length

_TABLE = lookup([Feature, Size])
_REMNANT = {
    FeatureValue.NONE: "none",
    FeatureValue.CALCIFIED: "calcified",
    FeatureValue.FIBROTIC: "fibrotic",
    FeatureValue.HBP_CENTRAL: "hbp-central",
    FeatureValue.CYSTIC_LIKE: "cystic-like",
    FeatureValue.ABLATION_ZONE: "ablation-zone",
}
_CONSPICUITY = {
    FeatureValue.INCREASED: "increased",
    FeatureValue.SAME: "same",
    FeatureValue.DECREASED: "decreased",
}
_RIM = {
    FeatureValue.NONE: "none",
    FeatureValue.THIN: "thin",
    FeatureValue.THICK: "thick",
    FeatureValue.NEW: "new",
}
_HBP_SIGNAL = {FeatureValue.HYPO: "hypo", FeatureValue.ISO: "iso", FeatureValue.HYPER: "hyper"}
_NEW = {FeatureValue.NEW: "new", FeatureValue.NOT_NEW: "not-new"}
_NATURE = {FeatureValue.METASTASIS: "metastasis", FeatureValue.BENIGN: "benign"}
_ROLE = {FeatureValue.TARGET: "target", FeatureValue.NON_TARGET: "non-target"}

# Field of the record and the values it takes, for every coded property.
_CODED: dict[Coded, tuple[str, dict[FeatureValue, str]]] = {
    Feature.REMNANT: ("remnant", _REMNANT),
    Feature.CONSPICUITY: ("conspicuity", _CONSPICUITY),
    Feature.RIM: ("rim", _RIM),
    Feature.HBP_SIGNAL: ("hbp_signal", _HBP_SIGNAL),
    Feature.NEW_LESION: ("new_statement", _NEW),
    Feature.TARGET_ROLE: ("target_role", _ROLE),
}
_YES_NO: dict[Coded, str] = {Feature.PET_AVID: "pet_avid", Size.TTSM: "ttsm"}
_SHOWN = {
    Feature.MARGINS,
    Feature.CALCIFICATION,
    Feature.NECROSIS,
    Feature.ENHANCEMENT,
    Feature.HALO,
}
# Before Python 3.12 each look at a member of an enum takes a call.
_RIM_WIDTH = Feature.RIM_WIDTH
_MORPHOLOGY_GROUP = Feature.MORPHOLOGY_GROUP
_NATURE_CODE = Feature.NATURE
_GROUPS = range(1, 4)


def feature_of(pairs: Sequence[Pair]) -> Coded | None:
    """The property that codes name, or None."""
    return next((_TABLE[pair] for pair in pairs if pair in _TABLE), None)


def nature_of(element: Json) -> str | None:
    """metastasis, benign or indeterminate."""
    concept = element.get("valueCodeableConcept") or element.get("valueCoding")
    found = member(concept, FeatureValue)
    if found in _NATURE:
        return _NATURE[found]
    return "indeterminate" if "indeterminate" in {code for _, code in codings(concept)} else None


def describe(pairs: Sequence[Pair], element: Json) -> dict[str, Any]:
    """Fields of a Sighting that one coded property gives; empty when the value is not one of its set."""
    kind = feature_of(pairs)
    if kind in _CODED:
        name, table = _CODED[kind]
        found = member(element.get("valueCodeableConcept"), FeatureValue)
        return {name: table[found]} if found in table else {}
    if kind in _YES_NO:
        given = yes_no(element)
        return {_YES_NO[kind]: given} if given is not None else {}
    if kind is _RIM_WIDTH:
        width = length(element.get("valueQuantity"))
        return {"rim_mm": width.mm} if width.mm is not None else {}
    if kind is _MORPHOLOGY_GROUP:
        group = whole(element.get("valueInteger"))
        return {"morph_group": group} if group in _GROUPS else {}
    if kind is _NATURE_CODE:
        nature = nature_of(element)
        return {"nature": nature} if nature else {}
    return _shown(kind, element) if kind in _SHOWN else {}


def _shown(kind: Coded | None, element: Json) -> dict[str, Any]:
    concept = element.get("valueCodeableConcept")
    found = member(concept, FeatureValue) or member(concept, ProtocolValue)
    given = found.code if found else text(obj(concept).get("text"))
    answer = yes_no(element)
    if given is None and answer is not None:
        given = "yes" if answer else "no"
    return {"features": ((kind.code, given),)} if kind is not None and given else {}
