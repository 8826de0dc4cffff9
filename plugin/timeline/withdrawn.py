"""What is left of a study or report that was withdrawn (entered in error, cancelled): only sightings."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any, TypeVar

from fhir_profiles.read.common import key
from fhir_profiles.read.element import is_object, text
from fhir_profiles.read.reference import study_uid, tokens
from fhir_profiles.records import (
    VOID_STATUSES,
    Exam,
    ExamAdequacy,
    NewLesionStatement,
    Report,
    Sighting,
    Stated,
    StudyRef,
)
from plugin.timeline.model import Note

SaidT = TypeVar("SaidT", Sighting, ExamAdequacy, NewLesionStatement, Report)

_STUDIES = ("ImagingStudy", "Procedure")
_AGAINST_A_LESION = ("not-visible", "not-assessed", None)


@dataclass(slots=True)
class Withdrawn:
    """Keys of withdrawn studies and operations, and the results that withdrawn reports present."""

    studies: set[str] = field(default_factory=set)
    results: set[str] = field(default_factory=set)

    def note(self, resource: Mapping[str, Any], base: str | None) -> None:
        """Remembers a resource that is withdrawn; another one is passed over."""
        if not is_object(resource) or text(resource.get("status")) not in VOID_STATUSES:
            return
        kind = resource.get("resourceType")
        if kind == "DiagnosticReport":
            self.results |= set(tokens(resource.get("result"), base, "Observation"))
        elif kind in _STUDIES:
            uid = study_uid(resource) if kind == "ImagingStudy" else None
            self.studies |= _keys(StudyRef(key=key(resource), uid=uid))

    def settle(self, exams: Iterable[Exam], reports: Iterable[Report]) -> None:
        """Drops what a valid study with the same instance UID, or a valid report, vouches for."""
        self.studies = self.studies.difference(*(_keys(exam.study) for exam in exams))
        self.results = self.results.difference(*(report.results for report in reports))

    def without(self, said: Sequence[SaidT]) -> tuple[list[SaidT], list[Note]]:
        """Gives the statements and reports that stand, and a note for each that falls with its study.

        What speaks against a lesion falls, and what is said of the whole study. A sighting and a doubt stay:
        it may have been seen although the entry was wrong.
        """
        if not (self.studies or self.results):
            return list(said), []
        stand: list[SaidT] = []
        notes: list[Note] = []
        for each in said:
            if _may_fall(each) and (why := self._because(each)) is not None:
                notes.append(Note(source=each.source, reason="study-withdrawn", detail=why))
            else:
                stand.append(each)
        return stand, notes

    def _because(self, each: Sighting | ExamAdequacy | NewLesionStatement | Report) -> str | None:
        """The withdrawn study or report where there is no other."""
        keys = [_keys(study) for study in each.studies]
        if keys and all(names & self.studies for names in keys):
            return min(name for names in keys for name in names & self.studies)
        return "DiagnosticReport.result" if each.key in self.results else None


def _may_fall(each: Stated) -> bool:
    if isinstance(each, Sighting):
        written = each.visibility is None and each.size_text is not None
        return each.visibility in _AGAINST_A_LESION and not written
    return not isinstance(each, NewLesionStatement) or each.statement == "not-new"


def _keys(study: StudyRef) -> set[str]:
    keys = {study.key} if study.key else set()
    return keys | {f"study:{study.uid}"} if study.uid else keys
