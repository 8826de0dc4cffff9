"""The index study and the studies that sums and differences compare it with (R-1, R-2, R-25)."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import date

from plugin.timeline import Lesion, LesionSighting, Study, Timeline
from plugin.timeline.days import first_of

_ADEQUACY = {"adequate": 0, "limited": 1, None: 2}


def diagnostic(study: Study) -> bool:
    """Says whether the study is final and its reader did not call it non-diagnostic."""
    return study.final is True and adequacy_of(study) != "non-diagnostic"


def adequacy_of(study: Study) -> str | None:
    """Gives what the reader said of the study's adequacy."""
    return study.adequacy.adequacy if study.adequacy is not None else None


def index_study(timeline: Timeline) -> Study | None:
    """Gives the latest final, diagnostic CT or MRI of the liver; of one day MRI, then the better (R-1).

    A study of an unknown region that describes nothing may be of the chest, and is none.
    """
    candidates = [
        study
        for study in timeline.studies
        if study.modality in ("CT", "MRI") and study.covers and study.day is not None and diagnostic(study)
    ]
    if not candidates:
        return None
    latest = max(_day(study) for study in candidates)
    same = [study for study in candidates if _day(study) == latest]
    return min(same, key=lambda s: (s.modality != "MRI", _ADEQUACY.get(adequacy_of(s), 2), s.id))


@dataclass(frozen=True, slots=True)
class Comparison:
    """The index study with those of its class before it: baseline, and every later one in order of day."""

    index: Study
    baseline: Study | None
    between: tuple[Study, ...]

    @property
    def previous(self) -> Study | None:
        """The restaging before the index study."""
        return self.between[-1] if self.between else None


def comparison(timeline: Timeline, line_start: date | None) -> Comparison | None:
    """Gives the index study and its comparators; nothing compares without therapy or before it.

    baseline: the last study of the class up to the first dose of the line (a dose on the day of a scan comes
    after it).
    """
    index = index_study(timeline)
    if index is None or line_start is None or _day(index) <= line_start:
        return None
    earlier = [
        study
        for study in timeline.studies
        if study.modality == index.modality
        and study.covers
        and study.day is not None
        and diagnostic(study)
        and _day(study) < _day(index)
    ]
    earlier.sort(key=lambda study: (_day(study), study.id))
    before = [study for study in earlier if _day(study) <= line_start]
    return Comparison(
        index,
        before[-1] if before else None,
        tuple(study for study in earlier if _day(study) > line_start),
    )


def compared(timeline: Timeline, study: Study | None) -> tuple[Lesion, ...]:
    """Gives the lesions whose sizes may be compared up to a study: not benign, merged or treated before.

    A lesion resected, ablated or otherwise treated up to the day of the study, or on an unknown day, is left
    out: size says nothing there (R-71, R-89). What was treated later still counts in an earlier study.
    """
    until = first_of(study.day) if study is not None else None
    treated = {
        lesion
        for each in timeline.treatments
        if each.treatment.completed and (until is None or (first_of(each.treatment.day) or date.min) <= until)
        for lesion in each.lesions
    }
    return tuple(
        lesion
        for lesion in timeline.lesions
        if lesion.nature != "benign" and lesion.merged_into is None and lesion.id not in treated
    )


class Sizes:
    """Sightings by lesion and study, for sums."""

    def __init__(self, timeline: Timeline) -> None:
        self._by: dict[tuple[str, str], list[LesionSighting]] = {}
        for each in timeline.sightings:
            self._by.setdefault((each.lesion, each.study), []).append(each)

    def of(self, lesion: Lesion, study: Study) -> LesionSighting | None:
        """Gives the one sighting of the lesion in the study; None for none and for a contradiction."""
        found = [
            each for each in self._by.get((lesion.id, study.id), []) if each.visibility != "not-assessed"
        ]
        return found[0] if len(found) == 1 else None

    def sized(self, lesion: Lesion, study: Study) -> LesionSighting | None:
        """Gives the sighting when it has a plain size above 0 that is not an ablation zone's."""
        found = self.of(lesion, study)
        if found is None or found.visibility != "visible" or found.mm is None or not found.exact:
            return None
        return None if found.remnant == "ablation-zone" else found


def _day(study: Study) -> date:
    return first_of(study.day) or date.min
