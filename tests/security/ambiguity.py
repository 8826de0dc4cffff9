"""Whether a regular expression can take exponential time: decided from its structure, without a clock.

A backtracking matcher takes exponential time where its automaton has a state that one text leads back to itself in two
ways (exponential degree of ambiguity; Weber and Seidl 1991). That is decided here on the automaton of the expression.
Look-arounds are looked at on their own and taken as empty where they stand; a bounded repeat of 16 and more counts as
unbounded, so that what is found may be harmless, and what is not found is not exponential.
"""

from __future__ import annotations

import re
from collections.abc import Iterator, Sequence
from functools import cache
from re import _constants as c  # type: ignore[attr-defined]
from re import _parser  # type: ignore[attr-defined]
from typing import Any

MANY = 16
_PLAIN = "aZ09_ -\n\té٣\u2028"
_CATEGORIES = {
    c.CATEGORY_DIGIT: r"\d",
    c.CATEGORY_NOT_DIGIT: r"\D",
    c.CATEGORY_SPACE: r"\s",
    c.CATEGORY_NOT_SPACE: r"\S",
    c.CATEGORY_WORD: r"\w",
    c.CATEGORY_NOT_WORD: r"\W",
}
_REPEATS = (c.MAX_REPEAT, c.MIN_REPEAT, c.POSSESSIVE_REPEAT)


def exponential(pattern: re.Pattern[Any]) -> bool:
    """Says whether a text exists on which this pattern takes exponential time."""
    automata = [Automaton(part, pattern.flags) for part in parts(pattern)]
    return any(one.choices >= MANY or _doubled(one) for one in automata)


def parts(pattern: re.Pattern[Any]) -> list[Any]:
    """The expression itself, and that of each look-around in it."""
    text = pattern.pattern if isinstance(pattern.pattern, str) else pattern.pattern.decode("latin-1")
    whole = _parser.parse(
        text, pattern.flags & ~re.UNICODE if isinstance(pattern.pattern, bytes) else pattern.flags
    )
    return [whole, *_around(whole)]


def _around(parsed: Any) -> Iterator[Any]:
    for op, value in parsed:
        for one in value if isinstance(value, tuple | list) else (value,):
            if isinstance(one, _parser.SubPattern):
                if op in (c.ASSERT, c.ASSERT_NOT):
                    yield one
                yield from _around(one)
            elif op is c.BRANCH and isinstance(one, list):
                for branch in one:
                    yield from _around(branch)


class Automaton:
    """Thompson's automaton of an expression: empty steps, and steps on one of a few representative characters."""

    def __init__(self, parsed: Any, flags: int) -> None:
        self.flags = flags
        # The most copies of one part that may each be left out or not.
        self.choices = 0
        self.empty: list[list[int]] = []
        self.steps: list[list[tuple[int, Any]]] = []
        self.chars = sorted({*_PLAIN, *_edges(parsed)})
        self.start = self._state()
        self.end = self._sequence(parsed, self.start)

    def _state(self) -> int:
        self.empty.append([])
        self.steps.append([])
        return len(self.empty) - 1

    def _sequence(self, items: Any, at: int) -> int:
        for op, value in items:
            at = self._item(op, value, at)
        return at

    def _item(self, op: Any, value: Any, at: int) -> int:
        if op in (c.LITERAL, c.NOT_LITERAL, c.ANY, c.IN):
            after = self._state()
            self.steps[at].append(
                (after, frozenset(x for x in self.chars if _takes(op, value, x, self.flags)))
            )
            return after
        if op is c.SUBPATTERN:
            return self._sequence(value[3], at)
        if op is c.ATOMIC_GROUP:
            return self._sequence(value, at)
        if op is c.BRANCH:
            after = self._state()
            for branch in value[1]:
                first = self._state()
                self.empty[at].append(first)
                self.empty[self._sequence(branch, first)].append(after)
            return after
        if op in _REPEATS:
            return self._repeat(*value, at)
        if op in (c.AT, c.ASSERT, c.ASSERT_NOT):
            return at
        raise NotImplementedError(f"{op} is not looked at")

    def _repeat(self, least: int, most: int, body: Any, at: int) -> int:
        endless = most >= MANY
        if most is not c.MAXREPEAT and body.getwidth()[0] == 0 and body.getwidth()[1] > 0:
            self.choices = max(self.choices, most)
        for _ in range(min(least, MANY)):
            at = self._sequence(body, at)
        after = self._state()
        self.empty[at].append(after)
        if endless:
            first = self._state()
            self.empty[at].append(first)
            last = self._sequence(body, first)
            self.empty[last] += [first, after]
            return after
        for _ in range(most - min(least, MANY)):
            first = self._state()
            self.empty[at].append(first)
            at = self._sequence(body, first)
            self.empty[at].append(after)
        return after

    def closure(self, state: int) -> dict[int, int]:
        """The states that empty steps lead to, with the number of ways (2 for more than one)."""
        ways: dict[int, int] = {}

        def walk(here: int, path: tuple[int, ...]) -> None:
            ways[here] = min(2, ways.get(here, 0) + 1)
            for there in self.empty[here]:
                if there not in path and ways.get(there, 0) < 2:
                    walk(there, (*path, here))

        walk(state, ())
        return ways

    def moves(self) -> dict[int, dict[str, dict[int, int]]]:
        """For each state that follows a character: by character, the next such states and the number of ways."""
        found: dict[int, dict[str, dict[int, int]]] = {}
        waiting = [self.start]
        while waiting:
            state = waiting.pop()
            if state in found:
                continue
            found[state] = {}
            for middle, ways in self.closure(state).items():
                for after, taken in self.steps[middle]:
                    for x in taken:
                        there = found[state].setdefault(x, {})
                        there[after] = min(2, there.get(after, 0) + ways)
                    waiting.append(after)
        return found


def _doubled(automaton: Automaton) -> bool:
    """Whether a state comes back to itself in two ways on one text: in the square of the automaton."""
    moves = automaton.moves()
    graph: dict[tuple[int, int, bool], set[tuple[int, int, bool]]] = {}

    def after(node: tuple[int, int, bool]) -> set[tuple[int, int, bool]]:
        if node not in graph:
            left, right, parted = node
            graph[node] = {
                (a, b, parted or a != b or (left == right and ways == 2))
                for x, nexts in moves[left].items()
                for a, ways in nexts.items()
                for b in moves[right].get(x, ())
            }
        return graph[node]

    for state in moves:
        seen, waiting = set(), [(state, state, False)]
        while waiting:
            for node in after(waiting.pop()):
                if node == (state, state, True):
                    return True
                if node not in seen:
                    seen.add(node)
                    waiting.append(node)
    return False


def _edges(parsed: Any) -> Iterator[str]:
    for op, value in parsed:
        if op in (c.LITERAL, c.NOT_LITERAL):
            yield chr(value)
        elif op is c.RANGE:
            yield from (chr(value[0]), chr(value[1]))
        elif op is c.BRANCH:
            for branch in value[1]:
                yield from _edges(branch)
        elif op is c.IN:
            yield from _edges(value)
        elif isinstance(value, tuple | list):
            for one in value:
                if isinstance(one, _parser.SubPattern):
                    yield from _edges(one)


def _takes(op: Any, value: Any, x: str, flags: int) -> bool:
    if flags & re.IGNORECASE:
        return any(_exactly(op, value, one, flags) for one in {x, x.lower(), x.upper()} if len(one) == 1)
    return _exactly(op, value, x, flags)


def _exactly(op: Any, value: Any, x: str, flags: int) -> bool:
    if op is c.LITERAL:
        return ord(x) == value
    if op is c.NOT_LITERAL:
        return ord(x) != value
    if op is c.ANY:
        return x != "\n" or bool(flags & re.DOTALL)
    return _in(value, x, flags)


def _in(items: Sequence[Any], x: str, flags: int) -> bool:
    negated = items[0][0] is c.NEGATE
    found = False
    for op, value in items:
        if op is c.LITERAL:
            found |= ord(x) == value
        elif op is c.RANGE:
            found |= value[0] <= ord(x) <= value[1]
        elif op is c.CATEGORY:
            found |= _category(_CATEGORIES[value], flags & re.ASCII).fullmatch(x) is not None
    return found != negated


@cache
def _category(text: str, flags: int) -> re.Pattern[str]:
    return re.compile(text, flags)


def attacks(pattern: re.Pattern[Any], length: int) -> Iterator[str]:
    """Texts that go into each loop of the pattern, round it many times, and then fail."""
    for part in parts(pattern):
        moves = Automaton(part, pattern.flags).moves()
        ways = _words(moves, min(moves, default=0))
        for state, prefix in ways.items():
            loop = _words(moves, state, back=True).get(state)
            if loop:
                yield prefix + loop * (length // len(loop)) + "\x00"


def _words(moves: dict[int, dict[str, dict[int, int]]], start: int, *, back: bool = False) -> dict[int, str]:
    """The shortest text from one state to each other; with `back`, to itself by a step at least."""
    found: dict[int, str] = {} if back else {start: ""}
    waiting = [(start, "")]
    while waiting:
        state, text = waiting.pop(0)
        for x, nexts in moves[state].items():
            for there in nexts:
                if there not in found:
                    found[there] = text + x
                    waiting.append((there, text + x))
    return found
