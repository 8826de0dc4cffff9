"""Histories written as lines: `60 MRI not-visible`, `0 CT visible 14`, `7 dose`, `30 ablated`."""

from __future__ import annotations

from dataclasses import replace
from decimal import Decimal

from tests.rules.crlm.histories import Dose, Exam, History, Lesion, Sighting, Treatment

STUDIES = {
    "MRI": {},
    "limited-MRI": {"agent": "gadobutrol", "adequacy": "limited", "hbp": "no"},
    "motion-MRI": {"adequacy": "non-diagnostic"},
    "unrated-MRI": {"adequacy": None},
    "gadobenate-MRI": {"agent": "gadobenate"},
    "thin-MRI": {"slice_mm": Decimal(3)},
    "5mm-MRI": {"slice_mm": Decimal(5)},
    "pelvic-MRI": {"liver": "no"},
    "preliminary-MRI": {"final": "no"},
    "unmatched-MRI": {"unmatched": 3},
    "thick-CT": {"slice_mm": Decimal(8)},
    "unrated-IOUS": {"adequacy": None},
}


def story(*lines: str, **changes: object) -> History:
    """Returns the history the lines tell; `changes` are put over it. A line may begin with a lesion: `L2: ...`."""
    teller = _Teller()
    for line in lines:
        teller.tell(line)
    history = History(
        lesions=tuple(Lesion(id_) for id_ in sorted(teller.lesions)),
        exams=tuple(teller.exams.values()),
        sightings=tuple(teller.sightings),
        doses=tuple(teller.doses),
        treatments=tuple(teller.treatments),
    )
    return replace(history, **changes)


class _Teller:
    def __init__(self) -> None:
        self.lesions: set[str] = {"L1"}
        self.exams: dict[str, Exam] = {}
        self.sightings: list[Sighting] = []
        self.doses: list[Dose] = []
        self.treatments: list[Treatment] = []

    def tell(self, line: str) -> None:
        lesion, _, rest = line.rpartition(":")
        lesion = lesion.strip() or "L1"
        self.lesions.add(lesion)
        when, what, *said = rest.split()
        day = None if when == "?" else int(when)
        if what == "dose":
            assert day is not None
            self.doses.append(Dose(day, int(said[0]) if said else day))
        elif what in ("resected", "ablated", "irradiated"):
            type_ = "other" if what == "irradiated" else what
            self.treatments.append(Treatment(lesion, day, type_))
        elif what == "hepatectomy":
            self.treatments.append(Treatment(None, day, "resected"))
        else:
            self.study(lesion, day, what, said)

    def study(self, lesion: str, day: int | None, what: str, said: list[str]) -> None:
        key = f"{what}-{day}"
        if key not in self.exams:
            self.exams[key] = Exam(key, day, class_=what.rpartition("-")[2], **STUDIES.get(what, {}))
        if said[0] == "silent":
            return
        words = said[1:]
        size = next((word for word in words if word[0].isdigit()), None)
        self.sightings.append(
            Sighting(
                id=f"s{len(self.sightings)}",
                lesion=lesion,
                exam=key,
                day=day,
                visibility="unknown" if said[0] == "zero" else said[0],
                mm=Decimal(size) if size else None,
                ttsm="yes" if "ttsm" in words else None,
                zero_size="yes" if said[0] == "zero" else None,
                remnant=next(
                    (word for word in words if word in ("ablation-zone", "calcified", "fibrotic")), None
                ),
                artefact_at_site="yes" if "artefact" in words else None,
                reticulation_at_site="yes" if "reticulation" in words else None,
            )
        )
