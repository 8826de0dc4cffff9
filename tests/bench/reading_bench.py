"""Times of reading: `python -m tests.bench.reading_bench [--rounds N] [--json]`.

100, 500 and 5,000 Observations of one synthetic patient go through the steps from FHIR to facts: `read` (resources
to records), `link` (the whole timeline, which includes reading, less the time of reading) and `facts`. All of the
Observations describe lesions in studies; with `--relevant 0.5` half are vital signs, laboratory values and other
things that do not bear on liver metastases. Times are milliseconds of processor time, each round on fresh copies, so that nothing is
remembered from one round to the next but what a running service remembers too.
"""

from __future__ import annotations

import argparse
import gc
import json
import math
import random
import time
from datetime import date, timedelta
from typing import Any
from zoneinfo import ZoneInfo

from cds_hooks.process import collect_seldom
from fhir_profiles.read import read
from plugin.chart import Chart
from plugin.facts import facts_of
from plugin.settings import Settings
from plugin.timeline import build

Resource = dict[str, Any]
SIZES = (100, 500, 5_000)
START = date(2021, 1, 4)
TODAY = date(2026, 10, 10)
UTC = ZoneInfo("UTC")
PATIENT = "bench-1"
LOCAL = "https://vestige.example/fhir/CodeSystem/crlm"
SCT, LOINC, DCM = "http://snomed.info/sct", "http://loinc.org", "http://dicom.nema.org/resources/ontology/DCM"
UCUM = "http://unitsofmeasure.org"
_SEGMENTS = ("277956007", "277957003", "277958008", "277959000", "277960005", "277961009", "277962002")
_VITALS = (
    ("8867-4", "Heart rate", "/min"),
    ("9279-1", "Respiratory rate", "/min"),
    ("8310-5", "Body temperature", "Cel"),
    ("29463-7", "Body weight", "kg"),
    ("718-7", "Hemoglobin", "g/dL"),
    ("2160-0", "Creatinine", "mg/dL"),
)


def concept(system: str, code: str, display: str) -> Resource:
    """Returns a CodeableConcept."""
    return {"coding": [{"system": system, "code": code, "display": display}], "text": display}


def to(kind: str, own: str) -> Resource:
    """Returns a reference."""
    return {"reference": f"{kind}/{own}"}


def patient(
    observations: int, *, relevant: float = 0.5, seed: int = 1, lesions: int | None = None
) -> list[Resource]:
    """Returns the resources of one patient with so many Observations, in no particular order."""
    rng = random.Random(seed)
    wanted = round(observations * relevant)
    lesions = lesions or max(5, round(math.sqrt(observations) / 3))
    found: list[Resource] = [
        {"resourceType": "Patient", "id": PATIENT, "birthDate": "1958-03-02"},
        *(_lesion(number) for number in range(lesions)),
    ]
    findings: list[Resource] = []
    study = 0
    while len(findings) < wanted:
        day = START + timedelta(days=study * 30 if wanted < 1000 else study * 9)
        found += _study(study, day)
        findings.append(_adequacy(study, day))
        for lesion in range(lesions):
            findings += _seen(lesion, study, day, rng)
        study += 1
    found += findings[:wanted]
    found += [_other(number, rng) for number in range(observations - wanted)]
    found += [_dose(number) for number in range(12)]
    rng.shuffle(found)
    return found


def _observation(own: str, code: Resource, category: str, when: date, **more: Any) -> Resource:
    system = "http://terminology.hl7.org/CodeSystem/observation-category"
    return {
        "resourceType": "Observation",
        "id": own,
        "meta": {"versionId": "1", "lastUpdated": f"{when.isoformat()}T14:05:00Z"},
        "status": "final",
        "category": [{"coding": [{"system": system, "code": category}]}],
        "code": code,
        "subject": to("Patient", PATIENT),
        "effectiveDateTime": f"{when.isoformat()}T10:{sum(map(ord, own)) % 60:02}:00Z",
        **more,
    }


def _lesion(number: int) -> Resource:
    code = _SEGMENTS[number % len(_SEGMENTS)]
    return {
        "resourceType": "BodyStructure",
        "id": f"lesion-{number}",
        "patient": to("Patient", PATIENT),
        "location": concept(SCT, code, "Couinaud segment"),
        "identifier": [
            {
                "type": concept(DCM, "112040", "Tracking Unique Identifier"),
                "system": "urn:dicom:uid",
                "value": f"urn:oid:2.25.{number + 1}",
            }
        ],
    }


def _study(number: int, day: date) -> list[Resource]:
    own = f"study-{number}"
    study = {
        "resourceType": "ImagingStudy",
        "id": own,
        "status": "available",
        "subject": to("Patient", PATIENT),
        "started": f"{day.isoformat()}T10:00:00Z",
        "modality": [{"system": DCM, "code": "MR" if number % 2 else "CT"}],
    }
    report = {
        "resourceType": "DiagnosticReport",
        "id": f"report-{number}",
        "status": "final",
        "code": {"text": "report"},
        "subject": to("Patient", PATIENT),
        "imagingStudy": [to("ImagingStudy", own)],
        "effectiveDateTime": day.isoformat(),
    }
    return [study, report]


def _adequacy(study: int, day: date) -> Resource:
    parts = [
        {
            "code": concept(LOCAL, "contrast-agent", "Contrast agent"),
            "valueCodeableConcept": concept(SCT, "716020005", "x"),
        },
        {"code": concept(LOCAL, "hepatobiliary-phase", "Hepatobiliary phase"), "valueBoolean": True},
        {"code": concept(LOCAL, "diffusion-weighted-imaging", "Diffusion"), "valueBoolean": True},
    ]
    return _observation(
        f"adequacy-{study}",
        concept(LOCAL, "exam-adequacy", "Adequacy"),
        "imaging",
        day,
        valueCodeableConcept=concept(LOCAL, "adequate", "Adequate"),
        partOf=[to("ImagingStudy", f"study-{study}")],
        component=parts,
    )


def _seen(lesion: int, study: int, day: date, rng: random.Random) -> list[Resource]:
    where = {
        "focus": [to("BodyStructure", f"lesion-{lesion}")],
        "partOf": [to("ImagingStudy", f"study-{study}")],
        "method": concept(SCT, "113091000" if study % 2 else "77477000", "method"),
        "bodySite": concept(SCT, _SEGMENTS[lesion % len(_SEGMENTS)], "Couinaud segment"),
    }
    seen = rng.random() < 0.8
    value = concept(SCT, "52101004", "Present") if seen else concept(SCT, "260415000", "Not detected")
    said = _observation(
        f"seen-{study}-{lesion}",
        concept(LOCAL, "lesion-visibility", "Visibility"),
        "imaging",
        day,
        valueCodeableConcept=value,
        **where,
    )
    if not seen:
        return [said]
    mm = {
        "code": concept(LOINC, "33728-7", "Size.maximum dimension"),
        "valueQuantity": {"value": rng.randint(40, 400) / 10, "unit": "mm", "system": UCUM, "code": "mm"},
    }
    size = _observation(
        f"size-{study}-{lesion}",
        concept(LOINC, "21889-1", "Size Tumor"),
        "imaging",
        day,
        component=[mm],
        **where,
    )
    return [said, size]


def _other(number: int, rng: random.Random) -> Resource:
    code, display, unit = _VITALS[number % len(_VITALS)]
    return _observation(
        f"other-{number}",
        concept(LOINC, code, display),
        "vital-signs" if number % 6 < 4 else "laboratory",
        START + timedelta(days=number % 2000),
        valueQuantity={"value": rng.randint(1, 200), "unit": unit, "system": UCUM, "code": unit},
    )


def _dose(number: int) -> Resource:
    return {
        "resourceType": "MedicationAdministration",
        "id": f"dose-{number}",
        "status": "completed",
        "subject": to("Patient", PATIENT),
        "medicationCodeableConcept": concept(
            "http://www.nlm.nih.gov/research/umls/rxnorm", "32592", "oxaliplatin"
        ),
        "effectiveDateTime": (START + timedelta(days=100 + 14 * number)).isoformat(),
    }


def measure(observations: int, rounds: int, relevant: float = 1.0) -> dict[str, list[float]]:
    """Returns the times of each step in each round, in milliseconds."""
    settings = Settings()
    times: dict[str, list[float]] = {"read": [], "link": [], "facts": [], "total": []}
    written = json.dumps(patient(observations, relevant=relevant))
    for number in range(rounds + 1):
        resources = json.loads(written)
        gc.collect()
        start = time.process_time()
        for each in resources:
            read(each, base=None, timezone=UTC)
        between = time.process_time()
        timeline = build(Chart(patient_id=PATIENT, resources=tuple(resources)), today=TODAY, timezone=UTC)
        built = time.process_time()
        facts_of(timeline, today=TODAY, settings=settings)
        done = time.process_time()
        if number:  # the first round fills what a running service holds anyway
            times["read"].append((between - start) * 1000)
            times["link"].append((built - between - (between - start)) * 1000)
            times["facts"].append((done - built) * 1000)
            times["total"].append((done - between) * 1000)
    return times


def at(times: list[float], share: float) -> float:
    """Returns the time that so large a share of the rounds stays within."""
    ordered = sorted(times)
    return ordered[min(len(ordered) - 1, math.ceil(share * len(ordered)) - 1)]


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--rounds", type=int, default=40)
    parser.add_argument(
        "--relevant", type=float, default=1.0, help="share of Observations that describe lesions"
    )
    parser.add_argument("--json", action="store_true")
    options = parser.parse_args()
    # The collector as the service has it.
    gc.collect()
    gc.freeze()
    collect_seldom()
    table = {}
    for size in SIZES:
        rounds = max(5, options.rounds * 500 // max(size, 500))
        times = measure(size, rounds, options.relevant)
        table[size] = {step: {"p50": at(each, 0.5), "p99": at(each, 0.99)} for step, each in times.items()}
    if options.json:
        print(json.dumps(table))
        return
    print("Observations  " + "  ".join(f"{step:>15}" for step in table[SIZES[0]]) + "   (p50 / p99, ms)")
    for size, row in table.items():
        print(f"{size:12}  " + "  ".join(f"{v['p50']:7.2f}/{v['p99']:7.2f}" for v in row.values()))


if __name__ == "__main__":
    main()
