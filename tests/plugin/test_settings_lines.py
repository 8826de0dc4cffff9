"""Every refusal of settings says where it is: the key, with the line of the file or the variable."""

from __future__ import annotations

import types
from collections.abc import Iterator
from datetime import date
from pathlib import Path
from typing import Any, Literal, get_args, get_origin, get_type_hints

import msgspec
import pytest

from plugin.errors import SettingsError
from plugin.settings import Settings, load
from plugin.settings_lines import line_of

# What an entry of a list needs beside the key that is looked at.
REQUIRED = {
    "fhir.servers": {"base": "https://a.example/fhir"},
    "fhir.servers.backend": {"client_id": "v", "key": "k.pem", "kid": "k"},
    "trust.issuers": {"issuer": "https://a.example"},
    "cards.links": {"label": "Guideline", "url": "https://a.example"},
    "page.clients": {"server": "https://a.example/fhir", "client_id": "v"},
    **{
        f"codes.{name}": {"system": "s", "code": "c"}
        for name in ("liver_mri", "liver_mri_plain", "ious", "ceious", "mdt_review")
    },
}


def fields(kind: type[msgspec.Struct], at: str = "", many: bool = False) -> Iterator[tuple[str, bool, Any]]:
    """Every key with the table it is in, whether that is one of many, and its type."""
    for name, given in get_type_hints(kind).items():
        inner = [
            one
            for one in (given, *get_args(given))
            if isinstance(one, type) and issubclass(one, msgspec.Struct)
        ]
        where = f"{at}.{name}".lstrip(".")
        if inner:
            yield from fields(inner[0], where, get_origin(given) is tuple)
        else:
            yield where, many, given


def spoilt(kind: Any) -> str:
    """A value in TOML of a type that the key does not have."""
    options = union(kind) or (kind,)
    if any(get_origin(one) is Literal for one in options):
        return '"none-of-these"'
    return (
        "7" if any(one in (str, Path, date) or get_origin(one) in (tuple, dict) for one in options) else '"x"'
    )


def table(where: str, many: bool, key: str) -> list[str]:
    if where == "fhir.servers.backend":
        return ["[[fhir.servers]]", 'base = "https://a.example/fhir"', *table_of(f"[{where}]", where, key)]
    return table_of(f"[[{where}]]" if many else f"[{where}]", where, key)


def table_of(head: str, where: str, key: str) -> list[str]:
    return [head, *(f'{name} = "{value}"' for name, value in REQUIRED.get(where, {}).items() if name != key)]


@pytest.mark.parametrize(
    ("where", "many", "kind"), [pytest.param(*one, id=one[0]) for one in fields(Settings)]
)
def test_a_value_of_another_type_is_named_with_its_line(
    where: str, many: bool, kind: Any, tmp_path: Path
) -> None:
    section, _, key = where.rpartition(".")
    lines = ["# a note", "", *table(section, many, key), f"{key} = {spoilt(kind)}  # here"]
    file = tmp_path / "vestige.toml"
    file.write_text("\n".join(lines))
    with pytest.raises(SettingsError) as refused:
        load(file, {})
    shown = (
        "fhir.servers[0].backend"
        if section == "fhir.servers.backend"
        else f"{section}[0]"
        if many
        else section
    )
    assert str(refused.value).startswith(f"{file}:{len(lines)}: {shown}.{key}: "), str(refused.value)


def choosy() -> list[str]:
    """The keys below a section that do not take every text."""
    texts = {str, Path}
    return [
        where
        for where, _, kind in fields(Settings)
        if where.count(".") == 1
        and not any(one in texts or get_origin(one) is tuple for one in (kind, *union(kind)))
    ]


def union(kind: Any) -> tuple[Any, ...]:
    return get_args(kind) if get_origin(kind) is types.UnionType else ()


@pytest.mark.parametrize("where", choosy())
def test_a_value_of_another_type_is_named_with_its_variable(where: str) -> None:
    variable = f"VESTIGE_{where.upper().replace('.', '__')}"
    with pytest.raises(SettingsError, match=variable):
        load(None, {variable: "none of these"})


LATER = """\
[service]
port = 8000
result_review_hook = "x"

[[fhir.servers]]
base = "https://a.example/fhir"

[[fhir.servers]]
base = "http://b.example/fhir"
"""


def test_values_that_contradict_each_other_are_named_too(tmp_path: Path) -> None:
    file = tmp_path / "vestige.toml"
    file.write_text(LATER)
    with pytest.raises(SettingsError, match=r"vestige\.toml:3: service\.result_review_hook: "):
        load(file, {})
    file.write_text(LATER.replace("result_review_hook", "# "))
    with pytest.raises(SettingsError, match=r"vestige\.toml:8: fhir\.servers\[1\]: "):
        load(file, {})
    env = {"VESTIGE_FHIR__SERVERS": '[{"base": "http://b.example/fhir"}]'}
    with pytest.raises(SettingsError, match=r"^VESTIGE_FHIR__SERVERS: fhir\.servers\[0\]: "):
        load(file, env)
    file.write_text("[[fhir.servers]]\nopen = true\n")
    with pytest.raises(
        SettingsError, match=r"vestige\.toml:1: fhir\.servers\[0\]: .*missing required field `base`"
    ):
        load(file, {})
    file.write_text("[service]\nprot = 1\n")
    with pytest.raises(SettingsError, match=r"vestige\.toml:2: unknown key service\.prot; did you mean port"):
        load(file, {})


@pytest.mark.parametrize(
    ("key", "line"),
    [
        ("service.port", 2),
        ("service.host", 1),
        ("fhir.servers[0].base", 6),
        ("fhir.servers[1].base", 9),
        ("fhir.servers[1].backend.key", 8),
        ("fhir.servers[2].base", None),
        ("rules.states", None),
    ],
)
def test_where_a_key_is_written(key: str, line: int | None) -> None:
    assert line_of(LATER, key) == line


def test_a_secret_may_be_in_a_file_that_a_variable_names(tmp_path: Path) -> None:
    (tmp_path / "url").write_text("postgresql+psycopg://vestige:hush-hush@db/v\n")
    env = {"VESTIGE_STORE__URL_FILE": str(tmp_path / "url")}
    assert load(None, env).store.url == "postgresql+psycopg://vestige:hush-hush@db/v"
    with pytest.raises(SettingsError, match="VESTIGE_STORE__URL_FILE: nowhere cannot be read"):
        load(None, {"VESTIGE_STORE__URL_FILE": "nowhere"})
    (tmp_path / "port").write_text("hush-hush")
    with pytest.raises(SettingsError) as refused:
        load(None, {"VESTIGE_SERVICE__PORT_FILE": str(tmp_path / "port")})
    assert "VESTIGE_SERVICE__PORT_FILE" in str(refused.value)
    assert "hush-hush" not in str(refused.value)
