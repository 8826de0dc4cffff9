"""Records on their way to the database: it goes and comes back, the disk is full, a worker is gone."""

from __future__ import annotations

import subprocess
import sys
import time
from collections.abc import Callable
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import settings as budget
from hypothesis import strategies as st

from plugin.errors import StoreError, StoreRefusal
from plugin.record import Entry
from plugin.recorder import HELD, Policy, Recorder
from plugin.spool import Spool, entry_of, folder_of, left_behind, line_of
from plugin.store import Store
from tests.plugin.test_sent import sent
from tests.plugin.test_store import record
from tests.require import ROOT
from tests.servers import postgresql

LIMIT = 1 << 20


class Fragile(Store):
    """A store whose database can be away, or refuse a record for good."""

    away = False
    refused: str | None = None

    def keep(self, entries: list[Entry], worker: str) -> None:  # type: ignore[override]
        if self.away:
            raise StoreError("the database is away")
        if any(one.record is not None and one.record.id == self.refused for one in entries):
            raise StoreRefusal("the database does not take it")
        super().keep(entries, worker)


class Kept:
    """A store, a recorder on it, and what it told."""

    def __init__(
        self, folder: Path, policy: Policy = "spool", limit: int = LIMIT, away: bool = False
    ) -> None:
        self.folder = folder / "spool"
        self.store = Fragile(f"sqlite:///{folder / 's.db'}")
        self.store.away = away
        self.told: list[str] = []
        self.recorder = Recorder(
            self.store, self.folder, policy=policy, limit=limit, tell=lambda what, _: self.told.append(what)
        )

    def ids(self) -> list[str]:
        return [one.id for one in self.store.records()]

    def close(self) -> None:
        self.recorder.close()
        self.store.close()


def until(condition: Callable[[], bool]) -> None:
    end = time.monotonic() + 60
    while not condition():
        assert time.monotonic() < end, "it did not come to that"
        time.sleep(0.01)


def entries(count: int) -> list[Entry]:
    return [Entry(record=record()) for _ in range(count)]


def ids(found: list[Entry]) -> list[str]:
    return [one.record.id for one in found if one.record is not None]


def test_what_is_kept_comes_to_the_database_in_order_with_its_cards(tmp_path: Path) -> None:
    kept, given_ = Kept(tmp_path), entries(7)
    card = sent(record=given_[0].record.id if given_[0].record else None)
    given_[0] = Entry(record=given_[0].record, sent=(card,))
    for one in given_:
        kept.recorder.keep(one)
    until(lambda: len(kept.ids()) == 7)
    assert kept.ids() == ids(given_)
    assert [one.sent.card for one in kept.store.sent()] == [card.card]
    assert [(one.segment.split("/")[0], one.broken) for one in kept.store.verify()] == [
        (kept.store.worker, None)
    ]
    until(lambda: kept.recorder.state().waiting == 0)
    assert kept.recorder.state().spool_bytes == 0
    kept.close()
    assert list(kept.folder.iterdir()) == []
    assert kept.told == []


def test_the_database_goes_and_comes_back(tmp_path: Path) -> None:
    kept, given_ = Kept(tmp_path, away=True), entries(60)
    for one in given_:
        kept.recorder.keep(one)
    until(lambda: kept.recorder.state().away)
    assert kept.recorder.state().waiting == 60
    assert kept.told == ["database-away"], "told once, not for each try"
    kept.recorder.require()
    kept.store.away = False
    until(lambda: kept.recorder.state().waiting == 0)
    assert kept.ids() == ids(given_)
    assert kept.told == ["database-away", "database-back"]
    assert not kept.recorder.state().away
    kept.close()


def test_calls_are_refused_while_it_is_away_where_the_site_says_so(tmp_path: Path) -> None:
    kept = Kept(tmp_path, policy="refuse", away=True)
    kept.recorder.require()
    (one,) = entries(1)
    kept.recorder.keep(one)
    until(lambda: kept.recorder.state().away)
    with pytest.raises(StoreError, match="refused until"):
        kept.recorder.require()
    kept.store.away = False
    until(lambda: not kept.recorder.state().away)
    kept.recorder.require()
    assert kept.ids() == ids([one]), "what was answered before is kept all the same"
    kept.close()


def test_a_full_spool_is_held_in_memory_and_then_lost_with_an_alarm(tmp_path: Path) -> None:
    kept = Kept(tmp_path, limit=65536, away=True)
    (one,) = entries(1)
    while kept.recorder.state().held == 0:
        kept.recorder.keep(Entry(record=record()))
    in_spool = kept.recorder.state().waiting - 1
    assert in_spool == 65536 // len(line_of(one))
    assert "records-held-in-memory" in kept.told
    for _ in range(HELD - 1):
        kept.recorder.keep(Entry())
    with pytest.raises(StoreError, match="neither"):
        kept.recorder.keep(one)
    assert kept.recorder.state().lost == 1
    kept.store.away = False
    until(lambda: kept.recorder.state().waiting == 0)
    assert len(kept.ids()) == in_spool + 1
    kept.recorder.keep(one)
    until(lambda: len(kept.ids()) == in_spool + 2)
    kept.close()


def test_a_full_spool_refuses_where_the_site_says_so(tmp_path: Path) -> None:
    kept = Kept(tmp_path, policy="refuse", limit=65536, away=True)
    with pytest.raises(StoreError, match="spool cannot be written"):
        for _ in range(1000):
            kept.recorder.keep(Entry(record=record()))
    assert kept.recorder.state().held == 0
    assert kept.recorder.state().lost == 1
    kept.store.away = False
    kept.close()


def test_what_a_worker_left_behind_is_kept_in_its_own_chain(tmp_path: Path) -> None:
    given_ = entries(3)
    spool = Spool(tmp_path / "spool", "gone-1", LIMIT)
    for one in given_:
        spool.add(one)
    assert list(left_behind(tmp_path / "spool")) == [], "its worker lives"
    spool.close()
    kept = Kept(tmp_path)
    until(lambda: len(kept.ids()) == 3)
    assert kept.ids() == ids(given_)
    assert [one.segment.split("/")[0] for one in kept.store.verify()] == ["gone-1"]
    until(lambda: not (tmp_path / "spool" / "gone-1.spool").exists())
    kept.close()


def test_a_torn_and_a_changed_line_are_put_aside_and_told(tmp_path: Path) -> None:
    folder, given_ = tmp_path / "spool", entries(3)
    folder.mkdir()
    first, second, third = map(line_of, given_)
    (folder / "gone-1.spool").write_bytes(first + second.replace(b"critical", b"warning_") + third[:100])
    kept = Kept(tmp_path)
    until(lambda: kept.recorder.state().aside == 2)
    assert kept.ids() == ids(given_[:1])
    assert kept.told.count("record-put-aside") == 2
    until(lambda: not (folder / "gone-1.spool").exists())
    lines = (folder / "gone-1.broken").read_bytes().splitlines()
    assert lines == [second.replace(b"critical", b"warning_").strip(), third[:100]]
    kept.close()


def test_what_the_database_never_takes_holds_nothing_else_up(tmp_path: Path) -> None:
    kept, given_ = Kept(tmp_path, away=True), entries(4)
    kept.store.refused = ids(given_)[1]
    for one in given_:
        kept.recorder.keep(one)
    kept.store.away = False
    until(lambda: kept.recorder.state().waiting == 0)
    assert kept.ids() == [ids(given_)[0], *ids(given_)[2:]]
    assert kept.recorder.state().aside == 1
    (aside,) = kept.folder.glob("*.broken")
    assert ids([entry_of(aside.read_bytes())]) == [kept.store.refused]
    kept.close()


def test_what_waits_at_the_end_stays_in_the_spool_for_the_next_worker(tmp_path: Path) -> None:
    kept, given_ = Kept(tmp_path, away=True), entries(2)
    for one in given_:
        kept.recorder.keep(one)
    kept.close()
    assert len(list(kept.folder.glob("*.spool"))) == 1
    with pytest.raises(StoreError, match="ending"):
        kept.recorder.keep(given_[0])
    again = Kept(tmp_path)
    until(lambda: len(again.ids()) == 2)
    assert again.ids() == ids(given_)
    again.close()


def test_a_postgresql_that_dies_leaves_the_records_to_the_next_one(tmp_path: Path) -> None:
    told: list[str] = []
    given_ = entries(3)
    with postgresql.running() as url:
        store = Store(url)
        recorder = Recorder(
            store, tmp_path, policy="spool", limit=LIMIT, tell=lambda what, _: told.append(what)
        )
        recorder.keep(given_[0])
        until(lambda: recorder.state().waiting == 0)
        assert [one.id for one in store.records()] == ids(given_[:1])
    for one in given_[1:]:
        recorder.keep(one)
    until(lambda: recorder.state().away)
    assert recorder.state().waiting == 2
    recorder.close(60)
    store.close()
    assert told == ["database-away"]
    with postgresql.running() as url:
        store = Store(url)
        again = Recorder(store, tmp_path, policy="spool", limit=LIMIT, tell=lambda what, _: told.append(what))
        until(lambda: len(list(store.records())) == 2)
        assert [one.id for one in store.records()] == ids(given_[1:])
        assert [one.broken for one in store.verify()] == [None]
        again.close()
        store.close()


FULL = """
import resource, sys
from pathlib import Path
from plugin.errors import StoreError
from plugin.record import Entry
from plugin.recorder import Recorder
from plugin.store import Store
from tests.plugin.test_store import record
store = Store(f"sqlite:///{sys.argv[1]}/s.db")
told = []
recorder = Recorder(store, Path(sys.argv[1]) / "spool", policy="spool", limit=1 << 30,
                    tell=lambda what, _: told.append(what))
resource.setrlimit(resource.RLIMIT_FSIZE, (65536, resource.RLIM_INFINITY))
for _ in range(100):
    recorder.keep(Entry(record=record()))
full = recorder.state()
resource.setrlimit(resource.RLIMIT_FSIZE, (resource.RLIM_INFINITY, resource.RLIM_INFINITY))
recorder.close(60)
assert not list((Path(sys.argv[1]) / "spool").iterdir()), told
print(full.held > 0, full.lost, len(list(store.records())), "database-away" in told or "records-held-in-memory" in told,
      [one.broken for one in store.verify()])
"""


def test_a_full_disk_is_told_and_loses_nothing_once_there_is_room(tmp_path: Path) -> None:
    done = subprocess.run(
        [sys.executable, "-c", FULL, str(tmp_path)], capture_output=True, text=True, cwd=ROOT, timeout=300
    )
    assert done.returncode == 0, done.stderr
    assert done.stdout.split(maxsplit=4) == ["True", "0", "100", "True", "[None]\n"]


def test_a_folder_that_cannot_be_made_is_named(tmp_path: Path) -> None:
    (tmp_path / "file").write_text("x")
    with pytest.raises(StoreError, match=r"store\.spool"):
        Spool(tmp_path / "file" / "spool", "w", LIMIT)


@pytest.mark.parametrize(
    ("url", "folder"),
    [
        ("sqlite:///vestige.db", "vestige.db-spool"),
        ("sqlite:////var/lib/v.db", "/var/lib/v.db-spool"),
        ("sqlite://", None),
        ("postgresql://db/x", "vestige-spool"),
    ],
)
def test_where_the_spool_is(url: str, folder: str | None) -> None:
    assert folder_of(url, None) == (None if folder is None else Path(folder))
    assert folder_of(url, Path("own")) == Path("own")


@given(st.binary(max_size=200))
@budget(max_examples=100, deadline=None)
def test_no_line_but_ours_is_read(data: bytes) -> None:
    with pytest.raises(ValueError, match="spool"):
        entry_of(data)


def test_a_database_in_memory_needs_no_spool() -> None:
    store = Store("sqlite://")
    recorder = Recorder(store, None, policy="refuse", limit=LIMIT, tell=lambda *_: None)
    given_ = entries(3)
    for one in given_:
        recorder.keep(one)
    until(lambda: recorder.state().waiting == 0)
    assert [one.id for one in store.records()] == ids(given_)
    recorder.close()
    store.close()
