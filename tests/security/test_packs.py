"""Rule packs, parameters and profiles as an attack: YAML that grows, names Python, or becomes code."""

from __future__ import annotations

import ast
import builtins
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
import yaml

from cds_hooks.rulebook import pack_of
from plugin.errors import SettingsError
from plugin.settings import Rules, Settings, load
from rules.errors import PackError, RulesError
from rules.evaluate import Evaluator
from rules.language import load_pack
from tests.security.inputs import PACK
from tests.security.patterns import HOUSES, ROOT

MARK = "vestige_planted"
SET = f"__import__('builtins').__dict__.__setitem__('{MARK}', 1)"
CODE = (
    f"x'+{SET}+'",
    f'x"+{SET}+"',
    f"x'); {SET} #",
    f'x"); {SET} #',
    "{" + SET + "}",
    f"x\\');{SET}#",
    f"x\\\\');{SET}#",
    f"'''+{SET}+'''",
    f"x\u2028{SET}",
    SET,
)
LAUGHS = "".join(f"a{n}: &a{n} [{', '.join([f'*a{n - 1}'] * 10) if n else 'x'}]\n" for n in range(12))
BOMBS = {
    "billions of aliases": LAUGHS,
    "an anchor in itself": "a: &a [*a]\n",
    "a merge": "a: &a {b: c}\nd: {<<: *a}\n",
    "an object of Python": "a: !!python/object/apply:os.system [echo]\n",
    "a name of Python": "a: !!python/name:os.system\n",
    "a tag of its own": "!mine\na: b\n",
    "a binary": "a: !!binary aGk=\n",
    "a set": "a: !!set {x, y}\n",
    "a depth": "a: " + "[" * 100_000 + "]" * 100_000 + "\n",
    "a depth of blocks": "".join(" " * n + "a:\n" for n in range(2000)),
    "two documents": "a: b\n---\na: c\n",
    "a directive": "%TAG ! tag:evil.example,2026:\n---\na: !x b\n",
    "a long key": "? " + "k" * 5000 + "\n: v\n",
    "a list as a key": "? [a, b]\n: v\n",
}
FILES = (*sorted(PACK), "text/en.yaml", "catalogue.yaml")


@pytest.fixture(autouse=True)
def nothing_is_planted() -> Iterator[None]:
    yield
    assert not hasattr(builtins, MARK)


def written(folder: Path, files: dict[str, bytes]) -> Path:
    for name, data in files.items():
        (folder / name).parent.mkdir(exist_ok=True)
        (folder / name).write_bytes(data)
    return folder


@pytest.mark.parametrize("file", FILES)
@pytest.mark.parametrize("bomb", BOMBS)
def test_yaml_that_is_more_than_text_is_refused_in_every_file(bomb: str, file: str, tmp_path: Path) -> None:
    written(tmp_path, {**PACK, file: BOMBS[bomb].encode()})
    with pytest.raises(PackError) as caught:
        load_pack(tmp_path)
    assert any(one.file == file and one.line >= 1 for one in caught.value.problems)


def scalars(document: Any, path: tuple[Any, ...] = ()) -> Iterator[tuple[Any, ...]]:
    items = document.items() if isinstance(document, dict) else enumerate(document)
    for key, value in items:
        if isinstance(value, dict | list):
            yield from scalars(value, (*path, key))
        else:
            yield (*path, key)


def with_text(document: Any, path: tuple[Any, ...], text: str) -> Any:
    copied = yaml.load(yaml.safe_dump(document), yaml.BaseLoader)
    holder = copied
    for key in path[:-1]:
        holder = holder[key]
    holder[path[-1]] = text
    return copied


@pytest.mark.parametrize("file", sorted(PACK))
def test_no_text_of_a_pack_becomes_code(file: str, tmp_path: Path) -> None:
    """Both engines are made of generated Python; each text of a pack is refused, or stays a text in it."""
    document = yaml.load(PACK[file], yaml.BaseLoader)
    places = list(scalars(document))
    taken = 0
    for number, path in enumerate(places):
        text = CODE[number % len(CODE)]
        data = yaml.safe_dump(with_text(document, path, text), allow_unicode=True).encode()
        folder = tmp_path / str(number)
        folder.mkdir()
        try:
            pack = load_pack(written(folder, {**PACK, file: data}))
        except PackError:
            continue
        taken += 1
        with Evaluator(pack, mode="reference", timeout=60) as made:
            made.evaluate(())
    assert places
    assert taken < len(places)


def test_a_code_that_holds_code_is_compared_as_text(tmp_path: Path) -> None:
    """A value of a fact comes from a record: as an id it may be any text, in both engines."""
    from rules.facts import Fact

    with Evaluator(load_pack(written(tmp_path, PACK)), mode="in-process", timeout=60) as made:
        for text in CODE:
            facts = (
                Fact("lesion", {"id": text}, ("BodyStructure/1",)),
                Fact("sighting", {"id": "s", "lesion": text, "visibility": "visible"}, ("Observation/1",)),
            )
            try:
                found = made.evaluate(facts)
            except RulesError:
                continue
            assert found.engines == ("durable", "crosscheck") or len(found.engines) == 2
            assert all(one.subject == text for one in found.findings if one.rule == "ST")


@pytest.mark.parametrize("value", ["1e999999999", "9" * 5000, "nan", "inf", "-0e99999", "0x10", "1_0", SET])
def test_a_parameter_of_the_site_is_an_exact_number(value: str) -> None:
    with pytest.raises((PackError, SettingsError)):
        pack_of(Settings(rules=Rules(parameters={"restaging_window_days": value})))


@pytest.mark.parametrize(
    "text",
    [
        "a = " + "[" * 5000 + "]" * 5000,
        "a." * 5000 + "b = 1",
        "[service]\nport = " + "9" * 5000,
        "[rules.parameters]\nx = nan",
        "[site]\ntimezone = '../../../etc/passwd'",
        "[site]\ntimezone = '/etc/localtime'",
        "[service]\nhost = '\\u0000'\nport = 1e999",
    ],
    ids=["depth", "a long path", "a number", "no number", "a path", "a whole path", "no port"],
)
def test_settings_that_would_be_a_bomb_are_refused(text: str, tmp_path: Path) -> None:
    file = tmp_path / "vestige.toml"
    file.write_text(text)
    with pytest.raises((SettingsError, PackError)):
        pack_of(load(file, {}))


def test_yaml_is_read_by_the_safe_loader_alone() -> None:
    """What is not a rule pack (profiles, dialects, samples) is shipped, and read without objects of Python."""
    loads = []
    for house in HOUSES:
        for path in (ROOT / house).rglob("*.py"):
            for node in ast.walk(ast.parse(path.read_text(encoding="utf-8"))):
                if isinstance(node, ast.Call) and ast.unparse(node).startswith("getattr(yaml, "):
                    loads += [each.value for each in node.args if isinstance(each, ast.Constant)]
                if isinstance(node, ast.Attribute) and isinstance(node.value, ast.Name):
                    if node.value.id == "yaml" and "load" in node.attr.lower():
                        loads.append(node.attr)
                    assert (node.value.id, node.attr) not in {("pickle", "loads"), ("marshal", "loads")}
    assert loads
    assert set(loads) <= {"safe_load", "SafeLoader", "CSafeLoader"}
