"""A chart from files: Bundles of any type, single resources, NDJSON."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import msgspec

from plugin.chart import Chart, Gap, GapReason
from plugin.errors import InputError, PatientChoiceError
from plugin.pull.bundle import page, with_ids
from plugin.pull.chart_of import folded
from plugin.pull.drafts import drafts
from plugin.pull.owner import Identity, Owner
from plugin.pull.queries import QUERIES

_DECISIVE = frozenset(query.resource for query in QUERIES if query.decisive)
_DEPTH = 3


@dataclass
class _Contents:
    """What the files hold: resources of any patient, and what could not be read."""

    resources: list[Mapping[str, Any]] = field(default_factory=list)
    gaps: list[Gap] = field(default_factory=list)

    def add(self, resource: Any, where: str, depth: int = 0) -> None:
        """Adds a resource, or the resources of a Bundle; what is neither leaves a gap."""
        kind = resource.get("resourceType") if isinstance(resource, Mapping) else None
        if not isinstance(kind, str):
            self.unreadable(where, "is no FHIR resource")
        elif kind != "Bundle":
            self.resources.append(resource)
        elif depth >= _DEPTH:
            self.unreadable(where, "holds Bundles within Bundles too deep")
        else:
            self._add_bundle(resource, where, depth)

    def _add_bundle(self, bundle: Mapping[str, Any], where: str, depth: int) -> None:
        found = page(with_ids(bundle))
        for resource in (*found.matches, *found.others):
            self.add(resource, where, depth + 1)
        if found.broken:
            self.unreadable(where, f"holds {found.broken} entries or elements that cannot be read")
        if found.next_url is not None:
            self.gaps.append(
                _gap(GapReason.TRUNCATED, f"{where} is one page of several; the next is not here")
            )
        for remark in found.remarks:
            self.gaps.append(_gap(remark.reason, f"{where} holds an OperationOutcome ({remark.code})"))

    def unreadable(self, where: str, why: str) -> None:
        """Notes something that might have been a finding of our patient."""
        self.gaps.append(_gap(GapReason.UNREADABLE, f"{where} {why}"))


def chart_from_files(
    paths: Iterable[Path], hook_context: Mapping[str, Any] | None = None, *, patient: str | None = None
) -> Chart:
    """Returns the chart of the one patient in the files.

    `hook_context` is {"hook": ..., "context": {...}} or the context alone; its `patientId`, or `patient`,
    chooses where the files hold several patients. Raises InputError for a file that cannot be read at all
    and PatientChoiceError where the patient is not clear.
    """
    contents = _Contents()
    names = list(paths)
    for name in names:
        _read(name, contents)
    hook, context = _hook(hook_context)
    identity = Identity(_chosen(contents.resources, context, patient))
    _learn(contents.resources, identity)
    kept, gaps = _ours(contents.resources, identity)
    hooked = drafts(context, identity)
    return Chart(
        patient_id=identity.patient_id,
        resources=folded(kept),
        drafts=hooked.resources,
        gaps=tuple(dict.fromkeys((*contents.gaps, *gaps, *hooked.gaps))),
        hook=hook,
        draft_tokens=hooked.tokens,
        selections=hooked.selections,
        encounter=hooked.encounter,
    )


def _read(path: Path, contents: _Contents) -> None:
    try:
        body = path.read_bytes()
    except OSError as error:
        raise InputError(f"{path}: cannot be read: {error.strerror or error}") from error
    text = body.removeprefix(b"\xef\xbb\xbf").strip()
    if not text:
        raise InputError(f"{path}: is empty; a FHIR Bundle, a resource or NDJSON is wanted")
    try:
        contents.add(msgspec.json.decode(text), path.name)
    except (msgspec.DecodeError, UnicodeDecodeError, RecursionError) as error:
        if path.suffix == ".ndjson" or _looks_like_lines(text):
            _read_lines(text, path.name, contents)
        else:
            raise InputError(f"{path}: is no valid JSON: {error}") from error


def _looks_like_lines(text: bytes) -> bool:
    """Several lines, the first of them a whole JSON object: NDJSON under another name."""
    first, _, rest = text.partition(b"\n")
    if not rest.strip():
        return False
    try:
        return isinstance(msgspec.json.decode(first), dict)
    except (msgspec.DecodeError, UnicodeDecodeError, RecursionError):
        return False


def _read_lines(text: bytes, name: str, contents: _Contents) -> None:
    for number, line in enumerate(text.split(b"\n"), start=1):
        if not line.strip():
            continue
        try:
            resource = msgspec.json.decode(line)
        except (msgspec.DecodeError, UnicodeDecodeError, RecursionError):
            contents.unreadable(f"{name} line {number}", "is no valid JSON")
        else:
            contents.add(resource, f"{name} line {number}")


def _hook(value: Mapping[str, Any] | None) -> tuple[str | None, Mapping[str, Any]]:
    if value is None:
        return None, {}
    context = value.get("context", value)
    if not isinstance(context, Mapping):
        raise InputError("the hook context is no JSON object; a context, or a whole hook request, is wanted")
    hook = value.get("hook")
    return hook if isinstance(hook, str) else None, context


def _chosen(resources: list[Mapping[str, Any]], context: Mapping[str, Any], patient: str | None) -> str:
    found = tuple(sorted(set(_patient_ids(resources))))
    named = patient if patient is not None else context.get("patientId")
    if isinstance(named, str):
        wanted = named.removeprefix("Patient/")
        if found and wanted not in found:
            raise PatientChoiceError(f"the files hold no patient {wanted}; they hold {_listed(found)}", found)
        return wanted
    if len(found) == 1:
        return found[0]
    if not found:
        raise PatientChoiceError("the files hold no Patient resource; name the patient in the hook context")
    raise PatientChoiceError(
        f"the files hold several patients: {_listed(found)}. "
        "Give the files of one, or choose with patientId in the hook context",
        found,
    )


def _patient_ids(resources: list[Mapping[str, Any]]) -> Iterator[str]:
    for resource in resources:
        if resource.get("resourceType") == "Patient" and isinstance(resource.get("id"), str):
            yield resource["id"]


def _listed(patients: tuple[str, ...]) -> str:
    shown = ", ".join(patients[:5])
    return shown if len(patients) <= 5 else f"{shown} and {len(patients) - 5} more"


def _learn(resources: list[Mapping[str, Any]], identity: Identity) -> None:
    for resource in resources:
        if resource.get("resourceType") == "Patient" and identity.owner(resource) is Owner.OURS:
            identity.learn(resource)


def _ours(
    resources: list[Mapping[str, Any]], identity: Identity
) -> tuple[list[Mapping[str, Any]], list[Gap]]:
    kept, strays, unstated = [], 0, 0
    for resource in resources:
        owner = identity.owner(resource)
        if owner in (Owner.OURS, Owner.SHARED):
            kept.append(resource)
        elif owner is Owner.OTHER:
            strays += 1
        elif resource.get("resourceType") in _DECISIVE:
            unstated += 1
    gaps = []
    if strays:
        text = f"{strays} resources left out that are another patient's"
        gaps.append(_gap(GapReason.WRONG_PATIENT, text, decisive=False))
    if unstated:
        gaps.append(
            _gap(GapReason.UNREADABLE, f"{unstated} resources left out that name no patient who can be told")
        )
    return kept, gaps


def _gap(reason: GapReason, detail: str, *, decisive: bool = True) -> Gap:
    return Gap(resource="Resource", reason=reason, detail=detail, decisive=decisive)
