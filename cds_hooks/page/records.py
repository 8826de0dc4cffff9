"""The records of the demo EHR: FHIR resources in memory, with the searches that a hook call needs."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator, Mapping
from typing import Any

Resource = Mapping[str, Any]
Search = Callable[[Resource, str], bool]

# Where a resource names its patient, beside `subject` and `patient`.
_NESTED = {"Appointment": ("participant", "actor")}


class Records:
    """Resources by type and id; each belongs to one patient."""

    def __init__(self, bundles: Iterable[Mapping[str, Any]]) -> None:
        self._by_type: dict[str, dict[str, dict[str, Any]]] = {}
        for bundle in bundles:
            for entry in bundle.get("entry", ()):
                self._keep(entry["resource"])

    def add(self, resource: Mapping[str, Any]) -> None:
        """Keeps one more resource, in its first version."""
        self._keep(resource)

    def _keep(self, resource: Mapping[str, Any]) -> None:
        meta = {**resource.get("meta", {}), "versionId": "1"}
        of_type = self._by_type.setdefault(resource["resourceType"], {})
        of_type[resource["id"]] = {**resource, "meta": meta}

    @property
    def types(self) -> list[str]:
        """The resource types that are held."""
        return sorted(self._by_type)

    def read(self, resource_type: str, resource_id: str) -> Resource | None:
        """Returns one resource, or None."""
        return self._by_type.get(resource_type, {}).get(resource_id)

    def find(self, resource_type: str, params: Iterable[tuple[str, str]]) -> list[Resource]:
        """Returns the resources of a type that meet every parameter of `SEARCHES`, ordered by id."""
        wanted = [(SEARCHES[name], value) for name, value in params]
        of_type = self._by_type.get(resource_type, {})
        return [of_type[key] for key in sorted(of_type) if all(meets(of_type[key], v) for meets, v in wanted)]


def patient_of(resource: Resource) -> str | None:
    """Returns the id of the patient that a resource belongs to; a Patient belongs to itself."""
    if resource["resourceType"] == "Patient":
        return str(resource["id"])
    for reference in _references(resource):
        kind, _, found = reference.rpartition("/")
        if kind.endswith("Patient"):
            return found
    return None


def _references(resource: Resource) -> Iterator[str]:
    backbone, member = _NESTED.get(resource["resourceType"], ("", ""))
    parents = [resource.get("subject"), resource.get("patient")]
    parents += [part.get(member) for part in resource.get(backbone, ())]
    for parent in parents:
        if isinstance(parent, dict) and isinstance(parent.get("reference"), str):
            yield parent["reference"]


def _of_patient(resource: Resource, value: str) -> bool:
    return patient_of(resource) == value.rpartition("/")[2]


def _has_id(resource: Resource, value: str) -> bool:
    return resource["id"] in value.split(",")


def _token(element: str) -> Search:
    def meets(resource: Resource, value: str) -> bool:
        held = set(_codings(resource.get(element)))
        return any(_token_meets(held, token) for token in value.split(","))

    return meets


def _token_meets(held: set[tuple[str, str]], token: str) -> bool:
    system, bar, code = token.rpartition("|")
    if not bar:
        return any(code == one for _, one in held)
    return any(system == of and code in ("", one) for of, one in held)


def _codings(value: Any) -> Iterator[tuple[str, str]]:
    """The (system, code) pairs of a code, a CodeableConcept or a list of them."""
    if isinstance(value, str):
        yield "", value
    elif isinstance(value, list):
        for item in value:
            yield from _codings(item)
    elif isinstance(value, dict):
        if "code" in value and "coding" not in value:
            yield value.get("system", ""), value["code"]
        yield from _codings(value.get("coding"))


SEARCHES: Mapping[str, Search] = {
    "_id": _has_id,
    "patient": _of_patient,
    "subject": _of_patient,
    "category": _token("category"),
    "code": _token("code"),
    "intent": _token("intent"),
    "status": _token("status"),
}
