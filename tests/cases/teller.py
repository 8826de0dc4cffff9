"""A story teller that follows a case: the sample builders, and what a case may also say of lesions and studies."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from fhir_profiles.codes import (
    DCM,
    SITE_OF_SEGMENT,
    Attribute,
    AttributeValue,
    Contrast,
    Feature,
    FeatureValue,
    Method,
    Protocol,
    ProtocolValue,
    Site,
    Size,
    Topic,
    Visibility,
)
from fhir_profiles.samples.person import Resource, component, quantity, ref
from fhir_profiles.samples.story import Story

SAYS = {
    "seen": Visibility.PRESENT,
    "gone": Visibility.NOT_DETECTED,
    "unclear": Visibility.INDETERMINATE,
    "not-assessed": Visibility.NOT_ASSESSED_LOCAL,
}
REGIONS = {"pelvis": Site.PELVIS, "chest": Site.CHEST, "abdomen": Site.ABDOMEN, "liver": Site.LIVER}
METHODS = {
    "CT": Method.CT,
    "MRI": Method.MRI,
    "PET": Method.PET,
    "US": Method.US,
    "IOUS": Method.IOUS,
    "CEIOUS": Method.CEIOUS,
}
PROTOCOLS: dict[str, dict[str, Any]] = {
    "CT": {"coverage": "whole-liver", "slice": 3, "artefact": "none"},
    "MRI": {
        "agent": "gadoxetate",
        "hbp": True,
        "hbp_quality": "good",
        "dwi": True,
        "b": 800,
        "slice": 3,
        "coverage": "whole-liver",
        "artefact": "none",
        "reticulation": "none",
    },
    "PET": {"coverage": "whole-liver"},
    "US": {"coverage": "whole-liver"},
    "IOUS": {"coverage": "whole-liver", "map": True},
    "CEIOUS": {"coverage": "whole-liver", "map": True},
}
CODED = {
    "agent": (Protocol.AGENT, Contrast),
    "hbp_quality": (Protocol.HBP_QUALITY, ProtocolValue),
    "coverage": (Protocol.COVERAGE, ProtocolValue),
    "artefact": (Protocol.ARTEFACT, ProtocolValue),
    "reticulation": (Protocol.RETICULATION, ProtocolValue),
}
FLAGS = {
    "hbp": Protocol.HBP,
    "dwi": Protocol.DWI,
    "map": Protocol.LESION_MAP,
    "hbp_delayed": Protocol.HBP_DELAYED,
}
NUMBERS = {"slice": (Protocol.SLICE, "mm"), "b": (Protocol.MAX_B, "s/mm2")}
PLACES = {
    "artefact_in": Protocol.ARTEFACT_SEGMENT,
    "reticulation_in": Protocol.RETICULATION_SEGMENT,
    "excluded": Protocol.EXCLUDED,
}
FEATURES = {
    "remnant": Feature.REMNANT,
    "conspicuity": Feature.CONSPICUITY,
    "rim": Feature.RIM,
    "hbp": Feature.HBP_SIGNAL,
    "new": Feature.NEW_LESION,
}


class Teller(Story):
    """One patient of a case."""

    def __init__(self, *args: Any, **fields: Any) -> None:
        super().__init__(*args, **fields)
        self._stated_as: dict[str, str] = {}

    def examined(self, kind: str, day: str, told: Mapping[str, Any], part_of: Resource | None) -> Resource:
        """A study with its report and the reader's statement, as the case tells them."""
        title = told.get("title", f"{kind} of the liver")
        if kind == "US":
            study = self._through_the_skin(day, title)
        else:
            study = self.study(day, kind, title, part_of=part_of)
        if "region" in told:
            for series in study["series"]:
                if told["region"] == "unknown":
                    del series["bodySite"]
                else:
                    series["bodySite"] = REGIONS[told["region"]].coding
            del study["procedureCode"]
            self._report_of(study)["code"] = METHODS[kind].concept
        if kind != "US":
            self._report_of(study)["status"] = told.get("status", "final")
        self._stated_as[study["id"]] = told.get("status", "final")
        study["status"] = told.get("study", "available")
        adequacy = told.get("adequacy", "adequate")
        if adequacy != "none":
            parts = protocol(PROTOCOLS[kind] | told.get("protocol", {}))
            unstated = adequacy == "unstated"
            value = ProtocolValue["ADEQUATE" if unstated else adequacy.replace("-", "_").upper()]
            made = self.adequacy(study, kind, value, *parts)
            made["status"] = told.get("status", "final")
            if unstated:
                del made["valueCodeableConcept"]
        return study

    def _through_the_skin(self, day: str, title: str) -> Resource:
        study = self._add(
            "ImagingStudy",
            f"study-us-{self._name('study', 'ImagingStudy').rsplit('-', 1)[-1]}",
            status="available",
            modality=[{"system": DCM, "code": "US"}],
            subject=self._subject,
            started=f"{day}T09:30:00+01:00",
            description=title,
            series=[
                {
                    "uid": "2.25.7",
                    "modality": {"system": DCM, "code": "US"},
                    "bodySite": Site.LIVER.coding,
                }
            ],
        )
        self._results[study["id"]] = []
        return study

    def _report_of(self, study: Resource) -> Resource:
        return next(
            one
            for one in self.resources
            if one["resourceType"] == "DiagnosticReport" and ref(study) in one["imagingStudy"]
        )

    def state(self, lesion: Resource | None, study: Resource, told: Any) -> None:
        """What a study says of one lesion: a number of mm, a word, a mapping, or several of them."""
        for one in told if isinstance(told, list) else [told]:
            self._state(lesion, study, one)

    def _state(self, lesion: Resource | None, study: Resource, one: Any) -> None:
        if isinstance(one, str):
            one = {"says": one}
        elif not isinstance(one, Mapping):
            one = {"mm": one}
        start = len(self.resources)
        if "mm" in one or "words" in one or one.get("ttsm"):
            self._size(lesion, study, one)
        says = one.get("says", "seen" if "mm" in one or one.get("ttsm") else None)
        if says is not None and says != "size-only":
            parts = [
                component(
                    code, valueCodeableConcept=FeatureValue[one[name].replace("-", "_").upper()].concept
                )
                for name, code in FEATURES.items()
                if name in one and name != "new"
            ]
            if "group" in one:
                parts.append(component(Feature.MORPHOLOGY_GROUP, valueInteger=one["group"]))
            if "avid" in one:
                parts.append(component(Feature.PET_AVID, valueBoolean=one["avid"]))
            self._visibility(lesion, study, SAYS[says], *parts)  # type: ignore[arg-type]
        if "new" in one and lesion is not None:
            self._new(lesion, study, one["new"])
        for resource in self.resources[start:]:
            resource["status"] = one.get("status", self._stated_as.get(study["id"], "final"))
            if "day" in one:
                resource["effectiveDateTime"] = str(one["day"])
            if "code" in one:
                resource["code"] = {"text": one["code"]}
            if lesion is None and "segment" in one:
                resource["bodySite"] = SITE_OF_SEGMENT[one["segment"]].concept
            if "id" in one and resource["code"] == Topic.VISIBILITY.concept:
                resource["id"] = one["id"]
            if "replaces" in one:
                url = "http://hl7.org/fhir/StructureDefinition/observation-replaces"
                value = {"reference": f"Observation/{one['replaces']}"}
                resource["extension"] = [{"url": url, "valueReference": value}]

    def _size(self, lesion: Resource | None, study: Resource, one: Mapping[str, Any]) -> None:
        parts = []
        if "mm" in one:
            unit = one.get("unit", "mm")
            parts.append(component(Size.LONGEST, valueQuantity=quantity(one["mm"], unit)))
        if "words" in one:
            parts.append(component(Size.LONGEST, valueString=one["words"]))
        if one.get("ttsm"):
            parts.append(component(Size.TTSM, valueBoolean=True))
        self._observation(
            "size",
            Size.TUMOUR_SIZE,
            str(study["started"])[:10],
            category="imaging",
            profile="crlm-lesion-size",
            focus=lesion,
            study=study,
            method=METHODS[kind_of(study)].concept,
            component=parts,
        )

    def _new(self, lesion: Resource, study: Resource, value: str) -> None:
        self._observation(
            "new-lesion",
            Feature.NEW_LESION,
            str(study["started"])[:10],
            category="imaging",
            profile="crlm-new-lesion",
            focus=lesion,
            study=study,
            method=METHODS[kind_of(study)].concept,
            valueCodeableConcept=FeatureValue[value.replace("-", "_").upper()].concept,
        )

    def lasting(self, lesion: Resource, day: str, told: Mapping[str, Any]) -> None:
        """Depth, cost, marker, role and nature of one lesion."""
        parts: list[Resource] = []
        if "depth" in told:
            parts.append(component(Attribute.DEPTH, valueQuantity=quantity(told["depth"], "mm")))
        for name, code in (("marker", Attribute.MARKER), ("migrated", Attribute.MARKER_MIGRATED)):
            if name in told:
                parts.append(component(code, valueBoolean=told[name]))
        coded = {
            "extra": (Attribute.EXTRA_RESECTION, AttributeValue),
            "characterised": (Attribute.CHARACTERISED, AttributeValue),
            "role": (Feature.TARGET_ROLE, FeatureValue),
            "nature": (Feature.NATURE, FeatureValue),
        }
        for name, (key, values) in coded.items():
            if name in told:
                value = values[told[name].replace("-", "_").upper()]
                parts.append(component(key, valueCodeableConcept=value.concept))
        self._observation(
            "attribute",
            Topic.ATTRIBUTE,
            day,
            category="imaging",
            profile="crlm-lesion-attribute",
            focus=lesion,
            component=parts,
        )

    def pathology(self, lesion: Resource, day: str, told: Mapping[str, Any]) -> None:
        """Regression grade and viable share of one resected nodule."""
        parts = []
        if "found" in told:
            parts.append(component(Attribute.FOUND, valueBoolean=told["found"]))
        if "trg" in told:
            parts.append(component(Attribute.TRG, valueInteger=told["trg"]))
        if "viable" in told:
            parts.append(component(Attribute.VIABLE, valueQuantity=quantity(told["viable"], "%")))
        self._observation(
            "pathology",
            Topic.PATHOLOGY,
            day,
            category="laboratory",
            profile="crlm-pathology",
            focus=lesion,
            component=parts,
        )


def protocol(told: Mapping[str, Any]) -> list[Resource]:
    """The components of a reader's statement; what is `unknown` is left out."""
    parts: list[Resource] = []
    for name, value in told.items():
        if value == "unknown":
            continue
        if name in CODED:
            code, values = CODED[name]
            parts.append(
                component(code, valueCodeableConcept=values[str(value).replace("-", "_").upper()].concept)
            )
        elif name in FLAGS:
            parts.append(component(FLAGS[name], valueBoolean=value))
        elif name in NUMBERS:
            key, unit = NUMBERS[name]
            parts.append(component(key, valueQuantity=quantity(value, unit)))
        else:
            parts += [
                component(PLACES[name], valueCodeableConcept=SITE_OF_SEGMENT[place].concept)
                for place in value
            ]
    return parts


def kind_of(study: Mapping[str, Any]) -> str:
    """The class of a study, from its id."""
    return str(study["id"]).rsplit("-study-", 1)[1].split("-")[0].upper()
