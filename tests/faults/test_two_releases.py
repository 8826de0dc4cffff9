"""Two releases on one database during an upgrade: the steps go forward or back under a service that runs."""

from __future__ import annotations

import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path

import msgspec
import pytest
import requests
import sqlalchemy as sa

from plugin.database import HEAD, engine_of, migrate
from plugin.record import Record
from plugin.store import Store
from tests.contract.test_bad_input import TODAY, call_of, ordinary
from tests.contract.test_records import figures
from tests.faults.test_load import cards, until
from tests.servers import postgresql
from tests.servers.hostile import serving
from tests.servers.sekmet import free_port
from tests.service import Service, running

VESTIGE = str(Path(sys.executable).with_name("vestige"))
LATER = f"{int(HEAD) + 1:04}"
# What a later release may do while an earlier one runs: add what nobody must know of.
FORWARD = (
    "ALTER TABLE decision_record ADD COLUMN later TEXT",
    "CREATE TABLE later (id INTEGER PRIMARY KEY)",
    f"UPDATE alembic_version SET version_num = '{LATER}'",
)
BACK = (
    "ALTER TABLE decision_record DROP COLUMN later",
    "DROP TABLE later",
    f"UPDATE alembic_version SET version_num = '{HEAD}'",
)


@pytest.fixture(params=["sqlite", "postgresql"])
def url(request: pytest.FixtureRequest, tmp_path: Path) -> Iterator[str]:
    if request.param == "sqlite":
        yield f"sqlite:///{tmp_path / 's.db'}"
        return
    with postgresql.running() as found:
        yield found


def run(url: str, *statements: str) -> None:
    engine = engine_of(url)
    try:
        with engine.begin() as connection:
            for one in statements:
                connection.execute(sa.text(one))
    finally:
        engine.dispose()


def ready(service: Service) -> requests.Response:
    return requests.get(f"{service.address}/readyz", timeout=60)


def recorded(url: str) -> list[tuple[str, ...]]:
    engine = engine_of(url)
    query = sa.text("SELECT body FROM decision_record ORDER BY id")
    try:
        with engine.connect() as connection:
            bodies = connection.execute(query).scalars().all()
    finally:
        engine.dispose()
    return [msgspec.json.decode(body, type=Record).cards for body in bodies]


def test_a_release_runs_on_while_another_one_changes_the_database(url: str, tmp_path: Path) -> None:
    file = tmp_path / "vestige.toml"
    file.write_text(
        f'[store]\nurl = "{url}"\nspool = "{tmp_path / "spool"}"\n'
        '[rules]\nengine = "reference"\n[service]\nhook_deadline = 120.0\n'
    )
    options = ["--config", str(file)]
    with (
        serving(ordinary) as server,
        running(tmp_path, bases=[server.base], today=TODAY, options=options) as service,
    ):

        def asked() -> tuple[str, ...]:
            return cards(service.call(call_of(server.base)))

        answered = [asked()]
        until(lambda: recorded(url) == answered)

        run(url, *FORWARD)
        answered.append(asked())
        until(lambda: recorded(url) == answered)
        assert ready(service).status_code == 503, "calls go to the later release"
        assert f"is at step {LATER}, this version needs {HEAD}" in ready(service).text
        refused_to_start(options)

        run(url, *BACK)
        assert ready(service).status_code == 200

        migrate(url, "0003")
        answered.append(asked())
        until(lambda: figures(service)["vestige_database_away"] == "1.0")
        assert ready(service).status_code == 503
        assert figures(service)["vestige_records_waiting"] == "1.0"
        assert recorded(url) == answered[:-1]

        migrate(url)
        until(lambda: recorded(url) == answered)
        until(lambda: figures(service)["vestige_database_away"] == "0.0")
        assert ready(service).status_code == 200
        answered.append(asked())
        until(lambda: recorded(url) == answered)
    store = Store(url, create=False)
    assert [one.broken for one in store.verify() if one.broken is not None] == []
    assert store.unlinked() == 0
    store.close()
    assert not list((tmp_path / "spool").glob("*.broken"))


def refused_to_start(options: list[str]) -> None:
    """The earlier release, started after the later one has changed the database."""
    command = [VESTIGE, "serve", "--open", "--port", str(free_port()), *options]
    done = subprocess.run(command, capture_output=True, text=True, timeout=120)
    assert done.returncode == 3, done.stderr
    assert "a newer version has opened it" in " ".join(done.stderr.split())
