"""The parts of a case as FHIR resources, by the builders of the samples."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from datetime import date
from typing import Any

from fhir_profiles.codes import (
    CANONICAL,
    Attribute,
    AttributeValue,
    BiopsyResult,
    Cea,
    Diagnosis,
    Disposition,
    Drug,
    FactValue,
    Imaging,
    Intent,
    Measure,
    Method,
    Operation,
    Reason,
    Response,
    Topic,
)
from fhir_profiles.samples.person import Resource, component, quantity, ref
from fhir_profiles.samples.story import every
from tests.cases.teller import METHODS, Teller

STRANGER = "another-patient"
"""How ids of resources of another patient begin."""
FACTS: dict[str, tuple[Topic, type[Any] | None]] = {
    "ecog": (Topic.ECOG, None),
    "flr": (Topic.FLR, None),
    "child_pugh": (Topic.CHILD_PUGH, FactValue),
    "intent": (Topic.INTENT, Intent),
    "refusal": (Topic.REFUSAL, None),
    "extrahepatic": (Topic.EXTRAHEPATIC, FactValue),
    "mucinous": (Topic.MUCINOUS, None),
    "mri": (Topic.MRI_CONTRAINDICATION, FactValue),
    "steatosis": (Topic.STEATOSIS, FactValue),
    "hai": (Topic.HAI, None),
    "transplant": (Topic.TRANSPLANT, None),
    "stable": (Topic.STABLE, None),
    "node_positive": (Topic.NODE_POSITIVE, None),
    "kras": (Topic.KRAS_MUTATED, None),
    "liver_normal": (Topic.LIVER_NORMAL, None),
}
OPERATIONS = {
    "hepatectomy": (Operation.SEGMENT_RESECTION, Operation.HEPATECTOMY),
    "ablation-operative": (Operation.ABLATION_OPERATIVE,),
    "ablation-percutaneous": (Operation.ABLATION_PERCUTANEOUS,),
    "embolisation": (Operation.EMBOLISATION,),
    "local": (Operation.OTHER_LOCAL,),
    "marker": (Operation.MARKER,),
}
ORDERS = {
    **OPERATIONS,
    "watch": (Disposition.WATCH_AND_WAIT,),
    "mri": (Imaging.MR_LIVER_WO_W,),
    "mri-plain": (Imaging.MR_LIVER_WO,),
    "ct": (Imaging.CT_LIVER_W,),
    "pet": (Method.PET_CT_FDG,),
    "ious": (Method.IOUS_LIVER,),
    "ceious": (Method.CEIOUS,),
    "chemo": (Operation.CHEMOTHERAPY,),
    "surveillance": (Operation.SURVEILLANCE,),
    "biopsy": (),
}
KINDS = {"ct": "CT", "mri": "MRI", "pet": "PET", "us": "US", "ious": "IOUS", "ceious": "CEIOUS"}
assert set(KINDS.values()) == set(METHODS)

_RELATED = {"merged": "crlm-lesion-reference", "split": "crlm-lesion-split-from"}
"""The extension of a BodyStructure that names the lesion it merged into, or split off."""


class Builder:
    """Tells one case, part by part; `drafts` are the orders that are not signed yet."""

    def __init__(self, name: str, told: Mapping[str, Any], story: Teller) -> None:
        self.name, self.told, self.story = name, told, story
        self.drafts: list[Resource] = []
        self.lesions: dict[str, Resource] = {}
        self.operations: dict[str, Resource] = {}

    def build(self) -> None:
        unknown = set(self.told) - set(PARTS) - OTHER_KEYS
        if unknown:
            raise ValueError(f"{self.name}: unknown keys {sorted(unknown)}")
        self.patient()
        for key, tell in PARTS.items():
            for one in _list(self.told.get(key, ())):
                tell(self, one)

    def patient(self) -> None:
        primary = self.told.get("primary", "colon")
        onset = str(self.told.get("diagnosed", "2026-01-05"))
        if primary in ("colon", "rectum"):
            self.story.colorectal(onset, rectum=primary == "rectum")
        elif primary == "other":
            self.story.condition(Diagnosis.HCC, onset, "Primary tumour of the liver")

    def lesion(self, told: Mapping[str, Any]) -> None:
        for label, value in told.items():
            given = value if isinstance(value, Mapping) else {"segment": value}
            body = self.story.lesion(label, given.get("segment", "VI"))
            if given.get("segment") is None:
                del body["location"]
            if "label" in given:
                body["identifier"][1]["value"] = given["label"]
            if not given.get("uid", True):
                del body["identifier"][0]
            for word, extension in _RELATED.items():
                if word in given:
                    other = body["id"].replace(label.lower(), given[word].lower())
                    url = f"{CANONICAL}/StructureDefinition/{extension}"
                    value = {"reference": f"BodyStructure/{other}"}
                    body["extension"] = [{"url": url, "valueReference": value}]
            self.lesions[label] = body

    def operation(self, told: Mapping[str, Any]) -> None:
        kind = OPERATIONS[told.get("kind", "hepatectomy")][-1]
        done = self.story.operation(
            str(told["day"]), told.get("text", "Operation"), kind, self._named(told.get("lesions", ()))
        )
        done["status"] = told.get("status", "completed")
        if told.get("modified"):
            done["modifierExtension"] = [{"url": "https://vestige.example/modified", "valueBoolean": True}]
        if told["day"] == "unknown":
            del done["performedDateTime"]
        if not done["extension"]:
            del done["extension"]
        self.operations[told.get("key", f"operation-{len(self.operations)}")] = done

    def study(self, told: Mapping[str, Any]) -> None:
        kind = next(KINDS[key] for key in told if key in KINDS)
        day = str(next(told[key] for key in told if key in KINDS))
        first, dated = len(self.story.resources), day != "unknown"
        day = day if dated else str(self.told["today"])
        study = self.story.examined(kind, day, told, self.operations.get(told.get("at", "")))
        for label, body in self.lesions.items():
            if label in told:
                self.story.state(body, study, told[label])
        for one in told.get("unmatched", ()):
            self.story.state(None, study, one)
        if told.get("all") is not None:
            for label, body in self.lesions.items():
                if label not in told:
                    self.story.state(body, study, told["all"])
        if not dated:
            self._undated(first)

    def doses(self, told: Mapping[str, Any]) -> None:
        days = [str(day) for day in _list(told["day"])] if "day" in told else []
        days = days or every(told.get("every", 14), str(told["first"]), told["count"])
        drugs = [Drug[name.upper()] for name in told.get("of", ["oxaliplatin", "fluorouracil"])]
        start = sum(1 for one in self.story.resources if one["resourceType"] == "MedicationAdministration")
        self.story.cycles(days, *drugs)
        if start or not told.get("numbered", True):
            given = [one for one in self.story.resources if one["resourceType"] == "MedicationAdministration"]
            for place, one in enumerate(given[start:]):
                one["id"] = f"{one['id']}-{start + place}"
                del one["extension"]

    def _undated(self, first: int) -> None:
        for one in self.story.resources[first:]:
            for name in ("started", "effectiveDateTime", "issued"):
                one.pop(name, None)

    def attribute(self, told: Mapping[str, Any]) -> None:
        for label, given in told.items():
            self.story.lasting(self.lesions[label], str(given.get("day", self._first_day())), given)

    def membership(self, told: Mapping[str, Any]) -> None:
        for label, inside in told.items():
            if label != "day":
                self.story.membership(self.lesions[label], str(told["day"]), inside=inside)

    def disposition(self, told: Mapping[str, Any]) -> None:
        reason = Reason[told["reason"].upper()] if "reason" in told else None
        value = Disposition[told["is"].replace("-", "_").upper()]
        for label in _list(told["of"]):
            if label == "patient":
                made = self.story.disposition(self.lesions["L1"], str(told["day"]), value, reason)
                del made["focus"]
                made.setdefault("component", []).append(
                    component(Attribute.LEVEL, valueCodeableConcept=AttributeValue.PATIENT.concept)
                )
            else:
                self.story.disposition(self.lesions[label], str(told["day"]), value, reason)

    def order(self, told: Mapping[str, Any]) -> None:
        codes = [code for name in _list(told["order"]) for code in ORDERS[name]]
        fields: dict[str, Any] = {}
        if "day" in told:
            fields["occurrenceDateTime"] = str(told["day"])
        if told.get("written") != "unknown":
            fields["authoredOn"] = str(told.get("written", self.told["today"]))
        if "reason" in told:
            fields["reasonCode"] = [Reason[told["reason"].upper()].concept]
        order = self.story.order(
            *codes, lesions=self._named(told.get("lesions", ())), draft=bool(told.get("draft")), **fields
        )
        if not codes:
            order["code"] = {"text": "Biopsy"}
        if told.get("draft"):
            order["id"] += f"-{len(self.drafts)}"
            self.drafts.append(order)
        if "revoked" in told:
            self.story.revoked(order, str(told["revoked"]))
        if "booked" in told:
            self.story.appointment(order, str(told["booked"]), "Appointment")

    def stop(self, told: Mapping[str, Any]) -> None:
        self.drafts.append(
            {
                "resourceType": "MedicationRequest",
                "id": "draft-stop",
                "status": "draft",
                "intent": "order",
                "doNotPerform": True,
                "medicationCodeableConcept": Drug[told["drug"].upper()].concept,
                "subject": ref(self.story.patient),
                "authoredOn": str(self.told["today"]),
            }
        )

    def review(self, told: date) -> None:
        self.story.review(str(told))

    def cea(self, told: Mapping[str, Any]) -> None:
        day, value = str(told["day"]), told["is"]
        self.story.cea((day, str(value)))
        made = self.story.resources[-1]
        limit = told.get("limit", 5)
        if limit is None:
            del made["referenceRange"]
        else:
            made["referenceRange"][0]["high"] = quantity(limit, "ng/mL")
        if "unit" in told:
            made["code"] = Cea.ARBITRARY.concept
            made["valueQuantity"] = {"value": value, "unit": told["unit"]}
        if "comparator" in told:
            made["valueQuantity"]["comparator"] = told["comparator"]
        if "lab" in told:
            made["performer"] = [{"reference": f"Organization/{told['lab']}"}]
        if "as" in told:  # the same code, in another unit or in none
            unit = {"unit": told["as"]} if told["as"] else {}
            made["valueQuantity"] = {"value": value, **unit}

    def fact(self, told: Mapping[str, Any]) -> None:
        day = str(told.get("day", self._first_day()))
        for name, value in told.items():
            if name != "day":
                topic, values = FACTS[name]
                self.story.fact(topic, day, **_value(name, value, values))

    def condition(self, told: Mapping[str, Any]) -> None:
        made = self.story.condition(Diagnosis[told["is"].upper()], str(told["day"]), told["is"])
        if not told.get("certain", True):
            made["verificationStatus"]["coding"][0]["code"] = "provisional"

    def pathology(self, told: Mapping[str, Any]) -> None:
        for label, given in told.items():
            self.story.pathology(self.lesions[label], str(given["day"]), given)

    def biopsy(self, told: Mapping[str, Any]) -> None:
        for label, given in told.items():
            self.story._observation(
                "biopsy",
                Topic.BIOPSY,
                str(given["day"]),
                category="laboratory",
                profile="crlm-biopsy",
                focus=self.lesions[label],
                valueCodeableConcept=BiopsyResult[given["is"].upper()].concept,
            )

    def response(self, told: Mapping[str, Any]) -> None:
        """A category of RECIST 1.1 that a reader recorded."""
        made = self.story._observation(
            "response",
            Response.CURRENT,
            str(told["day"]),
            category="imaging",
            profile="crlm-response",
            focus=None,
            method=Response.RECIST_1_1.concept,
            valueCodeableConcept=Response[f"TARGET_{told['is']}"].concept,
        )
        del made["meta"]

    def measure(self, told: Mapping[str, Any]) -> None:
        observation = self.story._observation(
            "measure",
            _MEASURES[told["of"]],
            str(told["day"]),
            category="imaging",
            profile="crlm-lesion-measure",
            focus=self.lesions[told["lesion"]],
            method=METHODS[told["by"]].concept,
            valueQuantity={"value": told["is"]}
            | ({"unit": told["unit"], "code": told["unit"]} if "unit" in told else {}),
        )
        del observation["meta"]

    def stranger(self, told: Mapping[str, Any]) -> None:
        """A statement that belongs to another patient, mixed into the record."""
        label = told["lesion"]
        study = next(one for one in self.story.resources if one["id"].endswith(told["study"]))
        start = len(self.story.resources)
        self.story.state(self.lesions[label], study, told["says"])
        for place, one in enumerate(self.story.resources[start:]):
            one["id"] = f"{STRANGER}-{place}"
        kept = self.story._results[study["id"]]
        del kept[len(kept) - (len(self.story.resources) - start) :]

    def _named(self, labels: Sequence[str] | str) -> list[Resource]:
        return [self.lesions[label] for label in _list(labels)]

    def _first_day(self) -> str:
        days = [str(one[key]) for one in self.told.get("studies", ()) for key in one if key in KINDS]
        return min(days, default=str(self.told["today"]))


_MEASURES: dict[str, Any] = {"adc": Measure.ADC, "hu": Measure.ATTENUATION, "sul": Measure.SUL}
PARTS: dict[str, Any] = {
    "lesions": Builder.lesion,
    "operations": Builder.operation,
    "studies": Builder.study,
    "doses": Builder.doses,
    "attributes": Builder.attribute,
    "membership": Builder.membership,
    "dispositions": Builder.disposition,
    "orders": Builder.order,
    "stop": Builder.stop,
    "reviews": Builder.review,
    "cea": Builder.cea,
    "facts": Builder.fact,
    "conditions": Builder.condition,
    "pathology": Builder.pathology,
    "biopsies": Builder.biopsy,
    "measures": Builder.measure,
    "responses": Builder.response,
    "stranger": Builder.stranger,
}
OTHER_KEYS = {
    "title", "covers", "today", "patient", "primary", "diagnosed", "site", "cards_setting", "gap", "expect", "fails", "note", "answers", "like",
}  # fmt: skip


def _value(name: str, value: Any, values: type[Any] | None) -> dict[str, Any]:
    if values is not None:
        return {"valueCodeableConcept": values[str(value).replace("-", "_").upper()].concept}
    if name == "ecog":
        return {"valueInteger": value}
    if name == "flr":
        return {"valueQuantity": quantity(value, "%")}
    return {"valueBoolean": value}


def _list(value: Any) -> list[Any]:
    return list(value) if isinstance(value, list | tuple) else [value]
