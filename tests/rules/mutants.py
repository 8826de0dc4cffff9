"""Small changes of a module's source, each of which a test should notice."""

from __future__ import annotations

import ast
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from pathlib import Path

_SWAPPED: dict[type[ast.cmpop], tuple[type[ast.cmpop], ...]] = {
    ast.Lt: (ast.LtE, ast.GtE),
    ast.LtE: (ast.Lt, ast.Gt),
    ast.Gt: (ast.GtE, ast.LtE),
    ast.GtE: (ast.Gt, ast.Lt),
    ast.Eq: (ast.NotEq,),
    ast.NotEq: (ast.Eq,),
    ast.Is: (ast.IsNot,),
    ast.IsNot: (ast.Is,),
    ast.In: (ast.NotIn,),
    ast.NotIn: (ast.In,),
}
_ARITHMETIC: dict[type[ast.operator], type[ast.operator]] = {
    ast.Add: ast.Sub,
    ast.Sub: ast.Add,
    ast.Mult: ast.Add,
    ast.Div: ast.Mult,
    ast.FloorDiv: ast.Mult,
    ast.Mod: ast.Mult,
    ast.BitOr: ast.BitAnd,
    ast.BitAnd: ast.BitOr,
    ast.LShift: ast.RShift,
    ast.RShift: ast.LShift,
}
_OPPOSITE = {"min": "max", "max": "min", "any": "all", "all": "any"}

# A change edits a node in place, or returns another to put in its place.
Change = Callable[[ast.AST], ast.AST | None]


@dataclass(frozen=True, slots=True)
class Mutant:
    """Is one change of one file: of the node with this number, the change with this place among its own."""

    path: Path
    source: str
    line: int
    operator: str
    number: int
    place: int
    in_function: bool

    def tree(self) -> ast.Module:
        """Returns the changed module."""
        return self._made()[0]

    def __str__(self) -> str:
        _, before, after = self._made()
        return f"{self.path}:{self.line}: {self.operator}: {before}  ->  {after}"

    def _made(self) -> tuple[ast.Module, str, str]:
        tree = ast.parse(self.source)
        node = list(ast.walk(tree))[self.number]
        before = _words(node)
        _, change = list(_changes(node))[self.place]
        put = change(node)
        if put is not None:
            _replace(tree, node, ast.copy_location(put, node))
        return ast.fix_missing_locations(tree), before, _words(put or node)


def mutants(path: Path, source: str) -> list[Mutant]:
    """Returns every mutant of a source text, in the order of its lines."""
    tree = ast.parse(source)
    untouched = _untouched(tree)
    inside = {
        id(child)
        for function in ast.walk(tree)
        if isinstance(function, ast.FunctionDef)
        for statement in function.body
        for child in ast.walk(statement)
    }
    found = [
        Mutant(path, source, _line(node), operator, number, place, id(node) in inside)
        for number, node in enumerate(ast.walk(tree))
        if id(node) not in untouched
        for place, (operator, _) in enumerate(_changes(node))
    ]
    return sorted(found, key=lambda mutant: (mutant.line, mutant.number, mutant.place))


def _line(node: ast.AST) -> int:
    return node.ifs[0].lineno if isinstance(node, ast.comprehension) else node.lineno  # type: ignore[attr-defined, no-any-return]


def _words(node: ast.AST) -> str:
    return " ".join(ast.unparse(node).split())[:110]


def _replace(tree: ast.Module, old: ast.AST, new: ast.AST) -> None:
    for parent in ast.walk(tree):
        for field, value in ast.iter_fields(parent):
            if value is old:
                setattr(parent, field, new)
            elif isinstance(value, list):
                value[:] = [new if item is old else item for item in value]


def _untouched(tree: ast.Module) -> set[int]:
    """Returns the ids of nodes that say nothing at run time: docstrings, annotations, decorators, wording."""
    silent: set[int] = set()
    for node in ast.walk(tree):
        parts: list[ast.AST | None] = []
        if isinstance(node, ast.FunctionDef):
            parts += [node.returns, *node.decorator_list]
        if isinstance(node, ast.ClassDef):
            parts += node.decorator_list
        if isinstance(node, ast.arg | ast.AnnAssign):
            parts.append(node.annotation)
        if isinstance(node, ast.Expr) and isinstance(node.value, ast.Constant):
            parts.append(node)
        if isinstance(node, ast.JoinedStr):
            parts += [part for part in node.values if isinstance(part, ast.Constant)]
        if isinstance(node, ast.Assign) and isinstance(node.value, ast.BinOp | ast.Subscript):
            # `Node = Scalar | Sequence` and `Type = Literal[...]` are types by another name.
            if isinstance(node.targets[0], ast.Name) and node.targets[0].id[:1].isupper():
                parts += [node] if not node.targets[0].id.isupper() else []
        for part in parts:
            silent |= {id(child) for child in ast.walk(part)} if part is not None else set()
    return silent


def _changes(node: ast.AST) -> Iterator[tuple[str, Change]]:
    match node:
        case ast.Compare():
            for place, operator in enumerate(node.ops):
                for other in _SWAPPED.get(type(operator), ()):
                    yield "comparison", _compare(place, other)
        case ast.BoolOp():
            yield "and/or", _boolean
            for place in range(len(node.values)):
                yield "condition left out", _left_out(place)
        case ast.UnaryOp(op=ast.Not()):
            yield "not left out", lambda n: n.operand  # type: ignore[attr-defined]
        case ast.UnaryOp(op=ast.USub()):
            yield "sign", lambda n: n.operand  # type: ignore[attr-defined]
        case ast.If() | ast.While() | ast.IfExp():
            yield "condition negated", _negated
        case ast.comprehension() if node.ifs:
            yield "filter left out", _unfiltered
        case ast.BinOp() | ast.AugAssign() if type(node.op) in _ARITHMETIC:
            yield "arithmetic", _arithmetic
        case ast.Constant():
            yield from _constant(node)
        case ast.JoinedStr():
            for place, part in enumerate(node.values):
                if isinstance(part, ast.FormattedValue):
                    yield "word of a text left out", _word(place)
        case ast.Return() if node.value is not None and not _is_none(node.value):
            yield "nothing returned", _nothing
        case ast.Expr(value=ast.Call() | ast.Yield() | ast.YieldFrom()):
            yield "statement removed", lambda n: ast.Expr(_noop(n))  # type: ignore[attr-defined]
        case ast.Continue():
            yield "continue", lambda _: ast.Break()
        case ast.Break():
            yield "break", lambda _: ast.Continue()
        case ast.Raise():
            yield "not raised", lambda _: ast.Pass()
        case ast.Call(func=ast.Name(id=name)) if name in _OPPOSITE:
            yield "opposite", _opposite


def _noop(node: ast.Expr) -> ast.expr:
    """Keeps a generator a generator: a removed `yield` stands where it is never reached."""
    if isinstance(node.value, ast.Call):
        return ast.Constant(None)
    return ast.BoolOp(ast.And(), [ast.Constant(False), node.value])


def _is_none(node: ast.expr) -> bool:
    return isinstance(node, ast.Constant) and node.value is None


def _compare(place: int, other: type[ast.cmpop]) -> Change:
    def change(node: ast.AST) -> None:
        assert isinstance(node, ast.Compare)
        node.ops[place] = other()

    return change


def _boolean(node: ast.AST) -> None:
    assert isinstance(node, ast.BoolOp)
    node.op = ast.Or() if isinstance(node.op, ast.And) else ast.And()


def _left_out(place: int) -> Change:
    def change(node: ast.AST) -> ast.AST:
        assert isinstance(node, ast.BoolOp)
        rest = node.values[:place] + node.values[place + 1 :]
        return rest[0] if len(rest) == 1 else ast.BoolOp(node.op, rest)

    return change


def _negated(node: ast.AST) -> None:
    assert isinstance(node, ast.If | ast.While | ast.IfExp)
    node.test = ast.UnaryOp(ast.Not(), node.test)


def _unfiltered(node: ast.AST) -> None:
    assert isinstance(node, ast.comprehension)
    node.ifs = []


def _arithmetic(node: ast.AST) -> None:
    assert isinstance(node, ast.BinOp | ast.AugAssign)
    node.op = _ARITHMETIC[type(node.op)]()


def _opposite(node: ast.AST) -> None:
    assert isinstance(node, ast.Call) and isinstance(node.func, ast.Name)
    node.func.id = _OPPOSITE[node.func.id]


def _nothing(node: ast.AST) -> None:
    assert isinstance(node, ast.Return)
    node.value = ast.Constant(None)


def _word(place: int) -> Change:
    def change(node: ast.AST) -> None:
        assert isinstance(node, ast.JoinedStr)
        node.values[place] = ast.Constant("?")

    return change


def _constant(node: ast.Constant) -> Iterator[tuple[str, Change]]:
    value = node.value
    if isinstance(value, bool):
        yield "constant", _put(not value)
    elif isinstance(value, int):
        yield "constant", _put(value + 1)
        yield "constant", _put(value - 1)
    elif isinstance(value, str) and value and " " not in value.strip():
        # Sentences are wording; a single word is a key, an operator or a pattern.
        yield "word", _put("?" + value)


def _put(value: object) -> Change:
    return lambda _: ast.Constant(value)  # type: ignore[arg-type]
