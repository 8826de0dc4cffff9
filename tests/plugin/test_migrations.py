"""The steps of the database, forward and back, with data in it; on SQLite and PostgreSQL."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path
from typing import Any

import msgspec
import pytest
import sqlalchemy as sa

from plugin.database import HEAD, engine_of, migrate, version_of
from plugin.errors import StoreError
from plugin.rows import digest
from plugin.store import Store
from tests.plugin.test_sent import HERE, sent
from tests.plugin.test_store import AT, item, record
from tests.servers import postgresql


@pytest.fixture(params=["sqlite", "postgresql"])
def url(request: pytest.FixtureRequest, tmp_path: Path) -> Iterator[str]:
    if request.param == "sqlite":
        yield f"sqlite:///{tmp_path / 's.db'}"
        return
    with postgresql.running() as found:
        yield found


def run(url: str, statement: str, **values: Any) -> list[Any]:
    engine = engine_of(url)
    try:
        with engine.begin() as connection:
            result = connection.execute(sa.text(statement), values)
            return list(result) if result.returns_rows else []
    finally:
        engine.dispose()


def tables(url: str) -> set[str]:
    engine = engine_of(url)
    found = set(sa.inspect(engine).get_table_names())
    engine.dispose()
    return found


def old_feedback(url: str, card: str, comment: str | None) -> None:
    """A row as the version before wrote it."""
    run(
        url,
        "INSERT INTO feedback (digest, received, at, service, card, outcome, accepted, comment) "
        "VALUES (:digest, :at, :at, 's', :card, 'overridden', '[]', :comment)",
        digest=card,
        card=card,
        at=AT.isoformat(timespec="milliseconds"),
        comment=comment,
    )


def old_record(url: str) -> str:
    """A decision record without the members that came later."""
    told = msgspec.to_builtins(record())
    del told["answers"]
    for finding in told["findings"]:
        del finding["hidden_by"]
    body = msgspec.json.encode(told, order="deterministic").decode()
    run(
        url,
        "INSERT INTO decision_record (record, made, digest, body) VALUES (:id, :made, :digest, :body)",
        id=told["id"],
        made=told["made"],
        digest=digest(body),
        body=body,
    )
    return str(told["id"])


def test_forward_with_data(url: str) -> None:
    migrate(url, "0001")
    assert "sent_card" not in tables(url)
    old_feedback(url, "with-words", "because")
    old_feedback(url, "without", None)
    run(url, "INSERT INTO pseudonym_key (id, key) VALUES (1, :key)", key="ab" * 32)
    old = old_record(url)
    store = Store(url)
    assert [(one.card, one.commented, one.comment, one.tenant) for one in store.feedback()] == [
        ("with-words", True, "because", None),
        ("without", False, None, None),
    ]
    assert store.pseudonym_key() == b"\xab" * 32
    assert store.sent() == ()
    assert [(one.id, one.answers, one.findings[0].hidden_by) for one in store.records()] == [(old, (), None)]
    store.check()
    store.close()


def test_back_with_data_and_forward_again(url: str) -> None:
    store = Store(url)
    made, card = record(), sent()
    store.add_record(made, [card])
    store.add_feedback([item(card.card, reason_code="mdt-decision", **HERE)])
    key = store.pseudonym_key()
    store.close()
    migrate(url, "0001")
    assert "sent_card" not in tables(url)
    assert "sent_rule" not in tables(url)
    assert run(url, "SELECT card, reason_code FROM feedback") == [(card.card, "mdt-decision")]
    assert run(url, "SELECT record FROM decision_record") == [(made.id,)]
    with pytest.raises(StoreError, match=f"at step 0001, this version needs {HEAD}"):
        Store(url, create=False)
    again = Store(url)
    assert [one.id for one in again.records()] == [made.id]
    assert [one.card for one in again.feedback()] == [card.card]
    assert again.pseudonym_key() == key
    assert again.sent() == (), "what was dropped does not come back: the advice is shown again"
    again.close()


def test_records_are_still_only_added_to_after_a_step_back(url: str) -> None:
    store = Store(url)
    store.add_record(record())
    store.close()
    migrate(url, "0001")
    with pytest.raises(sa.exc.DBAPIError, match="append-only"):
        run(url, "DELETE FROM decision_record")


def test_a_step_that_fails_leaves_nothing_half_done(url: str) -> None:
    migrate(url, "0001")
    run(url, "CREATE TABLE sent_rule (id INTEGER)")
    with pytest.raises(StoreError, match="cannot be brought"):
        migrate(url)
    assert "sent_card" not in tables(url)
    run(url, "DROP TABLE sent_rule")
    migrate(url)
    Store(url, create=False).close()


@pytest.mark.parametrize("step", ["0000", "0099", "base", "head", "-1", ""])
def test_a_step_that_there_is_not_is_refused(tmp_path: Path, step: str) -> None:
    url = f"sqlite:///{tmp_path / 's.db'}"
    Store(url).close()
    with pytest.raises(StoreError, match="there is no step"):
        migrate(url, step)
    assert run(url, "SELECT version_num FROM alembic_version") == [(HEAD,)]


def test_a_database_of_a_newer_version_is_refused_in_words(tmp_path: Path) -> None:
    url = f"sqlite:///{tmp_path / 's.db'}"
    Store(url).close()
    run(url, "UPDATE alembic_version SET version_num = '9999'")
    with pytest.raises(StoreError, match="newer version"):
        Store(url)


def test_an_empty_database_has_no_step(tmp_path: Path) -> None:
    engine = engine_of(f"sqlite:///{tmp_path / 's.db'}")
    assert version_of(engine) is None
    engine.dispose()
