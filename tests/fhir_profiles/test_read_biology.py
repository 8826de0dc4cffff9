"""What scores, biopsies and specimens ask for: nodes of the primary, KRAS, a biopsy's result, a lesion in a specimen."""

from __future__ import annotations

from typing import Any

import pytest

from fhir_profiles.codes import LOINC, Attribute, BiopsyResult, Coded, Gene, NodeCategory, Topic
from fhir_profiles.records import Biopsy, PathologyNodule, PatientFact
from tests.fhir_profiles.resources import concept, observation, one, records, refused

PRIMARY = {"focus": [{"reference": "Condition/colon"}]}


@pytest.mark.parametrize("topic", [Topic.PN_CATEGORY, Topic.PN_CATEGORY_SCT])
@pytest.mark.parametrize("category", NodeCategory)
def test_node_categories(topic: Topic, category: NodeCategory) -> None:
    found = one(observation(topic, valueCodeableConcept=category.concept, **PRIMARY), PatientFact)
    assert (found.kind, found.value) == ("node-positive", "no" if category is NodeCategory.PN0 else "yes")
    assert found.about == ("Condition/colon",)


def test_a_category_that_is_not_understood_is_no_statement() -> None:
    unknown = observation(Topic.PN_CATEGORY, valueCodeableConcept=concept("urn:example:tnm", "pN9"))
    assert refused(unknown) == "value-not-accepted"
    assert refused(observation(Topic.PN_CATEGORY, valueString="pN1")) == "value-not-accepted"


def test_both_codes_of_one_category() -> None:
    both = {"coding": [Topic.PN_CATEGORY.coding, Topic.PN_CATEGORY_SCT.coding]}
    given = observation(Topic.PN_CATEGORY, valueCodeableConcept=NodeCategory.PN2.concept) | {"code": both}
    assert one(given, PatientFact).value == "yes"


@pytest.mark.parametrize(("topic", "kind"), [(Topic.NODE_POSITIVE, "node-positive"), (Topic.KRAS_MUTATED, "kras-mutated"), (Topic.LIVER_NORMAL, "liver-normal")])  # fmt: skip
@pytest.mark.parametrize("answer", [True, False])
def test_local_yes_and_no(topic: Topic, kind: str, answer: bool) -> None:
    found = one(observation(topic, valueBoolean=answer), PatientFact)
    assert (found.kind, found.value) == (kind, "yes" if answer else "no")


def variant(gene: dict[str, Any], value: dict[str, Any]) -> dict[str, Any]:
    part = {"code": Gene.STUDIED.concept, "valueCodeableConcept": gene}
    return observation(Topic.VARIANT, valueCodeableConcept=value, component=[part])


def test_a_variant_of_kras_is_a_mutation_and_an_absent_one_no_wild_type() -> None:
    absent, braf = concept(LOINC, "LA9634-2"), concept("http://www.genenames.org", "HGNC:1097")
    found = one(variant(Gene.KRAS.concept, Gene.PRESENT.concept), PatientFact)
    assert (found.kind, found.value) == ("kras-mutated", "yes")
    elsewhere = concept("http://www.genenames.org/geneId", "HGNC:6407")
    assert one(variant(elsewhere, Gene.PRESENT.concept), PatientFact).value == "yes"
    assert records(variant(Gene.KRAS.concept, absent)) == ()
    assert records(variant(braf, Gene.PRESENT.concept)) == ()


@pytest.mark.parametrize("result", BiopsyResult)
def test_biopsy(result: BiopsyResult) -> None:
    given = observation(Topic.BIOPSY, valueCodeableConcept=result.concept)
    found = one(given, Biopsy)
    assert found.result == result.code.removeprefix("biopsy-")
    assert refused(given | {"focus": []}) == "no-lesion"


def test_a_biopsy_in_words_says_nothing() -> None:
    assert refused(observation(Topic.BIOPSY, valueString="no tumour")) == "value-not-accepted"


def part(code: Coded, **value: Any) -> dict[str, Any]:
    return {"code": code.concept, **value}


@pytest.mark.parametrize("answer", [True, False])
def test_a_lesion_in_the_specimen_or_not(answer: bool) -> None:
    given = observation(Topic.PATHOLOGY, component=[part(Attribute.FOUND, valueBoolean=answer)])
    assert one(given, PathologyNodule).found is answer


def test_not_found_and_graded_is_refused() -> None:
    both = [part(Attribute.FOUND, valueBoolean=False), part(Attribute.TRG, valueInteger=3)]
    assert refused(observation(Topic.PATHOLOGY, component=both)) == "value-not-accepted"
