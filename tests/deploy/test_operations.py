"""docs/operations.md knows every reason of /readyz, every alarm, every figure and every command that there is."""

from __future__ import annotations

import ast
import inspect
import re
import shlex
import textwrap
from collections.abc import Callable
from pathlib import Path
from types import SimpleNamespace
from typing import Any, get_args

import msgspec
import pytest
import typer
from prometheus_client.parser import text_string_to_metric_families

from cds_hooks import app as app_module
from cds_hooks.cli.commands import COMMANDS, GROUPS, application
from cds_hooks.desk import Reloads
from cds_hooks.memory import Lost
from cds_hooks.metrics import Metrics
from cds_hooks.usecase import UseCase
from plugin import recorder as recorder_module
from plugin.database import migrate
from plugin.errors import StoreError
from plugin.recorder import Recorder
from plugin.store import Store
from rules.evaluation import AlarmKind
from tests.require import ROOT

PAGE = (ROOT / "docs" / "operations.md").read_text()


def section(title: str) -> str:
    """The text under a heading, up to the next one."""
    (found,) = re.findall(rf"^##+ {re.escape(title)}\n(.*?)(?=^##+ |\Z)", PAGE, re.MULTILINE | re.DOTALL)
    return str(found)


def first_cells(title: str) -> list[str]:
    """What the rows of the table of a section are about, without its heading."""
    return re.findall(r"^\| (.*?) \|", section(title), re.MULTILINE)[1:]


def calls_of(function: Callable[..., Any]) -> set[str]:
    """The methods of an object's own members that a function calls."""
    tree = ast.parse(textwrap.dedent(inspect.getsource(function)))
    return {ast.unparse(one.func) for one in ast.walk(tree) if isinstance(one, ast.Call)}


def reason(found: Callable[[], None]) -> str:
    with pytest.raises(StoreError) as raised:
        found()
    return str(raised.value)


@pytest.fixture
def reasons(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> list[str]:
    """Every text that /readyz can answer 503 with, each from the code that gives it."""
    url = f"sqlite:///{tmp_path / 's.db'}"
    store = Store(url)
    recorder = Recorder(
        store, tmp_path / "spool", policy="refuse", limit=65536, tell=lambda what, error: None
    )
    monkeypatch.setattr(recorder, "_away", True)
    found = [reason(recorder.require)]
    recorder.close()
    migrate(url, "0003")
    found.append(reason(store.check))
    store.close()
    gone = Store(f"sqlite:///{tmp_path / 'gone.db'}")
    gone.close()
    (tmp_path / "gone.db").unlink()
    (tmp_path / "gone.db").mkdir()
    found.append(reason(gone.check))

    def unreadable(engine: object) -> None:
        raise msgspec.DecodeError("x")

    monkeypatch.setattr("plugin.store.version_of", unreadable)
    return [*found, reason(gone.check)]


def test_every_reason_of_readyz_has_a_row(reasons: list[str]) -> None:
    rows = [row for row in first_cells("`/readyz` is 503") if row != "---"]
    patterns = [".*".join(map(re.escape, row.strip("`").split("..."))) for row in rows]
    assert len(rows) == len(reasons)
    for text in reasons:
        assert [one for one in patterns if re.search(one, text)], f"no row of the page is about: {text}"
    for row, pattern in zip(rows, patterns, strict=True):
        assert [text for text in reasons if re.search(pattern, text)], f"{row} is no reason any more"


def test_readyz_has_no_other_reasons() -> None:
    """A new source of reasons must be put in above, and on the page."""
    assert calls_of(UseCase.missing) == {"self._recorder.require", "self._store.check", "str"}
    guarded = ast.parse(textwrap.dedent(inspect.getsource(Store._guarded.__wrapped__)))  # type: ignore[attr-defined]
    assert sum(isinstance(one, ast.Raise) for one in ast.walk(guarded)) == 3
    sources = ast.parse(textwrap.dedent(inspect.getsource(Recorder.require)))
    assert sum(isinstance(one, ast.Raise) for one in ast.walk(sources)) == 1


def test_every_member_of_readyz_has_a_row() -> None:
    ready = ast.parse(inspect.getsource(app_module.ready))
    keys = [key for one in ast.walk(ready) if isinstance(one, ast.Dict) for key in one.keys]
    members = {one.value for one in keys if isinstance(one, ast.Constant)}
    reloads = Reloads()
    reloads.refused, reloads.waiting = 1.0, ("service.port",)
    members |= set(reloads.state())
    named = set(re.findall(r"`(\w+)`", " ".join(first_cells("`/readyz` is 200 and has more to say"))))
    assert members == named


def test_every_alarm_has_a_row() -> None:
    said = " ".join(first_cells("Alarms and lines of the log"))
    alarms = {*get_args(AlarmKind), Lost().kind}
    alarms |= set(re.findall(r'_tell\("([\w-]+)"', inspect.getsource(recorder_module)))
    assert len(alarms) >= 10
    assert not [one for one in alarms if one not in said]
    watched = section("What to watch")
    assert not [one for one in (*get_args(AlarmKind), Lost().kind) if one not in watched]


def figures() -> set[str]:
    families = text_string_to_metric_families(Metrics().text().decode())
    return {f"{one.name}_total" if one.type == "counter" else one.name for one in families}


def test_every_figure_that_is_watched_exists_and_every_figure_is_watched() -> None:
    named = set(re.findall(r"vestige_[a-z_]+", section("What to watch")))
    named = {one.removesuffix("_bucket") for one in named}
    assert named == figures()


def options(function: Any) -> set[str]:
    command = typer.main.get_command(application())
    found = SimpleNamespace(params=[])
    for word in function:
        command = command.commands[word]  # type: ignore[attr-defined]
        found = command  # type: ignore[assignment]
    return {name for one in found.params for name in (*one.opts, *one.secondary_opts)}


def commands() -> list[list[str]]:
    """Every command line of ours on the page, in a block or in a sentence."""
    lines = re.findall(r"^(?:\S*/)?vestige (.*)$", PAGE, re.MULTILINE)
    lines += [text.replace("\n", " ") for text in re.findall(r"`vestige ([^`]+)`", PAGE)]
    return [shlex.split(line) for line in lines]


def test_every_command_on_the_page_is_one_that_there_is() -> None:
    found = commands()
    assert len(found) >= 12
    for words in found:
        if words[0] == "--version":
            continue
        assert words[0] in (*COMMANDS, *GROUPS), words
        path = words[:2] if words[0] in GROUPS else words[:1]
        named = {word for word in words if word.startswith("--")}
        assert named <= options(path), words


def test_every_file_and_heading_that_it_links_is_there() -> None:
    targets = re.findall(r"\]\(([^)]+)\)", PAGE)
    headings = {
        re.sub(r"[^\w -]", "", title.lower()).replace(" ", "-")
        for title in re.findall(r"^##+ (.*)$", PAGE, re.MULTILINE)
    }
    for target in targets:
        name, _, heading = target.partition("#")
        assert not name or (ROOT / "docs" / name).is_file(), target
        assert not heading or name or heading in headings, target
    for path in set(re.findall(r"`(deploy/[\w./-]+)`", PAGE)):
        assert (ROOT / path).exists(), path
