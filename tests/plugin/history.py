"""Small FHIR R4 resources of one synthetic patient with liver metastases, and the way from them to facts."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import date
from decimal import Decimal
from itertools import count
from typing import Any
from zoneinfo import ZoneInfo

from fhir_profiles.codes import (
    DICOM_UID,
    SITE_OF_SEGMENT,
    UCUM,
    Attribute,
    Cea,
    Coded,
    Contrast,
    Disposition,
    Drug,
    Feature,
    FeatureValue,
    Identifier,
    Imaging,
    Method,
    Operation,
    Protocol,
    ProtocolValue,
    Reason,
    Size,
    Topic,
    Visibility,
)
from plugin.chart import Chart, Gap
from plugin.facts import facts_of
from plugin.settings import Settings
from plugin.timeline import Timeline, build
from rules.facts import Fact

Resource = dict[str, Any]
TODAY = date(2026, 10, 10)
UTC = ZoneInfo("UTC")
_METHOD = {
    "CT": Method.CT,
    "MRI": Method.MRI,
    "PET": Method.PET,
    "US": Method.US,
    "IOUS": Method.IOUS,
    "CEIOUS": Method.CEIOUS,
}
_MODALITY = {"CT": ["CT"], "MRI": ["MR"], "PET": ["PT", "CT"], "US": ["US"], "IOUS": ["US"], "CEIOUS": ["US"]}
_SEEN = {
    "visible": Visibility.PRESENT,
    "not-visible": Visibility.NOT_DETECTED,
    "indeterminate": Visibility.INDETERMINATE,
    "not-assessed": Visibility.NOT_ASSESSED_LOCAL,
}
_ids = count(1)


def new_id(stem: str) -> str:
    return f"{stem}-{next(_ids)}"


def quantity(value: Any, unit: str) -> Resource:
    number = Decimal(str(value))
    return {"value": float(number), "unit": unit, "system": UCUM, "code": unit}


def part(code: Coded, **value: Any) -> Resource:
    return {"code": code.concept, **value}


def coded(code: Coded, value: Coded) -> Resource:
    return part(code, valueCodeableConcept=value.concept)


class History:
    """One patient; every method adds a resource and gives it back."""

    def __init__(self, patient: str = "history-1", birth: str | None = "1960-01-01") -> None:
        self.patient = patient
        self.resources: list[Resource] = []
        self.drafts: list[Resource] = []
        self.gaps: list[Gap] = []
        self.add("Patient", patient, **({"birthDate": birth} if birth else {}))

    def add(self, kind: str, own: str | None = None, *, draft: bool = False, **fields: Any) -> Resource:
        resource: Resource = {"resourceType": kind, "id": own or new_id(kind.lower())} | fields
        if kind not in ("Patient", "BodyStructure"):
            resource.setdefault("subject", {"reference": f"Patient/{self.patient}"})
        if kind == "BodyStructure":
            resource.setdefault("patient", {"reference": f"Patient/{self.patient}"})
        (self.drafts if draft else self.resources).append(resource)
        return resource

    def lesion(self, label: str | None, segment: str | None, uid: str | None = None, **more: Any) -> Resource:
        given = []
        if uid:
            given.append(
                {"type": Identifier.TRACKING_UID.concept, "system": DICOM_UID, "value": f"urn:oid:{uid}"}
            )
        if label:
            given.append({"type": Identifier.LABEL.concept, "value": label})
        place = {"location": SITE_OF_SEGMENT[segment].concept} if segment else {}
        return self.add("BodyStructure", more.pop("own", None), identifier=given, **place, **more)

    def study(self, day: str | None, kind: str, own: str | None = None, **more: Any) -> Resource:
        started = {"started": f"{day}"} if day else {}
        modality = [
            {"system": "http://dicom.nema.org/resources/ontology/DCM", "code": c} for c in _MODALITY[kind]
        ]
        status = more.pop("status", "available")
        return self.add("ImagingStudy", own, status=status, modality=modality, **started, **more)

    def report(self, study: Resource, status: str = "final", **more: Any) -> Resource:
        return self.add(
            "DiagnosticReport", status=status, code={"text": "report"}, imagingStudy=[to(study)], **more
        )

    def observation(self, code: Coded, day: str | None, **fields: Any) -> Resource:
        when = {"effectiveDateTime": day} if day else {}
        fields.setdefault("status", "final")
        return self.add("Observation", fields.pop("own", None), code=code.concept, **when, **fields)

    def seen(
        self,
        lesion: Resource | None,
        study: Resource | None,
        visibility: str = "visible",
        mm: Any = None,
        *,
        day: str | None = None,
        method: str | None = None,
        unit: str = "mm",
        parts: Sequence[Resource] = (),
        **more: Any,
    ) -> Resource:
        """A visibility, with its size as a second Observation where one is given."""
        where = self._where(lesion, study, method)
        when = day or (study or {}).get("started")
        found = self.observation(
            Topic.VISIBILITY,
            when,
            valueCodeableConcept=_SEEN[visibility].concept,
            component=list(parts),
            **where,
            **more,
        )
        if mm is not None:
            self.size(lesion, study, mm, day=day, method=method, unit=unit)
        return found

    def size(
        self,
        lesion: Resource | None,
        study: Resource | None,
        mm: Any,
        *,
        day: str | None = None,
        method: str | None = None,
        unit: str = "mm",
        parts: Sequence[Resource] = (),
        comparator: str | None = None,
        **more: Any,
    ) -> Resource:
        value = quantity(mm, unit) | ({"comparator": comparator} if comparator else {})
        return self.observation(
            Size.TUMOUR_SIZE,
            day or (study or {}).get("started"),
            component=[part(Size.LONGEST, valueQuantity=value), *parts],
            **self._where(lesion, study, method),
            **more,
        )

    def adequacy(
        self, study: Resource, value: ProtocolValue = ProtocolValue.ADEQUATE, *parts: Resource, **more: Any
    ) -> Resource:
        return self.observation(
            Topic.ADEQUACY,
            study.get("started"),
            valueCodeableConcept=value.concept,
            component=list(parts),
            **self._where(None, study, more.pop("method", None)),
            **more,
        )

    def good_mri(self, day: str, own: str | None = None) -> Resource:
        study = self.study(day, "MRI", own)
        self.adequacy(
            study,
            ProtocolValue.ADEQUATE,
            coded(Protocol.AGENT, Contrast.GADOXETATE),
            part(Protocol.HBP, valueBoolean=True),
            part(Protocol.DWI, valueBoolean=True),
        )
        return study

    def dose(self, *days: str, drug: Drug = Drug.OXALIPLATIN, **more: Any) -> None:
        for day in days:
            self.add(
                "MedicationAdministration",
                status="completed",
                medicationCodeableConcept=drug.concept,
                effectiveDateTime=day,
                **more,
            )

    def cea(self, day: str, value: Any, *, uln: Any = 5, code: Cea = Cea.MASS, **more: Any) -> Resource:
        value_quantity = quantity(value, "ng/mL") | (
            {"comparator": c} if (c := more.pop("comparator", None)) else {}
        )
        ranges = {"referenceRange": [{"high": quantity(uln, "ng/mL")}]} if uln is not None else {}
        return self.observation(code, day, valueQuantity=value_quantity, **ranges, **more)

    def decide(
        self,
        lesion: Resource | None,
        value: Disposition,
        day: str | None,
        reason: Reason | None = None,
        **more: Any,
    ) -> Resource:
        parts = [coded(Attribute.REASON, reason)] if reason else []
        return self.observation(
            Topic.DISPOSITION,
            day,
            valueCodeableConcept=value.concept,
            component=parts,
            **self._where(lesion, None, None),
            **more,
        )

    def attribute(self, lesion: Resource, day: str | None, *parts: Resource) -> Resource:
        return self.observation(
            Topic.ATTRIBUTE, day, component=list(parts), **self._where(lesion, None, None)
        )

    def target(self, *lesions: Resource, day: str = "2026-01-01") -> None:
        for lesion in lesions:
            self.attribute(lesion, day, coded(Feature.TARGET_ROLE, FeatureValue.TARGET))

    def order(self, kind: Coded, day: str | None = None, *, draft: bool = False, **more: Any) -> Resource:
        when = {"occurrenceDateTime": day} if day else {}
        lesions = more.pop("lesions", ())
        url = "https://vestige.example/fhir/StructureDefinition/crlm-lesion-reference"
        named = (
            {"extension": [{"url": url, "valueReference": to(lesion)} for lesion in lesions]}
            if lesions
            else {}
        )
        fields = {"status": "draft" if draft else "active", "intent": "order"} | more
        return self.add("ServiceRequest", draft=draft, **{"code": kind.concept, **named, **when, **fields})

    def treat(
        self, day: str, *lesions: Resource, kind: Operation = Operation.HEPATECTOMY, **more: Any
    ) -> Resource:
        url = "http://hl7.org/fhir/StructureDefinition/procedure-targetBodyStructure"
        named = (
            {"extension": [{"url": url, "valueReference": to(lesion)} for lesion in lesions]}
            if lesions
            else {}
        )
        fields = {"status": "completed"} | more
        return self.add("Procedure", performedDateTime=day, **{"code": kind.concept, **named, **fields})

    def _where(self, lesion: Resource | None, study: Resource | None, method: str | None) -> Resource:
        fields: Resource = {}
        if lesion is not None:
            fields["focus"] = [to(lesion) if "resourceType" in lesion else lesion]
        if study is not None:
            fields["derivedFrom"] = [to(study)]
        if method is not None:
            fields["method"] = _METHOD[method].concept
        return fields

    def chart(self) -> Chart:
        return Chart(
            patient_id=self.patient,
            resources=tuple(self.resources),
            drafts=tuple(self.drafts),
            gaps=tuple(self.gaps),
        )

    def timeline(self, today: date = TODAY) -> Timeline:
        return build(self.chart(), today=today, timezone=UTC)

    def facts(self, today: date = TODAY, settings: Settings | None = None) -> tuple[Fact, ...]:
        return facts_of(self.timeline(today), today=today, settings=settings or Settings())


def to(resource: Resource) -> Resource:
    """A reference; what has no resourceType is one already."""
    if "resourceType" not in resource:
        return resource
    return {"reference": f"{resource['resourceType']}/{resource['id']}"}


def tracked(uid: str | None = None, label: str | None = None) -> Resource:
    """A focus by identifier alone."""
    if uid is not None:
        value = {"type": Identifier.TRACKING_UID.concept, "system": DICOM_UID, "value": f"urn:oid:{uid}"}
        return {"identifier": value, "type": "BodyStructure"}
    return {"identifier": {"type": Identifier.LESION_ID.concept, "value": label}, "type": "BodyStructure"}


def segment(name: str) -> Resource:
    return {"bodySite": SITE_OF_SEGMENT[name].concept}


def of_kind(facts: Sequence[Fact], kind: str) -> list[dict[str, Any]]:
    return [dict(fact.values) for fact in facts if fact.kind == kind]


def one(facts: Sequence[Fact], kind: str, **where: Any) -> dict[str, Any]:
    found = [fact for fact in of_kind(facts, kind) if all(fact.get(k) == v for k, v in where.items())]
    assert len(found) == 1, found
    return found[0]


__all__ = ["TODAY", "History", "Imaging", "coded", "of_kind", "one", "part", "segment", "to", "tracked"]
