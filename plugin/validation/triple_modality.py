"""The cohort of 2023: the published table beside complete records and records with gaps."""

from __future__ import annotations

from collections.abc import Sequence

from plugin.validation.counts import GONE, PROVEN, Counts, count
from plugin.validation.recount import Marginals
from plugin.validation.run import QUESTIONS, Outcome
from plugin.validation.studies import TripleModality
from plugin.validation.table import (
    NOT_PUBLISHED,
    Check,
    Row,
    Table,
    because,
    card_rows,
    engines,
    listed,
    of,
    undecided_rows,
)

SAME = "the same"
ASSUMPTIONS = (
    "The number of watched lesions is not published: all that were not resected are taken for it.",
    "Other lesions, doses, dates, plans and the half year of follow-up are invented.",
    (
        "Records with gaps: 10 % of the patients with a lesion missing in the report, 10 % with a "
        "non-diagnostic MRI, 10 % without a statement on its quality, 5 % without doses. Nobody "
        "published such shares."
    ),
    "Watched lesions come back at the published rate by design; nothing is predicted.",
)


def triple_modality_table(
    study: TripleModality,
    marginals: Marginals,
    complete: Sequence[Outcome],
    gaps: Sequence[Outcome],
    later: Sequence[Outcome],
) -> Table:
    """Returns the table; `later` are the patients with a vanished lesion half a year after the decision."""
    both = (count(complete), count(gaps))
    rows = (
        *_incidence(study, marginals, both),
        *_certainty(both),
        *_watching(both),
        *undecided_rows(both),
        *card_rows(both),
        Row(
            what="watched lesions seen again half a year later",
            published=f"{study.regrown_percent} %",
            ours=(_regrown(later), ""),
        ),
        Row(what="resected sites without viable cells", published="19 of 20", ours=("not modelled", "")),
    )
    return Table(
        name="triple-modality",
        title=f"{study.patients} patients, three modalities (Eur J Surg Oncol 2023)",
        columns=("complete records", "records with gaps"),
        counts=both,
        rows=rows,
        checks=_checks(study, marginals, (complete, gaps, later), both),
        assumptions=ASSUMPTIONS,
    )


def _incidence(study: TripleModality, marginals: Marginals, both: tuple[Counts, ...]) -> list[Row]:
    size = f"{marginals.median_mm:g} ({marginals.smallest_mm:g}-{marginals.largest_mm:g})"
    return [
        Row(
            what="patients",
            published=str(study.patients),
            ours=tuple(str(one.patients) for one in both),
        ),
        Row(
            what="with a vanished lesion",
            published=of(study.affected, study.patients),
            ours=tuple(of(one.affected, one.patients) for one in both),
        ),
        Row(
            what="three modalities before treatment",
            published=of(study.three_modalities, study.patients),
            ours=(of(marginals.three_modalities, marginals.patients), SAME),
        ),
        Row(
            what="of those with a vanished lesion, restaged by MRI",
            published=of(study.restaged_mri, study.affected),
            ours=(of(marginals.restaged_mri, marginals.affected), SAME),
        ),
        Row(
            what="vanished lesions",
            published=str(study.vanished),
            ours=tuple(str(one.vanished) for one in both),
        ),
        Row(
            what="their size before treatment, median (range), mm",
            published=f"{study.median_mm} ({study.smallest_mm}-{study.largest_mm})",
            ours=(size, SAME),
        ),
    ]


def _certainty(both: tuple[Counts, ...]) -> list[Row]:
    return [
        Row(
            what="confirmed on adequate MRI",
            published=NOT_PUBLISHED,
            ours=tuple(f"{one.confirmed} in {one.confirmed_patients} patients" for one in both),
        ),
        Row(
            what="apparent only",
            published=NOT_PUBLISHED,
            ours=tuple(f"{one.apparent} in {one.apparent_patients} patients" for one in both),
        ),
        *because([one.weakness for one in both]),
    ]


def _watching(both: tuple[Counts, ...]) -> list[Row]:
    questioned = tuple(f"{one.watched}; {one.questioned}" for one in both)
    head = Row(what="watched lesions; questioned by a card", published=NOT_PUBLISHED, ours=questioned)
    by_rule = [
        Row(
            what=f"  of these by {rule}",
            published="",
            ours=tuple(str(one.questioned_by[rule]) for one in both),
        )
        for rule in QUESTIONS
    ]
    return [head, *by_rule]


def _regrown(outcomes: Sequence[Outcome]) -> str:
    watched = [each.status[label] for each in outcomes for label in each.watched]
    again = [status for status in watched if status not in GONE]
    reappeared = again.count("REAPPEARED")
    return f"{of(len(again), len(watched))}, {reappeared} after proof, {len(again) - reappeared} without"


def _checks(
    study: TripleModality,
    marginals: Marginals,
    parts: tuple[Sequence[Outcome], Sequence[Outcome], Sequence[Outcome]],
    both: tuple[Counts, Counts],
) -> tuple[Check, ...]:
    complete, gaps, later = parts
    unquestioned = _unquestioned((*complete, *gaps))
    proven = _newly_proven(complete, gaps)
    again = sum(1 for each in later for label in each.watched if each.status[label] not in GONE)
    return (
        Check(
            what="the cohort has the published marginals",
            passed=marginals == expected(study),
            detail=str(marginals),
        ),
        Check(
            what="every vanished lesion is found, and no other",
            passed=(both[0].vanished, both[0].affected) == (study.vanished, study.affected),
            detail=f"{both[0].vanished} in {both[0].affected} patients",
        ),
        Check(
            what="complete records leave nothing undecided",
            passed=not both[0].undecided,
            detail=listed(both[0].undecided_because),
        ),
        Check(
            what="watch-and-wait of a vanished or undecided lesion is always questioned, gaps or not",
            passed=not unquestioned,
            detail=", ".join(unquestioned),
        ),
        Check(
            what="a gap in the record never makes a lesion confirmed",
            passed=not proven,
            detail=", ".join(proven),
        ),
        Check(
            what="every watched lesion that is seen again is noticed",
            passed=again == study.regrown,
            detail=f"{again} of {study.regrown}",
        ),
        engines((*both, count(later))),
    )


def expected(study: TripleModality) -> Marginals:
    """Returns the marginals that a cohort of this study must have."""
    return Marginals(
        patients=study.patients,
        affected=study.affected,
        vanished=study.vanished,
        median_mm=study.median_mm,
        smallest_mm=study.smallest_mm,
        largest_mm=study.largest_mm,
        three_modalities=study.three_modalities,
        restaged_mri=study.restaged_mri,
        watched=study.watched,
        resected=study.resected,
    )


def _newly_proven(complete: Sequence[Outcome], gaps: Sequence[Outcome]) -> list[str]:
    whole = {(each.number, label): status for each in complete for label, status in each.status.items()}
    return [
        f"patient {each.number} {label}"
        for each in gaps
        for label, status in each.status.items()
        if status in PROVEN and whole[(each.number, label)] not in PROVEN
    ]


def _unquestioned(outcomes: Sequence[Outcome]) -> list[str]:
    return [
        f"patient {each.number} {label}"
        for each in outcomes
        for label in sorted(each.watched)
        if not each.questioned[label]
    ]
