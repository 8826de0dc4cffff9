"""References: normalised tokens, and what they say of a lesion or a study."""

from __future__ import annotations

import re
from collections.abc import Callable, Mapping, Sequence
from functools import lru_cache
from hashlib import sha256
from typing import Any, TypeGuard

from fhir_profiles.codes import DCM, DICOM_UID, Identifier
from fhir_profiles.read.element import Json, Pair, bare_uid, codings, extensions, member, obj, objs, text
from fhir_profiles.read.site import segment_among, segment_of
from fhir_profiles.records import LesionRef, StudyRef

_REMEMBERED = 300
"""Longer references are taken apart anew each time: what is remembered stays small whatever arrives."""
_ID_LENGTH = 64
_DIGEST = 24
CORE = "http://hl7.org/fhir/StructureDefinition/"
LESION_EXTENSION = "https://vestige.example/fhir/StructureDefinition/crlm-lesion-reference"
# Before Python 3.12 each look at a member of an enum takes a call.
_TRACKING_UID = Identifier.TRACKING_UID
_TRACKING_ID = Identifier.TRACKING_ID
_LESION_ID = Identifier.LESION_ID
_LABEL = Identifier.LABEL
_STUDY_UID = (DCM, "110180")
_LITERAL = re.compile(
    r"^(?:(?P<base>.*)/)?(?P<type>[A-Z][A-Za-z]+)/(?P<id>[A-Za-z0-9\-.]+)(?:/_history/[^/]+)?$"
)


def shortened(own: str) -> str:
    """Gives an id as it is; one longer than FHIR allows is cut, with a digest, so that two such stay two."""
    if len(own) <= _ID_LENGTH:
        return own
    digest = sha256(own.encode("utf-8", "surrogatepass")).hexdigest()
    return f"{own[: _ID_LENGTH - _DIGEST - 1]}.{digest[:_DIGEST]}"


def with_references(value: Any, rename: Callable[[str], str]) -> Any:
    """Gives the same JSON with every reference in it as `rename` has it."""
    if isinstance(value, Mapping):
        return {
            key: rename(item)
            if key == "reference" and isinstance(item, str)
            else with_references(item, rename)
            for key, item in value.items()
        }
    if isinstance(value, list | tuple):
        return [with_references(item, rename) for item in value]
    return value


def normalise(reference: object, base: str | None = None) -> str | None:
    """Gives "Type/id" of a relative, versioned or absolute reference; other forms (urn, another server)
    as written.

    Without a base every absolute reference counts as one of the server at hand, since there is only one.
    """
    if not isinstance(reference, str):
        return None
    if len(reference) <= _REMEMBERED:
        return _known(reference, base)
    return _normalised(reference, base)


def _normalised(reference: str, base: str | None) -> str | None:
    given = reference.strip()
    if not given:
        return None
    server, kind, identifier = _split(given)
    if kind is None or (server and base is not None and server.rstrip("/") != base.rstrip("/")):
        return given
    return f"{kind}/{identifier}"


_known = lru_cache(maxsize=4096)(_normalised)


def _split(reference: str) -> tuple[str | None, str | None, str | None]:
    """(base, type, id) of a literal reference."""
    match = None if reference.startswith(("urn:", "#")) else _LITERAL.match(reference)
    return (match["base"], match["type"], shortened(match["id"])) if match else (None, None, None)


def _kind_of(reference: str) -> str | None:
    return _split(reference)[1]


_known_kind = lru_cache(maxsize=4096)(_kind_of)


def type_of(reference: Json, target: str | None) -> str | None:
    """The resource type a reference points to, from its own `type` or its text."""
    if "type" in reference and (declared := text(reference["type"])) is not None:
        return declared.rsplit("/", 1)[-1]
    if target is None:
        return None
    return _known_kind(target) if len(target) <= _REMEMBERED else _kind_of(target)


def contained(resource: Json, target: str | None) -> Json:
    """The contained resource that "#id" names, or an empty object."""
    if target is None or not target.startswith("#"):
        return {}
    return next((item for item in objs(resource.get("contained")) if item.get("id") == target[1:]), {})


def tokens(value: object, base: str | None, *types: str) -> tuple[str, ...]:
    """The normalised literal references, of the given types or of any."""
    if value is None:
        return ()
    found = []
    for reference in objs(value):
        target = normalise(reference.get("reference"), base)
        if target is not None and (not types or type_of(reference, target) in types):
            found.append(target)
    return tuple(dict.fromkeys(found))


# ------------------------------------------------------------------------------------------------ lesions


def identity(identifiers: object) -> tuple[tuple[str, ...], tuple[str, ...]]:
    """(tracking UIDs, labels) among identifiers; a UID typed as that of something else tells no lesion."""
    if identifiers is None:
        return (), ()
    uids, labels = [], []
    for given in objs(identifiers):
        value = text(given.get("value"))
        if value is None:
            continue
        kind = member(given.get("type"), Identifier)
        if kind is _TRACKING_UID or (not given.get("type") and given.get("system") == DICOM_UID):
            uids.append(bare_uid(value))
        elif kind in (_TRACKING_ID, _LESION_ID, _LABEL):
            labels.append(value)
    return tuple(dict.fromkeys(uids)), tuple(dict.fromkeys(labels))


def _only(values: tuple[str, ...]) -> str | None:
    return values[0] if len(values) == 1 else None


def sites_of(body: Json) -> list[tuple[Pair, ...]]:
    """The codes of each location of a BodyStructure, in R4 and in R5 form."""
    given = [body.get("location"), *(item.get("structure") for item in objs(body.get("includedStructure")))]
    return [codings(site) for site in given if site is not None]


def lesion_of_body(
    identifiers: tuple[tuple[str, ...], tuple[str, ...]], sites: Sequence[Sequence[Pair]], key: str | None
) -> LesionRef:
    """The identity of a BodyStructure with these tracking UIDs and labels, and these locations."""
    uids, labels = identifiers
    found = {segment_among(site) for site in sites} - {None}
    segment = found.pop() if len(found) == 1 else None
    return LesionRef(body=key, uid=_only(uids), label=_only(labels), segment=segment)


def lesion_of(reference: Json, resource: Json, base: str | None, segment: str | None) -> LesionRef | None:
    """The lesion a Reference names: BodyStructure (literal, urn, contained) or identifier; None otherwise."""
    given = reference.get("reference")
    if _plain(given, reference):
        return _lesion_at(given, base, segment)
    target = normalise(given, base)
    if target is not None and target[0] == "#" and (inner := contained(resource, target)):
        if inner.get("resourceType") != "BodyStructure":
            return None
        ref = lesion_of_body(identity(inner.get("identifier")), sites_of(inner), None)
        return LesionRef(uid=ref.uid, label=ref.label, segment=ref.segment or segment)
    kind = type_of(reference, target)
    if kind not in (None, "BodyStructure"):
        return None
    body = _pointed_at(target, kind, "BodyStructure")
    uids, labels = identity(reference.get("identifier"))
    if body is None and not uids and not labels:
        return None
    return LesionRef(body=body, uid=_only(uids), label=_only(labels), segment=segment)


def _pointed_at(target: str | None, kind: str | None, wanted: str) -> str | None:
    """The target where it is of the wanted type, or a resource of the same Bundle and of no known type."""
    if target is None:
        return None
    return target if kind == wanted or target.startswith("urn:uuid:") else None


def _plain(given: object, reference: Json) -> TypeGuard[str]:
    """True for a Reference of a literal text alone, as nearly all are."""
    return (
        type(given) is str
        and (len(reference) == 1 or not ("type" in reference or "identifier" in reference))
        and len(given) <= _REMEMBERED
        and given[:1] != "#"
    )


def _literal(given: str, base: str | None, wanted: str) -> str | None:
    """The token of a literal reference to the wanted type."""
    target = _normalised(given, base)
    return _pointed_at(target, type_of({}, target), wanted)


@lru_cache(maxsize=4096)
def _lesion_at(given: str, base: str | None, segment: str | None) -> LesionRef | None:
    """The lesion of a literal reference to a BodyStructure."""
    key = _literal(given, base, "BodyStructure")
    return LesionRef(body=key, segment=segment) if key is not None else None


@lru_cache(maxsize=4096)
def _study_at(given: str, base: str | None) -> StudyRef | None:
    """The study of a literal reference to an ImagingStudy."""
    key = _literal(given, base, "ImagingStudy")
    return StudyRef(key=key) if key is not None else None


def lesions_of(resource: Json, base: str | None) -> tuple[LesionRef, ...]:
    """The lesions an Observation is about.

    From focus, R5 bodyStructure, the bodySite extension, and the DICOM tracking identifiers among its
    components.
    """
    site = resource.get("bodySite")
    return lesions_at(resource, base, segment_of(site) if site is not None else None)


def lesions_at(resource: Json, base: str | None, segment: str | None) -> tuple[LesionRef, ...]:
    """The same where the segment that the body site names is known already."""
    references = _lesion_references(resource, resource.get("bodySite"))
    if len(references) == 1:
        lesion = lesion_of(references[0], resource, base, segment) or _tracked(resource, segment)
        return (lesion,) if lesion is not None else ()
    found: list[LesionRef] = []
    for reference in references:
        lesion = lesion_of(reference, resource, base, segment)
        if lesion is not None and lesion not in found:
            found.append(lesion)
    if found:
        return tuple(found)
    tracked = _tracked(resource, segment)
    return (tracked,) if tracked is not None else ()


def _lesion_references(resource: Json, site: object) -> Sequence[Json]:
    """Where a lesion is named: in `focus`, in R5, and in the extension before it."""
    focus = objs(resource.get("focus"))
    extended = "extension" in resource or (
        site is not None and (type(site) is not dict or "extension" in site)
    )
    if not extended and "bodyStructure" not in resource:
        return focus
    found = list(focus)
    if "bodyStructure" in resource:
        found += objs(resource["bodyStructure"])
    for holder in (resource, *objs(site)):
        if "extension" in holder:
            found += [obj(item.get("valueReference")) for item in extensions(holder, CORE + "bodySite")]
    return found


def _tracked(resource: Json, segment: str | None) -> LesionRef | None:
    uid = label = None
    for component in objs(resource.get("component")):
        kind = member(component.get("code"), Identifier)
        value = text(component.get("valueString")) or text(obj(component.get("valueIdentifier")).get("value"))
        if kind is _TRACKING_UID and value is not None:
            uid = bare_uid(value)
        elif kind in (_TRACKING_ID, _LESION_ID) and value is not None:
            label = value
    return LesionRef(uid=uid, label=label, segment=segment) if uid or label else None


def targets(resource: Json, base: str | None) -> tuple[LesionRef, ...]:
    """The lesions a Procedure, ServiceRequest or plan activity names as its target."""
    segment = segment_of(resource.get("bodySite"))
    urls = (CORE + "procedure-targetBodyStructure", LESION_EXTENSION)
    references = [obj(item.get("valueReference")) for item in extensions(resource, *urls)]
    references += list(objs(resource.get("bodyStructure")))
    found = (lesion_of(reference, resource, base, segment) for reference in references)
    return tuple(dict.fromkeys(lesion for lesion in found if lesion is not None))


# ------------------------------------------------------------------------------------------------ studies


def _study_uid(identifiers: object) -> str | None:
    if identifiers is None:
        return None
    for given in objs(identifiers):
        value = text(given.get("value"))
        kinds = set(codings(given.get("type")))
        other = any(system == DCM for system, _ in kinds)
        if value is not None and (_STUDY_UID in kinds or (given.get("system") == DICOM_UID and not other)):
            return bare_uid(value)
    return None


def study_uid(study: Json) -> str | None:
    """The Study Instance UID of an ImagingStudy."""
    return _study_uid(study.get("identifier")) or (
        bare_uid(uid) if (uid := text(study.get("uid"))) is not None else None
    )


def study_of(reference: Json, resource: Json, base: str | None) -> StudyRef | None:
    """The ImagingStudy a Reference names, literally, contained, or by Study Instance UID."""
    given = reference.get("reference")
    if _plain(given, reference):
        return _study_at(given, base)
    target = normalise(given, base)
    if target is not None and target[0] == "#" and (inner := contained(resource, target)):
        return _study_of_contained(inner, base)
    kind = type_of(reference, target)
    if kind not in (None, "ImagingStudy"):
        return None
    key = _pointed_at(target, kind, "ImagingStudy")
    uid = _study_uid(reference.get("identifier"))
    return StudyRef(key=key, uid=uid) if key is not None or uid is not None else None


def _study_of_contained(inner: Json, base: str | None) -> StudyRef | None:
    """A contained ImagingStudy, or the study a contained ImagingSelection (R5) was made in."""
    kind = inner.get("resourceType")
    if kind == "ImagingSelection":
        uid = text(inner.get("studyUid"))
        links = [study_of(ref, {}, base) for ref in objs(inner.get("derivedFrom"))]
        keys = {link.key for link in links if link is not None and link.key is not None}
        key = keys.pop() if len(keys) == 1 else None
        return StudyRef(key=key, uid=bare_uid(uid) if uid else None) if key or uid else None
    uid = study_uid(inner)
    return StudyRef(uid=uid) if kind == "ImagingStudy" and uid else None


def studies_of(resource: Json, base: str | None, *names: str) -> tuple[StudyRef, ...]:
    """The studies a resource is part of, derived from, or reports on."""
    found = []
    for name in names:
        if name in resource:
            for reference in objs(resource[name]):
                study = study_of(reference, resource, base)
                if study is not None:
                    found.append(study)
    return tuple(dict.fromkeys(found)) if len(found) > 1 else tuple(found)


def operations_of(resource: Json, base: str | None) -> tuple[StudyRef, ...]:
    """The operations (Procedure) an intraoperative observation is part of, in the place of a study."""
    return tuple(StudyRef(key=token) for token in tokens(resource.get("partOf"), base, "Procedure"))
