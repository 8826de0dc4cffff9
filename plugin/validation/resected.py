"""The cohort of 25 resected patients: the source's words of response beside RECIST 1.1."""

from __future__ import annotations

from collections.abc import Sequence

from plugin.validation.counts import count
from plugin.validation.run import Outcome
from plugin.validation.studies import Resected
from plugin.validation.table import (
    NOT_PUBLISHED,
    Check,
    Row,
    Table,
    card_rows,
    engines,
    listed,
    of,
    undecided_rows,
)

ASSUMPTIONS = (
    "The source has no data on vanished lesions, so none vanishes here.",
    "Its counts were taken, not its percentages; two patients have no regimen on record.",
    "Sizes after treatment are invented within the source's words; smaller is 12 to 50 % less.",
)


def resected_table(study: Resected, outcomes: Sequence[Outcome]) -> Table:
    """Returns the table of the cohort."""
    ours = count(outcomes)
    several = tuple(
        sum(1 for each in outcomes if low <= len(each.status) <= high)
        for low, high in ((1, 1), (2, 2), (3, 99))
    )
    smaller, neither, larger = study.responses
    better = ours.responses.get("PR", 0) + ours.responses.get("CR", 0)
    worse = ours.responses.get("PD", 0)
    none = ours.responses.get("NE", 0) + ours.responses.get("none", 0)
    rows = (
        Row(what="patients", published=str(study.patients), ours=(str(ours.patients),)),
        Row(
            what="one, two, several lesions",
            published=" / ".join(map(str, study.numbers)),
            ours=(" / ".join(map(str, several)),),
        ),
        Row(
            what="with a vanished lesion",
            published=NOT_PUBLISHED,
            ours=(of(ours.affected, ours.patients),),
        ),
        Row(
            what="smaller or fewer (source) / PR or CR (RECIST 1.1)",
            published=str(smaller),
            ours=(str(better),),
        ),
        Row(what="neither / SD", published=str(neither), ours=(str(ours.responses.get("SD", 0)),)),
        Row(what="larger or more / PD", published=str(larger), ours=(str(worse),)),
        Row(what="not evaluable", published=NOT_PUBLISHED, ours=(str(none),)),
        *undecided_rows((ours,)),
        *card_rows((ours,)),
    )
    checks = (
        Check(
            what="the cohort has the published numbers of lesions",
            passed=several == study.numbers and ours.patients == study.patients,
        ),
        Check(what="no lesion that is visible is called vanished", passed=not ours.vanished),
        Check(
            what="the source's words of response are not taken for RECIST",
            passed=better <= smaller and worse <= larger,
            detail=listed(ours.responses),
        ),
        engines((ours,)),
    )
    return Table(
        name="resected",
        title="25 patients, all resected (Nanotechnology Perceptions 2024;20(S15))",
        columns=("ours",),
        counts=(ours,),
        rows=rows,
        checks=checks,
        assumptions=ASSUMPTIONS,
    )
