"""FHIR servers that imitate what Epic and Oracle Health refuse, stricter than the real ones where in doubt.

Each serves the resources of any number of patients; `Hostile.requests` tells what was asked.
"""

from __future__ import annotations

from collections.abc import Iterable
from typing import Any
from urllib.parse import urlencode

from fhir_profiles.read.element import codings
from tests.servers.hostile import Hostile, Reply, Request, resource, status

Resource = dict[str, Any]
CONTROLS = {"_count", "_format", "pageContext", "direction", "page"}
SEARCHES = {"Observation": {"category", "code", "date"}, "DiagnosticReport": {"category", "code", "date"}}
OTHER_SEARCHES = {"category", "date", "intent", "status"}


def outcome(severity: str, code: str, text: str, number: str | None = None) -> Resource:
    details = {"coding": [{"system": "urn:oid:1.2.840.114350.1.13.0.1.7.2.657369", "code": number}]}
    issue = {"severity": severity, "code": code, "diagnostics": text}
    return {
        "resourceType": "OperationOutcome",
        "issue": [{**issue, **({"details": details} if number is not None else {})}],
    }


class Plain:
    """A server that searches by patient, category and code, in pages, and lists what it has."""

    absent: frozenset[str] = frozenset()
    software: str | None = None
    publisher: str | None = None
    pages: dict[str, int] = {}
    largest: dict[str, int] = {}

    def __init__(self, resources: Iterable[Resource]) -> None:
        self.resources = [one for one in resources if one["resourceType"] not in self.absent]

    def __call__(self, request: Request, server: Hostile) -> Reply:
        kind, _, own = request.path.removeprefix("/fhir/").partition("/")
        if kind == "metadata":
            return resource(self.statement())
        if kind in self.absent:
            return status(404)
        if own:
            found = [one for one in self.resources if one["resourceType"] == kind and one["id"] == own]
            return resource(self.told(found[0], server)) if found else status(404)
        query = {name: value for name, (value, *_) in request.query.items()}
        refused = self.refused(kind, query)
        return refused if refused is not None else self.page(kind, query, server)

    def statement(self) -> Resource:
        types = sorted({one["resourceType"] for one in self.resources} | set(TYPES) - self.absent)
        rest = [
            {
                "type": kind,
                "interaction": [{"code": "read"}, {"code": "search-type"}],
                "searchParam": [
                    {"name": name, "type": "token"}
                    for name in ("patient", *sorted(SEARCHES.get(kind, OTHER_SEARCHES)))
                ],
            }
            for kind in types
        ]
        return {
            "resourceType": "CapabilityStatement",
            "status": "active",
            "kind": "instance",
            "fhirVersion": "4.0.1",
            **({"software": {"name": self.software}} if self.software else {}),
            **({"publisher": self.publisher} if self.publisher else {}),
            "rest": [{"mode": "server", "resource": rest}],
        }

    def refused(self, kind: str, query: dict[str, str]) -> Reply | None:
        if not {"patient", "subject"} & set(query):
            return resource(outcome("fatal", "required", "Must have patient."), 400)
        return None

    def told(self, one: Resource, server: Hostile) -> Resource:
        """The resource as this server writes it."""
        return one

    def found(self, kind: str, query: dict[str, str]) -> list[Resource]:
        patient = query.get("patient") or query["subject"].removeprefix("Patient/")
        found = [one for one in self.resources if one["resourceType"] == kind and patient_of(one) == patient]
        for name in ("code", "category"):
            if name in query and kind in SEARCHES:
                wanted = {one.rpartition("|")[2] for one in query[name].split(",")}
                found = [one for one in found if wanted & coded(one.get(name))]
        return found

    def page(self, kind: str, query: dict[str, str], server: Hostile) -> Reply:
        found = self.found(kind, query)
        size = min(int(query.get("_count", self.pages.get(kind, 1000))), self.largest.get(kind, 1000))
        at = int(query.get("pageContext", "0"))
        links = [{"relation": "self", "url": f"{server.base}/{kind}?{urlencode(query)}"}]
        if at + size < len(found):
            more = urlencode({**query, "pageContext": str(at + size), "direction": "NEXT"})
            links.append({"relation": "next", "url": f"{server.base}/{kind}?{more}"})
        entries = [
            {
                "fullUrl": f"{server.base}/{kind}/{one['id']}",
                "resource": self.told(one, server),
                "search": {"mode": "match"},
            }
            for one in found[at : at + size]
        ]
        return resource(self.bundle(entries, links, len(found)))

    def bundle(self, entries: list[Resource], links: list[Resource], total: int) -> Resource:
        return {
            "resourceType": "Bundle",
            "type": "searchset",
            "total": total,
            "link": links,
            **({"entry": entries} if entries else {}),
        }


class Epic(Plain):
    """Wants a category or a code, writes absolute references, adds an OperationOutcome to every Bundle.

    `strict` wants a category in every search of Observations, whatever its code.
    """

    software = "Epic"
    absent = frozenset({"MedicationStatement"})
    categories = frozenset({"exam", "imaging", "laboratory", "social-history", "survey", "vital-signs"})

    def __init__(self, resources: Iterable[Resource], *, strict: bool = False) -> None:
        super().__init__(resources)
        self.strict = strict

    def refused(self, kind: str, query: dict[str, str]) -> Reply | None:
        if kind == "Observation":
            if "category" not in query and (self.strict or "code" not in query):
                return resource(outcome("fatal", "required", "Must have either code or category."), 400)
            asked = {one.rpartition("|")[2] for one in query.get("category", "").split(",") if one}
            if asked - self.categories:
                return resource(outcome("error", "value", "Category is not valid."), 400)
        if kind in ("CarePlan", "Condition") and "category" not in query:
            return resource(outcome("fatal", "required", "Must have a category."), 400)
        return super().refused(kind, query)

    def told(self, one: Resource, server: Hostile) -> Resource:
        told: Resource = absolute(one, server.base)
        told.pop("meta", None)
        return told

    def bundle(self, entries: list[Resource], links: list[Resource], total: int) -> Resource:
        warning = (
            outcome("warning", "informational", "Data is a part of the record only.", "4119")
            if entries
            else outcome("warning", "processing", "Resource request returns no results.", "4101")
        )
        said = {"resource": warning, "search": {"mode": "outcome"}}
        return super().bundle([*entries, said], links, total)


class Oracle(Plain):
    """Has no ImagingStudy, BodyStructure and MedicationStatement, small pages, and asks for patience.

    A category that it does not have finds nothing, which is worse than an error. `throttles`: the first search
    of each of these types is answered with HTTP 429.
    """

    publisher = "Cerner"
    absent = frozenset({"ImagingStudy", "BodyStructure", "MedicationStatement"})
    categories = frozenset({"laboratory", "social-history", "vital-signs"})
    pages = {"Observation": 50, "DiagnosticReport": 10}
    largest = {"Observation": 200, "DiagnosticReport": 100}

    def __init__(
        self, resources: Iterable[Resource], *, throttles: Iterable[str] = (), later: str = "0"
    ) -> None:
        super().__init__(resources)
        self.throttles = set(throttles)
        self.later = later

    def refused(self, kind: str, query: dict[str, str]) -> Reply | None:
        if kind in self.throttles:
            self.throttles.discard(kind)
            return status(429, **{"Retry-After": self.later})
        if kind == "CarePlan" and "category" not in query:
            return resource(outcome("error", "required", "category is required"), 400)
        if kind == "Appointment" and "date" not in query:
            return resource(outcome("error", "required", "date is required"), 400)
        return super().refused(kind, query)

    def found(self, kind: str, query: dict[str, str]) -> list[Resource]:
        asked = {one.rpartition("|")[2] for one in query.get("category", "").split(",") if one}
        if kind == "Observation" and asked - self.categories:
            return []
        return super().found(kind, query)


def coded(value: Any) -> set[str]:
    concepts = value if isinstance(value, list) else [value]
    return {code for concept in concepts if concept for _, code in codings(concept)}


def patient_of(one: Resource) -> str | None:
    if one["resourceType"] == "Patient":
        return str(one["id"])
    named = one.get("subject") or one.get("patient")
    if named is None and "participant" in one:
        named = next((each["actor"] for each in one["participant"] if "Patient/" in str(each)), None)
    return None if named is None else str(named["reference"]).removeprefix("Patient/")


def absolute(value: Any, base: str) -> Any:
    """The same JSON with every relative reference made absolute."""
    if isinstance(value, dict):
        return {
            key: f"{base}/{item}"
            if key == "reference" and not item.startswith(("#", "http", "urn:"))
            else absolute(item, base)
            for key, item in value.items()
        }
    if isinstance(value, list):
        return [absolute(item, base) for item in value]
    return value


def asked(server: Hostile, kind: str) -> list[dict[str, str]]:
    """The searches of one type, with their parameters."""
    return [{name: values[0] for name, values in one.query.items()} for one in server.asked(kind)]


TYPES = (
    *(
        "Patient",
        "Observation",
        "ImagingStudy",
        "BodyStructure",
        "DiagnosticReport",
        "MedicationAdministration",
    ),
    *("MedicationStatement", "MedicationRequest", "Procedure", "ServiceRequest", "Appointment", "CarePlan"),
    *("Condition", "AllergyIntolerance", "Device", "Medication"),
)
