"""The hash chain over decision records: every change is found, retention drops whole days and keeps their heads."""

from __future__ import annotations

import threading
from collections.abc import Iterator
from datetime import UTC, date, datetime, timedelta
from pathlib import Path

import msgspec
import pytest
import sqlalchemy as sa

from plugin.database import engine_of, migrate
from plugin.record import Entry, Record
from plugin.store import Store
from tests.plugin.test_sent import sent
from tests.plugin.test_store import record
from tests.servers import postgresql

DAY = datetime(2026, 3, 1, 23, 59, 59, tzinfo=UTC)
TRIGGERS = {
    "sqlite": ["DROP TRIGGER decision_record_no_UPDATE", "DROP TRIGGER decision_record_no_DELETE"],
    "postgresql": ["DROP TRIGGER decision_record_append_only ON decision_record"],
}


@pytest.fixture(params=["sqlite", "postgresql"])
def url(request: pytest.FixtureRequest, tmp_path: Path) -> Iterator[str]:
    if request.param == "sqlite":
        yield f"sqlite:///{tmp_path / 's.db'}"
        return
    with postgresql.running() as found:
        yield found


def made(at: datetime = DAY) -> Record:
    return msgspec.structs.replace(record(), made=at)


def filled(url: str, count: int = 4, worker: str = "w") -> Store:
    store = Store(url)
    store.keep([Entry(record=made()) for _ in range(count)], worker)
    return store


def tamper(url: str, *statements: str) -> None:
    """Changes what the database itself would not let anybody change."""
    engine = engine_of(url)
    with engine.begin() as connection:
        for statement in (*TRIGGERS[connection.dialect.name], *statements):
            connection.execute(sa.text(statement))
    engine.dispose()


def broken(store: Store) -> list[str]:
    return [one.broken for one in store.verify() if one.broken is not None]


def test_a_chain_for_each_worker_and_day(url: str) -> None:
    store = filled(url)
    store.keep([Entry(record=made()), Entry(record=made(DAY + timedelta(seconds=1)))], "x")
    assert [(one.segment, one.records) for one in store.heads()] == [
        ("w/2026-03-01", 4),
        ("x/2026-03-01", 1),
        ("x/2026-03-02", 1),
    ]
    assert broken(store) == []
    assert store.unlinked() == 0
    assert len({one.head for one in store.heads()}) == 3
    store.close()


@pytest.mark.parametrize(
    ("change", "words"),
    [
        ("UPDATE decision_record SET body = replace(body, 'critical', 'info') WHERE place = 2", "place 2"),
        ("UPDATE decision_record SET digest = link WHERE place = 3", "place 3"),
        ("UPDATE decision_record SET link = digest WHERE place = 1", "place 1"),
        ("DELETE FROM decision_record WHERE place = 2", "place 2: missing"),
        ("DELETE FROM decision_record WHERE place = 1", "place 1: missing"),
        ("DELETE FROM decision_record WHERE place = 4", "place 4: missing"),
        ("DELETE FROM decision_record", "place 1: missing"),
        ("UPDATE decision_record SET place = place + 10 WHERE place = 2", "place 2: missing"),
        ("UPDATE record_segment SET records = 3", "place 4: missing"),
    ],
)
def test_a_change_is_found_at_its_place(change: str, words: str, tmp_path: Path) -> None:
    url = f"sqlite:///{tmp_path / 's.db'}"
    store = filled(url)
    assert broken(store) == []
    tamper(url, change)
    (found,) = broken(store)
    assert words in found
    store.close()


def test_a_record_put_behind_the_head_or_beside_every_chain_is_found(tmp_path: Path) -> None:
    url = f"sqlite:///{tmp_path / 's.db'}"
    store = filled(url)
    copy = "INSERT INTO decision_record (record, made, digest, body, segment, place, link) SELECT {} FROM decision_record"
    tamper(url, copy.format("'a', made, digest, body, segment, 5, link") + " WHERE place = 4")
    assert store.unlinked() == 1
    tamper_again = copy.format("'b', made, digest, body, NULL, NULL, NULL") + " WHERE place = 4"
    with sa.create_engine(url).begin() as connection:
        connection.execute(sa.text(tamper_again))
    assert store.unlinked() == 2
    store.close()


def test_whole_days_are_dropped_and_their_heads_stay(url: str) -> None:
    store = filled(url)
    store.keep([Entry(record=made(DAY + timedelta(days=1)))], "w")
    before = store.heads()
    assert [one.segment for one in store.droppable(date(2026, 3, 2))] == ["w/2026-03-01"]
    assert [one.head for one in store.drop(date(2026, 3, 2))] == [before[0].head]
    assert len(list(store.records())) == 1
    assert [(one.records, one.dropped, one.broken) for one in store.verify()] == [(4, 4, None), (1, 0, None)]
    assert [one.head for one in store.heads()] == [one.head for one in before]
    assert store.drop(date(2026, 3, 2)) == (), "what is gone is not dropped again"
    store.close()


def test_the_database_lets_only_retention_drop_and_no_head(url: str) -> None:
    store = filled(url)
    engine = engine_of(url)
    for statement in ("DELETE FROM decision_record WHERE place = 1", "DELETE FROM record_segment"):
        with pytest.raises(sa.exc.DBAPIError, match="append-only|stay"), engine.begin() as connection:
            connection.execute(sa.text(statement))
    engine.dispose()
    assert broken(store) == []
    store.close()


def test_a_clock_that_jumps_back_continues_the_chain_of_that_day(url: str) -> None:
    store = filled(url)
    store.keep([Entry(record=made(DAY + timedelta(days=400)))], "w")
    store.drop(date(2026, 3, 2))
    store.keep([Entry(record=made()), Entry(record=made(DAY - timedelta(hours=1)))], "w")
    assert [(one.segment, one.records, one.dropped, one.broken) for one in store.verify()] == [
        ("w/2026-03-01", 6, 4, None),
        ("w/2027-04-05", 1, 0, None),
    ]
    store.close()


def test_what_is_there_already_is_not_added_again(url: str) -> None:
    store, one = Store(url), Entry(record=made())
    store.keep([one], "w")
    store.keep([one, Entry(record=made())], "w")
    assert len(list(store.records())) == 2
    assert broken(store) == []
    store.close()


def test_a_portion_with_several_days_and_with_what_is_there_twice(url: str) -> None:
    """What one portion brings is what the same entries bring one by one: order, links, cards."""
    first, second, back = made(), made(DAY + timedelta(seconds=1)), made()
    entries = [Entry(record=one, sent=(sent(record=one.id),)) for one in (first, second, back)]
    card = entries[1].sent[0]
    alone = Entry(sent=(sent(), card))
    together, one_by_one = Store(url), [entries[0], *entries, alone, entries[2], alone]
    together.keep(entries[:1], "w")
    together.keep(one_by_one, "w")
    assert [one.id for one in together.records()] == [first.id, second.id, back.id]
    assert [(one.segment, one.records) for one in together.heads()] == [
        ("w/2026-03-01", 2),
        ("w/2026-03-02", 1),
    ]
    assert broken(together) == []
    found = [one.sent.card for one in together.sent()]
    assert sorted(found) == sorted({card.card for entry in one_by_one for card in entry.sent})
    together.close()


def test_many_at_once_in_one_chain(url: str) -> None:
    faults: list[Exception] = []

    def work() -> None:
        store = Store(url)
        try:
            for _ in range(3):
                store.keep([Entry(record=made())], "w")
        except Exception as fault:
            faults.append(fault)
        finally:
            store.close()

    Store(url).close()
    threads = [threading.Thread(target=work) for _ in range(4)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert faults == []
    store = Store(url)
    assert [(one.records, one.broken) for one in store.verify()] == [(12, None)]
    store.close()


def test_the_step_puts_what_is_there_into_chains_and_back_takes_them_away(url: str) -> None:
    store = filled(url)
    ids = [one.id for one in store.records()]
    store.close()
    migrate(url, "0003")
    engine = engine_of(url)
    with pytest.raises(sa.exc.DBAPIError, match="append-only"), engine.begin() as connection:
        connection.execute(sa.text("DELETE FROM decision_record"))
    engine.dispose()
    store = Store(url)
    assert [one.id for one in store.records()] == ids
    assert [(one.segment, one.records, one.broken) for one in store.verify()] == [
        ("earlier/2026-03-01", 4, None)
    ]
    store.keep([Entry(record=made())], "w")
    assert broken(store) == []
    assert len(store.drop(date(2026, 3, 2))) == 2
    store.close()
