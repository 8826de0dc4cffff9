"""The patients of a run: synthetic ones, moved to today and given ids, identifiers and tags of the run."""

from __future__ import annotations

import re
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from datetime import date
from pathlib import Path
from typing import Any

import msgspec
import yaml

from fhir_profiles import samples
from fhir_profiles.codes import CANONICAL
from fhir_profiles.read.reference import with_references
from fhir_profiles.samples.sample import moved
from plugin.errors import InputError

RUN_TAG = f"{CANONICAL}/interop-run"
RUN_IDENTIFIER = f"{CANONICAL}/interop-resource"
_LONGEST_ID = 64
_REFERENCE = re.compile(r"(?P<kind>[A-Z][A-Za-z]+)/(?P<id>[A-Za-z0-9.-]{1,64})")


class Expected(msgspec.Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """What is to be found: the status of every lesion by its label, rules with their indicators.

    `rules`: each must speak with this indicator, or with each of these. `absent`: must not speak.
    """

    lesions: dict[str, str] = {}
    patientStatus: str | None = None
    rules: dict[str, str | list[str]] = {}
    absent: list[str] = []


@dataclass(frozen=True, kw_only=True)
class Subject:
    """One patient as told: his resources, the call that goes with him, and what is to be found on `today`."""

    name: str
    title: str
    resources: tuple[Mapping[str, Any], ...]
    hook: str
    context: Mapping[str, Any]
    expected: Expected
    today: date

    @property
    def patient_id(self) -> str:
        """The id of the patient."""
        return str(self.context["patientId"])


def sample_subjects(today: date, chosen: Sequence[str] = ()) -> tuple[Subject, ...]:
    """Returns the synthetic patients of the package, all or those chosen; InputError for an unknown name."""
    unknown = sorted(set(chosen) - set(samples.names()))
    if unknown:
        raise InputError(f"no sample is called {', '.join(unknown)}; there are {', '.join(samples.names())}")
    found = [samples.sample(name, today) for name in chosen or samples.names()]
    return tuple(
        Subject(
            name=one.name,
            title=one.title,
            resources=tuple(entry["resource"] for entry in one.bundle["entry"]),
            hook=one.hook["hook"],
            context=one.hook["context"],
            expected=msgspec.convert(one.expected, Expected),
            today=today,
        )
        for one in found
    )


def folder_subjects(folder: Path, today: date) -> tuple[Subject, ...]:
    """Returns the patients of a folder: NAME.json, NAME.hook.json and NAME.expected.yaml each.

    The expectation names its own `today`; everything is moved by the days from there. Raises InputError for
    a folder without patients and for files that are not as they should be.
    """
    names = sorted(path.name.removesuffix(".expected.yaml") for path in folder.glob("*.expected.yaml"))
    if not names:
        raise InputError(f"{folder}: holds no patient: NAME.json, NAME.hook.json and NAME.expected.yaml")
    return tuple(_of_files(folder, name, today) for name in names)


def _of_files(folder: Path, name: str, today: date) -> Subject:
    try:
        bundle = msgspec.json.decode((folder / f"{name}.json").read_bytes())
        hook = msgspec.json.decode((folder / f"{name}.hook.json").read_bytes())
        told = yaml.safe_load((folder / f"{name}.expected.yaml").read_text(encoding="utf-8"))
        own = told.pop("today")
        title = str(told.pop("title", name))
        shift = today - (own if isinstance(own, date) else date.fromisoformat(str(own)))
        return Subject(
            name=name,
            title=title,
            resources=tuple(moved(entry["resource"], shift) for entry in bundle["entry"]),
            hook=hook["hook"],
            context=moved(hook["context"], shift),
            expected=msgspec.convert(told, Expected),
            today=today,
        )
    except OSError as error:
        raise InputError(f"{folder}: {name} cannot be read: {error.strerror or error}") from error
    except (msgspec.MsgspecError, yaml.YAMLError, KeyError, TypeError, AttributeError, ValueError) as error:
        raise InputError(f"{folder}: {name} is not as it should be: {error}") from error


def marked(subject: Subject, run: str) -> Subject:
    """Returns the patient with the ids of the run, and every resource with its tag and an identifier.

    What the ids stand for is unchanged: lesions, studies and references among them keep their meaning.
    """
    names = _names(subject.resources, run)
    return Subject(
        name=subject.name,
        title=subject.title,
        resources=tuple(_marked(one, names, run) for one in subject.resources),
        hook=subject.hook,
        context=rewritten(subject.context, names) | {"patientId": names[f"Patient/{subject.patient_id}"]},
        expected=subject.expected,
        today=subject.today,
    )


def _names(resources: Iterable[Mapping[str, Any]], run: str) -> dict[str, str]:
    """The new id of every "Type/id", short enough for FHIR."""
    names: dict[str, str] = {}
    for one in resources:
        own = f"{run}-{str(one['id']).removeprefix('vestige-')}"
        if len(own) > _LONGEST_ID:
            own = f"{own[: _LONGEST_ID - 6]}-{len(names):05}"
        names[f"{one['resourceType']}/{one['id']}"] = own
    return names


def _marked(one: Mapping[str, Any], names: Mapping[str, str], run: str) -> dict[str, Any]:
    told: dict[str, Any] = rewritten(one, names)
    kind, own = told["resourceType"], names[f"{one['resourceType']}/{one['id']}"]
    meta = dict(told.get("meta", {}))
    meta["tag"] = [*meta.get("tag", []), {"system": RUN_TAG, "code": run}]
    identifiers = [*told.get("identifier", []), {"system": RUN_IDENTIFIER, "value": mark(kind, own)}]
    return {**told, "id": own, "meta": meta, "identifier": identifiers}


def mark(kind: str, own: str) -> str:
    """Returns the value of the identifier by which a resource of a run is known."""
    return f"{kind}-{own}"


def rewritten(value: Any, names: Mapping[str, str]) -> Any:
    """Returns the same JSON with every relative reference to one of these resources under its new id."""
    return with_references(value, lambda reference: _renamed(reference, names))


def _renamed(reference: str, names: Mapping[str, str]) -> str:
    found = _REFERENCE.fullmatch(reference)
    own = names.get(reference)
    return f"{found['kind']}/{own}" if found is not None and own is not None else reference


def is_marked(resource: Mapping[str, Any], run: str) -> bool:
    """Says whether a resource carries the tag or the identifier of a run: only such a one is ever deleted."""
    meta = resource.get("meta")
    tags = meta.get("tag") if isinstance(meta, Mapping) else None
    if any(_is(one, RUN_TAG, "code", run) for one in tags if isinstance(tags, list)) if tags else False:
        return True
    identifiers = resource.get("identifier")
    prefix = mark(str(resource.get("resourceType")), run)
    return any(
        isinstance(one, Mapping)
        and one.get("system") == RUN_IDENTIFIER
        and str(one.get("value", "")).startswith(f"{prefix}-")
        for one in (identifiers if isinstance(identifiers, list) else [])
    )


def _is(coding: Any, system: str, member: str, value: str) -> bool:
    return isinstance(coding, Mapping) and coding.get("system") == system and coding.get(member) == value
