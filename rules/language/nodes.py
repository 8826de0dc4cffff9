"""YAML as plain text nodes that know their line; no YAML type is guessed."""

from __future__ import annotations

import re
import unicodedata
from collections.abc import Callable

import msgspec
import yaml

from rules.errors import Problem

MAX_BYTES = 2_000_000
MAX_DEPTH = 16
MAX_KEY = 200
MAX_SCALAR = 20_000

# A reader does not see them, or an editor and YAML disagree on where the line ends.
_LINE_BREAKS = re.compile("[\x85\u2028\u2029]|\r(?!\n)")
_HIDDEN = ("Cc", "Cf", "Co", "Cn", "Cs", "Zl", "Zp")

_Loader: type[yaml.SafeLoader] = getattr(yaml, "CSafeLoader", yaml.SafeLoader)


class Scalar(msgspec.Struct, frozen=True, gc=False):
    """Is one scalar: its text, and whether it was quoted in the file."""

    text: str
    quoted: bool
    line: int


class Sequence(msgspec.Struct, frozen=True):
    """Is a list."""

    items: tuple[Node, ...]
    line: int


class Mapping(msgspec.Struct, frozen=True):
    """Is a mapping in the order of the file; a key that occurs twice was reported when it was read."""

    entries: tuple[tuple[Scalar, Node], ...]
    line: int


Node = Scalar | Sequence | Mapping


class _Refused(Exception):
    def __init__(self, line: int, message: str) -> None:
        self.line, self.message = line, message


def read_nodes(data: bytes, file: str, problems: list[Problem]) -> Node | None:
    """Returns the document as nodes, or None where it is empty or was refused (the reason is in
    `problems`)."""
    if len(data) > MAX_BYTES:
        problems.append(Problem(file, 1, f"the file is larger than {MAX_BYTES} bytes"))
        return None
    try:
        text = data.decode("utf-8-sig")
        if refused := _hidden(text):
            raise refused
        loader = _Loader(text)
        try:
            return _Composer(file, problems, loader.get_event).document()
        finally:
            loader.dispose()
    except UnicodeDecodeError:
        problems.append(Problem(file, 1, "the file is not UTF-8"))
    except _Refused as refused:
        problems.append(Problem(file, refused.line, refused.message))
    except yaml.MarkedYAMLError as error:
        mark = error.problem_mark or error.context_mark
        hint = "; quote a test that holds [ ] { } , : # or begins with > ! * & % @"
        line = mark.line + 1 if mark else 1
        problems.append(Problem(file, line, f"not YAML: {error.problem or error.context}{hint}"))
    except yaml.YAMLError as error:
        problems.append(Problem(file, 1, f"not YAML: {error}"))
    return None


def line_of(data: bytes, path: tuple[str | int, ...]) -> int:
    """Returns the line on which a value stands, or the nearest one above it that is there."""
    node = read_nodes(data, "", [])
    line = 1
    for step in path:
        if isinstance(node, Mapping):
            found = next((entry for entry in node.entries if entry[0].text == str(step)), None)
            if found is None:
                break
            line, node = found[0].line, found[1]
        elif isinstance(node, Sequence) and isinstance(step, int) and step < len(node.items):
            node = node.items[step]
            line = node.line
        else:
            break
    return line


def _hidden(text: str) -> _Refused | None:
    """Returns why a text is refused that shows a reader something else than it holds."""
    if text.isascii() and "\r" not in text:
        return None
    if found := _LINE_BREAKS.search(text):
        what = f"the line break {_named(found.group())}, which most editors do not show"
        return _Refused(text.count("\n", 0, found.start()) + 1, what)
    for number, line in enumerate(text.split("\n"), 1):
        if character := _unseen(line):
            return _Refused(number, f"the hidden character {_named(character)}; remove it")
    return None


def _unseen(text: str) -> str | None:
    if text.isprintable() and text.isascii():
        return None
    return next((c for c in text if c not in "\t\n\r" and unicodedata.category(c) in _HIDDEN), None)


def _named(character: str) -> str:
    return f"U+{ord(character):04X} {unicodedata.name(character, '')}".rstrip()


def _line(event: yaml.Event) -> int:
    return event.start_mark.line + 1 if event.start_mark else 1


class _Composer:
    """Puts the events of a parser together, which `event` gives one by one."""

    def __init__(self, file: str, problems: list[Problem], event: Callable[[], yaml.Event]) -> None:
        self.file = file
        self.problems = problems
        self.event = event

    def document(self) -> Node | None:
        node: Node | None = None
        documents = 0
        while not isinstance(event := self.event(), yaml.StreamEndEvent):
            if isinstance(event, yaml.DocumentStartEvent):
                documents += 1
                if documents > 1:
                    raise _Refused(_line(event), "a file holds one document; remove the second '---'")
                node = self._node(self.event(), 0)
        if isinstance(node, Scalar) and not node.text and not node.quoted:
            return None
        return node

    def _node(self, event: yaml.Event, depth: int) -> Node:
        line = _line(event)
        if isinstance(event, yaml.AliasEvent):
            raise _Refused(line, f"an alias (*{event.anchor}) is not allowed; quote it if it is a test")
        if anchor := getattr(event, "anchor", None):
            raise _Refused(line, f"an anchor (&{anchor}) is not allowed; quote it if it is a test")
        if tag := getattr(event, "tag", None):
            raise _Refused(line, f"a YAML tag ({tag}) is not allowed; quote it if it is a test")
        if depth > MAX_DEPTH:
            raise _Refused(line, f"nested deeper than {MAX_DEPTH} levels")
        if isinstance(event, yaml.ScalarEvent):
            return self._scalar(event, line)
        if isinstance(event, yaml.SequenceStartEvent):
            return Sequence(tuple(self._items(depth)), line)
        return Mapping(tuple(self._entries(depth)), line)

    def _scalar(self, event: yaml.ScalarEvent, line: int) -> Scalar:
        text: str = event.value
        if len(text) > MAX_SCALAR:
            raise _Refused(line, f"a text is longer than {MAX_SCALAR} characters")
        if not (text.isprintable() and text.isascii()) and (character := _unseen(text)):
            raise _Refused(line, f"the hidden character {_named(character)}; remove it")
        return Scalar(text, bool(event.style), line)

    def _items(self, depth: int) -> list[Node]:
        items: list[Node] = []
        while not isinstance(event := self.event(), yaml.SequenceEndEvent):
            items.append(self._node(event, depth + 1))
        return items

    def _entries(self, depth: int) -> list[tuple[Scalar, Node]]:
        seen: dict[str, int] = {}
        entries: list[tuple[Scalar, Node]] = []
        while not isinstance(event := self.event(), yaml.MappingEndEvent):
            key = self._node(event, depth + 1)
            value = self._node(self.event(), depth + 1)
            if not isinstance(key, Scalar):
                raise _Refused(
                    key.line, "a key must be plain text; quote a text that holds braces or brackets"
                )
            if len(key.text) > MAX_KEY:
                raise _Refused(key.line, f"a key is longer than {MAX_KEY} characters")
            if key.text in seen:
                first = seen[key.text]
                message = f"the key '{key.text}' occurs twice (first on line {first})"
                self.problems.append(Problem(self.file, key.line, message))
                continue
            seen[key.text] = key.line
            entries.append((key, value))
        return entries
