"""The store on PostgreSQL, where several workers write to one database."""

from __future__ import annotations

import threading
from collections.abc import Iterator

import pytest
import sqlalchemy as sa

from plugin.errors import StoreError
from plugin.store import HEAD, Store
from tests.plugin.test_store import item, record
from tests.servers import postgresql


@pytest.fixture(scope="module")
def url() -> Iterator[str]:
    with postgresql.running() as found:
        yield found


def test_several_workers_open_and_write_one_database(url: str) -> None:
    faults: list[Exception] = []

    def work(number: int) -> None:
        try:
            store = Store(url)
            store.add_feedback([item("shared"), item(f"card-{number}")])
            store.add_record(record())
            store.check()
            store.close()
        except Exception as fault:
            faults.append(fault)

    threads = [threading.Thread(target=work, args=(number,)) for number in range(4)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert faults == []
    store = Store(url)
    assert sorted(one.card for one in store.feedback()) == ["card-0", "card-1", "card-2", "card-3", "shared"]
    assert len(list(store.records())) == 4
    assert store.pseudonym_key() == store.pseudonym_key()
    store.close()


def test_the_database_refuses_to_change_or_remove_a_record(url: str) -> None:
    store = Store(url)
    store.add_record(record())
    store.close()
    engine = sa.create_engine(url.replace("postgresql:", "postgresql+psycopg:"))
    for statement in ("UPDATE decision_record SET body = '{}'", "DELETE FROM decision_record"):
        with pytest.raises(sa.exc.DBAPIError, match="append-only"), engine.begin() as connection:
            connection.execute(sa.text(statement))
    with engine.connect() as connection:
        assert connection.execute(sa.text("SELECT version_num FROM alembic_version")).scalar() == HEAD
    engine.dispose()


def test_a_server_that_is_not_there_is_named_without_its_password(url: str) -> None:
    with pytest.raises(StoreError) as refused:
        Store("postgresql://vestige:hush@127.0.0.1:1/postgres")
    assert "hush" not in str(refused.value)
    assert "127.0.0.1" in str(refused.value)
