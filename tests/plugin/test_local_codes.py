"""A site's own codes over the whole path: from the settings to what is decided."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

from fhir_profiles.codes import LOCAL, Operation
from fhir_profiles.meaning import MEANINGS, pair_of, with_meanings
from fhir_profiles.read import read
from fhir_profiles.records import Exam, MdtReview, Plan, Treatment
from plugin.decide import decide
from plugin.decision import Decision
from plugin.errors import SettingsError
from plugin.settings import Codes, Settings, load
from rules.evaluate import Evaluator
from rules.language import load_pack
from tests.plugin.history import TODAY, UTC, History

CPT, OPS, PCS = (
    "urn:oid:2.16.840.1.113883.6.12",
    "http://fhir.de/CodeSystem/bfarm/ops",
    "http://www.cms.gov/icd10pcs",
)
OWN = "https://hospital.example/orders"
MAP = {
    f"{CPT}|47120": "liver-resection",
    f"{OPS}|5-501.01": "liver-resection",
    f"{PCS}|0F503ZZ": "liver-ablation-percutaneous",
    f"{OWN}|IOUS": "intraoperative-ultrasound",
    f"{OWN}|MRLEBHB": "liver-mri-contrast",
    f"{OWN}|WATCH": "site-surveillance",
    f"{OWN}|TB": "mdt-review",
}
MAPPED = Settings(codes=Codes(meanings=MAP))


def concept(system: str, *codes: str) -> dict[str, Any]:
    return {"coding": [{"system": system, "code": code} for code in codes]}


def meant(kind: str, **fields: Any) -> tuple[Any, ...]:
    """The records of one resource, its codes mapped as the settings say."""
    resource = {"resourceType": kind, "id": "x", "subject": {"reference": "Patient/history-1"}, **fields}
    table = {pair: MEANINGS[name] for code, name in MAP.items() if (pair := pair_of(code))}
    (found,) = with_meanings([resource], table)
    return read(found, timezone=UTC)


@pytest.mark.parametrize(
    ("system", "code", "kind"),
    [(CPT, "47120", "resected"), (OPS, "5-501.01", "resected"), (PCS, "0F503ZZ", "ablated")],
)
def test_procedures(system: str, code: str, kind: str) -> None:
    (record,) = meant("Procedure", status="completed", code=concept(system, code))
    assert isinstance(record, Treatment)
    assert record.type == kind
    assert meant("Procedure", status="completed", code=concept(system, f"{code}9")) == ()
    assert meant("Procedure", status="completed", code=concept("https://other.example", code)) == ()


def test_an_order_of_two_codes_is_both() -> None:
    records = meant(
        "ServiceRequest",
        status="active",
        intent="order",
        code=concept(CPT, "47120"),
        orderDetail=[concept(OWN, "IOUS")],
    )
    assert [each.type for each in records if isinstance(each, Plan)] == ["hepatectomy", "ious"]


@pytest.mark.parametrize("name", ["serviceType", "reasonCode"])
def test_appointments(name: str) -> None:
    (record,) = meant(
        "Appointment", status="booked", start="2026-10-20T08:00:00Z", **{name: [concept(OWN, "MRLEBHB")]}
    )
    assert (record.type, record.modality, record.booked) == ("liver-mri", "MRI", True)


def test_plans_reviews_and_examinations() -> None:
    activity = [{"detail": {"status": "scheduled", "code": concept(OWN, "WATCH")}}]
    (plan,) = meant("CarePlan", status="active", intent="plan", activity=activity)
    assert (plan.type, plan.booked) == ("surveillance", True)
    (review,) = meant("Encounter", status="finished", type=[concept(OWN, "TB")])
    assert isinstance(review, MdtReview)
    (exam,) = meant("ImagingStudy", status="available", procedureCode=[concept(OWN, "MRLEBHB")])
    assert isinstance(exam, Exam)
    assert (exam.classes, exam.region) == (("MRI",), "liver")


def test_a_finding_is_never_made_of_a_local_code() -> None:
    table = {pair: MEANINGS[name] for code, name in MAP.items() if (pair := pair_of(code))}
    finding = {"resourceType": "Observation", "id": "x", "code": concept(CPT, "47120")}
    assert with_meanings([finding], table) == (finding,)


def test_what_is_given_stays_as_it_is() -> None:
    table = {pair: MEANINGS[name] for code, name in MAP.items() if (pair := pair_of(code))}
    untouched: dict[str, Any] = {
        "resourceType": "Procedure",
        "code": concept(CPT, "1"),
        "note": [{"text": "x"}],
    }
    changed: dict[str, Any] = {"resourceType": "Procedure", "code": concept(CPT, "47120")}
    first, second, third = with_meanings([untouched, changed, "no object"], table)  # type: ignore[list-item]
    assert first is untouched
    assert changed == {"resourceType": "Procedure", "code": concept(CPT, "47120")}
    assert [each["code"] for each in second["code"]["coding"]] == ["47120", Operation.HEPATECTOMY.code]
    assert second["code"]["coding"][1]["system"] == LOCAL
    assert third == "no object"


@pytest.fixture(scope="module")
def rules() -> Iterator[Evaluator]:
    with Evaluator(load_pack(), mode="reference", timeout=60) as evaluator:
        yield evaluator


def followed() -> tuple[History, dict[str, Any]]:
    h = History()
    lesion = h.lesion("L1", "VI")
    h.seen(lesion, h.good_mri("2026-01-05"), mm=20)
    h.dose("2026-01-10", "2026-02-10")
    h.seen(lesion, h.good_mri("2026-04-05"), mm=9)
    return h, lesion


def decided(h: History, rules: Evaluator, settings: Settings) -> Decision:
    return decide(h.chart(), rules, today=TODAY, settings=settings)


def test_a_resection_in_the_words_of_the_site_treats_its_lesion(rules: Evaluator) -> None:
    h, lesion = followed()
    h.treat("2026-05-01", lesion, code=concept(OPS, "5-501.01"))
    assert [each.status for each in decided(h, rules, MAPPED).lesions] == ["TREATED"]
    assert [each.status for each in decided(h, rules, Settings()).lesions] != ["TREATED"]


def test_a_draft_in_the_words_of_the_site_is_an_operation(rules: Evaluator) -> None:
    h, lesion = followed()
    h.order(Operation.HEPATECTOMY, "2026-10-20", draft=True, lesions=[lesion], code=concept(CPT, "47120"))
    mapped = decided(h, rules, MAPPED)
    assert mapped.order_matters
    assert [held.type for held in mapped.timeline.plans] == ["hepatectomy"]
    assert not decided(h, rules, Settings()).order_matters


def test_the_settings_are_read_and_refused_by_line(tmp_path: Path) -> None:
    def filed(line: str) -> Path:
        file = tmp_path / "vestige.toml"
        file.write_text(f"[codes.meanings]\n{line}\n")
        return file

    assert load(filed(f'"{CPT}|47120" = "liver-resection"'), {}).codes.meanings == {
        f"{CPT}|47120": "liver-resection"
    }
    with pytest.raises(SettingsError, match="did you mean liver-resection"):
        load(filed('"x|1" = "liver-resektion"'), {})
    for code in ("47120", "|47120", "x|"):
        with pytest.raises(SettingsError, match="a system and a code"):
            load(filed(f'"{code}" = "liver-resection"'), {})


def test_every_meaning_is_understood_in_an_order_or_as_done() -> None:
    for name, kind in MEANINGS.items():
        done = {"resourceType": "Procedure", "id": "x", "status": "completed", "code": kind.concept}
        asked = {
            "resourceType": "ServiceRequest",
            "id": "x",
            "status": "active",
            "intent": "order",
            "code": kind.concept,
        }
        assert read(done, timezone=UTC) or read(asked, timezone=UTC), name


def test_every_meaning_is_in_the_document() -> None:
    text = (Path(__file__).parents[2] / "docs" / "fhir.md").read_text(encoding="utf-8")
    assert not [name for name in MEANINGS if f"`{name}`" not in text]
