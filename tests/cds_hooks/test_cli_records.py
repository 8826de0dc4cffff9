"""`vestige records`: what is checked, handed out and dropped."""

from __future__ import annotations

import json
import sqlite3
from datetime import UTC, datetime, timedelta
from pathlib import Path

import msgspec
import pytest
from click.testing import Result
from typer.testing import CliRunner

from cds_hooks.cli.commands import application
from fhir_profiles.check import check
from plugin.errors import InputError, StoreError
from plugin.record import Entry, Record
from plugin.store import Store
from tests.plugin.test_store import record

SHORTER = """
UPDATE record_segment SET records = 1,
head = (SELECT link FROM decision_record WHERE segment = 'w/2026-03-01') WHERE segment = 'w/2026-03-01'
"""
DAY = datetime(2026, 3, 1, 12, tzinfo=UTC)


@pytest.fixture
def url(tmp_path: Path) -> str:
    address = f"sqlite:///{tmp_path / 's.db'}"
    store = Store(address)
    for days in (0, 0, 1):
        one: Record = msgspec.structs.replace(record(), made=DAY + timedelta(days=days))
        store.keep([Entry(record=one)], "w")
    store.close()
    return address


def run(*arguments: str) -> Result:
    result = CliRunner().invoke(application(["records"]), ["records", *arguments])
    if result.exception is not None and not isinstance(result.exception, SystemExit):
        raise result.exception
    return result


def tamper(tmp_path: Path, *statements: str) -> None:
    with sqlite3.connect(tmp_path / "s.db") as connection:
        for event in ("UPDATE", "DELETE"):
            connection.execute(f"DROP TRIGGER IF EXISTS decision_record_no_{event}")
        for statement in ("DROP TRIGGER IF EXISTS record_segment_no_DELETE", *statements):
            connection.execute(statement)
    connection.close()


def test_chains_that_hold(url: str) -> None:
    result = run("verify", "--store", url)
    assert result.exit_code == 0
    assert "2 of 2 chains hold; 3 records, 0 of them dropped" in result.output


def test_the_first_broken_link_is_named(url: str, tmp_path: Path) -> None:
    tamper(tmp_path, "UPDATE decision_record SET body = replace(body, 'critical', 'info') WHERE place = 2")
    result = run("verify", "--store", url)
    assert result.exit_code == 1
    assert "BROKEN w/2026-03-01: place 2, record" in result.output
    told = json.loads(run("verify", "--store", url, "--json").output)
    assert [one["broken"] is None for one in told["chains"]] == [False, True]


def test_a_record_outside_every_chain_is_told(url: str, tmp_path: Path) -> None:
    tamper(tmp_path, "UPDATE decision_record SET segment = NULL, place = NULL WHERE place = 2")
    result = run("verify", "--store", url)
    assert result.exit_code == 1
    assert "1 records stand in no chain" in result.output


@pytest.mark.parametrize(
    ("statements", "words"),
    [
        (("DELETE FROM decision_record", "DELETE FROM record_segment"), "the chain is gone"),
        (
            (
                "DELETE FROM decision_record WHERE place = 2",
                SHORTER,
            ),
            "had 2 records and its head names 1",
        ),
        (("UPDATE record_segment SET head = 'x' WHERE records = 2",), "was made anew"),
    ],
    ids=["gone", "shortened", "anew"],
)
def test_an_earlier_check_tells_what_a_chain_alone_cannot(
    statements: tuple[str, ...], words: str, url: str, tmp_path: Path
) -> None:
    earlier = tmp_path / "earlier.json"
    earlier.write_text(run("verify", "--store", url, "--json").output)
    assert run("verify", "--store", url, "--against", str(earlier)).exit_code == 0
    tamper(tmp_path, *statements)
    result = run("verify", "--store", url, "--against", str(earlier))
    assert result.exit_code == 1
    assert words in result.output


def test_a_chain_that_grew_or_was_pruned_still_agrees_with_an_earlier_check(url: str, tmp_path: Path) -> None:
    earlier = tmp_path / "earlier.json"
    earlier.write_text(run("verify", "--store", url, "--json").output)
    store = Store(url)
    store.keep([Entry(record=msgspec.structs.replace(record(), made=DAY))], "w")
    assert run("verify", "--store", url, "--against", str(earlier)).exit_code == 0
    store.close()
    assert run("prune", "--store", url, "--before", "2026-03-02", "--yes").exit_code == 0
    assert run("verify", "--store", url, "--against", str(earlier)).exit_code == 0


def test_nothing_is_dropped_before_it_is_said(url: str) -> None:
    result = run("prune", "--store", url, "--before", "2026-03-02")
    assert "2 records of 1 chains before 2026-03-02 would be dropped" in result.output
    assert len(run("export", "--store", url).output.splitlines()) == 3
    dropped = json.loads(run("prune", "--store", url, "--before", "2026-03-02", "--yes", "--json").output)
    assert [(one["segment"], one["records"]) for one in dropped["chains"]] == [("w/2026-03-01", 2)]
    assert len(run("export", "--store", url).output.splitlines()) == 1
    result = run("verify", "--store", url)
    assert result.exit_code == 0
    assert "3 records, 2 of them dropped" in result.output


def test_how_long_records_stay_is_a_setting(url: str, tmp_path: Path) -> None:
    config = tmp_path / "v.toml"
    config.write_text(f'[store]\nurl = "{url}"\nkeep_days = 30\n')
    assert "3 records of 2 chains" in run("prune", "--config", str(config)).output
    config.write_text(f'[store]\nurl = "{url}"\nkeep_days = 36500\n')
    assert "0 records of 0 chains" in run("prune", "--config", str(config)).output


def test_what_cannot_be_pruned_is_refused(url: str) -> None:
    with pytest.raises(InputError, match="keep_days"):
        run("prune", "--store", url)
    tomorrow = (datetime.now(UTC).date() + timedelta(days=1)).isoformat()
    with pytest.raises(InputError, match="not over"):
        run("prune", "--store", url, "--before", tomorrow)


def test_export_as_records_and_as_audit_events(url: str, tmp_path: Path) -> None:
    lines = run("export", "--store", url).output.splitlines()
    found = [msgspec.json.decode(line, type=Record) for line in lines]
    assert [one.made for one in found] == [DAY, DAY, DAY + timedelta(days=1)]
    out = tmp_path / "audit.ndjson"
    assert (
        run("export", "--store", url, "--audit-event", "--since", "2026-03-02", "--out", str(out)).exit_code
        == 0
    )
    (event,) = map(json.loads, out.read_text().splitlines())
    assert check(event) == ()
    with pytest.raises(InputError, match="cannot be written"):
        run("export", "--store", url, "--out", str(out))


def test_a_database_that_is_not_there_and_files_that_are_no_check(url: str, tmp_path: Path) -> None:
    with pytest.raises(StoreError, match="no such database"):
        run("verify", "--store", f"sqlite:///{tmp_path / 'none.db'}")
    (tmp_path / "x.json").write_text("[]")
    for file in ("x.json", "none.json"):
        with pytest.raises(InputError, match=file):
            run("verify", "--store", url, "--against", str(tmp_path / file))
    with pytest.raises(InputError, match="not both"):
        run("verify", "--store", url, "--config", "x.toml")
