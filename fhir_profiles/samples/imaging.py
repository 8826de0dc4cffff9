"""The lesions of a synthetic patient, the studies, and what they show."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

from fhir_profiles.codes import (
    DCM,
    DICOM_UID,
    SITE_OF_SEGMENT,
    Attribute,
    Coded,
    Contrast,
    Feature,
    FeatureValue,
    Identifier,
    Imaging,
    Measure,
    Method,
    Morphology,
    Protocol,
    ProtocolValue,
    Site,
    Size,
    Topic,
    Visibility,
)
from fhir_profiles.reading import METHODS
from fhir_profiles.samples.person import PROFILE, Person, Resource, component, quantity, ref

_MODALITY = {"CT": ("CT",), "MRI": ("MR",), "PET": ("PT", "CT"), "IOUS": ("US",), "CEIOUS": ("US",)}
_PROCEDURE: dict[str, Coded] = {
    "CT": Imaging.CT_LIVER_W,
    "MRI": Imaging.MR_LIVER_WO_W,
    "PET": Method.PET_CT_FDG,
    "IOUS": Method.IOUS_LIVER,
    "CEIOUS": Method.CEIOUS,
}
_REGION = {"PET": Site.WHOLE_BODY}


class Imaged(Person):
    """A patient with tracked lesions and studies."""

    # ------------------------------------------------------------------------------------ lesions

    def lesion(self, label: str, segment: str) -> Resource:
        """A tracked metastasis."""
        serial = int("".join(character for character in label if character.isdigit()))
        return self._add(
            "BodyStructure",
            f"lesion-{label.lower()}",
            meta={"profile": [f"{PROFILE}/crlm-lesion"]},
            identifier=[
                {
                    "type": Identifier.TRACKING_UID.concept,
                    "system": DICOM_UID,
                    "value": f"urn:oid:2.25.9870{self._number:02d}{serial:02d}",
                },
                {"type": Identifier.LABEL.concept, "value": label},
            ],
            active=True,
            morphology=Morphology.METASTASIS.concept,
            location=SITE_OF_SEGMENT[segment].concept,
            patient=self._subject,
        )

    def attributes(self, lesion: Resource, day: str, **values: Any) -> Resource:
        """Depth (mm), resection that the site would add, role as target."""
        parts: list[Resource] = []
        if "depth" in values:
            parts.append(component(Attribute.DEPTH, valueQuantity=quantity(values["depth"], "mm")))
        if "extra" in values:
            parts.append(component(Attribute.EXTRA_RESECTION, valueCodeableConcept=values["extra"].concept))
        if "role" in values:
            parts.append(component(Feature.TARGET_ROLE, valueCodeableConcept=values["role"].concept))
        return self._observation(
            "attribute",
            Topic.ATTRIBUTE,
            day,
            category="imaging",
            profile="crlm-lesion-attribute",
            focus=lesion,
            component=parts,
        )

    def targets(self, day: str, targets: Sequence[Resource], others: Sequence[Resource] = ()) -> None:
        """Roles in the response assessment."""
        for lesion in targets:
            self.attributes(lesion, day, role=FeatureValue.TARGET)
        for lesion in others:
            self.attributes(lesion, day, role=FeatureValue.NON_TARGET)

    # ------------------------------------------------------------------------------------ studies

    def study(self, day: str, kind: str, title: str, *, part_of: Resource | None = None) -> Resource:
        """An imaging study of the liver with its final report; `kind` CT, MRI, PET, IOUS or CEIOUS."""
        name = f"{kind.lower()}-{self._name('study', 'ImagingStudy').rsplit('-', 1)[-1]}"
        serial = len([one for one in self.resources if one["resourceType"] == "ImagingStudy"]) + 1
        uid = f"2.25.5430{self._number:02d}{serial:02d}"
        series = [
            {
                "uid": f"{uid}.{index}",
                "modality": {"system": DCM, "code": modality},
                "bodySite": _REGION.get(kind, Site.LIVER).coding,
            }
            for index, modality in enumerate(_MODALITY[kind], start=1)
        ]
        study = self._add(
            "ImagingStudy",
            f"study-{name}",
            meta={"profile": [f"{PROFILE}/crlm-study"]},
            identifier=[
                {
                    "type": Identifier.STUDY_UID.concept,
                    "system": DICOM_UID,
                    "value": f"urn:oid:{uid}",
                }
            ],
            status="available",
            modality=[{"system": DCM, "code": modality} for modality in _MODALITY[kind]],
            subject=self._subject,
            started=f"{day}T09:30:00+01:00",
            numberOfSeries=len(series),
            procedureCode=[_PROCEDURE[kind].concept],
            description=title,
            series=series,
        )
        if part_of is not None:
            study["procedureReference"] = ref(part_of)
        self._report(study, name, kind, day)
        return study

    def _report(self, study: Resource, name: str, kind: str, day: str) -> None:
        results: list[dict[str, str]] = []
        self._add(
            "DiagnosticReport",
            f"report-{name}",
            status="final",
            category=[
                {"coding": [{"system": "http://terminology.hl7.org/CodeSystem/v2-0074", "code": "RAD"}]}
            ],
            code=_PROCEDURE[kind].concept,
            subject=self._subject,
            effectiveDateTime=day,
            issued=f"{day}T15:00:00+01:00",
            imagingStudy=[ref(study)],
            result=results,
        )
        self._results[study["id"]] = results

    def adequacy(self, study: Resource, kind: str, value: ProtocolValue, *parts: Resource) -> Resource:
        """The reader's statement on the examination."""
        return self._observation(
            "adequacy",
            Topic.ADEQUACY,
            _day_of(study),
            category="imaging",
            profile="crlm-exam-adequacy",
            focus=None,
            study=study,
            method=METHODS[kind].concept,
            valueCodeableConcept=value.concept,
            component=list(parts),
        )

    def ct(self, day: str, title: str) -> Resource:
        """An adequate portal-venous CT of the whole liver, 3 mm slices."""
        study = self.study(day, "CT", title)
        whole = component(Protocol.COVERAGE, valueCodeableConcept=ProtocolValue.WHOLE_LIVER.concept)
        thick = component(Protocol.SLICE, valueQuantity=quantity(3, "mm"))
        clean = component(Protocol.ARTEFACT, valueCodeableConcept=ProtocolValue.NONE.concept)
        self.adequacy(study, "CT", ProtocolValue.ADEQUATE, whole, thick, clean)
        return study

    def mri(self, day: str, title: str) -> Resource:
        """An adequate gadoxetate MRI with hepatobiliary phase and diffusion weighting, 3 mm slices."""
        study = self.study(day, "MRI", title)
        self.adequacy(
            study,
            "MRI",
            ProtocolValue.ADEQUATE,
            component(Protocol.AGENT, valueCodeableConcept=Contrast.GADOXETATE.concept),
            component(Protocol.HBP, valueBoolean=True),
            component(Protocol.HBP_QUALITY, valueCodeableConcept=ProtocolValue.GOOD.concept),
            component(Protocol.DWI, valueBoolean=True),
            component(Protocol.MAX_B, valueQuantity=quantity(800, "s/mm2")),
            component(Protocol.SLICE, valueQuantity=quantity(3, "mm")),
            component(Protocol.COVERAGE, valueCodeableConcept=ProtocolValue.WHOLE_LIVER.concept),
            component(Protocol.ARTEFACT, valueCodeableConcept=ProtocolValue.NONE.concept),
            component(Protocol.RETICULATION, valueCodeableConcept=ProtocolValue.NONE.concept),
        )
        return study

    def pet(self, day: str, title: str) -> Resource:
        """A diagnostic whole-body FDG PET/CT."""
        study = self.study(day, "PET", title)
        whole = component(Protocol.COVERAGE, valueCodeableConcept=ProtocolValue.WHOLE_LIVER.concept)
        self.adequacy(study, "PET", ProtocolValue.ADEQUATE, whole)
        return study

    def ultrasound(self, day: str, title: str, kind: str, operation: Resource) -> Resource:
        """An adequate intraoperative ultrasound of the whole liver with the lesion map at hand."""
        study = self.study(day, kind, title, part_of=operation)
        whole = component(Protocol.COVERAGE, valueCodeableConcept=ProtocolValue.WHOLE_LIVER.concept)
        mapped = component(Protocol.LESION_MAP, valueBoolean=True)
        self.adequacy(study, kind, ProtocolValue.ADEQUATE, whole, mapped)
        return study

    # ------------------------------------------------------------------------------------ sightings

    def seen(self, lesion: Resource, study: Resource, mm: int | str, *parts: Resource) -> Resource:
        """Seen and measured: a size and a visibility."""
        kind = _kind_of(study)
        self._observation(
            "size",
            Size.TUMOUR_SIZE,
            _day_of(study),
            category="imaging",
            profile="crlm-lesion-size",
            focus=lesion,
            study=study,
            method=METHODS[kind].concept,
            component=[component(Size.LONGEST, valueQuantity=quantity(mm, "mm"))],
        )
        return self._visibility(lesion, study, Visibility.PRESENT, *parts)

    def gone(self, lesion: Resource, study: Resource) -> Resource:
        """Looked for at its site and not seen."""
        return self._visibility(lesion, study, Visibility.NOT_DETECTED)

    def _visibility(self, lesion: Resource, study: Resource, value: Visibility, *parts: Resource) -> Resource:
        extra: Resource = {"component": list(parts)} if parts else {}
        return self._observation(
            "visibility",
            Topic.VISIBILITY,
            _day_of(study),
            category="imaging",
            profile="crlm-lesion-visibility",
            focus=lesion,
            study=study,
            method=METHODS[_kind_of(study)].concept,
            valueCodeableConcept=value.concept,
            **extra,
        )

    def measure(self, lesion: Resource, study: Resource, code: Measure, value: int, unit: str) -> Resource:
        """A density, diffusion or uptake value."""
        return self._observation(
            "measure",
            code,
            _day_of(study),
            category="imaging",
            profile="crlm-lesion-measure",
            focus=lesion,
            study=study,
            method=METHODS[_kind_of(study)].concept,
            valueQuantity=quantity(value, unit),
        )


def _day_of(study: Mapping[str, Any]) -> str:
    return str(study["started"])[:10]


def _kind_of(study: Mapping[str, Any]) -> str:
    return str(study["id"]).rsplit("-study-", 1)[1].split("-")[0].upper()
