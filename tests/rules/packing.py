"""Small rule packs written for one test."""

from __future__ import annotations

import textwrap
from collections.abc import Mapping
from pathlib import Path
from typing import Any

from rules.language import load_pack
from rules.language.model import Pack

TINY = Path(__file__).parent / "packs" / "tiny"

HEAD = 'id: test\ntitle: For one test\nversion: "1"\n'

FACTS = """\
kinds:
  lesion:
    title: A lesion
    input: true
    unique: id
    properties:
      id: {type: id, required: true}
      nature: {type: code, values: [metastasis, benign]}
      base: {type: decimal, unit: mm}
  sighting:
    title: A sighting
    input: true
    properties:
      id: {type: id, required: true}
      lesion: {type: id, required: true}
      vis: {type: code, values: [visible, gone]}
      grade: {type: code, values: [visible, gone, doubtful]}
      mm: {type: decimal, unit: mm}
      now: {type: decimal}
      day: {type: date}
      slices: {type: int}
      sure: {type: yesno}
      exam: {type: id}
  patient:
    title: The patient
    input: true
    unique: true
    properties:
      today: {type: date, required: true}
  out:
    title: Something given
    shown: true
    properties:
      lesion: {type: id, required: true}
      mm: {type: decimal}
      n: {type: int}
      day: {type: date}
      flag: {type: yesno}
      vis: {type: code, values: [visible, gone]}
  single:
    title: One for each lesion
    unique: lesion
    shown: true
    properties:
      lesion: {type: id, required: true}
      mm: {type: decimal}
"""

PARAMETERS = """\
parameters:
  ratio: {value: 0.7, unit: "1", valid-from: 2026-01-01, source: made up, default: true}
  window: {value: 28, unit: d, valid-from: 2026-01-01, source: made up, read: true}
"""

EVIDENCE = """\
evidence:
  E1: {citation: A made-up study, read: true, reading: text, result: nothing}
  E2: {citation: Another made-up study}
"""

RULE = """\
rules:
  - id: BASE
    title: Something is given
    stratum: 1
    when:
      - sighting S: {vis: visible}
    then: {out: {lesion: = S.lesion}}
"""


def write_pack(folder: Path, statements: str = RULE, **files: str) -> Path:
    """Writes a pack whose files are the given texts, or plain ones; `statements` fills one file of rules."""
    texts: Mapping[str, str] = {
        "pack": HEAD,
        "facts": FACTS,
        "parameters": PARAMETERS,
        "evidence": EVIDENCE,
        **files,
    }
    for name, text in texts.items():
        (folder / f"{name}.yaml").write_text(text, encoding="utf-8")
    (folder / "statements").mkdir(exist_ok=True)
    (folder / "statements" / "a.yaml").write_text(statements, encoding="utf-8")
    return folder


def rules_text(snippet: str) -> str:
    """Returns one or more statements, written without the list's indentation, as a file."""
    return "rules:\n" + textwrap.indent(textwrap.dedent(snippet).strip("\n"), "  ") + "\n"


def pack_of(folder: Path, snippet: str, site: Mapping[str, Any] | None = None, **files: str) -> Pack:
    """Returns the pack with these statements."""
    return load_pack(write_pack(folder, rules_text(snippet), **files), **(site or {}))
