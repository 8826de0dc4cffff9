"""pack.yaml, parameters.yaml, evidence.yaml and tables.yaml."""

from __future__ import annotations

import datetime
from collections.abc import Mapping as Table

from rules.facts import Value
from rules.language.kinds import IDENTIFIER_SAID, is_identifier
from rules.language.model import ALONE, UNKNOWN, Evidence, Kind, Parameter
from rules.language.nodes import Mapping, Node, Scalar, Sequence
from rules.language.report import Report
from rules.language.scalars import (
    NAME,
    read_choice,
    read_day,
    read_flag,
    read_name,
    read_number,
    read_text,
    read_value,
)

EVIDENCE_KEYS = (
    "citation", "title", "authors", "year", "journal", "doi", "pmid", "pmcid", "url", "design", "population",
    "n", "modality", "reference", "result", "limits", "figures", "reading", "read", "printable", "note",
)  # fmt: skip
READINGS = ("text", "abstract", "secondary", "recalled")
_PARAMETER_KEYS = ("value", "unit", "valid-from", "source", "read", "default", "title", "note", "shown")


def read_head(report: Report, root: Node | None) -> tuple[str, str, str]:
    """Returns the pack's id, title and version."""
    top = report.mapping(root, "pack.yaml")
    if top is None:
        return "", "", ""
    keys = ("id", "title", "version")
    parts = report.keys(top, "pack.yaml", keys, keys)
    read = {"id": read_name, "title": read_text, "version": read_text}
    values = [read[name](report, parts[name], f"'{name}'") if name in parts else None for name in keys]
    return values[0] or "", values[1] or "", values[2] or ""


def read_parameters(report: Report, root: Node | None) -> dict[str, Parameter]:
    """Returns the parameters by name."""
    found: dict[str, Parameter] = {}
    for key, node in _entries(report, root, "parameters"):
        what = f"parameter '{key.text}'"
        if not is_identifier(key.text):
            report.add(key, f"{what}: {IDENTIFIER_SAID}")
        mapping = report.mapping(node, what)
        if mapping is not None:
            found[key.text] = _parameter(report, key, mapping, what)
    return found


def _parameter(report: Report, key: Scalar, node: Mapping, what: str) -> Parameter:
    parts = report.keys(node, what, _PARAMETER_KEYS, ("value", "unit", "valid-from", "source"))
    value = read_number(report, parts["value"], f"value of {what}") if "value" in parts else None
    unit = read_text(report, _one(parts.get("unit")), f"unit of {what}") if "unit" in parts else None
    day = read_day(report, parts["valid-from"], f"valid-from of {what}") if "valid-from" in parts else None
    source = read_text(report, parts["source"], f"source of {what}") if "source" in parts else None
    read = "read" in parts and read_flag(report, parts["read"], f"'read' of {what}")
    default = "default" in parts and read_flag(report, parts["default"], f"'default' of {what}")
    if read == default:
        report.add(key, f"{what} must say either 'read: true' (read in the source) or 'default: true'")
    title = read_text(report, parts["title"], f"title of {what}") if "title" in parts else None
    shown = "shown" in parts and read_flag(report, parts["shown"], f"'shown' of {what}")
    # What could not be read is refused here, once, and not again as unknown wherever it is used.
    value, day = 1 if value is None else value, day or datetime.date.min
    return Parameter(value, unit or "", day, source or "", read, False, title, key.line, shown)


def _one(node: Node | None) -> Node | None:
    """Returns the node, with the unit `1` taken as text."""
    return Scalar("1", True, node.line) if isinstance(node, Scalar) and node.text == "1" else node


def read_evidence(report: Report, root: Node | None) -> dict[str, Evidence]:
    """Returns the register of sources by id."""
    found: dict[str, Evidence] = {}
    for key, node in _entries(report, root, "evidence"):
        what = f"evidence '{key.text}'"
        if not NAME.match(key.text):
            report.add(key, f"{what}: an id is letters, digits, '-' and '_', a letter first")
        mapping = report.mapping(node, what)
        if mapping is None:
            continue
        found[key.text] = _evidence(report, key, mapping, what)
    return found


def _evidence(report: Report, key: Scalar, node: Mapping, what: str) -> Evidence:
    parts = report.keys(node, what, EVIDENCE_KEYS, ("citation",))
    citation = read_text(report, parts["citation"], f"citation of {what}") if "citation" in parts else None
    read = "read" in parts and read_flag(report, parts["read"], f"'read' of {what}")
    reading = (
        read_choice(report, parts["reading"], f"'reading' of {what}", READINGS)
        if "reading" in parts
        else None
    )
    printable = "printable" in parts and _yes(report, parts["printable"], f"'printable' of {what}")
    if read and reading == "recalled":
        report.add(parts["read"], f"{what} is recalled, so it was not read")
    if printable and not read:
        report.add(parts["printable"], f"{what} was not read, so it is not printable")
    figures = report.sequence(parts["figures"], f"figures of {what}") if "figures" in parts else ()
    special = ("citation", "read", "reading", "printable", "figures")
    fields = {name: _plain(child) for name, child in parts.items() if name not in special}
    texts = tuple(_plain(figure) for figure in figures)
    return Evidence(key.text, citation or "", read, reading, printable, texts, fields, key.line)


def _yes(report: Report, node: Node, what: str) -> bool:
    """Returns true or false, which may also be written as a quoted yes or no."""
    if isinstance(node, Scalar) and node.quoted and node.text in ("yes", "no"):
        return node.text == "yes"
    return read_flag(report, node, what)


def _plain(node: Node) -> str:
    """Returns free text of a register entry; a list becomes one line an item, a mapping `key: value`."""
    if isinstance(node, Scalar):
        return node.text
    if isinstance(node, Sequence):
        return "\n".join(_plain(item) for item in node.items)
    return "\n".join(f"{key.text}: {_plain(value)}" for key, value in node.entries)


def read_tables(
    report: Report, root: Node | None, kinds: Table[str, Kind]
) -> dict[str, tuple[Table[str, Value], ...]]:
    """Returns the constant facts, rows of values for each kind."""
    found: dict[str, tuple[Table[str, Value], ...]] = {}
    for key, node in _entries(report, root, "tables"):
        kind = kinds.get(key.text)
        if kind is None:
            report.unknown(key, "kind", key.text, kinds)
            continue
        if kind.input:
            report.add(key, f"kind '{kind.name}' is an input and cannot have a table too")
        rows = report.sequence(node, f"table '{key.text}'")
        found[key.text] = tuple(read_fact(report, row, kind, complete=True) for row in rows)
        _check_unique(report, rows, found[key.text], kind)
    return found


def _check_unique(
    report: Report, rows: tuple[Node, ...], facts: tuple[Table[str, Value], ...], kind: Kind
) -> None:
    """Notes rows that differ where the kind allows one; equal rows are one fact."""
    if kind.unique is None:
        return
    seen: dict[Value | None, tuple[Table[str, Value], int]] = {}
    for row, fact in zip(rows, facts, strict=True):
        mark = None if kind.unique == ALONE else fact.get(kind.unique)
        first, line = seen.setdefault(mark, (fact, row.line))
        if first != fact:
            what = "one row" if kind.unique == ALONE else f"one row for each '{kind.unique}'"
            report.add(row, f"the table '{kind.name}' has at most {what} (also line {line})")


def read_fact(report: Report, node: Node, kind: Kind, *, complete: bool) -> Table[str, Value]:
    """Returns the values of one written fact; `complete` wants every required property."""
    mapping = report.mapping(node, f"a fact of kind '{kind.name}'")
    values: dict[str, Value] = {}
    for key, child in mapping.entries if mapping else ():
        prop = kind.properties.get(key.text)
        if prop is None:
            report.unknown(key, f"property of '{kind.name}'", key.text, kind.properties)
            continue
        value = read_value(report, child, prop, kind.name)
        if value is not None:
            values[prop.name] = value
    if complete and mapping is not None:
        stated = {key.text for key, _ in mapping.entries}
        for prop in kind.properties.values():
            if prop.required and prop.name not in stated:
                hint = f" (or say {UNKNOWN})" if prop.values else ""
                report.add(mapping, f"a fact of kind '{kind.name}' lacks '{prop.name}'{hint}")
    return values


def _entries(report: Report, root: Node | None, name: str) -> tuple[tuple[Scalar, Node], ...]:
    """Returns the entries below the only top key of a register file."""
    top = report.mapping(root, f"{name}.yaml")
    if top is None:
        return ()
    body = report.keys(top, f"{name}.yaml", (name,), (name,)).get(name)
    if body is None or (isinstance(body, Scalar) and not body.text and not body.quoted):
        return ()
    mapping = report.mapping(body, f"'{name}'")
    return mapping.entries if mapping else ()
