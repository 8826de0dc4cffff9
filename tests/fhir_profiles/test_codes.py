"""Every code is what a second source says it is, and the code system of the profiles holds exactly our local ones."""

import json
from collections import defaultdict

import pytest
from pydicom.sr._concepts_dict import concepts

from cds_hooks.cards import TOPICS
from fhir_profiles import codes
from fhir_profiles.codes import DCM, LOCAL, SCT, UCUM, Status, every_code
from plugin.advice.suggest import OVERRIDE_SYSTEM, override_reasons
from plugin.advice.text import texts_of
from tests.require import ROOT

GENERATED = ROOT / "fhir_profiles" / "generated"

SCHEME = {SCT: "SCT", DCM: "DCM", UCUM: "UCUM", codes.RADLEX: "RADLEX"}
# Verified elsewhere than in the DICOM dictionaries: in published implementation guides and at least two sources.
ELSEWHERE = {
    SCT: {
        "260373001", "260415000", "113091000", "82918005", "94381002", "107963000", "72106008", "174430004",
        "431839003", "367336001", "394894008", "703423002", "708004003", "373818007", "424313000", "93761005",
        "109838007", "363351006", "25370001", "197321007", "431857002", "19887002", "441509002",
        "373808002", "363676003", "373847000", "371494008", "1229947003", "1229951001", "1229957002",
    }
}  # fmt: skip
FORBIDDEN = {"33756-8", "272519000", "129721008", "112073", "111210", "RID4271"}


def meanings(scheme: str) -> dict[str, set[str]]:
    found: dict[str, set[str]] = defaultdict(set)
    for entries in concepts[scheme].values():
        for code, (meaning, _) in entries.items():
            found[code].add(meaning.lower())
    return found


@pytest.mark.parametrize("system", SCHEME)
def test_verified_codes_are_in_the_dicom_dictionaries(system: str) -> None:
    known = meanings(SCHEME[system])
    ours = {code.code for code in every_code() if code.system == system and code.status is Status.VERIFIED}
    assert ours
    assert ours - set(known) - ELSEWHERE.get(system, set()) == set()


@pytest.mark.parametrize(
    ("code", "words"),
    [
        (codes.Site.VII, "segment vii"),
        (codes.Site.VIII, "segment viii"),
        (codes.Contrast.GADOXETATE, "gadoxetate"),
        (codes.Measure.ADC, "apparent diffusion"),
        (codes.Identifier.TRACKING_UID, "tracking unique"),
        (codes.Size.LONG_AXIS, "long axis"),
        (codes.Visibility.PRESENT, "present"),
        (codes.Visibility.INDETERMINATE, "indeterminate"),
        (codes.ProtocolValue.MOTION, "motion"),
        (codes.FeatureValue.TARGET, "target lesion at baseline"),
        (codes.Response.TARGET_PD, "progressive"),
        (codes.Unit.HU, "hounsfield"),
        (codes.Diagnosis.CIRRHOSIS, "cirrhosis"),
        (codes.Diagnosis.STEATOHEPATITIS, "steatohepatitis"),
    ],
)
def test_codes_mean_what_we_use_them_for(code: codes.Coded, words: str) -> None:
    assert any(words in meaning for meaning in meanings(SCHEME[code.system])[code.code])


def test_no_code_that_means_something_else() -> None:
    assert not FORBIDDEN & {code.code for code in every_code()}


def test_status_and_system_agree() -> None:
    for code in every_code():
        assert (code.status is Status.LOCAL) == (code.system == LOCAL), code


def test_a_code_has_one_display_within_its_enum() -> None:
    for enum in codes.ALL:
        pairs = [(member.system, member.code) for member in enum]
        assert len(pairs) == len(set(pairs)) == len(enum.__members__), enum


def test_every_table_is_complete() -> None:
    assert set(codes.REGION_OF) == set(codes.Site)
    assert set(codes.CLASS_OF_METHOD) == set(codes.Method)
    assert set(codes.VISIBILITY_OF) == set(codes.Visibility)
    assert set(codes.CONTRAST_OF) == set(codes.Contrast)
    assert set(codes.CEA_FAMILY) == set(codes.Cea)
    assert set(codes.REASON_OF) == set(codes.Reason)
    assert set(codes.INTENT_OF) == set(codes.Intent)
    assert set(codes.AGENT_OF) == set(codes.Drug)
    assert set(codes.Diagnosis) - set(codes.CONDITION_OF) == {codes.Diagnosis.LIVER_METASTASES_ICD}


def test_the_published_code_system_holds_our_local_codes() -> None:
    file = GENERATED / "CodeSystem-crlm.json"
    published = json.loads(file.read_text(encoding="utf-8"))
    assert published["url"] == LOCAL
    listed = [concept["code"] for concept in published["concept"]]
    assert len(listed) == len(set(listed))
    assert set(listed) == {code.code for code in every_code() if code.status is Status.LOCAL}


def test_the_published_reasons_for_an_override_are_those_on_the_cards() -> None:
    published = json.loads((GENERATED / "CodeSystem-override-reason.json").read_text(encoding="utf-8"))
    assert published["url"] == OVERRIDE_SYSTEM
    listed = [(concept["code"], concept["display"]) for concept in published["concept"]]
    assert listed == [
        (one.code, one.display) for one in override_reasons(texts_of(ROOT / "rules" / "crlm", "en"))
    ]


def test_the_published_topics_are_not_listed_one_by_one() -> None:
    published = json.loads((GENERATED / "CodeSystem-card-topic.json").read_text(encoding="utf-8"))
    assert (published["url"], published["content"]) == (TOPICS, "not-present")
    assert "concept" not in published


@pytest.mark.parametrize(
    "agent",
    ["oxaliplatin", "irinotecan", "fluoropyrimidine", "bevacizumab", "cetuximab", "panitumumab", "ici"],
)
def test_drugs_are_known_by_rxnorm_and_by_atc(agent: str) -> None:
    systems = {drug.system for drug, named in codes.AGENT_OF.items() if named == agent}
    assert systems == {codes.RXNORM, codes.ATC}
