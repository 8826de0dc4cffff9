"""`vestige rules check` on packs that load and are wrong all the same."""

from __future__ import annotations

from pathlib import Path

import pytest
from typer.testing import CliRunner

from cds_hooks.cli.rules import app
from rules.catalogue import catalogue_of
from rules.language import load_pack
from tests.rules.packing import write_pack
from tests.rules.test_lint import FULL

STATEMENTS = "rules:\n" + "\n".join(f"  {line}" for line in FULL.splitlines())
REGISTERS = {
    "parameters": "parameters:\n  ratio: {value: 0.7, unit: mm, valid-from: 2026-01-01, source: s, read: true}\n",
    "facts": """kinds:
  sighting:
    title: A sighting
    input: true
    properties:
      id: {type: id, required: true}
      lesion: {type: id, required: true}
      vis: {type: code, values: [visible, gone]}
      mm: {type: decimal, unit: mm}
  out: {title: Out, shown: true, properties: {lesion: {type: id, required: true}}}
""",
}


def check(folder: Path) -> tuple[int, str]:
    result = CliRunner().invoke(app, ["check", "--pack", str(folder)])
    return result.exit_code, " ".join(result.output.split())


def test_a_pack_in_order(tmp_path: Path) -> None:
    code, told = check(write_pack(tmp_path, STATEMENTS, **REGISTERS))
    assert (code, told.split(",")[0]) == (0, "no problem")


def test_a_promise_that_checks_alone_keep(tmp_path: Path) -> None:
    folder = write_pack(tmp_path, STATEMENTS, **REGISTERS, catalogue="catalogue:\n  X: {checks: [x]}\n")
    assert check(folder)[0] == 0
    (entry,) = catalogue_of(load_pack(folder))
    assert (entry.title, entry.rules, entry.checks) == ("X", (), ("x",))


@pytest.mark.parametrize(
    ("files", "words"),
    [
        ({"statements": STATEMENTS.replace("[all]", "[patient-veiw]")}, "did you mean 'patient-view'?"),
        ({"catalogue": "catalogue:\n  X: {rules: [TT]}\n"}, "X names no statement: TT"),
        ({"catalogue": "catalogue:\n  X: {title: nothing}\n"}, "X names neither rules nor checks"),
        ({"catalogue": "catalogue:\n  X: {rules: [T]}\n  X: {rules: [T]}\n"}, "the key 'X' occurs twice"),
        ({"catalogue": "catalogue:\n  X: 5\n"}, "catalogue.yaml:2: X must be a mapping"),
        ({"catalogue": "catalogue:\n  X: {rules: 5}\n"}, "catalogue.yaml:2: X must be a list"),
        ({"catalogue": "catalogue:\n  X: {rules: T}\n"}, "X must be a list"),
        ({"catalogue": "catalogue:\n  X: {rules: }\n"}, "X names neither rules nor checks"),
        ({"catalogue": "catalogue:\n  X: {checks: yes}\n"}, "'checks' of X must be a list"),
        ({"catalogue": "catalogue:\n  X: [1, 2]\n"}, "X must be a mapping"),
        ({"catalogue": "catalogue:\n  X: {rules: [T], note: n}\n"}, "unknown key of X 'note'"),
        ({"catalogue": "catalogue:\n  X: {rules: [T]}\nfurther: [TT]\n"}, "catalogue.yaml:3: 'further' names no statement: TT"),
        ({"catalogue": "catalogue:\n  X: {rules: [[T]]}\n"}, "X must be a text"),
        ({"catalogue": ""}, "catalogue.yaml must be a mapping"),
        ({"evidence": "evidence:\n  E1: {citation: c}\n  E2: {citation: c}\n  E3: {citation: c}\n"}, "no statement cites 'E3'"),
    ],
)  # fmt: skip
def test_what_is_told(tmp_path: Path, files: dict[str, str], words: str) -> None:
    code, told = check(write_pack(tmp_path, **{"statements": STATEMENTS, **REGISTERS, **files}))
    assert code == 1
    assert words in told
