"""Golden cases and dangerous patients, as far as the status decides them."""

from decimal import Decimal

import pytest

from tests.rules.crlm import oracle
from tests.rules.crlm.histories import History
from tests.rules.crlm.status_rules import rules
from tests.rules.crlm.stories import story

BASE = ("0 CT visible 14", "7 dose")

GOLDEN = {
    "1 CT and PET negative, no MRI": (
        story(*BASE, "60 CT not-visible", "62 PET not-visible"),
        "APPARENT_DLM",
    ),
    "2 MRI shows 6 mm, CT does not": (
        story(*BASE, "60 MRI visible 6", "67 CT not-visible"),
        "SMALL_RESIDUAL",
    ),
    "3 MRI confirms": (story(*BASE, "60 MRI not-visible"), "CONFIRMED_DLM"),
    "4 contrast ultrasound at operation negative": (
        story(*BASE, "60 MRI not-visible", "80 CEIOUS not-visible"),
        "MISSING_CEIOUS",
    ),
    "5 report silent": (story(*BASE, "60 MRI silent"), "CANNOT_DECIDE not-reported"),
    "16 MRI visible, two cycles, MRI negative": (
        story(*BASE, "60 MRI visible 7", "65 dose", "79 dose", "87 MRI not-visible"),
        "CONFIRMED_DLM",
    ),
    "17 CT negative, MRI 6 mm a month later": (
        story(*BASE, "60 CT not-visible", "90 MRI visible 6"),
        "SMALL_RESIDUAL",
    ),
    "18 thick CT slices": (story(*BASE, "60 thick-CT not-visible"), "APPARENT_DLM"),
    "19 second reading six days later, no dose": (
        story(*BASE, "60 MRI visible 6", "66 MRI not-visible"),
        "SMALL_RESIDUAL",
    ),
    "20 MRI negative, found at operation 20 days later": (
        story(*BASE, "60 MRI not-visible", "80 IOUS visible 12"),
        "VISIBLE",
    ),
    "20 MRI negative, found at operation 60 days later": (
        story(*BASE, "60 MRI not-visible", "120 IOUS visible 12"),
        "VISIBLE",
    ),
    "21 MRI visible, not found at operation, no dose": (
        story(*BASE, "60 MRI visible 12", "70 IOUS not-visible"),
        "VISIBLE",
    ),
    "22 MRI and operation negative, then MRI silent": (
        story(*BASE, "60 MRI not-visible", "80 CEIOUS not-visible", "170 MRI silent"),
        "CANNOT_DECIDE not-reported",
    ),
    "23 MRI, operation, MRI negative": (
        story(*BASE, "60 MRI not-visible", "80 IOUS not-visible", "170 MRI not-visible"),
        "MISSING_IOUS",
    ),
    "24 MRI unclear, contrast ultrasound negative": (
        story(*BASE, "60 MRI indeterminate", "80 CEIOUS not-visible"),
        "MISSING_CEIOUS",
    ),
    "24 CT unclear, MRI negative": (
        story(*BASE, "60 CT indeterminate", "67 MRI not-visible"),
        "CONFIRMED_DLM",
    ),
    "24 MRI negative, CT unclear 28 days later": (
        story(*BASE, "60 MRI not-visible", "88 CT indeterminate"),
        "CONFIRMED_DLM",
    ),
    "24 MRI negative, CT unclear 29 days later": (
        story(*BASE, "60 MRI not-visible", "89 CT indeterminate"),
        "CANNOT_DECIDE indeterminate",
    ),
    "24 MRI unclear, MRI negative before": (
        story(*BASE, "60 MRI not-visible", "70 MRI indeterminate"),
        "CANNOT_DECIDE indeterminate",
    ),
    "25 adequate MRI 6 mm, limited MRI after a dose": (
        story(*BASE, "60 MRI visible 6", "67 dose", "90 limited-MRI not-visible"),
        "SMALL_RESIDUAL",
    ),
    "26 motion": (story(*BASE, "60 motion-MRI not-visible"), "CANNOT_DECIDE quality"),
    "26 motion, CT negative": (
        story(*BASE, "60 motion-MRI not-visible", "62 CT not-visible"),
        "APPARENT_DLM",
    ),
    "27 seen 90 days after resection": (
        story(*BASE, "60 resected", "150 CT visible 9"),
        "REAPPEARED local-recurrence",
    ),
    "27 seen 10 days after resection": (
        story(*BASE, "60 resected", "70 CT visible 9"),
        "CANNOT_DECIDE contradiction",
    ),
    "28 no dose data": (
        story("0 CT visible 14", "200 MRI not-visible"),
        "CANNOT_DECIDE therapy-not-recorded",
    ),
    "29 first seen after the first dose": (
        story("0 dose", "20 CT visible 14", "30 dose", "90 MRI not-visible"),
        "CONFIRMED_DLM",
    ),
    "32 50 mm, then too small to measure": (
        story("0 CT visible 50", "7 dose", "60 CT visible 5 ttsm"),
        "RESIDUAL_TINY",
    ),
    "34 history cut": (story(*BASE, "60 MRI not-visible", cut=True), "CANNOT_DECIDE incomplete-record"),
    "34 history cut, CT negative": (story(*BASE, "60 CT not-visible", cut=True), "APPARENT_DLM"),
    "34 history cut, visible": (story(*BASE, "60 MRI visible 12", cut=True), "VISIBLE"),
    "36 scan and dose on one day": (
        story("7 CT visible 14", "7 dose", "60 MRI not-visible"),
        "CONFIRMED_DLM",
    ),
    "36 scan and later dose on one day": (
        story(*BASE, "60 MRI visible 12", "60 dose", "70 MRI not-visible"),
        "CONFIRMED_DLM",
    ),
    "36 dose on the day of the negative scan": (
        story(*BASE, "60 MRI visible 12", "70 dose", "70 MRI not-visible"),
        "VISIBLE",
    ),
    "37 strong negative, PET positive, dose, PET negative": (
        story(*BASE, "60 MRI not-visible", "120 PET visible", "125 dose", "150 PET not-visible"),
        "APPARENT_DLM",
    ),
    "38 pelvic MRI silent on the liver": (
        story(*BASE, "60 MRI not-visible", "90 pelvic-MRI silent"),
        "CONFIRMED_DLM",
    ),
    "39 hepatectomy without a lesion": (
        story(*BASE, "50 hepatectomy", "90 MRI not-visible"),
        "CANNOT_DECIDE treated-or-not",
    ),
    "40 seen 28 days after a negative": (story(*BASE, "60 MRI not-visible", "88 MRI visible 12"), "VISIBLE"),
    "40 seen 29 days after a negative": (
        story(*BASE, "60 MRI not-visible", "89 MRI visible 12"),
        "REAPPEARED",
    ),
}

MORE = {
    "MRI negative at operation time, MRI visible 29 days later": (
        story(*BASE, "60 IOUS not-visible", "89 MRI visible 9"),
        "REAPPEARED",
    ),
    "found at operation, untreated, MRI negative after therapy": (
        story(*BASE, "60 IOUS visible 6", "70 dose", "100 MRI not-visible"),
        "CONFIRMED_DLM",
    ),
    "MRI negative, limited MRI negative": (
        story(*BASE, "60 MRI not-visible", "90 limited-MRI not-visible"),
        "CONFIRMED_DLM",
    ),
    "ablation zone": (story(*BASE, "60 ablated", "150 MRI visible 20 ablation-zone"), "TREATED"),
    "ablated, day not known": (
        story(*BASE, "? ablated", "150 MRI not-visible"),
        "CANNOT_DECIDE treated-undated",
    ),
    "hepatectomy without a lesion and a day, MRI negative": (
        story(*BASE, "? hepatectomy", "90 MRI not-visible"),
        "CANNOT_DECIDE operation-undated",
    ),
    "hepatectomy without a lesion and a day, CT negative": (
        story(*BASE, "? hepatectomy", "90 CT not-visible"),
        "CANNOT_DECIDE operation-undated",
    ),
    "hepatectomy without a lesion and a day, still visible": (
        story(*BASE, "? hepatectomy", "90 MRI visible 12"),
        "VISIBLE",
    ),
    "radiotherapy, MRI negative after 90 days": (
        story(*BASE, "60 irradiated", "150 MRI not-visible"),
        "APPARENT_DLM",
    ),
    "radiotherapy, MRI negative after 91 days": (
        story(*BASE, "60 irradiated", "151 MRI not-visible"),
        "CONFIRMED_DLM",
    ),
    "10 mm at first, slices of 5 mm": (
        story("0 CT visible 10", "7 dose", "60 5mm-MRI not-visible"),
        "CONFIRMED_DLM",
    ),
    "9 mm at first, slices of 5 mm": (
        story("0 CT visible 9", "7 dose", "60 5mm-MRI not-visible"),
        "APPARENT_DLM",
    ),
    "size never recorded, slices recorded": (
        story("0 CT visible", "7 dose", "60 thin-MRI not-visible"),
        "APPARENT_DLM",
    ),
    "size never recorded, slices neither": (
        story("0 CT visible", "7 dose", "60 MRI not-visible"),
        "CONFIRMED_DLM",
    ),
    "PET without a size first, CT with a size": (
        story("0 PET visible", "2 CT visible 14", "7 dose", "60 thin-MRI not-visible"),
        "CONFIRMED_DLM",
    ),
    "artefact over the site": (story(*BASE, "60 MRI not-visible artefact"), "CANNOT_DECIDE quality"),
    "reticulation over the site": (story(*BASE, "60 MRI not-visible reticulation"), "APPARENT_DLM"),
    "MRI without a word on adequacy": (story(*BASE, "60 unrated-MRI not-visible"), "APPARENT_DLM"),
    "gadobenate": (story(*BASE, "60 gadobenate-MRI not-visible"), "CONFIRMED_DLM"),
    "ultrasound at operation without adequacy": (
        story(*BASE, "60 unrated-IOUS not-visible"),
        "CANNOT_DECIDE quality",
    ),
    "preliminary MRI": (story(*BASE, "60 preliminary-MRI not-visible"), "VISIBLE no-restaging"),
    "MRI with unmatched lesions": (story(*BASE, "60 unmatched-MRI silent"), "CANNOT_DECIDE identity"),
    "CT negative, MRI with unmatched lesions": (
        story(*BASE, "60 CT not-visible", "70 unmatched-MRI silent"),
        "CANNOT_DECIDE identity",
    ),
    "adequate MRI negative, CT silent": (story(*BASE, "60 MRI not-visible", "90 CT silent"), "CONFIRMED_DLM"),
    "CT negative, CT silent": (
        story(*BASE, "60 CT not-visible", "90 CT silent"),
        "CANNOT_DECIDE not-reported",
    ),
    "CT negative, PET silent": (story(*BASE, "60 CT not-visible", "90 PET silent"), "APPARENT_DLM"),
    "0 mm alone": (story(*BASE, "60 CT zero"), "CANNOT_DECIDE zero-size"),
    "MRI negative, later MRI says 0 mm": (
        story(*BASE, "60 MRI not-visible", "90 MRI zero"),
        "CANNOT_DECIDE zero-size",
    ),
    "MRI not possible": (story(*BASE, "60 MRI not-visible", mri_contra="device"), "APPARENT_DLM"),
    "MRI not possible, operation": (
        story(*BASE, "60 IOUS not-visible", mri_contra="contrast-allergy"),
        "MISSING_IOUS",
    ),
    "no contraindication known": (
        story(*BASE, "60 MRI not-visible", mri_contra="none-known"),
        "CONFIRMED_DLM",
    ),
    "14 mm, then 1.4 mm": (story(*BASE, "60 CT visible 1.4"), "VISIBLE"),
    "14 mm, then 1.4 mm on MRI": (story(*BASE, "60 MRI visible 1.4"), "RESIDUAL_TINY"),
    "both 5 and 10 mm are the upper ends": (story(*BASE, "60 MRI visible 5"), "RESIDUAL_TINY"),
    "10 mm": (story(*BASE, "60 MRI visible 10"), "SMALL_RESIDUAL"),
    "10.1 mm": (story(*BASE, "60 MRI visible 10.1"), "VISIBLE"),
    "visible, undated, then MRI negative": (
        story(*BASE, "? CT visible 14", "60 MRI not-visible"),
        "VISIBLE",
    ),
    "MRI negative without a date": (
        story(*BASE, "? MRI not-visible", "60 CT silent"),
        "CANNOT_DECIDE undated",
    ),
    "the month of the only later dose covers the negative": (
        story(*BASE, "60 MRI visible 12", "70 dose 100", "90 MRI not-visible"),
        "VISIBLE",
    ),
    "no dose since it appeared": (
        story("0 dose", "20 CT visible 14", "90 MRI not-visible"),
        "VISIBLE no-restaging",
    ),
    "nothing on record": (story(), "CANNOT_DECIDE baseline-missing"),
    "nothing on record, history cut": (story(cut=True), "CANNOT_DECIDE baseline-not-loaded"),
    "visible in a non-diagnostic study only": (story("60 motion-MRI visible 12", "7 dose"), "VISIBLE"),
}

DANGEROUS = {
    "47 thick slices are not milder than thin ones": (
        story(*BASE, "60 thick-CT not-visible"),
        "APPARENT_DLM",
    ),
    "48 second reading without a dose": (
        story(*BASE, "60 MRI visible 6", "66 MRI not-visible"),
        "SMALL_RESIDUAL",
    ),
    "49 MRI negative, seen at operation that week": (
        story(*BASE, "60 MRI not-visible", "64 IOUS visible 5"),
        "RESIDUAL_TINY",
    ),
    "50 nodule at the edge nine months after ablation": (
        story(*BASE, "60 ablated", "330 MRI visible 12"),
        "REAPPEARED local-recurrence",
    ),
    "53 hospital without dose data": (
        story("0 MRI visible 12", "200 MRI not-visible"),
        "CANNOT_DECIDE therapy-not-recorded",
    ),
    "56 PET focus, MRI negative four days later": (
        story(*BASE, "60 PET visible", "64 MRI not-visible"),
        "VISIBLE",
    ),
    "58 right hepatectomy elsewhere": (
        story(*BASE, "100 hepatectomy", "150 MRI not-visible"),
        "CANNOT_DECIDE treated-or-not",
    ),
    "62 50 mm, then 5 mm too small to measure": (
        story("0 CT visible 50", "7 dose", "60 CT visible 5 ttsm"),
        "RESIDUAL_TINY",
    ),
    "65 confirmed in March, MRI silent in September": (
        story(*BASE, "60 MRI not-visible", "240 MRI silent"),
        "CANNOT_DECIDE not-reported",
    ),
    "66 visible on MRI 80 days ago, five cycles, CT negative": (
        story(
            *BASE,
            "60 MRI visible 12",
            "64 dose",
            "78 dose",
            "92 dose",
            "106 dose",
            "120 dose",
            "140 CT not-visible",
        ),
        "VISIBLE",
    ),
    "68 contradicting addendum, visible on CT that week": (
        story(*BASE, "60 MRI visible 6", "60 MRI not-visible", "62 CT visible 8"),
        "SMALL_RESIDUAL",
    ),
    "68 contradicting addendum, nothing else": (
        story(*BASE, "60 MRI visible 6", "60 MRI not-visible"),
        "CANNOT_DECIDE contradiction",
    ),
    "69 negative read, the visible MRI on the page that was lost": (
        story(*BASE, "60 MRI not-visible", cut=True),
        "CANNOT_DECIDE incomplete-record",
    ),
    "70 baseline cut off": (
        story("60 MRI not-visible", "7 dose", cut=True),
        "CANNOT_DECIDE baseline-not-loaded",
    ),
}


@pytest.mark.parametrize(
    ("history", "wanted"),
    [
        pytest.param(*case, id=f"{group}: {name}")
        for group, cases in (("golden", GOLDEN), ("more", MORE), ("dangerous", DANGEROUS))
        for name, case in cases.items()
    ],
)
def test_status(history: History, wanted: str) -> None:
    value, _, reason = wanted.partition(" ")
    assert rules().statuses(history)["L1"] == (value, reason or "none")
    status = oracle.status(history, "L1")
    assert (status.value, status.reason) == (value, reason or "none")


def flags(history: History) -> dict[str, object]:
    (fact,) = rules().evaluate(history).of("status")
    return dict(fact.values)


@pytest.mark.parametrize(
    ("history", "flag", "value"),
    [
        (story(*BASE, "60 MRI not-visible", "80 IOUS not-visible"), "preopMri", "yes"),
        (story(*BASE, "60 CT not-visible", "80 CEIOUS not-visible"), "preopMri", "no"),
        (story(*BASE, "60 IOUS visible 6", "70 dose", "100 MRI not-visible"), "seenIntraop", "yes"),
        (story(*BASE, "60 MRI not-visible"), "seenIntraop", "no"),
        (story(*BASE, "60 PET visible"), "petOnly", "yes"),
        (story(*BASE, "60 PET visible", "62 CT visible 12"), "petOnly", "no"),
        (story(*BASE, "60 US visible 12"), "usOnly", "yes"),
        (story(*BASE, "60 IOUS visible 12"), "usOnly", "no"),
        (story("0 CT visible 6", "7 dose", "60 CT not-visible"), "presumed", "yes"),
        (story("0 CT visible 6", "2 MRI visible 6", "7 dose", "60 CT not-visible"), "presumed", "no"),
        (story("0 CT visible 10", "7 dose", "60 CT not-visible"), "presumed", "no"),
        (story("0 CT visible 14", "7 dose"), "noRestaging", "yes"),
        (story(*BASE, "60 CT visible 12"), "noRestaging", "no"),
        (story(*BASE, "60 MRI visible 6", "60 MRI not-visible", "62 CT visible 8"), "contra", "yes"),
        (story(*BASE, "60 MRI visible 6"), "contra", "no"),
        (
            story(*BASE, "60 MRI not-visible", "120 MRI visible 9", "130 dose", "160 MRI not-visible"),
            "reappearedBefore",
            "yes",
        ),
        (story(*BASE, "60 MRI not-visible"), "reappearedBefore", "no"),
    ],
)
def test_flag(history: History, flag: str, value: str) -> None:
    assert flags(history)[flag] == value


def test_deciding_study_is_named() -> None:
    found = flags(story(*BASE, "60 MRI visible 6", "67 CT not-visible"))
    assert (found["class"], found["exam"], found["mm"]) == ("MRI", "MRI-60", Decimal(6))
    found = flags(story(*BASE, "60 MRI not-visible", "90 limited-MRI not-visible"))
    assert (found["class"], found["exam"]) == ("MRI", "MRI-60")
    found = flags(story(*BASE, "60 MRI not-visible", "240 MRI silent"))
    assert found["exam"] == "MRI-240"


def test_every_reason_is_reached() -> None:
    wanted = {
        case[1].partition(" ")[2] or "none" for group in (GOLDEN, MORE, DANGEROUS) for case in group.values()
    }
    assert wanted == {
        "none", "baseline-missing", "baseline-not-loaded", "therapy-not-recorded", "contradiction", "treated-or-not",
        "treated-undated", "operation-undated", "undated",
        "not-reported", "identity", "quality", "indeterminate", "zero-size", "incomplete-record", "local-recurrence",
        "no-restaging",
    }  # fmt: skip
