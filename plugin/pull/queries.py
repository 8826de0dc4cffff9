"""The registry of queries: what is asked of a patient's record, shared by discovery and the pull.

The templates keep to what every known CDS client serves (CDS Hooks 2.0.1, "Prefetch query restrictions"):
one token, `{{context.patientId}}`; each search parameter once; tokens by equality; no date arithmetic, no
includes, no chaining. Everything finer is filtered on our side.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from types import MappingProxyType
from urllib.parse import quote, urlencode

from fhir_profiles.codes import LOINC, Cea, Coded, Feature, Size, Topic

PATIENT_ID = "{{context.patientId}}"
_REPORT_SECTIONS = "http://terminology.hl7.org/CodeSystem/v2-0074"


@dataclass(frozen=True, kw_only=True)
class Query:
    """One query: its prefetch key, its template, and what its answer is worth.

    `decisive`: without its answer the history of a lesion may be cut short.
    `feeds`: the kinds of fact that rest on it. `alternatives`: other ways to ask, tried in order where a
    server refuses the search. `whole`: asks across all sub-types of a resource type, so that a server which
    withholds some of them says nothing about ours.
    """

    key: str
    resource: str
    template: str
    feeds: tuple[str, ...]
    decisive: bool = False
    alternatives: tuple[str, ...] = ()
    whole: bool = False

    @property
    def is_read(self) -> bool:
        """True for the read of one resource, False for a search."""
        return "?" not in self.template


def path(template: str, patient_id: str) -> str:
    """Returns the template as a path with query below the FHIR base, percent-encoded."""
    if "?" not in template:
        return template.replace(PATIENT_ID, quote(patient_id, safe=""))
    kind, query = template.split("?", 1)
    pairs = [part.split("=", 1) for part in query.split("&")]
    filled = [(name, value.replace(PATIENT_ID, patient_id)) for name, value in pairs]
    return f"{kind}?{urlencode(filled, safe=',')}"


def _search(resource: str, **params: str) -> str:
    rest = "".join(f"&{name}={value}" for name, value in params.items())
    return f"{resource}?patient={PATIENT_ID}{rest}"


def _codes(*codes: Coded) -> str:
    return ",".join(f"{code.system}|{code.code}" for code in codes)


CEA_CODES = _codes(*Cea)
# Findings of lesions and statements on them, whatever category the site files them under: tumour sizes are
# met without any.
LESION_CODES = _codes(
    Size.TUMOUR_SIZE,
    Topic.VISIBILITY,
    Topic.TIMEPOINT,
    Topic.FEATURE,
    Topic.ADEQUACY,
    Topic.DISPOSITION,
    Topic.ATTRIBUTE,
    Topic.MEMBERSHIP,
    Topic.PATHOLOGY,
    Topic.BIOPSY,
    Feature.NEW_LESION,
)
STATUS_CODES = _codes(
    Topic.ECOG,
    Topic.MSI,
    Topic.FLR,
    Topic.CHILD_PUGH,
    Topic.INTENT,
    Topic.REFUSAL,
    Topic.EXTRAHEPATIC,
    Topic.MUCINOUS,
    Topic.MRI_CONTRAINDICATION,
    Topic.STEATOSIS,
    Topic.HAI,
    Topic.TRANSPLANT,
    Topic.STABLE,
    Topic.LIVER_NORMAL,
    Topic.NODE_POSITIVE,
    Topic.KRAS_MUTATED,
    Topic.PN_CATEGORY,
    Topic.PN_CATEGORY_SCT,
)
# The categories in which Epic searches; US Core has the same.
CATEGORIES = "exam,imaging,laboratory,social-history,survey,vital-signs"
REPORT_CATEGORIES = ",".join(
    [f"{LOINC}|LP29684-5"]
    + [f"{_REPORT_SECTIONS}|{section}" for section in ("RAD", "IMG", "CT", "NMR", "RUS", "NMS")]
)

QUERIES: tuple[Query, ...] = (
    Query(key="patient", resource="Patient", template=f"Patient/{PATIENT_ID}", feeds=("patient",)),
    Query(
        key="imaging",
        resource="Observation",
        template=_search("Observation", category="imaging"),
        feeds=(
            *("sighting", "exam", "silence", "lesion", "size_pair", "target_sum", "lesion_sum"),
            *("morphology_pair", "density_pair", "uptake_pair", "diffusion_recorded"),
            *("recorded_response", "immune_response", "score"),
        ),
        decisive=True,
        # A server without the category may still have the observations.
        alternatives=(_search("Observation"),),
    ),
    Query(
        key="findings",
        resource="Observation",
        template=_search("Observation", code=LESION_CODES),
        feeds=("sighting", "set_aside", "exam", "lesion", "plan", "nodule", "pathology", "biopsy"),
        decisive=True,
        whole=True,
        # A server that wants a category, too, has each observation in one of these; one that refuses codes it
        # does not know holds none of our own either.
        alternatives=(
            _search("Observation", category=CATEGORIES, code=LESION_CODES),
            _search("Observation", code=_codes(Size.TUMOUR_SIZE)),
        ),
    ),
    Query(
        key="studies",
        resource="ImagingStudy",
        template=_search("ImagingStudy"),
        feeds=("exam", "silence"),
        decisive=True,
    ),
    Query(
        key="lesions",
        resource="BodyStructure",
        template=_search("BodyStructure"),
        feeds=("lesion",),
        decisive=True,
    ),
    Query(
        key="reports",
        resource="DiagnosticReport",
        template=_search("DiagnosticReport", category=REPORT_CATEGORIES),
        feeds=("exam", "silence"),
        alternatives=(_search("DiagnosticReport"),),
    ),
    Query(
        key="markers",
        resource="Observation",
        template=_search("Observation", category="laboratory", code=CEA_CODES),
        feeds=("marker_series",),
        alternatives=(_search("Observation", code=CEA_CODES), _search("Observation", category="laboratory")),
    ),
    Query(
        key="status",
        resource="Observation",
        template=_search("Observation", code=STATUS_CODES),
        feeds=("patient", "score", "score_gap"),
        whole=True,
        alternatives=(_search("Observation", category=CATEGORIES, code=STATUS_CODES),),
    ),
    Query(
        key="administrations",
        resource="MedicationAdministration",
        template=_search("MedicationAdministration"),
        feeds=("dose", "therapy"),
    ),
    Query(
        key="medications",
        resource="MedicationStatement",
        template=_search("MedicationStatement"),
        feeds=("dose", "therapy"),
    ),
    Query(
        key="prescriptions",
        resource="MedicationRequest",
        template=_search("MedicationRequest"),
        feeds=("therapy", "order"),
        alternatives=(_search("MedicationRequest", intent="order,plan,proposal"),),
    ),
    Query(
        key="procedures",
        resource="Procedure",
        template=_search("Procedure"),
        feeds=("treatment", "plan", "therapy", "patient"),
    ),
    Query(
        key="orders",
        resource="ServiceRequest",
        template=_search("ServiceRequest"),
        feeds=("plan", "order"),
    ),
    Query(
        key="appointments",
        resource="Appointment",
        template=_search("Appointment"),
        feeds=("plan", "order"),
        # Oracle Health wants a date beside the patient.
        alternatives=(_search("Appointment", date="ge2000-01-01"),),
    ),
    Query(
        key="plans",
        resource="CarePlan",
        template=_search("CarePlan"),
        feeds=("lesion", "order", "patient"),
        # Epic and Oracle Health want a category beside the patient.
        alternatives=(_search("CarePlan", category="assess-plan"),),
    ),
    Query(
        key="conditions",
        resource="Condition",
        template=_search("Condition"),
        feeds=("patient",),
        alternatives=(_search("Condition", category="problem-list-item,encounter-diagnosis"),),
    ),
    Query(
        key="allergies",
        resource="AllergyIntolerance",
        template=_search("AllergyIntolerance"),
        feeds=("patient",),
    ),
    Query(key="devices", resource="Device", template=_search("Device"), feeds=("patient", "lesion")),
)
BY_KEY: Mapping[str, Query] = MappingProxyType({query.key: query for query in QUERIES})
PREFETCH: Mapping[str, str] = MappingProxyType({query.key: query.template for query in QUERIES})
