"""Facts on the patient and the site."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from datetime import date, timedelta
from decimal import Decimal

from fhir_profiles.records import ConditionRecord, DayRange, PatientFact
from plugin.facts.statement import Given, fact, yes
from plugin.facts.therapy import line_start
from plugin.facts.windows import SHIPPED, Windows
from plugin.settings import Site
from plugin.timeline import Timeline
from plugin.timeline.days import first_of, last_of, latest
from rules.facts import Fact

# Longer than a pregnancy lasts: an older entry is one that nobody closed.
_PREGNANCY = timedelta(days=300)
_MRI_ORDER = ("device", "contrast-allergy", "renal", "claustrophobia", "other", "none-known")
_WORST_LAST = {
    "ecog": None,
    "child-pugh": ("A", "B", "C"),
    "extrahepatic": ("none", "response", "stable", "progression-indeterminate", "progression-definite"),
    "steatosis": ("none", "mild", "moderate", "severe"),
    "refusal": ("no", "yes"),
    "liver-normal": ("yes", "no"),
}


def patient_fact(timeline: Timeline, windows: Windows = SHIPPED) -> Fact:
    """Gives the one fact on the patient; what is not on record is left unknown."""
    said = _Said(timeline)
    review = latest(first_of(each.day) for each in timeline.reviews)
    record = timeline.record
    sources = [record.source] if record is not None else []
    reviews = [each.source for each in timeline.reviews if first_of(each.day) == review]
    tracked = [lesion for lesion in timeline.lesions if lesion.nature != "benign"]
    values: dict[str, Given] = {
        "id": timeline.patient,
        "today": timeline.today,
        "ageYears": _age(record.birth if record is not None else None, timeline.today),
        "deceased": record.deceased if record is not None else None,
        "crlmScope": _scope(said, bool(tracked)),
        "mucinous": said.condition("mucinous") or said.yes_no("mucinous"),
        "msi": said.value("msi"),
        "ecog": said.number("ecog"),
        "ecogDay": said.day("ecog"),
        "childPugh": said.value("child-pugh"),
        "childPughDay": said.day("child-pugh"),
        "intent": said.value("intent"),
        "intentDay": said.day("intent"),
        "refusal": said.yes_no("refusal"),
        "refusalDay": said.day("refusal"),
        **_extrahepatic(said, line_start(timeline, windows)),
        "steatosis": said.value("steatosis") or said.grade("steatosis"),
        "sos": said.condition("sos"),
        "steatohepatitis": said.condition("steatohepatitis"),
        "cirrhosis": said.condition("cirrhosis"),
        "liverNormal": said.yes_no("liver-normal"),
        **_remnant(said, timeline),
        "pregnant": _pregnant(said, timeline.today),
        "mriContra": _no_mri(said),
        "haiTherapy": yes(any(dose.hepatic_artery for dose in timeline.doses)) or said.yes_no("hai"),
        "clinicallyStable": said.yes_no("clinically-stable"),
        "transplantPathway": said.yes_no("transplant"),
        "mdtLast": review,
        "liverMetastases": said.condition("liver-metastases"),
        "trackedLesions": len(tracked),
    }
    return fact("patient", (*sources, *reviews, *said.used), values)


class _Said:
    """What Conditions and dated statements say; remembers the resources it was asked about."""

    def __init__(self, timeline: Timeline) -> None:
        self._conditions = timeline.conditions
        self._facts = timeline.patient_facts
        self.used: set[str] = set()

    def conditions(self, kind: str) -> list[ConditionRecord]:
        """Conditions of a kind that are neither resolved nor uncertain."""
        found = [
            each
            for each in self._conditions
            if each.kind == kind and each.active is not False and each.certain is not False
        ]
        self.used |= {each.source for each in found}
        return found

    def uncertain(self, kind: str) -> list[ConditionRecord]:
        """Conditions of a kind that are active but only suspected."""
        found = [
            each
            for each in self._conditions
            if each.kind == kind and each.active is not False and each.certain is False
        ]
        self.used |= {each.source for each in found}
        return found

    def condition(self, kind: str) -> bool | None:
        return yes(self.conditions(kind))

    def grade(self, kind: str) -> str | None:
        grades = {each.grade for each in self.conditions(kind) if each.grade is not None}
        return grades.pop() if len(grades) == 1 else None

    def latest(self, kind: str) -> PatientFact | None:
        """The latest statement; of one day's different ones the worse where there is a scale, else none."""
        found = [each for each in self._facts if each.kind == kind]
        if not found:
            return None
        newest = max(first_of(each.day) or date.min for each in found)
        same = [each for each in found if (first_of(each.day) or date.min) == newest]
        chosen = max(same, key=lambda each: (_rank(kind, each), each.source))
        if kind not in _WORST_LAST and len({(each.value, each.number) for each in same}) > 1:
            return None
        self.used.add(chosen.source)
        return chosen

    def all(self, kind: str) -> list[PatientFact]:
        found = [each for each in self._facts if each.kind == kind]
        self.used |= {each.source for each in found}
        return found

    def value(self, kind: str) -> str | None:
        found = self.latest(kind)
        return found.value if found is not None else None

    def yes_no(self, kind: str) -> bool | None:
        value = self.value(kind)
        return None if value not in ("yes", "no") else value == "yes"

    def number(self, kind: str) -> int | None:
        found = self.latest(kind)
        return int(found.number) if found is not None and found.number is not None else None

    def day(self, kind: str) -> date | None:
        found = self.latest(kind)
        return first_of(found.day) if found is not None else None


def _rank(kind: str, each: PatientFact) -> Decimal:
    scale = _WORST_LAST.get(kind)
    if scale is not None and each.value in scale:
        return Decimal(scale.index(each.value))
    return each.number if each.number is not None else Decimal(-1)


def _age(birth: DayRange | None, today: date) -> int | None:
    """Whole years, by the last possible birthday: the younger age where the date is not exact."""
    if birth is None:
        return None
    born = birth.last
    return today.year - born.year - ((today.month, today.day) < (born.month, born.day))


def _scope(said: _Said, tracked: bool) -> str | None:
    """Colorectal primary with liver metastases or tracked lesions; two kinds of primary leave it open."""
    colorectal, other = said.conditions("colorectal-primary"), said.conditions("other-primary")
    if colorectal and other:
        return None
    if colorectal:
        return "crlm" if tracked or said.conditions("liver-metastases") else None
    return "other-primary" if other else None


def _extrahepatic(said: _Said, start: date | None) -> dict[str, Given]:
    """A coded status, or a metastasis elsewhere that began after the line of therapy did (R-44).

    One that was there before, or whose onset is not on record, is present, and its course is unknown: that is
    said where nothing else is, or only an older "none".
    """
    stated = said.latest("extrahepatic")
    found: list[tuple[date, int, str]] = []
    if stated is not None and stated.value is not None:
        found.append((first_of(stated.day) or date.min, 0, stated.value))
    kinds: Sequence[tuple[int, str, Iterable[ConditionRecord]]] = (
        (1, "progression-indeterminate", said.uncertain("extrahepatic-metastases")),
        (2, "progression-definite", said.conditions("extrahepatic-metastases")),
    )
    for rank, value, conditions in kinds:
        for each in conditions:
            onset = first_of(each.day)
            if onset is not None and start is not None and onset > start:
                found.append((onset, rank, value))
    there = [first_of(each.day) or date.min for each in said.conditions("extrahepatic-metastases")]
    if there and (not found or (max(found)[2] == "none" and max(found)[0] < max(there))):
        found = [(max(there), 0, "present")]
    if not found:
        return {}
    day, _, value = max(found)
    return {"extrahepatic": value, "extrahepaticDay": None if day == date.min else day}


def _remnant(said: _Said, timeline: Timeline) -> dict[str, Given]:
    """The latest volume of the future remnant; one older than an embolisation is void (R-74)."""
    found = said.latest("flr-percent")
    if found is None or found.number is None:
        return {}
    embolised = latest(first_of(each.day) for each in timeline.embolisations)
    day = first_of(found.day)
    if embolised is not None and (day is None or day < embolised):
        return {}
    return {"flrPercent": found.number, "flrDay": day}


def _pregnant(said: _Said, today: date) -> bool | None:
    """An active pregnancy whose onset, else its entry, may be recent, or a statement that is (R-72)."""
    days = [last_of(each.day) or last_of(each.recorded) for each in said.conditions("pregnancy")]
    if any(day is None or day >= today - _PREGNANCY for day in days):
        return True
    stated = said.latest("pregnant")
    if stated is None or stated.value not in ("yes", "no"):
        return None
    day = last_of(stated.day)
    if stated.value == "yes" and day is not None and day < today - _PREGNANCY:
        return None
    return stated.value == "yes"


def _no_mri(said: _Said) -> str | None:
    """The first of the recorded reasons, the hardest before the others."""
    found = {each.value for each in said.all("mri-contra")}
    found |= {"renal"} if said.conditions("renal-impairment") else set()
    found |= {"claustrophobia"} if said.conditions("claustrophobia") else set()
    return next((reason for reason in _MRI_ORDER if reason in found), None)


def site_fact(site: Site) -> Fact:
    """Gives the one fact on what the site has said of itself in its settings."""
    return fact(
        "site",
        (),
        {
            "iousStandard": site.ious_standard,
            "ceiousAvailable": site.ceious_available,
            "gadoxetateAvailable": site.gadoxetate_available,
        },
    )
