"""Where a setting is written: the line of its file, or the variable of the environment that stands for it."""

from __future__ import annotations

import re
from collections.abc import Iterable, Iterator, Mapping
from contextlib import contextmanager
from pathlib import Path

from plugin.errors import SettingsError, StoreAddressError
from plugin.settings_source import LEVEL, PREFIX

_KEY = re.compile(r"\b[a-z_]+(?:\[\d+\])?(?:\.[A-Za-z0-9_-]+(?:\[\d+\])?)+")
_HEADER = re.compile(r"\s*(\[{1,2})\s*([A-Za-z0-9_.\"' -]+?)\s*\]{1,2}\s*(?:#.*)?$")
_LAST = re.compile(r"(\.?[^.\[\]]+|\[\d+\])$")
_MEMBER = re.compile(r"\s*([A-Za-z0-9_.\"'-]+)\s*=")


@contextmanager
def naming(file: Path | None, env: Mapping[str, str], sections: Iterable[str]) -> Iterator[None]:
    """Passes what happens in the block, but for a refusal of settings, which then begins with where it is.

    That is the file and the line of the first key that the message names, or the variable that sets the key.
    """
    try:
        yield
    except (SettingsError, StoreAddressError) as error:
        where = _where(str(error), file, env, frozenset(sections))
        if where is None:
            raise
        message = str(error).removeprefix(f"{file}: ")
        raise type(error)(f"{where}: {message}") from error


def _where(message: str, file: Path | None, env: Mapping[str, str], sections: frozenset[str]) -> str | None:
    said = message.upper().startswith(PREFIX) or re.match(rf"{re.escape(str(file))}:\d+:", message)
    keys = [key for key in _KEY.findall(message) if key.split(".", 1)[0] in sections]
    if said or not keys:
        return None
    variable = _variable(keys[0], env)
    if variable is not None or file is None:
        return variable
    line = line_of(_text(file), keys[0])
    return str(file) if line is None else f"{file}:{line}"


def _variable(key: str, env: Mapping[str, str]) -> str | None:
    """The variable of a key, or of what holds it."""
    parts = re.sub(r"\[\d+\]", "", key).split(".")
    names = [PREFIX + LEVEL.join(parts[:count]).upper() for count in range(len(parts), 1, -1)]
    wanted = [form for name in names for form in (name, f"{name}_FILE")]
    return next((name for form in wanted for name in env if name.upper() == form), None)


def line_of(text: str, key: str) -> int | None:
    """Returns the line (from 1) of TOML on which a key such as `fhir.servers[0].base` is written.

    Of a key that is not written it is the line of what holds it: its table, or the value that it is inside.
    """
    lines = dict(_written(text))
    while key:
        if key in lines:
            return lines[key]
        key = _LAST.sub("", key)
    return None


def _written(text: str) -> Iterator[tuple[str, int]]:
    """Every key with its line; an array of tables counts, as `servers[0]`."""
    table, counts = "", dict[str, int]()
    for number, line in enumerate(text.splitlines(), 1):
        header, member = _HEADER.match(line), _MEMBER.match(line)
        if header is not None:
            table = _counted(_plain(header[2]), counts, again=header[1] == "[[")
            yield table, number
        elif member is not None:
            yield f"{table}.{_plain(member[1])}".lstrip("."), number


def _counted(name: str, counts: dict[str, int], *, again: bool) -> str:
    """The name of a table with the place in each array of tables above it."""
    parts, at = name.split("."), ""
    for place, part in enumerate(parts):
        at = f"{at}.{part}".lstrip(".")
        if again and place == len(parts) - 1:
            counts[at] = counts.get(at, -1) + 1
        if at in counts:
            at = f"{at}[{counts[at]}]"
    return at


def _plain(name: str) -> str:
    return re.sub(r"[\"' ]", "", name)


def _text(file: Path) -> str:
    try:
        return file.read_text(encoding="utf-8-sig")
    except (OSError, UnicodeDecodeError):
        return ""
