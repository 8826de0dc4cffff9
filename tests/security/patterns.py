"""Every regular expression of the product: those that modules hold, and those written where they are used."""

from __future__ import annotations

import ast
import importlib
import re
from collections.abc import Iterator
from pathlib import Path
from types import ModuleType
from typing import Any

ROOT = Path(__file__).parents[2]
HOUSES = ("cds_hooks", "plugin", "rules", "fhir_profiles")
_FUNCTIONS = ("compile", "match", "search", "fullmatch", "sub", "subn", "split", "findall", "finditer")
# Names of a function's own, with what they hold at most.
LOCALS = {
    "file": "vestige.toml",
    "users": "Practitioner|PractitionerRole|Patient|RelatedPerson",
    # The beginning of a secret, and one character of it.
    "head": "Zk9/a+b=",
    "character": "/",
}


def modules() -> Iterator[tuple[Path, ModuleType]]:
    """Every module of the product, imported."""
    for house in HOUSES:
        for path in sorted((ROOT / house).rglob("*.py")):
            if path.name != "__main__.py" and "versions" not in path.parts and path.name != "env.py":
                name = ".".join(path.relative_to(ROOT).with_suffix("").parts).removesuffix(".__init__")
                yield path, importlib.import_module(name)


def patterns() -> dict[str, re.Pattern[Any]]:
    """Each pattern under "file:line"; raises for one that cannot be told from the source."""
    found: dict[str, re.Pattern[Any]] = {}
    for path, module in modules():
        for node in ast.walk(ast.parse(path.read_text(encoding="utf-8"))):
            if isinstance(node, ast.Call):
                for number, (text, flags) in enumerate(_of(node, module)):
                    found[f"{path.relative_to(ROOT)}:{node.lineno}:{number}"] = re.compile(text, flags)
    return found


def _of(node: ast.Call, module: ModuleType) -> Iterator[tuple[Any, int]]:
    function = node.func
    if (
        isinstance(function, ast.Attribute)
        and isinstance(function.value, ast.Name)
        and function.value.id == "re"
    ):
        if function.attr in _FUNCTIONS:
            place = {"sub": 4, "subn": 4, "split": 3}.get(
                function.attr, 1 if function.attr == "compile" else 2
            )
            flags = [one.value for one in node.keywords if one.arg == "flags"] or node.args[place : place + 1]
            for text in _ways(node.args[0]):
                yield _value(text, module), int(_value(flags[0], module)) if flags else 0
    for keyword in node.keywords:
        if keyword.arg == "pattern":
            yield _value(keyword.value, module), 0


def _ways(node: ast.expr) -> list[ast.expr]:
    return [node.body, node.orelse] if isinstance(node, ast.IfExp) else [node]


def _value(node: ast.expr, module: ModuleType) -> Any:
    expression = compile(ast.Expression(node), module.__name__, "eval")
    try:
        return eval(expression, {**LOCALS, **vars(module)})
    except NameError as error:
        raise AssertionError(
            f"{module.__name__}:{node.lineno}: add the name to LOCALS, with what it holds"
        ) from error
