"""One examination while it is being put together: what belongs to it, its day, the class of what is said."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass, field

from fhir_profiles.records import DayRange, Exam, ExamAdequacy, NewLesionStatement, Report, Sighting

Statement = Sighting | ExamAdequacy | NewLesionStatement

OPERATIVE = ("IOUS", "CEIOUS")
_LATE_DAYS = ("day-from-issued", "day-from-last-updated")
_DAY_OF: tuple[type, ...] = (Exam, ExamAdequacy, Sighting, NewLesionStatement, Report)
_RANK = {"ImagingStudy": 0, "Procedure": 1, "DiagnosticReport": 2}


@dataclass(slots=True, eq=False)
class Examination:
    """An ImagingStudy or what stands for one, with its reports and statements.

    `keys` are its references and "study:" with its instance UID. `settle` fixes what follows from the whole.
    """

    keys: set[str] = field(default_factory=set)
    exams: list[Exam] = field(default_factory=list)
    reports: list[Report] = field(default_factory=list)
    statements: list[Statement] = field(default_factory=list)
    preliminary: int = 0
    synthetic: bool = False
    id: str = ""
    default: str | None = None
    placed: dict[str | None, tuple[str, str | None]] = field(default_factory=dict)
    """The id and class of the study of what is said by a method, as far as asked for."""
    _classes: frozenset[str] | None = None
    _by_class: dict[str | None, list[Statement]] | None = None
    _day: DayRange | None = None
    _dated: int = -1

    def settle(self) -> None:
        """Fixes the id (an ImagingStudy's before others) and the class of what names no method."""
        self.id = min(self.keys, key=lambda key: (_RANK.get(key.split("/", 1)[0], 9), key))
        self._classes = self.classes
        self.default = self._default()
        self._by_class = None

    @property
    def classes(self) -> frozenset[str]:
        """The classes of the recorded modalities."""
        if self._classes is not None:
            return self._classes
        return frozenset(each for exam in self.exams for each in exam.classes)

    @property
    def day(self) -> DayRange | None:
        """The start of the study; else the day of the quality statement, of the findings, of the report."""
        size = len(self.exams) + len(self.reports) + len(self.statements)
        if size != self._dated:
            self._day, self._dated = self._find_day(), size
        return self._day

    def _find_day(self) -> DayRange | None:
        exams = _days_of(self.exams)
        if exams and exams[0].exact:
            return exams[0]
        days = exams + _days_of([*self.reports, *self.statements])
        if not days or days[0].exact:
            return days[0] if days else None
        inside = [day for day in days if day.exact and days[0].first <= day.first <= days[0].last]
        return inside[0] if inside else days[0]

    def fits(self, method: str) -> bool:
        """Says whether a method can be of this study; intraoperative ultrasound is ultrasound."""
        classes = self.classes
        if classes:
            return method in classes or (method in OPERATIVE and "US" in classes)
        said = self._methods()
        return not said or method in said or (method in OPERATIVE and bool(said & {"US", *OPERATIVE}))

    def modality(self, method: str | None) -> str | None:
        """Gives the class of what is said by a method; None where the method contradicts the study."""
        if method is None:
            return self.default
        return method if self.fits(method) else None

    def by_class(self) -> dict[str | None, list[Statement]]:
        """Gives the statements of each class; the default class is there even when nothing is said in it."""
        if self._by_class is not None:
            return self._by_class
        modality_of = {method: self.modality(method) for method in {each.method for each in self.statements}}
        found: dict[str | None, list[Statement]] = {}
        for statement in self.statements:
            found.setdefault(modality_of[statement.method], []).append(statement)
        only_operative = bool(found) and all(each in OPERATIVE for each in found)
        if self.default not in found and not (only_operative and self.classes <= {"US"}):
            found[self.default] = []
        if self._classes is not None:
            self._by_class = found
        return found

    def key(self, modality: str | None) -> str:
        """Gives the id of the study of one class."""
        return self.id if modality == self.default else f"{self.id}#{modality or 'unknown'}"

    def _methods(self) -> set[str]:
        return {each.method for each in (*self.reports, *self.statements) if each.method is not None}

    def _default(self) -> str | None:
        """PET for a PET/CT; for ultrasound at operation the one without contrast, the weaker reading."""
        said = self._methods()
        classes = self.classes or said
        if classes and classes <= {"US", *OPERATIVE}:
            operative = [each for each in OPERATIVE if each in said | classes]
            return operative[0] if operative else "US"
        if "PET" in classes:
            return "PET"
        return next(iter(classes)) if len(classes) == 1 else None


def _days_of(said: Iterable[Exam | Report | Statement]) -> list[DayRange]:
    """The days of records, those of the kind that decides before others, and in order of source."""
    dated = [each for each in said if each.day is not None and not is_late(each)]
    dated.sort(key=lambda each: (_DAY_OF.index(type(each)), each.source))
    return [each.day for each in dated if each.day is not None]


def is_late(record: Exam | Report | Statement) -> bool:
    """Says whether the day is only when something was issued or changed, so the true day is not known."""
    return bool(record.flags) and any(flag in _LATE_DAYS for flag in record.flags)
