"""Settings as they are written: unknown names refused, environment values turned into the field's type."""

from __future__ import annotations

import difflib
import json
from collections.abc import Iterable, Mapping, Sequence
from pathlib import Path
from types import UnionType
from typing import Any, get_args, get_origin, get_type_hints

import msgspec

from plugin.errors import SettingsError

PREFIX = "VESTIGE_"
LEVEL = "__"
IN_FILE = "_file"


def refuse_unknown(kind: type, raw: Any, *, source: str, at: str = "") -> None:
    """Raises SettingsError at the first name in `raw` that `kind` lacks, and names the nearest one."""
    if not isinstance(raw, Mapping):
        return
    types = get_type_hints(kind)
    for name, value in raw.items():
        where = f"{at}{name}"
        if name not in types:
            raise SettingsError(f"{source}: unknown key {where}{suggestion(name, types)}")
        inner, many = _struct_in(types[name])
        if inner is None:
            continue
        for index, item in enumerate(value if many and isinstance(value, list) else [value]):
            refuse_unknown(inner, item, source=source, at=f"{where}[{index}]." if many else f"{where}.")


def environment(kind: type, raw: dict[str, Any], env: Mapping[str, str]) -> dict[str, Any]:
    """Returns `raw` with every `VESTIGE_SECTION__KEY` of `env` put in its place, in the type of its field.

    `VESTIGE_SECTION__KEY_FILE` names a file that holds the value, as secrets are handed to containers.
    Names without a double underscore are no settings and are left alone.
    """
    result = {name: dict(value) if isinstance(value, dict) else value for name, value in raw.items()}
    for variable in sorted(env):
        if variable.upper().startswith(PREFIX) and LEVEL in variable:
            path, text = variable[len(PREFIX) :].lower().split(LEVEL), env[variable]
            if path[-1].endswith(IN_FILE) and not _is_field(kind, path):
                path[-1], text = path[-1].removesuffix(IN_FILE), _content(text, variable)
            _put(kind, result, path, variable, text)
    return result


def decoded(kind: type, value: Any) -> Any:
    """Returns the value as the one type that msgspec does not know here: a path."""
    if kind is Path and isinstance(value, str):
        return Path(value)
    raise ValueError(f"Expected `{kind.__name__.lower()}`, got `{type(value).__name__}`")


def suggestion(name: str, known: Iterable[str]) -> str:
    """Returns "; did you mean X?" or the list of what is known."""
    names = sorted(known)
    near = difflib.get_close_matches(name, names, n=1, cutoff=0.6)
    return f"; did you mean {near[0]}?" if near else f"; known: {', '.join(names)}"


def _put(kind: type, target: dict[str, Any], path: list[str], variable: str, text: str) -> None:
    types = get_type_hints(kind, include_extras=True)
    name, rest = path[0], path[1:]
    if name not in types:
        raise SettingsError(f"{variable}: unknown key {name}{suggestion(name, types)}")
    inner, many = _struct_in(types[name])
    if rest and inner is not None and not many:
        _put(inner, target.setdefault(name, {}), rest, variable, text)
    elif rest and get_origin(types[name]) is dict:
        value_type = get_args(types[name])[1]
        target[name] = {**target.get(name, {}), LEVEL.join(rest): _value(value_type, text, variable)}
    elif rest:
        raise SettingsError(f"{variable}: {name} has no keys below it")
    elif inner is not None and not many:
        raise SettingsError(f"{variable}: {name} is a section; write {variable}{LEVEL}KEY")
    else:
        target[name] = _value(types[name], text, variable)


def _is_field(kind: type, path: Sequence[str]) -> bool:
    """Whether a path is a key as it stands; what is below a mapping is the site's own to name."""
    types = get_type_hints(kind)
    inner, many = _struct_in(types.get(path[0]))
    if len(path) > 1 and inner is not None and not many:
        return _is_field(inner, path[1:])
    return path[0] in types


def _content(file: str, variable: str) -> str:
    try:
        return Path(file).read_text(encoding="utf-8").strip()
    except (OSError, UnicodeDecodeError) as error:
        raise SettingsError(f"{variable}: {file} cannot be read") from error


def _value(kind: Any, text: str, variable: str) -> Any:
    # The text itself is never repeated in an error: it may be a database URL with its password.
    try:
        value = msgspec.convert(_shape(kind, text, variable), kind, strict=False, dec_hook=decoded)
        return msgspec.to_builtins(value, enc_hook=str)
    except msgspec.ValidationError as error:
        raise SettingsError(f"{variable}: {error}") from error


def _shape(kind: Any, text: str, variable: str) -> Any:
    """Returns a list or mapping where the field is one: from JSON, or from commas."""
    origin = get_origin(kind)
    inner, many = _struct_in(kind)
    if text.lstrip().startswith(("[", "{")) and (origin in (tuple, list, dict) or inner is not None):
        try:
            shaped = json.loads(text)
        except ValueError as error:
            raise SettingsError(f"{variable}: is no valid JSON: {error}") from error
        for item in shaped if many and isinstance(shaped, list) else []:
            refuse_unknown(inner or object, item, source=variable)
        return shaped
    if origin is UnionType and {int, float} <= set(get_args(kind)):
        return _number(text)
    if origin not in (tuple, list):
        return text
    parts = [part.strip() for part in text.split(",") if part.strip()]
    return [{inner.__struct_fields__[0]: part} for part in parts] if inner is not None else parts


def _number(text: str) -> int | float | str:
    for kind in (int, float):
        try:
            return kind(text)
        except ValueError:
            continue
    return text


def _struct_in(kind: Any) -> tuple[type[msgspec.Struct] | None, bool]:
    """Returns the Struct that a field holds, and whether it holds a list of them."""
    if isinstance(kind, type) and issubclass(kind, msgspec.Struct):
        return kind, False
    if get_origin(kind) in (tuple, list):
        return _struct_in(get_args(kind)[0])[0], True
    if get_origin(kind) is UnionType:
        found = [inner for one in get_args(kind) if (inner := _struct_in(one)[0]) is not None]
        return (found[0] if found else None), False
    return None, False
