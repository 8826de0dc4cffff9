"""Collecting problems, with a suggestion where a word was probably meant to be another."""

from __future__ import annotations

import difflib
from collections.abc import Iterable, Iterator
from dataclasses import dataclass, field

from rules.errors import Problem
from rules.language.nodes import Mapping, Node, Scalar, Sequence

MAX_MESSAGE = 600


def suggestion(word: str, known: Iterable[str], *, listed: bool = True) -> str:
    """Returns `; did you mean 'x'?`, or (`listed`) the known words where there are few, or nothing."""
    words = sorted(set(known))
    lowered = {candidate.lower(): candidate for candidate in words}
    close = difflib.get_close_matches(word.lower(), lowered, n=1, cutoff=0.6)
    if close:
        return f"; did you mean '{lowered[close[0]]}'?"
    return f"; known: {', '.join(words)}" if listed and 0 < len(words) <= 12 else ""


@dataclass(slots=True)
class Report:
    """Collects the problems of one file."""

    file: str
    problems: list[Problem] = field(default_factory=list)

    def add(self, at: Node | int, message: str) -> None:
        """Notes a problem at a node or line."""
        if len(message) > MAX_MESSAGE:
            message = f"{message[:60]} ... {message[-150:]}"
        self.problems.append(Problem(self.file, at if isinstance(at, int) else at.line, message))

    def unknown(self, at: Node | int, what: str, word: str, known: Iterable[str]) -> None:
        """Notes a word that is not known, with the nearest one that is."""
        self.add(at, f"unknown {what} '{word}'{suggestion(word, known)}")

    def mapping(self, node: Node | None, what: str, at: Node | int = 1) -> Mapping | None:
        """Returns the node if it is a mapping; notes a problem otherwise."""
        if isinstance(node, Mapping):
            return node
        self.add(node if node is not None else at, f"{what} must be a mapping (key: value)")
        return None

    def sequence(self, node: Node | None, what: str, at: Node | int = 1) -> tuple[Node, ...]:
        """Returns the items if the node is a list; notes a problem otherwise."""
        if isinstance(node, Sequence):
            return node.items
        self.add(node if node is not None else at, f"{what} must be a list (- item)")
        return ()

    def keys(
        self, node: Mapping, what: str, known: Iterable[str], required: Iterable[str] = ()
    ) -> dict[str, Node]:
        """Returns the entries with a known key; notes the unknown and the missing ones."""
        known = tuple(known)
        entries = {key.text: value for key, value in node.entries}
        for key, _ in node.entries:
            if key.text not in known:
                self.unknown(key, f"key of {what}", key.text, known)
        for name in required:
            if name not in entries:
                self.add(node, f"{what} lacks '{name}'")
        return {name: value for name, value in entries.items() if name in known}

    def single(self, node: Node | None, what: str, at: Node | int = 1) -> tuple[Scalar, Node] | None:
        """Returns the only entry of a mapping; notes a problem otherwise."""
        mapping = self.mapping(node, what, at)
        if mapping is None:
            return None
        if len(mapping.entries) != 1:
            self.add(mapping, f"{what} must have exactly one key, it has {len(mapping.entries)}")
            return None
        return mapping.entries[0]


def entries(node: Mapping) -> Iterator[tuple[Scalar, Node]]:
    """Yields the entries of a mapping."""
    yield from node.entries
