"""Studies: ImagingStudy, reports, adequacy and statements that belong to one examination of one class.

One ImagingStudy gives one study for each class it was read in: a PET/CT is PET, and also CT where a statement
was made on its CT part; the ultrasound of one operation is IOUS, CEIOUS or both.
"""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import replace as with_changes
from operator import attrgetter

from msgspec.structs import replace

from fhir_profiles.records import (
    FINAL_STATUSES,
    ContrastDose,
    DayRange,
    Exam,
    ExamAdequacy,
    Report,
    StudyRef,
)
from plugin.timeline.adequacy import together
from plugin.timeline.examination import Examination, Statement, is_late
from plugin.timeline.model import Study

_source_of = attrgetter("source")
_LIVER_REGIONS = ("liver", "abdomen", "whole-body")


class Studies:
    """Every examination of one patient; says in which study a statement was made."""

    def __init__(
        self,
        exams: Iterable[Exam],
        reports: Sequence[Report],
        statements: Sequence[Statement],
        preliminary: Sequence[Statement],
    ) -> None:
        self._all: list[Examination] = []
        self._by_key: dict[str, Examination] = {}
        self._reported: dict[str, list[Examination]] = defaultdict(list)
        self._of: dict[int, Examination] = {}
        for exam in sorted(exams, key=lambda each: each.source):
            self._take_exam(exam)
        reported = any(report.results for report in reports)
        by_key = {each.key: each for each in (*statements, *preliminary)} if reported else {}
        for report in sorted(reports, key=lambda each: (not each.studies, each.source)):
            self._take_report(report, [by_key[key] for key in report.results if key in by_key])
        ordered = sorted(statements, key=_source_of)
        for statement in (each for each in ordered if each.studies):
            self._take_statement(statement)
        for statement in (each for each in ordered if not each.studies):
            self._take_statement(statement)
        for each in preliminary:
            for examination in self._linked(each)[:1]:
                examination.preliminary += 1
        for examination in self._all:
            examination.settle()
        self._days = {
            examination.key(modality): examination.day
            for examination in self._all
            for modality in examination.by_class()
        }

    def of(self, statement: Statement) -> tuple[str, str | None]:
        """Gives the study's id and class for a statement."""
        examination = self._of[id(statement)]
        known = examination.placed.get(statement.method)
        if known is None:
            modality = examination.modality(statement.method)
            known = examination.placed[statement.method] = examination.key(modality), modality
        return known

    def day(self, study_id: str) -> DayRange | None:
        """Gives the day of a study."""
        return self._days[study_id]

    def built(
        self, *, contrast: Sequence[ContrastDose], unmatched: Mapping[str, int], described: set[str]
    ) -> tuple[Study, ...]:
        """Gives the studies in order of day; `described` are those with a sighting of a tracked lesion."""
        found: list[Study] = []
        for each in self._all:
            for modality, statements in each.by_class().items():
                key = each.key(modality)
                found.append(
                    _study(
                        each,
                        modality,
                        statements,
                        unmatched=unmatched.get(key, 0),
                        described=key in described,
                    )
                )
        return tuple(sorted(_with_contrast(found, contrast), key=_study_order))

    def _take_exam(self, exam: Exam) -> None:
        """ImagingStudies with one instance UID are one; nothing else joins two studies."""
        keys = {exam.key, *_keys(exam.study)}
        known = _distinct(self._by_key[key] for key in sorted(keys) if key in self._by_key)
        examination = known[0] if known else self._new()
        for other in known[1:]:
            keys |= other.keys
            examination.exams += other.exams
            self._all.remove(other)
        examination.exams.append(exam)
        self._name(examination, keys)

    def _take_report(self, report: Report, results: Sequence[Statement]) -> None:
        """A report belongs to its studies, else those of its findings, else that of its day and class."""
        if report.imaging is False:
            return
        studies = report.studies or tuple(study for each in results for study in each.studies)
        found = _distinct(each for study in studies for each in self._meant(study))
        if not found and (same := self._same_day(report)) is not None:
            found = [same]
        if not found and (report.imaging or report.method or results):
            found = [self._name(self._new(), {report.key})]
        for examination in found:
            examination.reports.append(report)
            for result in report.results:
                self._reported[result].append(examination)

    def _take_statement(self, statement: Statement) -> None:
        studies = statement.studies
        named = self._by_key.get(studies[0].key or "") if len(studies) == 1 and not studies[0].uid else None
        if named is not None:
            examination = named
        else:
            linked = self._linked(statement)
            examination = linked[0] if linked else self._same_day(statement) or self._synthetic(statement)
        examination.statements.append(statement)
        self._of[id(statement)] = examination

    def _linked(self, statement: Statement) -> list[Examination]:
        """The study that is named; of several (the earlier one for comparison) the one of the same day."""
        if len(statement.studies) == 1:
            named = self._meant(statement.studies[0])
        else:
            named = _distinct(each for study in statement.studies for each in self._meant(study))
        named = named or _distinct(self._reported.get(statement.key, ()))
        if len(named) > 1:
            same = [each for each in named if statement.day is not None and each.day == statement.day]
            return same if len(same) == 1 else []
        return named

    def _meant(self, study: StudyRef) -> list[Examination]:
        """The study of a reference, made where not on record; two where reference and UID contradict."""
        if study.uid is None and study.key in self._by_key:
            return [self._by_key[study.key]]
        keys = _keys(study)
        known = _distinct(self._by_key[key] for key in sorted(keys) if key in self._by_key)
        if len(known) > 1:
            return known
        return [self._name(known[0] if known else self._new(), keys)]

    def _same_day(self, said: Statement | Report) -> Examination | None:
        """The only study of that class on that exact day, for a statement or report that names none."""
        if said.studies or said.day is None or not said.day.exact or said.method is None or is_late(said):
            return None
        found = [each for each in self._all if each.day == said.day and each.fits(said.method)]
        return found[0] if len(found) == 1 else None

    def _synthetic(self, statement: Statement) -> Examination:
        day = statement.day.first.isoformat() if statement.day is not None else f"undated:{statement.key}"
        key = f"exam:{day}:{statement.method or 'unknown'}"
        examination = self._by_key.get(key) or self._name(self._new(), {key})
        examination.synthetic = True
        return examination

    def _new(self) -> Examination:
        examination = Examination()
        self._all.append(examination)
        return examination

    def _name(self, examination: Examination, keys: set[str]) -> Examination:
        examination.keys |= keys
        self._by_key.update(dict.fromkeys(keys, examination))
        return examination


def _keys(study: StudyRef) -> set[str]:
    keys = {study.key} if study.key else set()
    return keys | {f"study:{study.uid}"} if study.uid else keys


def _distinct(examinations: Iterable[Examination]) -> list[Examination]:
    return list(dict.fromkeys(examinations))


def _study(
    of: Examination, modality: str | None, statements: list[Statement], *, unmatched: int, described: bool
) -> Study:
    reports = [each for each in of.reports if each.status in FINAL_STATUSES]
    waiting = [each for each in of.reports if each.status not in FINAL_STATUSES]
    final = True if statements or reports else False if waiting or of.preliminary else None
    covers, elsewhere = _region(of)
    adequacy = [each for each in statements if isinstance(each, ExamAdequacy)]
    used = [*of.exams, *reports, *waiting, *adequacy] or statements
    return Study(
        id=of.key(modality),
        day=of.day,
        modality=modality,
        final=final,
        liver=described or covers or not elsewhere,
        covers=described or covers or (not elsewhere and (bool(adequacy) or unmatched > 0)),
        adequacy=together(adequacy),
        unmatched=unmatched,
        synthetic=of.synthetic,
        sources=tuple(sorted({each.source for each in used})),
    )


def _region(of: Examination) -> tuple[bool, bool]:
    """Whether a region on record holds the liver, and whether all are certainly elsewhere.

    Where the study has no region, its reports tell it only together: one of two may be on another part.
    """
    studied = {each.region for each in of.exams} - {None}
    reported = {each.region for each in of.reports}
    covers = any(region in _LIVER_REGIONS for region in studied | reported)
    return covers, not covers and (studied or reported) == {"other"}


def _with_contrast(studies: list[Study], doses: Sequence[ContrastDose]) -> list[Study]:
    """Adds the agent given on the day of the only MRI of that day, where the reader names none."""
    by_day: dict[DayRange, list[int]] = defaultdict(list)
    for index, study in enumerate(studies):
        if study.modality == "MRI" and study.day is not None and study.day.exact:
            by_day[study.day].append(index)
    for day, (index, *more) in by_day.items():
        given = [dose for dose in doses if dose.day == day]
        study = studies[index]
        if more or len({dose.agent for dose in given}) != 1 or study.adequacy is None:
            continue
        if study.adequacy.agent is None:
            sources = tuple(sorted({*study.sources, *(dose.source for dose in given)}))
            adequacy = replace(study.adequacy, agent=given[0].agent)
            studies[index] = with_changes(study, adequacy=adequacy, sources=sources)
    return studies


def _study_order(study: Study) -> tuple[str, str]:
    return (study.day.first.isoformat() if study.day else "", study.id)
