"""What the two published cohorts report, as counts; a test cohort may be smaller."""

from __future__ import annotations

from dataclasses import dataclass


@dataclass(frozen=True, slots=True, kw_only=True)
class TripleModality:
    """The cohort of Eur J Surg Oncol 2023; sizes in mm.

    Published as percentages: `three_modalities` (88 % of 158 is 139), `restaged_mri` (94 % of 32 is 30).
    The number of watched lesions is not published; `vanished - resected` is taken for it.
    `regrown_percent` is per watched lesion.
    """

    patients: int = 158
    affected: int = 32
    vanished: int = 110
    median_mm: int = 10
    smallest_mm: int = 5
    largest_mm: int = 61
    three_modalities: int = 139
    restaged_mri: int = 30
    resected: int = 20
    regrown_percent: int = 36

    @property
    def watched(self) -> int:
        """The lesions that were not resected."""
        return self.vanished - self.resected

    @property
    def regrown(self) -> int:
        """The watched lesions that come back, to the nearest lesion."""
        return round(self.watched * self.regrown_percent / 100)


@dataclass(frozen=True, slots=True, kw_only=True)
class Resected:
    """The cohort of Nanotechnology Perceptions 2024;20(S15), from its counts and not from its percentages.

    `numbers`: patients with one, two, several lesions; `sizes`: largest lesion below 4 cm, from 4 cm;
    `sites`: rectum, left, right, not stated; `regimens`: oxaliplatin with capecitabine, other, with an
    antibody, not stated; `responses`: smaller or fewer, neither, larger or more - the source's own words,
    which are not RECIST.
    """

    patients: int = 25
    men: int = 13
    youngest: int = 22
    oldest: int = 72
    numbers: tuple[int, int, int] = (14, 4, 7)
    sizes: tuple[int, int] = (11, 14)
    sites: tuple[int, int, int, int] = (12, 11, 1, 1)
    regimens: tuple[int, int, int, int] = (13, 5, 5, 2)
    fewest_cycles: int = 3
    most_cycles: int = 9
    responses: tuple[int, int, int] = (10, 4, 11)


TRIPLE_MODALITY = TripleModality()
RESECTED = Resected()
