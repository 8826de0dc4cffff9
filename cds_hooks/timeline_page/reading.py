"""A reading recorded on the page, and what it would store."""

from __future__ import annotations

import uuid
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from datetime import UTC, datetime
from decimal import Decimal
from typing import Annotated, Any, Literal

import msgspec
from msgspec import Meta, Struct, field

from cds_hooks.timeline_page.data import resources_of
from cds_hooks.timeline_page.form import readable, refusal
from cds_hooks.timeline_page.lesions import SEEN
from fhir_profiles import reading as build
from fhir_profiles.codes import Size, Topic
from fhir_profiles.records import LesionRef
from plugin.chart import Chart
from plugin.decision import Decision
from plugin.errors import CallError
from plugin.ready import ready
from plugin.settings import Settings
from plugin.timeline import Lesion, Study

MOST_MM = 300
MOST_SLICE_MM = 50
_SAID = {shown: said for said, shown in SEEN.items()}
_STATED_BY = {Topic.VISIBILITY.code, Size.TUMOUR_SIZE.code}


class LesionReading(Struct, frozen=True, kw_only=True, forbid_unknown_fields=True, rename="camel"):
    """What is said of one lesion."""

    lesion: Annotated[str, Meta(min_length=1, max_length=300)]
    visibility: Literal["seen", "sought-not-seen", "indeterminate", "not-assessed"]
    mm: Decimal | None = None
    too_small: bool = False


class Examination(Struct, frozen=True, kw_only=True, forbid_unknown_fields=True, rename="camel"):
    """What is said of the examination; what is left out stays as it is on record."""

    adequacy: Literal["adequate", "limited", "non-diagnostic"]
    agent: Literal["gadoxetate", "gadobenate", "gadobutrol", "other", "none"] | None = None
    hbp: bool | None = None
    dwi: bool | None = None
    coverage: Literal["whole-liver", "partial"] | None = None
    excluded_segments: tuple[Literal["I", "II", "III", "IVa", "IVb", "V", "VI", "VII", "VIII"], ...] = ()
    slice_mm: Decimal | None = None


class Reading(Struct, frozen=True, kw_only=True, forbid_unknown_fields=True, rename="camel"):
    """One reading of one study; lesions that were not read are left out."""

    study: Annotated[str, Meta(min_length=1, max_length=300)]
    lesions: Annotated[tuple[LesionReading, ...], Meta(max_length=200)] = field(default=())
    examination: Examination | None = None


@dataclass(frozen=True, kw_only=True)
class Proposed:
    """What a reading would store, and the chart as it would be then."""

    bundle: dict[str, Any]
    chart: Chart


def read_reading(sent: Any) -> Reading:
    """Returns the reading of a request; CallError (422) naming the member at fault."""
    try:
        return msgspec.convert(sent, Reading, strict=False)
    except msgspec.ValidationError as error:
        raise _refused(f"the reading is not usable: {error}") from None


def proposed(
    chart: Chart, decision: Decision, reading: Reading, reader: str | None, settings: Settings
) -> Proposed:
    """Returns what a reading would store; CallError (422) for one that cannot be, or says nothing new."""
    study = _study(decision, reading)
    setting = build.Setting(
        patient=chart.patient_id,
        study=next(
            (token.split("/_history/")[0] for token in study.sources if token.startswith("ImagingStudy/")),
            None,
        ),
        day=study.day.first,  # type: ignore[union-attr]
        modality=str(study.modality),
        recorded=datetime.now(UTC).astimezone(settings.site.zone),
        reader=reader,
    )
    made: list[dict[str, Any]] = []
    for one in _distinct(reading.lesions):
        made += _statements(chart, decision, setting, study, one)
    if reading.examination is not None:
        made += _adequacy(chart, setting, study, reading.examination)
    if not made:
        raise _refused("the reading says nothing that is not on record already")
    named = [(f"urn:uuid:{uuid.uuid4()}", resource) for resource in made]
    replaced = sorted(
        {one["valueReference"]["reference"] for resource in made for one in resource.get("extension", ())}
    )
    signed = build.provenance(setting, [url for url, _ in named], replaced=replaced)
    bundle = build.transaction([*named, (f"urn:uuid:{uuid.uuid4()}", signed)])
    added = tuple({**resource, "id": url.removeprefix("urn:uuid:")} for url, resource in named)
    return Proposed(bundle=bundle, chart=replace(chart, resources=(*chart.resources, *added)))


def _imaging_study(study: Study) -> str | None:
    keys = (token.split("/_history/", 1)[0] for token in study.sources)
    return next((key for key in keys if key.startswith("ImagingStudy/")), None)


def _study(decision: Decision, reading: Reading) -> Study:
    study = next((one for one in decision.timeline.studies if one.id == reading.study), None)
    if study is None:
        raise _refused("the record has no such study")
    if not readable(study):
        raise _refused("a reading needs a study of the liver with its modality and an exact day")
    return study


def _distinct(said: Sequence[LesionReading]) -> Sequence[LesionReading]:
    if len({one.lesion for one in said}) < len(said):
        raise _refused("a lesion is named twice")
    return said


def _statements(
    chart: Chart, decision: Decision, setting: build.Setting, study: Study, one: LesionReading
) -> list[dict[str, Any]]:
    lesion = next((each for each in decision.timeline.lesions if each.id == one.lesion), None)
    if lesion is None:
        raise _refused("the record has no such lesion")
    if (why := refusal(lesion)) is not None:
        raise _refused(f"{lesion.label}: {why}")
    _check_size(lesion, one)
    before = [each for each in decision.timeline.of_lesion(lesion.id) if each.study == study.id]
    said = _SAID[one.visibility]
    stated = {each.visibility for each in before if each.visibility is not None}
    sizes = {each.mm for each in before if each.mm is not None}
    same = stated == {said}
    if same and (one.mm is None or sizes == {one.mm}) and not one.too_small:
        return []
    earlier = _earlier(chart, decision, lesion.id, study.id)
    seen, sized = said == "visible", one.mm is not None
    ref = _ref(lesion)
    old_sizes = [token for token, resource in earlier.items() if _has(resource, Size.TUMOUR_SIZE.code)]
    old_said = [token for token in earlier if token not in old_sizes]
    made = []
    if not same or one.too_small:
        # A size above 0 mm says "seen": where the reading says otherwise it is replaced as well.
        replaces = old_said if seen else [*old_said, *old_sizes]
        keep = _components(earlier, old_said) if seen and same else []
        made.append(
            build.visibility(setting, ref, said, too_small=one.too_small, replaces=replaces, keep=keep)
        )
    if seen and sized and one.mm is not None and sizes != {one.mm}:
        made.append(build.size(setting, ref, one.mm, replaces=old_sizes))
    return made


def _check_size(lesion: Lesion, one: LesionReading) -> None:
    if (one.mm is not None or one.too_small) and one.visibility != "seen":
        raise _refused(f"{lesion.label}: only a lesion that is seen has a size")
    if one.mm is not None and not (one.mm.is_finite() and 0 < one.mm <= MOST_MM):
        raise _refused(f"{lesion.label}: a size is above 0 and at most {MOST_MM} mm")


def _ref(lesion: Lesion) -> LesionRef:
    if lesion.id.startswith("uid:"):
        return LesionRef(uid=lesion.id.removeprefix("uid:"))
    return LesionRef(body=lesion.id)


def _earlier(chart: Chart, decision: Decision, lesion: str, study: str) -> dict[str, Mapping[str, Any]]:
    """The Observations that say whether this lesion is seen in this study, and are of no other lesion."""
    here: set[str] = set()
    elsewhere: set[str] = set()
    for one in decision.timeline.sightings:
        keys = {token.split("/_history/", 1)[0] for token in one.sources}
        (here if (one.lesion, one.study) == (lesion, study) else elsewhere).update(keys)
    found = resources_of(chart, sorted(here - elsewhere))
    return {token: one for token, one in found.items() if one and any(_has(one, code) for code in _STATED_BY)}


def _has(resource: Mapping[str, Any], code: str) -> bool:
    concept = resource.get("code")
    codings = concept.get("coding") if isinstance(concept, Mapping) else None
    return resource.get("resourceType") == "Observation" and any(
        isinstance(one, Mapping) and one.get("code") == code for one in codings or ()
    )


def _components(earlier: Mapping[str, Mapping[str, Any]], tokens: Sequence[str]) -> list[Mapping[str, Any]]:
    return [part for token in tokens for part in earlier[token].get("component") or ()]


def _adequacy(chart: Chart, setting: build.Setting, study: Study, said: Examination) -> list[dict[str, Any]]:
    if said.slice_mm is not None and not (said.slice_mm.is_finite() and 0 < said.slice_mm <= MOST_SLICE_MM):
        raise _refused(f"a slice is above 0 and at most {MOST_SLICE_MM} mm thick")
    if said.excluded_segments and said.coverage != "partial":
        raise _refused("only a partial coverage leaves segments out")
    read = study.adequacy
    if read is not None and all(
        value in (None, ()) or value == getattr(read, name) for name, value in _members(said).items()
    ):
        return []
    # What is on record and not stated anew stays: an artefact is not lost with a correction.
    before = resources_of(chart, [read.key]) if read is not None else {}
    parts = [part for one in before.values() if one for part in one.get("component") or ()]
    made = build.adequacy(
        setting,
        said.adequacy,
        agent=said.agent,
        hbp=said.hbp,
        dwi=said.dwi,
        coverage=said.coverage,
        excluded=said.excluded_segments,
        slice_mm=said.slice_mm,
        replaces=list(before),
        keep=parts,
    )
    return [made]


def _members(said: Examination) -> dict[str, Any]:
    return {name: getattr(said, name) for name in said.__struct_fields__}


def _refused(why: str) -> CallError:
    return CallError(f"The reading cannot be recorded: {why}.", status=422, code="invalid")


ready(Reading)
