"""The catalogue of a pack: every id that it promises, and the statements or checks that keep the promise."""

from __future__ import annotations

from dataclasses import dataclass

from rules.errors import PackError
from rules.language import Pack
from rules.language.nodes import Node, Scalar, read_nodes
from rules.language.report import Report
from rules.language.scalars import read_text

FILE = "catalogue.yaml"


@dataclass(frozen=True, slots=True)
class Entry:
    """One id of the catalogue: the statements that decide it, or the checks made when the pack is built."""

    id: str
    title: str
    rules: tuple[str, ...]
    checks: tuple[str, ...]


def catalogue_of(pack: Pack) -> tuple[Entry, ...]:
    """Returns every id of the pack's catalogue in its order; empty where the pack has none.

    Raises PackError where an entry names neither a statement nor a check, or a statement that is not there.
    """
    return _read(pack)[0]


def further(pack: Pack) -> tuple[str, ...]:
    """Returns the statements with findings that the pack has beside its catalogue."""
    return _read(pack)[1]


def _read(pack: Pack) -> tuple[tuple[Entry, ...], tuple[str, ...]]:
    file = pack.folder / FILE
    if not file.is_file():
        return (), ()
    report = Report(FILE)
    root = read_nodes(file.read_bytes(), FILE, report.problems)
    found = _Reader(pack, report).read(root) if not report.problems else ((), ())
    if report.problems:
        raise PackError(tuple(report.problems))
    return found


class _Reader:
    def __init__(self, pack: Pack, report: Report) -> None:
        self.pack, self.report = pack, report

    def read(self, root: Node | None) -> tuple[tuple[Entry, ...], tuple[str, ...]]:
        top = self.report.mapping(root, FILE)
        if top is None:
            return (), ()
        parts = self.report.keys(top, FILE, ("catalogue", "further"), ("catalogue",))
        body = self.report.mapping(parts["catalogue"], "'catalogue'") if "catalogue" in parts else None
        entries = [self.entry(key, node) for key, node in body.entries] if body else []
        rest = self.statements(parts["further"], "'further'") if "further" in parts else ()
        return tuple(entry for entry in entries if entry is not None), rest

    def entry(self, key: Scalar, node: Node) -> Entry | None:
        mapping = self.report.mapping(node, key.text)
        if mapping is None:
            return None
        parts = self.report.keys(mapping, key.text, ("title", "rules", "checks"))
        rules = self.statements(parts["rules"], key.text) if "rules" in parts else ()
        checks = self.names(parts["checks"], f"'checks' of {key.text}") if "checks" in parts else ()
        if not rules and not checks:
            self.report.add(key, f"{key.text} names neither rules nor checks")
            return None
        title = read_text(self.report, parts["title"], f"title of {key.text}") if "title" in parts else None
        known = self.pack.statements.get(rules[0]) if rules else None
        return Entry(key.text, title or (known.title if known else key.text), rules, checks)

    def statements(self, node: Node, what: str) -> tuple[str, ...]:
        names = self.names(node, what)
        unknown = [name for name in names if name not in self.pack.statements]
        if unknown:
            self.report.add(node, f"{what} names no statement: {', '.join(unknown)}")
        return names

    def names(self, node: Node, what: str) -> tuple[str, ...]:
        if isinstance(node, Scalar) and not node.text and not node.quoted:
            return ()
        texts = [read_text(self.report, item, what) for item in self.report.sequence(node, what)]
        return tuple(text for text in texts if text is not None)
