"""ImagingStudy and DiagnosticReport."""

from __future__ import annotations

from collections.abc import Iterator, Sequence

from fhir_profiles.codes import CLASS_OF_METHOD, Coded, Imaging, ImagingElsewhere, Method
from fhir_profiles.read.common import Context, shared, when
from fhir_profiles.read.element import Json, codings, day, lookup, obj, objs, text
from fhir_profiles.read.reference import studies_of, study_uid, tokens
from fhir_profiles.read.site import region_of
from fhir_profiles.records import Exam, Record, Report, StudyRef

CLASS_OF_MODALITY = {"CT": "CT", "MR": "MRI", "US": "US", "PT": "PET"}
CLASS_OF_IMAGING: dict[Coded, str] = {
    Imaging.MR_LIVER_WO_W: "MRI",
    Imaging.MR_LIVER_W: "MRI",
    Imaging.MR_LIVER_WO: "MRI",
    Imaging.CT_LIVER_W: "CT",
    Imaging.CT_LIVER: "CT",
}
_LIVER_METHODS = {
    Method.CT_LIVER,
    Method.MRI_LIVER,
    Method.MRI_LIVER_CONTRAST,
    Method.IOUS,
    Method.CEIOUS,
    Method.IOUS_LIVER,
}
# Before Python 3.12 each look at a member of an enum takes a call.
_PET_CT = Method.PET_CT_FDG
_PROCEDURES = lookup([Imaging, Method])
_ELSEWHERE = lookup([ImagingElsewhere])
_RADIOLOGY = {"RAD", "imaging", "RX", "CT", "RUS", "NMR", "LP29684-5", "18748-4"}


def _kinds(*concepts: object) -> tuple[Coded, ...]:
    found = [
        kind
        for concept in concepts
        if concept is not None
        for pair in codings(concept)
        if (kind := _PROCEDURES.get(pair)) is not None
    ]
    return tuple(dict.fromkeys(found)) if found else ()


def _class_of(kind: Coded) -> str | None:
    return CLASS_OF_METHOD[kind] if isinstance(kind, Method) else CLASS_OF_IMAGING.get(kind)


def _modalities(study: Json) -> tuple[str, ...]:
    """DICOM modality codes, from the study or else its series; Coding in R4, CodeableConcept in R5."""
    found = [code for _, code in codings(study.get("modality"))]
    for series in objs(study.get("series")):
        found += [code for _, code in codings(series.get("modality"))]
    return tuple(dict.fromkeys(found))


def _classes(modalities: tuple[str, ...], kinds: tuple[Coded, ...]) -> tuple[str, ...]:
    named = [name for kind in kinds if (name := _class_of(kind)) is not None]
    if "CEIOUS" in named or "IOUS" in named:
        return ("CEIOUS",) if "CEIOUS" in named else ("IOUS",)
    if _PET_CT in kinds:
        named.append("CT")
    scanned = [CLASS_OF_MODALITY[code] for code in modalities if code in CLASS_OF_MODALITY]
    return tuple(dict.fromkeys(scanned or named))


def region_of_study(
    sites: Iterator[object], kinds: tuple[Coded, ...], procedures: Sequence[object] = ()
) -> str | None:
    """liver, abdomen, whole-body or other; None as soon as one site is unknown and none holds the liver.

    Where no site is stated, the procedures tell that it is other, if all of them do.
    """
    if any(isinstance(kind, Imaging) or kind in _LIVER_METHODS for kind in kinds):
        return "liver"
    stated = list(sites)
    if all(site is None for site in stated) and procedures and all(map(_elsewhere, procedures)):
        return "other"
    regions = {region_of(site) for site in stated}
    if _PET_CT in kinds:
        regions.add("whole-body")
    for region in ("liver", "abdomen", "whole-body"):
        if region in regions:
            return region
    return "other" if regions == {"other"} else None


def _procedures(resource: Json) -> list[object]:
    """What was done, a concept each: `procedureCode` in R4, `procedure` in R5."""
    return [*objs(resource.get("procedureCode")), *objs(resource.get("procedure"))]


def _elsewhere(procedure: object) -> bool:
    return any(pair in _ELSEWHERE for pair in codings(procedure))


def read_study(resource: Json, ctx: Context) -> tuple[Record, ...]:
    """One study; R4 and R5 carry neither slice thickness nor contrast agent, and none is derived."""
    modalities = _modalities(resource)
    kinds = _kinds(resource.get("procedureCode"), resource.get("procedure"))
    started = day(resource.get("started"), ctx.timezone)
    flags = () if started is not None else ("no-date" if resource.get("started") is None else "bad-date",)
    sites = (series.get("bodySite") for series in objs(resource.get("series")))
    said = shared(resource, ctx, started, flags)
    record = Exam(
        source=said.source,
        status=said.status,
        subject=said.subject,
        day=said.day,
        version=said.version,
        updated=said.updated,
        identifiers=said.identifiers,
        replaces=said.replaces,
        flags=said.flags,
        study=StudyRef(key=ctx.key, uid=study_uid(resource)),
        classes=_classes(modalities, kinds),
        modalities=modalities,
        region=region_of_study(sites, kinds, _procedures(resource)),
        title=text(resource.get("description")),
    )
    return (record,)


def read_report(resource: Json, ctx: Context) -> tuple[Record, ...]:
    """One report with its studies and results; its free text is never read."""
    kinds = _kinds(resource.get("code"))
    found = _classes((), kinds)
    day_of, flags = when(resource, ctx)
    studies = studies_of(resource, ctx.base, "imagingStudy", "study")
    categories = {code for _, code in codings(resource.get("category"))}
    said = shared(resource, ctx, day_of, flags)
    record = Report(
        source=said.source,
        status=said.status,
        subject=said.subject,
        day=said.day,
        version=said.version,
        updated=said.updated,
        identifiers=said.identifiers,
        replaces=said.replaces,
        flags=said.flags,
        studies=studies,
        results=tokens(resource.get("result"), ctx.base, "Observation"),
        method=found[0] if len(found) == 1 else None,
        region=region_of_study(iter(()), kinds, [resource.get("code")]),
        imaging=True if studies or kinds or categories & _RADIOLOGY else None,
    )
    return (record,)


def is_imaging_report(resource: Json) -> bool:
    """True when a DiagnosticReport names a study, an imaging code or an imaging category."""
    categories = {code for _, code in codings(resource.get("category"))}
    linked = any(obj(item) for name in ("imagingStudy", "study") for item in objs(resource.get(name)))
    return linked or bool(categories & _RADIOLOGY) or bool(_kinds(resource.get("code")))
