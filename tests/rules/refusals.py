"""What the loader says of each wrong pack, in full: `python -m tests.rules.refusals` writes `refusals.txt` anew."""

from __future__ import annotations

import tempfile
from collections.abc import Iterator
from pathlib import Path

from rules.errors import PackError
from rules.language import load_pack
from tests.rules import test_hostile as hostile
from tests.rules import test_loader_errors as errors
from tests.rules.packing import rules_text, write_pack

RECORD = Path(__file__).with_name("refusals.txt")
SHOWN = 300

STATEMENT = "- id: T\n  title: t\n  stratum: 9\n  when:\n    - {}\n  then: {{out: {{lesion: x}}}}"
SECOND = "- id: T\n  title: t\n  stratum: 9\n  when:\n    - lesion L: {{}}\n    - {}\n  then: {{out: {{lesion: = L.id}}}}"
BESIDE = SECOND.replace("    - {}", "    - sighting S:\n        lesion: = L.id\n        {}")
VALUE = "- id: T\n  title: t\n  stratum: 9\n  when:\n    - sighting S: {{}}\n  then: {}"
WITH_LESION = VALUE.replace("\n  then", "\n    - lesion L: {{id: = S.lesion}}\n  then")


def packs() -> Iterator[tuple[str, dict[str, str]]]:
    """Yields a name and the files of each wrong pack; `statements` is the text of one file of rules."""
    for name, (text, _) in errors.CONDITIONS.items():
        yield f"condition: {name}", {"statements": rules_text(STATEMENT.format(text))}
    for name, (text, _) in errors.SECOND.items():
        yield f"second condition: {name}", {"statements": rules_text(SECOND.format(text))}
    for name, (text, _) in errors.VALUES.items():
        yield f"value: {name}", {"statements": rules_text(VALUE.format(text))}
    for name, (text, _) in errors.STATEMENTS.items():
        yield f"statement: {name}", {"statements": rules_text(errors.BASE + text)}
    for name, (file, text, _) in errors.FILES.items():
        yield f"file: {name}", {"facts": errors.GRADED, file: text}
    more = {"parameters": hostile.SIZE, "facts": hostile.SEEN}
    for name, (text, _) in hostile.TESTS.items():
        yield f"misread test: {name}", {"statements": rules_text(BESIDE.format(text)), **more}
    for name, (text, _) in hostile.VALUES.items():
        statements = rules_text(WITH_LESION.format(text))
        yield f"misread value: {name}", {"statements": statements, **more, "facts": hostile.WIDE}
    for name, (text, _) in hostile.STATEMENTS.items():
        yield (
            f"misread statement: {name}",
            {"statements": rules_text(hostile.BASE + text), "facts": hostile.DAYS},
        )
    for name, (file, text, _) in hostile.FILES.items():
        yield f"misread file: {name}", {file: text}


def told(files: dict[str, str]) -> str:
    """Returns all that the loader says of a pack, a line each."""
    with tempfile.TemporaryDirectory() as folder:
        given = {name: text for name, text in files.items() if "\r" not in text}
        write_pack(Path(folder), **given)
        for name in files.keys() - given.keys():
            (Path(folder) / f"{name}.yaml").write_bytes(files[name].encode())
        try:
            load_pack(Path(folder))
        except PackError as error:
            return "\n".join(f"  {problem}"[:SHOWN] for problem in error.problems)
    return "  (nothing)"


def record() -> str:
    """Returns the whole record."""
    return "".join(f"{name}\n{told(files)}\n" for name, files in packs())


if __name__ == "__main__":
    RECORD.write_text(record(), encoding="utf-8")
