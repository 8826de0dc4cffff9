"""Timeline documents made by hand: of any size, with every kind of cell, or hostile."""

from __future__ import annotations

from datetime import date, timedelta
from typing import Any

KINDS = (
    "seen",
    "sought-not-seen",
    "indeterminate",
    "not-assessed",
    "not-mentioned",
    "not-read",
    "contradicted",
)
SEGMENTS = ("I", "II", "III", "IVa", "IVb", "V", "VI", "VII", "VIII")
STATUSES = ("VISIBLE", "APPARENT_DLM", "CANNOT_DECIDE", "TREATED", "CONFIRMED_DLM", "SMALL_RESIDUAL")
FIRST = date(2024, 1, 8)
HOSTILE = "<img src=x onerror=\"document.title='broken'\"><script>document.title='broken'</script>"


def day(number: int) -> str:
    return (FIRST + timedelta(days=28 * number)).isoformat()


def study(number: int, modality: str = "CT", **changes: Any) -> dict[str, Any]:
    return {
        "id": f"ImagingStudy/s{number}",
        "label": f"{modality} {day(number)}",
        "day": day(number),
        "dayLast": None,
        "modality": modality,
        "modalityText": modality,
        "agent": "gadoxetate" if modality == "MRI" else None,
        "title": None,
        "final": True,
        "liver": True,
        "synthetic": False,
        "unmatched": 0,
        "adequacy": {"value": "adequate"},
        "grade": "weak",
        "gradeReason": None,
        "sources": [f"ImagingStudy/s{number}"],
        **changes,
    }


def cell(visibility: str, mm: float | None = None, **changes: Any) -> dict[str, Any]:
    said = {"visibility": visibility, "text": visibility, "mm": mm, "exact": True, "tooSmall": False}
    return {
        **said,
        "sizeText": None,
        "notes": [],
        "sources": ["Observation/o1"],
        "statements": [said] if visibility not in ("not-mentioned", "not-read") else [],
        **changes,
    }


def lesion(number: int, cells: dict[str, Any], **changes: Any) -> dict[str, Any]:
    segment = SEGMENTS[number % len(SEGMENTS)]
    return {
        "id": f"BodyStructure/l{number}",
        "label": f"L{number + 1}",
        "segment": segment,
        "segments": [segment],
        "status": STATUSES[number % len(STATUSES)],
        "statusText": STATUSES[number % len(STATUSES)].lower().replace("_", " "),
        "reasons": [{"code": "r", "text": "a reason"}],
        "asOf": None,
        "flags": {},
        "depthMm": 12,
        "marker": number % 4 == 1,
        "markerMigrated": None,
        "inPlannedSpecimen": number % 3 == 1,
        "inFutureRemnant": None,
        "targetRole": None,
        "disposition": None,
        "treated": [],
        "baseline": {"mm": 20, "day": day(0), "modality": "CT", "study": "ImagingStudy/s0"},
        "lastSeen": None,
        "lastSaid": None,
        "landmarks": [
            {
                "modality": "CT",
                "baseline": None,
                "nadir": None,
                "prior": None,
                "latest": {
                    "study": "s",
                    "day": day(0),
                    "visibility": ("seen", "sought-not-seen")[number % 2],
                    "mm": None,
                },
            }
        ],
        "events": [],
        "cells": cells,
        "changes": [],
        "measures": [],
        "openAdvice": [],
        **changes,
    }


def card(**changes: Any) -> dict[str, Any]:
    return {
        "card": {
            "uuid": "u1",
            "summary": "Look again before watching",
            "detail": "| a | b |\n|---|--:|\n| 1 | 2 |",
            "indicator": "critical",
            "source": {"label": "Vestige"},
            "suggestions": [{"label": "Order MRI", "uuid": "s1", "isRecommended": True}],
        },
        "family": "F3",
        "topic": "F3",
        "rules": ["DA-10"],
        "subjects": ["BodyStructure/l0"],
        "weighed": True,
        "evidenceFor": ["**Half** of them come back (Someone 2006)."],
        "evidenceAgainst": [],
        "missing": ["L1: a statement. Radiology can add it."],
        "parameters": [
            {
                "name": "soon",
                "title": "an MRI may be awaited",
                "value": 28,
                "unit": "d",
                "site": True,
                "source": "site setting",
            }
        ],
        "sources": ["Observation/o1"],
        **changes,
    }


def document(lesions: list[dict[str, Any]], studies: list[dict[str, Any]], **changes: Any) -> dict[str, Any]:
    return {
        "schema": 1,
        "language": "en",
        "writes": "download",
        "patient": {"id": "p1", "display": "Vestige Sample-Grid", "birthDate": "1960-01-01"},
        "today": "2026-11-16",
        "patientStatus": {"value": "SOME_DISAPPEARED", "certainty": None},
        "studies": studies,
        "treatments": [],
        "lesions": lesions,
        "waterfall": [],
        "recist": {
            "partialResponsePercent": -30,
            "progressionPercent": 20,
            "progressionMm": 5,
            "maxTargets": 5,
            "maxTargetsPerOrgan": 2,
            "note": None,
            "targetSum": None,
            "lesionSum": None,
            "recorded": [],
        },
        "cea": [],
        "theatre": [
            f"{one['label']}: segment {one['segment']}; depth 12 mm; 20 mm before treatment; "
            f"last seen 11 mm, CT {day(3)}; not seen, unconfirmed"
            for one in lesions
        ],
        "cards": [],
        "findings": [],
        "gaps": [],
        "notUsed": [],
        "notes": [],
        "rulePack": {
            "id": "crlm",
            "version": "1",
            "revision": "abc",
            "engines": [],
            "refused": [],
            "alarms": [],
        },
        "undecided": False,
        "unread": False,
        **changes,
    }


def grid(lesions: int, studies: int) -> dict[str, Any]:
    """Returns a patient with so many lesions and studies, every kind of cell among them."""
    looks = [study(n, ("CT", "MRI")[n % 2]) for n in range(studies)]
    made = []
    for number in range(lesions):
        said = [KINDS[(number + n) % len(KINDS)] if n else "seen" for n in range(studies)]
        sizes = [20 + number - n / 2 if one == "seen" else None for n, one in enumerate(said)]
        cells = {look["id"]: cell(one, mm) for look, one, mm in zip(looks, said, sizes, strict=True)}
        made.append(lesion(number, cells, changes=[change("CT", looks[::2], said[::2], sizes[::2])]))
    doses = [
        {
            "kind": "cycle",
            "day": (FIRST + timedelta(days=14 * n + 3)).isoformat(),
            "dayLast": None,
            "text": "fluorouracil, oxaliplatin",
            "status": "done",
            "lesions": [],
            "continuous": False,
            "draft": False,
            "sources": [],
        }
        for n in range(2 * studies - 2)
    ]
    values = [cea(n, 30 - n) for n in range(studies)]
    falls = [fall(n, 20 - 7 * n) for n in range(lesions)]
    return document(made, looks, treatments=doses, cea=values, waterfall=falls, cards=[card()])


def change(
    modality: str, looks: list[dict[str, Any]], said: list[str], sizes: list[float | None]
) -> dict[str, Any]:
    """Returns one spider line, in per cent of its first size."""
    base = next(mm for mm in sizes if mm is not None)
    points = [
        {
            "study": look["id"],
            "day": look["day"],
            "visibility": one,
            "mm": mm,
            "percent": None if mm is None else round(100 * (mm - base) / base, 1),
            "nadir": False,
        }
        for look, one, mm in zip(looks, said, sizes, strict=True)
    ]
    return {
        "modality": modality,
        "baseline": {"study": "s", "day": points[0]["day"], "mm": base},
        "points": points,
    }


def cea(number: int, value: float | None, **changes: Any) -> dict[str, Any]:
    return {
        "day": day(number),
        "value": value,
        "unit": "ng/mL",
        "comparator": None,
        "limit": 5,
        "rejected": None,
        "source": f"Observation/c{number}",
        **changes,
    }


def fall(number: int, percent: float) -> dict[str, Any]:
    return {
        "lesion": f"BodyStructure/l{number}",
        "modality": "CT",
        "fromDay": day(0),
        "toDay": day(4),
        "fromMm": 20,
        "toMm": 20 + percent / 5,
        "deltaMm": percent / 5,
        "percent": percent,
    }


def followed(said: list[str], sizes: list[float | None]) -> dict[str, Any]:
    """Returns one lesion on CT over as many studies."""
    looks = [study(n) for n in range(len(said))]
    cells = {look["id"]: cell(one, mm) for look, one, mm in zip(looks, said, sizes, strict=True)}
    return document([lesion(0, cells, changes=[change("CT", looks, said, sizes)])], looks)


def hostile() -> dict[str, Any]:
    """Returns a patient whose every text carries markup."""
    made = grid(3, 4)
    made["patient"]["display"] = HOSTILE
    for one in made["lesions"]:
        one["label"] += HOSTILE
        one["statusText"] = HOSTILE
        one["reasons"] = [{"code": "r", "text": HOSTILE}]
        one["openAdvice"] = [
            {"card": 0, "indicator": "critical", "family": "F3", "summary": HOSTILE, "rules": []}
        ]
    for one in made["studies"]:
        one["modalityText"] = one["agent"] = HOSTILE
    made["treatments"][0]["text"] = HOSTILE
    made["gaps"] = [
        {"resource": HOSTILE, "reason": "r", "reasonText": HOSTILE, "detail": HOSTILE, "decisive": True}
    ]
    made["theatre"] = [HOSTILE, "[bad](javascript:alert(1)) ![x](https://elsewhere.example/x.png)"]
    detail = f"{HOSTILE}\n\n[bad](javascript:alert(1)) [good](https://example.org/)"
    sent = {**card()["card"], "summary": HOSTILE, "detail": detail}
    made["cards"] = [card(card=sent, evidenceFor=[HOSTILE], missing=[HOSTILE])]
    made["findings"] = [
        {
            "rule": HOSTILE,
            "case": None,
            "title": HOSTILE,
            "subject": None,
            "conclusion": HOSTILE,
            "indicator": "info",
            "family": None,
            "shown": "card",
            "hiddenBy": None,
            "resources": [],
        }
    ]
    return made
