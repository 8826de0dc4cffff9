"""One synthetic patient: the plumbing, what is known of the person, therapy and laboratory."""

from __future__ import annotations

from collections.abc import Sequence
from decimal import Decimal
from typing import Any

from fhir_profiles.codes import (
    CANONICAL,
    OBSERVATION_CATEGORY,
    UCUM,
    Cea,
    Coded,
    Diagnosis,
    Drug,
    Intent,
    Operation,
    Topic,
)

Resource = dict[str, Any]
PROFILE = f"{CANONICAL}/StructureDefinition"
TARGET = "http://hl7.org/fhir/StructureDefinition/procedure-targetBodyStructure"
USER = "Practitioner/vestige-sample-clinician"
_CONDITION_STATUS = "http://terminology.hl7.org/CodeSystem/condition-clinical"
_VERIFICATION = "http://terminology.hl7.org/CodeSystem/condition-ver-status"


def ref(resource: Resource) -> dict[str, str]:
    """A relative reference."""
    return {"reference": f"{resource['resourceType']}/{resource['id']}"}


def quantity(value: int | str | Decimal, unit: str) -> dict[str, Any]:
    """A UCUM quantity."""
    number = Decimal(str(value))
    shown: int | float = int(number) if number == number.to_integral_value() else float(number)
    return {"value": shown, "unit": unit, "system": UCUM, "code": unit}


def component(code: Coded, **value: Any) -> Resource:
    """A component with one value."""
    return {"code": code.concept, **value}


class Person:
    """One patient; every method adds one resource, or a few that belong together."""

    def __init__(self, number: int, family: str, given: str, *, birth: str, gender: str) -> None:
        self._prefix = f"vestige-{number}"
        self._number = number
        self.resources: list[Resource] = []
        self._results: dict[str, list[Resource]] = {}
        self.patient = self._add(
            "Patient",
            "patient",
            identifier=[{"system": f"{CANONICAL}/sample", "value": self._prefix}],
            active=True,
            name=[{"use": "official", "family": family, "given": [given]}],
            gender=gender,
            birthDate=birth,
        )
        self._subject = ref(self.patient)

    # ------------------------------------------------------------------------------------ plumbing

    def _add(self, kind: str, name: str, /, **fields: Any) -> Resource:
        resource = {"resourceType": kind, "id": f"{self._prefix}-{name}"} | fields
        self.resources.append(resource)
        return resource

    def _name(self, stem: str, kind: str) -> str:
        taken = sum(
            1
            for resource in self.resources
            if resource["resourceType"] == kind and f"-{stem}" in resource["id"]
        )
        return f"{stem}-{taken + 1}"

    def bundle(self) -> Resource:
        """A transaction Bundle of PUTs with fixed ids."""
        for resource in self.resources:
            if resource.get("result") == []:
                del resource["result"]
        entries = [
            {
                "fullUrl": f"{CANONICAL}/{resource['resourceType']}/{resource['id']}",
                "resource": resource,
                "request": {"method": "PUT", "url": f"{resource['resourceType']}/{resource['id']}"},
            }
            for resource in self.resources
        ]
        return {"resourceType": "Bundle", "id": self._prefix, "type": "transaction", "entry": entries}

    def view(self) -> Resource:
        """The context of opening the chart."""
        return {
            "hook": "patient-view",
            "context": {"userId": USER, "patientId": self.patient["id"]},
        }

    def sign(self, *drafts: Resource) -> Resource:
        """The context of signing the drafts."""
        entries = [{"resource": draft} for draft in drafts]
        bundle = {"resourceType": "Bundle", "type": "collection", "entry": entries}
        context = {"userId": USER, "patientId": self.patient["id"], "draftOrders": bundle}
        return {"hook": "order-sign", "context": context}

    def _observation(
        self,
        stem: str,
        code: Coded,
        day: str,
        *,
        category: str,
        profile: str,
        focus: Resource | None,
        study: Resource | None = None,
        **fields: Any,
    ) -> Resource:
        links: Resource = {}
        if focus is not None:
            links["focus"] = [ref(focus)]
        if study is not None:
            links["partOf"] = [ref(study)]
        resource = self._add(
            "Observation",
            self._name(stem, "Observation"),
            meta={"profile": [f"{PROFILE}/{profile}"]},
            status="final",
            category=[{"coding": [{"system": OBSERVATION_CATEGORY, "code": category}]}],
            code=code.concept,
            subject=self._subject,
            effectiveDateTime=day,
            **links,
            **fields,
        )
        if study is not None and stem != "adequacy":
            self._results[study["id"]].append(ref(resource))
        return resource

    # ------------------------------------------------------------------------------------ the patient

    def condition(self, kind: Diagnosis, onset: str, text: str) -> Resource:
        """A confirmed, active condition."""
        return self._add(
            "Condition",
            self._name("condition", "Condition"),
            clinicalStatus={"coding": [{"system": _CONDITION_STATUS, "code": "active"}]},
            verificationStatus={"coding": [{"system": _VERIFICATION, "code": "confirmed"}]},
            code=kind.concept | {"text": text},
            subject=self._subject,
            onsetDateTime=onset,
            recordedDate=onset,
        )

    def colorectal(self, onset: str, *, rectum: bool = False) -> None:
        """The primary and its liver metastases."""
        kind = Diagnosis.RECTUM if rectum else Diagnosis.COLON
        organ = "rectum" if rectum else "colon"
        self.condition(kind, onset, f"Adenocarcinoma of the {organ}")
        self.condition(Diagnosis.LIVER_METASTASES, onset, f"Liver metastases of the {organ} cancer")

    def fact(self, topic: Topic, day: str, **value: Any) -> Resource:
        """One local or standard observation on the patient."""
        return self._observation(
            "fact", topic, day, category="survey", profile="crlm-patient-fact", focus=None, **value
        )

    def performance(self, day: str, grade: int) -> Resource:
        """ECOG performance status."""
        return self.fact(Topic.ECOG, day, valueInteger=grade)

    def intent(self, day: str, intent: Intent) -> Resource:
        """Intent of treatment."""
        return self.fact(Topic.INTENT, day, valueCodeableConcept=intent.concept)

    def cea(self, *series: tuple[str, str]) -> None:
        """Carcinoembryonic antigen in ng/mL, upper limit 5."""
        for day, value in series:
            self._add(
                "Observation",
                self._name("cea", "Observation"),
                meta={"profile": [f"{PROFILE}/crlm-cea"]},
                status="final",
                category=[{"coding": [{"system": OBSERVATION_CATEGORY, "code": "laboratory"}]}],
                code=Cea.MASS.concept,
                subject=self._subject,
                effectiveDateTime=day,
                valueQuantity=quantity(value, "ng/mL"),
                referenceRange=[{"low": quantity(0, "ng/mL"), "high": quantity(5, "ng/mL")}],
            )

    def cycles(self, days: Sequence[str], *drugs: Drug) -> None:
        """Completed administrations, one for each drug and cycle."""
        for number, day in enumerate(days, start=1):
            for drug in drugs:
                self._add(
                    "MedicationAdministration",
                    f"dose-{number}-{drug.display}",
                    meta={"profile": [f"{PROFILE}/crlm-dose"]},
                    extension=[{"url": f"{PROFILE}/crlm-cycle", "valuePositiveInt": number}],
                    status="completed",
                    medicationCodeableConcept=drug.concept,
                    subject=self._subject,
                    effectiveDateTime=day,
                )

    def review(self, day: str) -> Resource:
        """A liver multidisciplinary review that took place."""
        return self._add(
            "Procedure",
            self._name("mdt", "Procedure"),
            status="completed",
            code=Operation.MDT_REVIEW.concept,
            subject=self._subject,
            performedDateTime=day,
        )
