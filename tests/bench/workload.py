"""Two made-up workloads of 80 statements on invented lesions.

The layered one has the shapes of the packaged rules: derivations, rules with and without `unless` and decision lists
in six strata; every fact leads to three or four conclusions. The flat one has rules alone, half on one fact and half
joining two, a third of them with `unless`, in one stratum; a hundred facts lead to some fifty conclusions.
"""

from __future__ import annotations

import datetime
import random
from decimal import Decimal
from pathlib import Path

from rules.facts import Fact, Value

DAY = datetime.date(2026, 1, 1)

KINDS = """kinds:
  patient:
    title: The patient
    input: true
    unique: true
    properties:
      today: {type: date, required: true}
      msi: {type: code, values: [high, stable]}
  lesion:
    title: A lesion
    input: true
    unique: id
    properties:
      id: {type: id, required: true}
      segment: {type: code, values: [II, III, IV, V, VI, VII, VIII]}
      baseline: {type: decimal, unit: mm}
      treated: {type: yesno}
  sighting:
    title: What one study says of one lesion
    input: true
    properties:
      id: {type: id, required: true}
      lesion: {type: id, required: true}
      exam: {type: id}
      modality: {type: code, values: [CT, MRI, US]}
      visibility: {type: code, values: [visible, not-visible, indeterminate]}
      mm: {type: decimal, unit: mm}
      day: {type: date, required: true}
      strong: {type: yesno}
  dose:
    title: A dose
    input: true
    properties:
      day: {type: date, required: true}
      agent: {type: code, values: [oxaliplatin, irinotecan]}
"""


def _kind(name: str, properties: str) -> str:
    return f"  {name}:\n    title: Made up\n    shown: true\n    unique: lesion\n    properties: {{{properties}}}\n"


def write_workload(folder: Path) -> None:
    """Writes the pack."""
    kinds, statements = [KINDS], ["rules:"]
    for n in range(12):
        modality = ("CT", "MRI", "US")[n % 3]
        kinds.append(
            _kind(f"first{n}", "lesion: {type: id, required: true}, day: {type: date}, mm: {type: decimal}")
        )
        statements.append(f"""  - id: D{n}
    title: A derivation
    stratum: 1
    each: lesion L
    from: {{sighting S: {{lesion: = L.id, modality: {modality}, visibility: {"visible" if n % 2 else "not-visible"}}}}}
    give: {{first{n}: {{lesion: = L.id, day: {"min" if n < 6 else "max"} S.day, mm: max S.mm}}}}""")
    for n in range(8):
        kinds.append(
            _kind(f"best{n}", "lesion: {type: id, required: true}, mm: {type: decimal}, day: {type: date}")
        )
        statements.append(f"""  - id: P{n}
    title: A choice
    stratum: 1
    each: lesion L
    from: {{sighting S: {{lesion: = L.id, modality: [CT, MRI]}}}}
    pick: ["S.strong is yes", "S.day {"latest" if n % 2 else "earliest"}", "S.mm largest"]
    give: {{best{n}: {{lesion: = L.id, mm: = S.mm, day: = S.day}}}}""")
    for n in range(20):
        statements.append(f"""  - id: R{n}
    title: A rule on one stratum
    stratum: {2 + n % 2}
    when:
      - best{n % 8} B: {{mm: "> {n % 10}"}}
      - first{n % 12} F: {{lesion: = B.lesion, day: "< B.day - {n}"}}
    unless:
      - sighting X: {{lesion: = B.lesion, day: "> B.day", visibility: visible, mm: "> B.mm"}}
    subject: = B.lesion
    conclusion: c{n}
    indicator: info
    hooks: [all]
    say: {{mm: = B.mm, day: = F.day}}""")
    for n in range(10):
        kinds.append(
            _kind(f"status{n}", "lesion: {type: id, required: true}, value: {type: code, values: [A, B, C]}")
        )
        statements.append(f"""  - id: S{n}
    title: A decision list
    stratum: 4
    each: lesion L
    cases:
      - id: a
        when: [{{lesion M: {{id: = L.id, treated: yes}}}}]
        then: {{status{n}: {{lesion: = L.id, value: A}}}}
      - id: b
        when: [{{best{n % 8} B: {{lesion: = L.id, mm: "<= 0.7 * L.baseline"}}}}]
        unless: [{{first{n} F: {{lesion: = L.id, day: "> B.day"}}}}]
        then: {{status{n}: {{lesion: = L.id, value: B}}}}
      - id: c
        then: {{status{n}: {{lesion: = L.id, value: C}}}}""")
    for n in range(30):
        statements.append(f"""  - id: A{n}
    title: Advice
    stratum: {5 + n % 2}
    when:
      - status{n % 10} T: {{value: {"ABC"[n % 3]}}}
      - lesion L: {{id: = T.lesion, segment: [II, III, {"IV" if n % 2 else "V"}]}}
      - patient P: {{}}
    unless:
      - dose D: {{day: "> P.today - {n}"}}
    subject: = L.id
    conclusion: a{n}
    indicator: warning
    hooks: [all]""")
    (folder / "statements").mkdir()
    (folder / "pack.yaml").write_text('id: bench\ntitle: A workload\nversion: "1"\n')
    (folder / "facts.yaml").write_text("".join(kinds))
    (folder / "statements" / "all.yaml").write_text("\n".join(statements) + "\n")


def write_flat(folder: Path) -> None:
    """Writes the pack of rules alone."""
    statements = ["rules:"]
    for n in range(40):
        modality, low = ("CT", "MRI", "US")[n % 3], 2 + n * 38 // 40
        statements.append(f"""  - id: O{n}
    title: A rule on one fact
    stratum: 1
    when:
      - sighting S: {{modality: {modality}, visibility: visible, mm: ">= {low} and < {low + 2}"}}{_unless(n)}
    subject: = S.lesion
    conclusion: o{n}
    indicator: info
    hooks: [all]
    say: {{mm: = S.mm}}""")
    for n in range(40):
        statements.append(f"""  - id: J{n}
    title: A rule that joins two facts
    stratum: 1
    when:
      - sighting S: {{modality: MRI, visibility: not-visible, day: "> 2025-0{1 + n % 9}-15"}}
      - sighting T: {{lesion: = S.lesion, modality: CT, visibility: visible, day: "> S.day", mm: "> {34 + n % 6}"}}{_unless(n)}
    subject: = S.lesion
    conclusion: j{n}
    indicator: warning
    hooks: [all]
    say: {{mm: = T.mm, day: = S.day}}""")
    (folder / "statements").mkdir()
    (folder / "pack.yaml").write_text('id: bench\ntitle: A workload\nversion: "1"\n')
    (folder / "facts.yaml").write_text(KINDS)
    (folder / "statements" / "all.yaml").write_text("\n".join(statements) + "\n")


def _unless(number: int) -> str:
    if number % 3:
        return ""
    return '\n    unless:\n      - sighting X: {lesion: = S.lesion, day: "> S.day", strong: yes}'


def make_facts(count: int, rng: random.Random) -> list[Fact]:
    """Returns invented facts: a tenth lesions, a few doses, the rest sightings."""
    lesions = max(1, count // 10)
    found = [Fact("patient", {"today": DAY}, ("p",))]
    for n in range(lesions):
        values: dict[str, Value] = {
            "id": f"L{n}",
            "segment": rng.choice(["II", "V", "VII"]),
            "baseline": Decimal(rng.randint(50, 400)) / 10,
        }
        found.append(Fact("lesion", values, (f"l{n}",)))
    for n in range(max(1, count // 20)):
        found.append(Fact("dose", {"day": DAY - datetime.timedelta(days=rng.randint(10, 200))}, (f"d{n}",)))
    for n in range(count - len(found)):
        values = {
            "id": f"S{n}",
            "lesion": f"L{n % lesions}",
            "exam": f"E{n // lesions}",
            "modality": rng.choice(["CT", "CT", "MRI"]),
            "visibility": rng.choice(["visible", "visible", "not-visible", "indeterminate"]),
            "mm": Decimal(rng.randint(10, 400)) / 10,
            "day": DAY - datetime.timedelta(days=30 * (n // lesions)),
            "strong": rng.choice(["yes", "no", "unknown"]),
        }
        found.append(Fact("sighting", values, (f"s{n}",)))
    return found
