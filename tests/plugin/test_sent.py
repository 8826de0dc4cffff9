"""Cards that were sent, the answer that stands for each, and the way to the decision; on SQLite and PostgreSQL."""

from __future__ import annotations

import sqlite3
from collections.abc import Iterator
from datetime import UTC, datetime, timedelta
from itertools import count
from typing import Any

import pytest

from plugin.errors import StoreAddressError, StoreError
from plugin.sent import Answered, SentCard, SentRule
from plugin.store import Store
from tests.plugin.test_store import AT, item, record
from tests.servers import postgresql

NUMBER = count(1)
HERE = {"client": "https://ehr.example", "tenant": "north"}


@pytest.fixture(scope="module")
def server() -> Iterator[str]:
    with postgresql.running() as found:
        yield found


@pytest.fixture(params=["sqlite", "postgresql"])
def store(request: pytest.FixtureRequest, tmp_path: Any) -> Iterator[Store]:
    """A store; the one on PostgreSQL is shared, so every test uses cards and patients of its own."""
    url = f"sqlite:///{tmp_path / 's.db'}" if request.param == "sqlite" else request.getfixturevalue("server")
    opened = Store(url)
    yield opened
    opened.close()


def sent(**more: Any) -> SentCard:
    number = next(NUMBER)
    told: dict[str, Any] = {
        "card": f"card-{number}",
        "made": AT,
        "service": "crlm-order-sign",
        "patient": f"patient-{number}",
        "family": "F3",
        "indicator": "critical",
        "pack_revision": "abc123",
        "rules": (SentRule(rule="DA-10", digest="d10"), SentRule(rule="DA-01", digest="d01")),
        "suggestions": ("s1", "s2"),
        **HERE,
        **more,
    }
    return SentCard(**told)


def one(store: Store, card: SentCard) -> Answered:
    (found,) = [each for each in store.answered(card.patient) if each.sent.card == card.card]
    return found


def test_a_card_is_read_back_as_it_was_sent(store: Store) -> None:
    cards = [sent(), sent(client=None, tenant=None, suggestions=(), rules=(SentRule(rule="DQ-11"),))]
    store.add_sent(cards)
    mine = {each.card for each in cards}
    assert [each for each in store.sent() if each.sent.card in mine] == [
        Answered(sent=card) for card in cards
    ]


def test_an_answer_finds_its_card_its_rules_and_its_decision(store: Store) -> None:
    made = record()
    card = sent(record=made.id)
    store.add_record(made, [card, sent(patient=card.patient)])
    store.add_feedback([item(card.card, reason_code="mdt-decision", commented=True, **HERE)])
    found = one(store, card)
    assert found.sent == card
    assert found.reply is not None
    assert (found.reply.outcome, found.reply.reason_code, found.reply.at) == (
        "overridden",
        "mdt-decision",
        AT,
    )
    decision = store.record_of(card.card)
    assert decision is not None
    assert (decision.id, decision.pack_revision) == (made.id, made.pack_revision)
    assert [finding.rule for finding in decision.findings] == ["DA-10"]
    assert store.record_of("never-sent") is None
    assert len(store.answered(card.patient)) == 1, "a card without an answer is not among the answered"


@pytest.mark.parametrize(
    "other",
    [
        {"client": "https://other.example"},
        {"client": None},
        {"tenant": "south"},
        {"tenant": None},
        {"card": "never-sent"},
    ],
    ids=str,
)
def test_only_the_client_that_got_a_card_can_answer_it(store: Store, other: dict[str, Any]) -> None:
    card, before = sent(), store.unmatched()
    store.add_sent([card])
    told = {**HERE, "card": card.card, **other}
    told["card"] = f"{told['card']}-{next(NUMBER)}" if "card" in other else told["card"]
    assert store.add_feedback([item(reason_code="x", **told)]) == 1
    assert store.answered(card.patient) == ()
    assert store.unmatched() == before + 1


def test_a_card_without_a_client_is_answered_without_one(store: Store) -> None:
    card = sent(client=None, tenant=None)
    store.add_sent([card])
    store.add_feedback([item(card.card)])
    assert one(store, card).reply is not None


def test_feedback_may_come_before_the_card_was_written(store: Store) -> None:
    card = sent()
    store.add_feedback([item(card.card, **HERE)])
    store.add_sent([card])
    assert one(store, card).reply is not None


def test_the_last_answer_stands_by_its_own_time(store: Store) -> None:
    card = sent()
    store.add_sent([card])
    later = item(card.card, outcome="accepted", accepted=("s1",), at=AT + timedelta(minutes=1), **HERE)
    store.add_feedback([later, item(card.card, reason_code="x", **HERE)])
    reply = one(store, card).reply
    assert reply is not None
    assert (reply.outcome, reply.accepted) == ("accepted", ("s1",))
    assert one(store, card).took_ours


def test_of_two_answers_of_one_moment_the_one_that_came_last_stands(store: Store) -> None:
    card = sent()
    store.add_sent([card])
    store.add_feedback([item(card.card, reason_code="a", **HERE)])
    store.add_feedback([item(card.card, reason_code="b", **HERE)])
    reply = one(store, card).reply
    assert reply is not None
    assert reply.reason_code == "b"


def test_a_time_in_the_future_counts_as_when_it_came(store: Store) -> None:
    card, future = sent(), datetime.now(UTC) + timedelta(days=3000)
    store.add_sent([card])
    store.add_feedback([item(card.card, reason_code="a", at=future, **HERE)])
    first = one(store, card).reply
    assert first is not None
    assert first.at < datetime.now(UTC) + timedelta(minutes=5)


def test_the_same_feedback_again_changes_nothing(store: Store) -> None:
    card = sent()
    store.add_sent([card])
    same = item(card.card, reason_code="a", commented=True, **HERE)
    assert [store.add_feedback([same]) for _ in range(3)] == [1, 0, 0]
    assert len([each for each in store.feedback() if each.card == card.card]) == 1


def test_a_suggestion_that_was_not_ours_is_not_taken_for_ours(store: Store) -> None:
    card = sent()
    store.add_sent([card])
    store.add_feedback([item(card.card, outcome="accepted", accepted=("foreign",), **HERE)])
    assert not one(store, card).took_ours


def test_cards_from_a_day_on(store: Store) -> None:
    old, new = sent(), sent(made=AT + timedelta(days=30))
    store.add_sent([old, new])
    found = {each.sent.card for each in store.sent(AT + timedelta(days=30))}
    assert new.card in found
    assert old.card not in found


def test_a_record_and_its_cards_are_kept_together_or_not_at_all(store: Store) -> None:
    card, first = sent(), record()
    store.add_record(first, [card])
    second = record()
    with pytest.raises(StoreError):
        store.add_record(second, [card])
    assert second.id not in [each.id for each in store.records()]


def test_more_cards_than_one_statement_names(store: Store) -> None:
    patient = f"patient-{next(NUMBER)}"
    cards = [sent(patient=patient) for _ in range(1203)]
    store.add_sent(cards)
    store.add_feedback([item(card.card, **HERE) for card in cards])
    found = store.answered(patient)
    assert [each.sent for each in found] == cards
    assert all(each.reply for each in found)


def test_a_reader_makes_no_database(tmp_path: Any) -> None:
    missing = tmp_path / "none.db"
    with pytest.raises(StoreError, match="no such database"):
        Store(f"sqlite:///{missing}", create=False)
    assert not missing.exists()
    with pytest.raises(StoreError, match="no such database"):
        Store("sqlite://", create=False)


def test_an_address_that_cannot_be_used_is_unusable_input() -> None:
    with pytest.raises(StoreAddressError) as refused:
        Store("nonsense", create=False)
    assert refused.value.exit_code == 2


def test_a_database_in_memory_serves_several_threads() -> None:
    import threading

    store, faults = Store("sqlite://"), []

    def work(number: int) -> None:
        try:
            for each in range(10):
                card = sent(card=f"m-{number}-{each}", patient=f"p-{number}")
                store.add_sent([card])
                store.add_feedback([item(card.card, **HERE)])
                store.answered(card.patient)
        except Exception as fault:
            faults.append(fault)

    threads = [threading.Thread(target=work, args=(number,)) for number in range(4)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert faults == []
    assert [len(store.answered(f"p-{number}")) for number in range(4)] == [10] * 4
    store.close()


def test_an_answer_of_the_year_one_is_of_when_the_card_was_sent(store: Store) -> None:
    """Some clients send the smallest date they have for none; west of Greenwich it has no day at all."""
    card = sent()
    store.add_sent([card])
    at = datetime(1, 1, 1, tzinfo=UTC)
    store.add_feedback([item(card.card, reason_code="mdt-decision", at=at, **HERE)])
    reply = one(store, card).reply
    assert reply is not None
    assert reply.at == card.made


@pytest.mark.parametrize("made", ["garbage", "2026-11-01T10:00:00", ""])
def test_a_card_whose_time_cannot_be_read_is_a_fault_of_the_store(tmp_path: Any, made: str) -> None:
    url = f"sqlite:///{tmp_path / 's.db'}"
    opened, card = Store(url), sent()
    opened.add_sent([card])
    opened.add_feedback([item(card.card, reason_code="mdt-decision", **HERE)])
    with sqlite3.connect(tmp_path / "s.db") as connection:
        connection.execute("UPDATE sent_card SET made = ?", (made,))
    connection.close()
    with pytest.raises(StoreError, match="holds a row that this version cannot read"):
        opened.answered(card.patient)
    opened.close()
