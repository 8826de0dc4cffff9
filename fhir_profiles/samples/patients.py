"""The nine synthetic patients. Each function tells one story; what is to be found stands in
expected/NAME.yaml."""

from __future__ import annotations

from collections.abc import Callable
from datetime import date
from typing import Any, NamedTuple

from fhir_profiles.codes import (
    AttributeValue,
    Diagnosis,
    Disposition,
    Drug,
    Feature,
    FeatureValue,
    Intent,
    Measure,
    Operation,
    Reason,
)
from fhir_profiles.samples.person import Resource, component
from fhir_profiles.samples.story import Story, every


class Told(NamedTuple):
    """A story's end: its Bundle and the call."""

    bundle: dict[str, Any]
    hook: dict[str, Any]


class Patient(NamedTuple):
    """Name, title, the day the story is told for, and the story."""

    name: str
    title: str
    anchor: date
    tell: Callable[[], Told]


def ct_only_watch_and_wait() -> Told:
    """Three metastases no longer seen on CT and PET, no MRI ever; hepatectomy revoked, watch-and-wait
    drafted."""
    story = Story(1, "Sample-One", "Vestige", birth="1961-03-14", gender="male")
    story.colorectal("2026-04-13")
    story.performance("2026-04-27", 1)
    story.intent("2026-04-27", Intent.CONVERSION)
    lesions = [story.lesion("L1", "VI"), story.lesion("L2", "III"), story.lesion("L3", "VIII")]
    baseline = story.ct("2026-04-20", "CT liver, baseline")
    early = story.ct("2026-07-06", "CT liver, after cycle 5")
    for lesion, before, after in zip(lesions, (22, 14, 18), (11, 7, 9), strict=True):
        story.seen(lesion, baseline, before)
        story.seen(lesion, early, after)
    story.cycles(every(14, "2026-05-04", 8), Drug.OXALIPLATIN, Drug.FLUOROURACIL)
    story.review("2026-07-14")
    late = story.ct("2026-10-21", "CT liver, after cycle 8")
    pet = story.pet("2026-10-24", "FDG PET/CT, restaging")
    for lesion in lesions:
        story.gone(lesion, late)
        story.gone(lesion, pet)
    story.cea(("2026-04-27", "46"), ("2026-07-06", "18"), ("2026-09-01", "4.1"), ("2026-10-21", "2.9"))
    planned = story.order(
        Operation.PARTIAL_HEPATECTOMY,
        Operation.HEPATECTOMY,
        lesions=lesions,
        occurrenceDateTime="2026-11-10",
        authoredOn="2026-09-01",
    )
    story.revoked(planned, "2026-10-30")
    watch = _watch(story, lesions)
    return Told(story.bundle(), story.sign(watch))


def mri_visible_called_gone() -> Told:
    """A 6 mm remnant on hepatobiliary MRI, called gone on the strength of an earlier CT."""
    story = Story(2, "Sample-Two", "Vestige", birth="1957-09-02", gender="female")
    story.colorectal("2026-05-04", rectum=True)
    story.performance("2026-05-18", 0)
    story.intent("2026-05-18", Intent.CURATIVE)
    first, second, third = story.lesion("L1", "VII"), story.lesion("L2", "V"), story.lesion("L3", "II")
    scan, baseline = (
        story.ct("2026-05-08", "CT liver, baseline"),
        story.mri("2026-05-11", "MRI liver, baseline"),
    )
    for lesion, on_ct, on_mri in ((first, 24, 25), (second, 15, 16), (third, 28, 28)):
        story.seen(lesion, scan, on_ct)
        story.seen(lesion, baseline, on_mri)
    story.cycles(every(14, "2026-05-25", 6), Drug.IRINOTECAN, Drug.FLUOROURACIL, Drug.CETUXIMAB)
    story.review("2026-08-18")
    late = story.ct("2026-10-26", "CT liver, restaging")
    story.seen(first, late, 12)
    story.gone(second, late)
    story.seen(third, late, 15)
    mri = story.mri("2026-11-03", "MRI liver with gadoxetate, restaging")
    story.seen(first, mri, 12)
    story.seen(second, mri, 6)
    story.seen(third, mri, 14)
    story.cea(("2026-05-11", "31"), ("2026-08-10", "9.4"), ("2026-11-03", "4.2"))
    story.disposition(first, "2026-11-10", Disposition.RESECT)
    story.disposition(third, "2026-11-10", Disposition.RESECT)
    return Told(story.bundle(), story.sign(_watch(story, [second])))


def mri_confirmed_hepatectomy() -> Told:
    """A right hepatectomy is booked; a left-sided site vanished on adequate MRI and no ultrasound is
    planned."""
    story = Story(3, "Sample-Three", "Vestige", birth="1966-01-23", gender="male")
    story.colorectal("2026-05-26")
    story.performance("2026-06-08", 0)
    story.intent("2026-06-08", Intent.CURATIVE)
    right = [story.lesion("L1", "VII"), story.lesion("L2", "VI"), story.lesion("L3", "VIII")]
    left = story.lesion("L4", "III")
    baseline = story.mri("2026-06-02", "MRI liver, baseline")
    early = story.ct("2026-08-03", "CT liver, after cycle 4")
    late = story.mri("2026-11-06", "MRI liver with gadoxetate, before operation")
    for lesion, sizes in zip(right, ((41, 30, 24), (26, 19, 14), (18, 14, 11)), strict=True):
        for study, mm in zip((baseline, early, late), sizes, strict=True):
            story.seen(lesion, study, mm)
    story.seen(left, baseline, 14)
    story.gone(left, early)
    story.gone(left, late)
    story.cycles(every(14, "2026-06-15", 6), Drug.OXALIPLATIN, Drug.FLUOROURACIL)
    story.cea(("2026-06-02", "22"), ("2026-08-03", "8.5"), ("2026-11-06", "3.4"))
    story.review("2026-11-10")
    order = story.order(
        Operation.PARTIAL_HEPATECTOMY,
        Operation.HEPATECTOMY,
        lesions=right,
        occurrenceDateTime="2026-12-01",
        authoredOn="2026-11-11",
        orderDetail=[{"text": "Right hepatectomy"}],
    )
    story.appointment(order, "2026-12-01", "Right hepatectomy")
    for lesion in right:
        story.membership(lesion, "2026-11-11", inside=True)
        story.disposition(lesion, "2026-11-11", Disposition.RESECT)
    story.membership(left, "2026-11-11", inside=False)
    story.attributes(left, "2026-11-06", depth=24)
    return Told(story.bundle(), story.view())


def ceious_negative_deep_site() -> Told:
    """Two metastases resected yesterday; a deep third, gone on MRI, was not found with contrast
    ultrasound."""
    story = Story(4, "Sample-Four", "Vestige", birth="1959-07-30", gender="female")
    story.colorectal("2026-04-28")
    story.performance("2026-05-11", 1)
    story.intent("2026-05-11", Intent.CURATIVE)
    first, second, deep = story.lesion("L1", "VI"), story.lesion("L2", "IVb"), story.lesion("L6", "VIII")
    baseline = story.mri("2026-05-04", "MRI liver, baseline")
    middle = story.mri("2026-08-17", "MRI liver, after cycle 6")
    before = story.mri("2026-10-26", "MRI liver with gadoxetate, before operation")
    for lesion, sizes in ((first, (33, 22, 20)), (second, (21, 14, 13))):
        for study, mm in zip((baseline, middle, before), sizes, strict=True):
            story.seen(lesion, study, mm)
    story.seen(deep, baseline, 16)
    story.gone(deep, middle)
    story.gone(deep, before)
    story.cycles(every(14, "2026-05-18", 6), Drug.IRINOTECAN, Drug.FLUOROURACIL, Drug.PANITUMUMAB)
    story.cea(("2026-05-04", "64"), ("2026-08-17", "7.2"), ("2026-10-26", "3.1"))
    story.review("2026-11-02")
    story.attributes(deep, "2026-10-26", depth=42, extra=AttributeValue.SEGMENTECTOMY)
    story.membership(deep, "2026-11-02", inside=False)
    order = story.order(
        Operation.SEGMENT_RESECTION,
        Operation.HEPATECTOMY,
        lesions=[first, second],
        occurrenceDateTime="2026-11-16",
        authoredOn="2026-11-02",
    )
    order["status"] = "completed"
    operation = story.operation(
        "2026-11-16", "Resection of segment VI and of the site in segment IVb", Operation.SEGMENT_RESECTION,
        [first, second],
    )  # fmt: skip
    plain = story.ultrasound("2026-11-16", "Intraoperative ultrasound", "IOUS", operation)
    contrast = story.ultrasound("2026-11-16", "Intraoperative ultrasound with contrast", "CEIOUS", operation)
    for study in (plain, contrast):
        story.seen(first, study, 19)
        story.seen(second, study, 12)
        story.gone(deep, study)
    story.disposition(deep, "2026-11-16", Disposition.LEFT_IN_SITU)
    return Told(story.bundle(), story.view())


def report_silent() -> Told:
    """The report of the last MRI does not mention L3; a liver operation is booked."""
    story = Story(5, "Sample-Five", "Vestige", birth="1963-11-08", gender="male")
    story.colorectal("2026-06-01")
    story.performance("2026-06-15", 1)
    story.intent("2026-06-15", Intent.CURATIVE)
    seen = [story.lesion("L1", "II"), story.lesion("L2", "V"), story.lesion("L4", "VIII")]
    silent = story.lesion("L3", "VI")
    baseline = story.mri("2026-06-09", "MRI liver, baseline")
    early = story.ct("2026-08-24", "CT liver, after cycle 5")
    late = story.mri("2026-11-04", "MRI liver with gadoxetate, before operation")
    for lesion, sizes in zip(seen, ((25, 18, 14), (19, 14, 12), (22, 16, 13)), strict=True):
        for study, mm in zip((baseline, early, late), sizes, strict=True):
            story.seen(lesion, study, mm)
    story.seen(silent, baseline, 15)
    story.gone(silent, early)
    story.cycles(every(14, "2026-06-22", 6), Drug.OXALIPLATIN, Drug.FLUOROURACIL)
    story.cea(("2026-06-09", "12"), ("2026-08-24", "6.1"), ("2026-11-04", "3.0"))
    story.review("2026-11-09")
    order = story.order(
        Operation.LESION_EXCISION,
        Operation.HEPATECTOMY,
        lesions=seen,
        occurrenceDateTime="2026-11-30",
        authoredOn="2026-11-10",
    )
    story.appointment(order, "2026-11-30", "Parenchyma-sparing liver resections")
    for lesion in seen:
        story.disposition(lesion, "2026-11-10", Disposition.RESECT)
    return Told(story.bundle(), story.view())


def heterogeneous_response() -> Told:
    """One metastasis shrinks by 6 mm, another grows by 4 mm; the sum hides both."""
    story = Story(6, "Sample-Six", "Vestige", birth="1970-05-19", gender="female")
    story.colorectal("2026-07-13")
    story.performance("2026-07-27", 0)
    story.intent("2026-07-27", Intent.CONVERSION)
    first, second, third = story.lesion("L1", "VII"), story.lesion("L2", "III"), story.lesion("L3", "V")
    mri = story.mri("2026-07-22", "MRI liver, baseline")
    baseline = story.ct("2026-07-20", "CT liver, baseline")
    late = story.ct("2026-10-05", "CT liver, after cycle 4")
    sizes = ((first, 30, 24, 31), (second, 18, 22, 18), (third, 21, 20, 21))
    for lesion, before, after, on_mri in sizes:
        story.seen(lesion, baseline, before)
        story.seen(lesion, mri, on_mri)
        story.seen(lesion, late, after)
    story.targets("2026-07-20", [first, second], [third])
    story.cycles(every(14, "2026-08-03", 4), Drug.IRINOTECAN, Drug.FLUOROURACIL)
    story.cea(("2026-07-20", "15"), ("2026-09-01", "13"), ("2026-10-05", "12"))
    story.review("2026-07-28")
    return Told(story.bundle(), story.view())


def bevacizumab_conspicuity() -> Told:
    """Under bevacizumab a metastasis stands out more but has not grown; an order to stop is drafted."""
    story = Story(7, "Sample-Seven", "Vestige", birth="1954-12-11", gender="male")
    story.colorectal("2026-07-06")
    story.performance("2026-07-20", 1)
    story.intent("2026-07-20", Intent.CONVERSION)
    first, second = story.lesion("L1", "VIII"), story.lesion("L2", "VI")
    mri = story.mri("2026-07-16", "MRI liver, baseline")
    baseline = story.ct("2026-07-14", "CT liver, baseline")
    late = story.ct("2026-10-06", "CT liver, after cycle 5")
    for lesion, before, on_mri in ((first, 24, 24), (second, 17, 18)):
        story.seen(lesion, baseline, before)
        story.seen(lesion, mri, on_mri)
    story.measure(first, baseline, Measure.ATTENUATION, 85, "[hnsf'U]")
    more = component(Feature.CONSPICUITY, valueCodeableConcept=FeatureValue.INCREASED.concept)
    same = component(Feature.CONSPICUITY, valueCodeableConcept=FeatureValue.SAME.concept)
    story.seen(first, late, 25, more)
    story.seen(second, late, 16, same)
    story.measure(first, late, Measure.ATTENUATION, 55, "[hnsf'U]")
    story.targets("2026-07-14", [first, second])
    story.cycles(every(14, "2026-07-27", 5), Drug.OXALIPLATIN, Drug.FLUOROURACIL, Drug.BEVACIZUMAB)
    story.cea(("2026-07-14", "28"), ("2026-09-01", "21"), ("2026-10-06", "19"))
    story.review("2026-07-21")
    stop = {
        "resourceType": "MedicationRequest",
        "id": "vestige-7-draft-stop",
        "status": "draft",
        "intent": "order",
        "doNotPerform": True,
        "medicationCodeableConcept": Drug.BEVACIZUMAB.concept,
        "subject": {"reference": f"Patient/{story.patient['id']}"},
        "authoredOn": "2026-10-12",
    }
    return Told(story.bundle(), story.sign(stop))


def cea_discordant() -> Told:
    """Every metastasis gone on adequate MRI, but the marker stays above its limit."""
    story = Story(8, "Sample-Eight", "Vestige", birth="1968-08-25", gender="female")
    story.colorectal("2026-06-08", rectum=True)
    story.performance("2026-06-22", 0)
    story.intent("2026-06-22", Intent.CURATIVE)
    lesions = [story.lesion("L1", "VI"), story.lesion("L2", "III"), story.lesion("L3", "VIII")]
    baseline = story.mri("2026-06-15", "MRI liver, baseline")
    middle = story.mri("2026-08-31", "MRI liver, after cycle 5")
    late = story.mri("2026-11-02", "MRI liver with gadoxetate, after cycle 8")
    for lesion, before, after in zip(lesions, (27, 15, 12), (12, 6, 6), strict=True):
        story.seen(lesion, baseline, before)
        story.seen(lesion, middle, after)
        story.gone(lesion, late)
    story.targets("2026-06-15", lesions[:2], lesions[2:])
    story.cycles(every(14, "2026-06-29", 8), Drug.OXALIPLATIN, Drug.FLUOROURACIL)
    story.cea(("2026-06-15", "38"), ("2026-08-31", "21"), ("2026-11-02", "14"))
    return Told(story.bundle(), story.view())


def nothing_to_say() -> Told:
    """A colon cancer without liver metastases in follow-up: there is nothing to say, and nothing is said."""
    story = Story(9, "Sample-Nine", "Vestige", birth="1972-02-06", gender="male")
    story.condition(Diagnosis.COLON, "2026-01-19", "Adenocarcinoma of the colon, resected")
    story.performance("2026-02-16", 0)
    story.ct("2026-02-02", "CT liver, staging")
    story.ct("2026-08-17", "CT liver, follow-up")
    story.cycles(every(21, "2026-03-02", 4), Drug.OXALIPLATIN, Drug.CAPECITABINE)
    story.cea(("2026-02-02", "3.1"), ("2026-05-18", "2.4"), ("2026-08-17", "2.2"), ("2026-11-09", "2.0"))
    return Told(story.bundle(), story.view())


def _watch(story: Story, lesions: list[Resource]) -> Resource:
    """The draft of a watch-and-wait order because the lesions are no longer seen."""
    return story.order(
        Disposition.WATCH_AND_WAIT,
        lesions=lesions,
        draft=True,
        authoredOn="2026-11-16",
        reasonCode=[Reason.DISAPPEARED.concept],
    )


PATIENTS = (
    Patient(
        "ct-only-watch-and-wait",
        "Gone on CT and PET only, watch-and-wait ordered",
        date(2026, 11, 16),
        ct_only_watch_and_wait,
    ),
    Patient(
        "mri-visible-called-gone",
        "A 6 mm remnant on MRI, called gone",
        date(2026, 11, 16),
        mri_visible_called_gone,
    ),
    Patient(
        "mri-confirmed-hepatectomy",
        "Gone on adequate MRI, hepatectomy booked without ultrasound",
        date(2026, 11, 16),
        mri_confirmed_hepatectomy,
    ),
    Patient(
        "ceious-negative-deep-site",
        "A deep site not found with contrast ultrasound at operation",
        date(2026, 11, 17),
        ceious_negative_deep_site,
    ),
    Patient(
        "report-silent",
        "The last report does not mention one metastasis",
        date(2026, 11, 16),
        report_silent,
    ),
    Patient(
        "heterogeneous-response",
        "One metastasis shrinks while another grows",
        date(2026, 10, 12),
        heterogeneous_response,
    ),
    Patient(
        "bevacizumab-conspicuity",
        "More conspicuous under bevacizumab, not larger, stop ordered",
        date(2026, 10, 12),
        bevacizumab_conspicuity,
    ),
    Patient(
        "cea-discordant",
        "All gone on MRI while the marker stays high",
        date(2026, 11, 16),
        cea_discordant,
    ),
    Patient(
        "nothing-to-say",
        "Colon cancer without liver metastases",
        date(2026, 11, 16),
        nothing_to_say,
    ),
)
