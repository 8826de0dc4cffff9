"""`vestige database`: the step a database is at, and the way to another one, on SQLite and PostgreSQL."""

from __future__ import annotations

import json
import re
from collections.abc import Iterator
from pathlib import Path

import pytest
from click.testing import Result
from typer.testing import CliRunner

from cds_hooks.cli.commands import application
from plugin.database import GOING_BACK, HEAD, migrate
from plugin.errors import InputError, StoreError
from plugin.store import Store
from tests.plugin.test_store import record
from tests.servers import postgresql


@pytest.fixture(params=["sqlite", "postgresql"])
def url(request: pytest.FixtureRequest, tmp_path: Path) -> Iterator[str]:
    if request.param == "sqlite":
        Store(f"sqlite:///{tmp_path / 's.db'}").close()
        yield f"sqlite:///{tmp_path / 's.db'}"
        return
    with postgresql.running() as found:
        Store(found).close()
        yield found


def run(*arguments: str) -> Result:
    result = CliRunner().invoke(application(["database"]), ["database", *arguments])
    if result.exception is not None and not isinstance(result.exception, SystemExit):
        raise result.exception
    return result


def step(url: str) -> str:
    return str(json.loads(run("status", "--store", url, "--json").output)["step"])


def test_back_only_when_told_so_and_forward_again(url: str) -> None:
    store = Store(url)
    store.add_record(record())
    store.close()
    asked = run("migrate", "0002", "--store", url)
    assert asked.exit_code == 0
    words = " ".join(asked.output.split())
    assert GOING_BACK["0003"] in words
    assert GOING_BACK["0004"] in words
    assert GOING_BACK["0002"] not in words
    assert "nothing was changed" in words
    assert step(url) == HEAD
    assert (
        f"At step {HEAD} before, at step 0002 now." in run("migrate", "0002", "--store", url, "--yes").output
    )
    told = run("status", "--store", url)
    assert (told.exit_code, told.output) == (1, f"At step 0002; this version needs {HEAD}.\n")
    forward = run("migrate", "--store", url)
    assert "Lost" not in forward.output
    assert step(url) == HEAD
    kept = Store(url, create=False)
    assert len(list(kept.records())) == 1
    kept.close()


def test_a_database_at_the_step_that_is_needed(url: str) -> None:
    assert run("status", "--store", url).exit_code == 0
    assert run("migrate", "--store", url).exit_code == 0
    assert step(url) == HEAD


def test_the_settings_name_the_database(tmp_path: Path) -> None:
    url = f"sqlite:///{tmp_path / 's.db'}"
    config = tmp_path / "vestige.toml"
    config.write_text(f'[store]\nurl = "{url}"\n')
    Store(url).close()
    assert run("status", "--config", str(config)).exit_code == 0
    with pytest.raises(InputError, match="not both"):
        run("status", "--config", str(config), "--store", url)


def test_a_database_that_is_not_there_is_not_made(tmp_path: Path) -> None:
    for command in ("status", "migrate"):
        with pytest.raises(StoreError, match="no such database"):
            run(command, "--store", f"sqlite:///{tmp_path / 'none.db'}")
    assert not list(tmp_path.iterdir())


def test_a_database_that_does_not_answer_is_named_without_its_password() -> None:
    with pytest.raises(StoreError, match="cannot be used") as found:
        run("status", "--store", "postgresql://user:hush@127.0.0.1:1/x")
    assert "hush" not in str(found.value)


@pytest.mark.parametrize("wrong", ["0000", "0099", "head", "1e3"])
def test_a_step_that_there_is_not(tmp_path: Path, wrong: str) -> None:
    url = f"sqlite:///{tmp_path / 's.db'}"
    Store(url).close()
    with pytest.raises(StoreError, match="there is no step"):
        run("migrate", wrong, "--store", url, "--yes")
    assert step(url) == HEAD


def test_a_file_that_is_no_database(tmp_path: Path) -> None:
    (tmp_path / "s.db").write_text("not a database, but long enough to be looked at as one" * 40)
    with pytest.raises(StoreError, match="cannot be used"):
        run("status", "--store", f"sqlite:///{tmp_path / 's.db'}")


def test_of_every_step_it_is_known_what_goes_with_it() -> None:
    assert list(GOING_BACK) == [f"{number:04}" for number in range(2, int(HEAD) + 1)]
    assert all(re.fullmatch(r"[a-z].*[a-z]", text) for text in GOING_BACK.values())


def test_an_empty_database_is_brought_forward(tmp_path: Path) -> None:
    (tmp_path / "s.db").touch()
    url = f"sqlite:///{tmp_path / 's.db'}"
    assert run("status", "--store", url).output == f"Empty; this version needs {HEAD}.\n"
    assert "Empty before" in run("migrate", "0001", "--store", url).output
    migrate(url)
    assert step(url) == HEAD
