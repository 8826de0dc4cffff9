"""The store: feedback kept once, decision records only ever added."""

from __future__ import annotations

import sqlite3
import subprocess
import sys
import threading
from datetime import UTC, date, datetime, timedelta
from pathlib import Path
from typing import Any

import msgspec
import pytest
import sqlalchemy as sa

from plugin.chart import Chart, Gap, GapReason, Read
from plugin.errors import StoreError
from plugin.record import Pseudonyms, Record, RecordedFinding, record_of
from plugin.store import HEAD, Feedback, Store
from tests.plugin.fhir import PATIENT, observation, patient
from tests.require import ROOT

AT = datetime(2026, 3, 1, 12, 0, tzinfo=UTC)


def item(card: str = "card-1", **more: Any) -> Feedback:
    return Feedback(
        **{
            "service": "crlm-order-sign",
            "card": card,
            "outcome": "overridden",
            "at": AT,
            "received": AT,
            **more,
        }
    )


def record(**more: Any) -> Record:
    chart = Chart(
        patient_id=PATIENT,
        resources=(patient(), observation(meta={"versionId": "3"})),
        drafts=({"resourceType": "ServiceRequest", "id": "draft-1"},),
        gaps=(
            Gap(
                resource="Device",
                reason=GapReason.FORBIDDEN,
                detail="HTTP 403",
                decisive=False,
                query="devices",
            ),
        ),
        hook="order-sign",
        base="https://ehr.example/fhir",
        reads=(Read(query="imaging", source="fhir", count=1),),
        milliseconds={"queries": 12.5},
    )
    told: dict[str, Any] = {
        "service": "crlm-order-sign",
        "today": date(2026, 3, 1),
        "pack_revision": "abc123",
        "parameters": {"window": 28},
        "findings": [
            RecordedFinding(
                rule="DA-10", indicator="critical", shown="card", subject="BodyStructure/lesion-1"
            )
        ],
        "cards": ["card-1"],
        "hook_instance": "instance-1",
        "client": "https://ehr.example",
        "milliseconds": {"decide": 3.0},
        **more,
    }
    return record_of(chart, Pseudonyms(b"key"), **told)


@pytest.fixture
def url(tmp_path: Path) -> str:
    return f"sqlite:///{tmp_path / 'store.db'}"


def test_feedback_is_read_back_as_it_came(url: str) -> None:
    sent = [
        item(
            reason_system="urn:x",
            reason_code="c",
            reason_display="d",
            comment="because",
            client="https://ehr.example",
        ),
        item("card-2", outcome="accepted", accepted=("one", "two")),
    ]
    store = Store(url)
    assert store.add_feedback(sent) == 2
    store.close()
    again = Store(url)
    found = again.feedback()
    again.close()
    assert [msgspec.structs.replace(one, received=AT) for one in found] == sent
    assert all(timedelta(0) <= datetime.now(UTC) - one.received < timedelta(minutes=5) for one in found)


def test_the_same_feedback_is_kept_once(url: str) -> None:
    store = Store(url)
    assert store.add_feedback([item(), item()]) == 1
    assert store.add_feedback([item(), item("card-2")]) == 1
    assert store.add_feedback([item(client="another")]) == 1
    assert [one.card for one in store.feedback()] == ["card-1", "card-2", "card-1"]
    store.close()


def test_all_feedback_or_none_is_kept(url: str) -> None:
    store = Store(url)
    broken = item("card-2", outcome=None)
    with pytest.raises(StoreError):
        store.add_feedback([item(), broken])
    assert store.feedback() == ()
    store.close()


def test_records_are_read_back_in_order(url: str) -> None:
    store = Store(url)
    written = [record(), record(cards=["card-2"])]
    for one in written:
        store.add_record(one)
    found = list(store.records())
    store.close()
    assert [one.id for one in found] == [one.id for one in written]
    assert found[1].cards == ("card-2",)
    assert found[0].parameters == {"window": "28"}
    assert found[0].gaps[0].reason == "forbidden"
    assert found[0].milliseconds == {"queries": 12.5, "decide": 3.0}
    assert [(one.type, one.version, one.draft) for one in found[0].resources] == [
        ("Patient", None, False),
        ("Observation", "3", False),
        ("ServiceRequest", None, True),
    ]


def test_a_record_names_no_patient_no_resource_and_no_lesion() -> None:
    text = msgspec.json.encode(record()).decode()
    for secret in (PATIENT, "obs-1", "lesion-1", "draft-1", "mrn-", "1960"):
        assert secret not in text


def test_pseudonyms_hold_within_a_site_and_not_across() -> None:
    one, same, other = Pseudonyms(b"a"), Pseudonyms(b"a"), Pseudonyms(b"b")
    assert one.of("Patient", "x") == same.of("Patient", "x")
    assert one.of("Patient", "x") != other.of("Patient", "x")
    assert one.of("Patient", "x") != one.of("Observation", "x")
    assert one.content({"a": 1, "b": [{"d": 1, "c": 2}]}) == same.content({"b": [{"c": 2, "d": 1}], "a": 1})
    assert one.content({"a": 1}) != one.content({"a": 2})


def test_the_database_refuses_to_change_or_remove_a_record(url: str, tmp_path: Path) -> None:
    store = Store(url)
    store.add_record(record())
    store.close()
    with sqlite3.connect(tmp_path / "store.db") as connection:
        for statement in ("UPDATE decision_record SET body = '{}'", "DELETE FROM decision_record"):
            with pytest.raises(sqlite3.IntegrityError, match="append-only"):
                connection.execute(statement)
    connection.close()


def test_a_record_that_was_changed_all_the_same_is_found_out(url: str, tmp_path: Path) -> None:
    store = Store(url)
    store.add_record(record())
    with sqlite3.connect(tmp_path / "store.db") as connection:
        connection.execute("DROP TRIGGER decision_record_no_UPDATE")
        connection.execute("UPDATE decision_record SET body = replace(body, 'critical', 'info')")
    connection.close()
    with pytest.raises(StoreError, match="was changed"):
        list(store.records())
    store.close()


def test_the_same_record_is_not_added_twice(url: str) -> None:
    store, one = Store(url), record()
    store.add_record(one)
    with pytest.raises(StoreError):
        store.add_record(one)
    store.close()


def test_the_key_of_a_site_is_made_once(url: str) -> None:
    store = Store(url)
    key = store.pseudonym_key()
    assert len(key) == 32
    assert store.pseudonym_key() == key
    store.close()
    again = Store(url)
    assert again.pseudonym_key() == key
    again.close()


def test_a_database_in_memory_works() -> None:
    store = Store("sqlite://")
    store.add_feedback([item()])
    store.check()
    assert len(store.feedback()) == 1
    store.close()


def test_several_threads_lose_nothing(url: str) -> None:
    store = Store(url)

    def work(number: int) -> None:
        for count in range(5):
            store.add_feedback([item(f"card-{number}-{count}")])
            store.add_record(record())

    threads = [threading.Thread(target=work, args=(number,)) for number in range(4)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert len(store.feedback()) == 20
    assert len(list(store.records())) == 20
    store.close()


def test_several_stores_may_open_a_new_database_at_once(url: str) -> None:
    program = "import sys; from plugin.store import Store; Store(sys.argv[1]).close()"
    workers = [
        subprocess.Popen([sys.executable, "-c", program, url], stderr=subprocess.PIPE, cwd=ROOT)
        for _ in range(3)
    ]
    faults = [worker.communicate(timeout=60)[1] for worker in workers]
    assert [worker.returncode for worker in workers] == [0, 0, 0], faults
    store = Store(url)
    store.check()
    store.close()


def test_several_threads_may_open_a_new_database_at_once(url: str) -> None:
    faults: list[Exception] = []

    def work() -> None:
        try:
            Store(url).close()
        except Exception as fault:
            faults.append(fault)

    threads = [threading.Thread(target=work) for _ in range(4)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert faults == []


def test_the_migrations_give_what_the_store_reads(url: str) -> None:
    store = Store(url)
    store.check()
    store.close()
    engine = sa.create_engine(url)
    names = set(sa.inspect(engine).get_table_names())
    with engine.connect() as connection:
        version = connection.execute(sa.text("SELECT version_num FROM alembic_version")).scalar()
    engine.dispose()
    assert names == {
        "alembic_version",
        "decision_record",
        "feedback",
        "pseudonym_key",
        "record_segment",
        "sent_card",
        "sent_rule",
        "used_token",
    }
    assert version == HEAD


def test_head_is_the_newest_migration() -> None:
    from alembic.config import Config
    from alembic.script import ScriptDirectory

    import plugin.migrations

    config = Config()
    config.set_main_option("script_location", str(Path(plugin.migrations.__file__).parent))
    assert ScriptDirectory.from_config(config).get_current_head() == HEAD


def test_a_database_at_another_step_is_not_ready(url: str, tmp_path: Path) -> None:
    store = Store(url)
    with sqlite3.connect(tmp_path / "store.db") as connection:
        connection.execute("UPDATE alembic_version SET version_num = '9999'")
    connection.close()
    with pytest.raises(StoreError, match="9999"):
        store.check()
    store.close()


@pytest.mark.parametrize(
    ("url", "words"),
    [
        ("nonsense", "store.url"),
        ("sqlite:////nowhere/at/all/store.db", "OperationalError"),
        ("mysql+nodriver://user:hush@db/x", "store.url"),
        ("mssql+pyodbc://user:hush@db/x", "store.url"),
        ("postgresql://user:hush@127.0.0.1:1/x", "store|driver|Operational"),
    ],
)
def test_a_database_that_cannot_be_used_is_named_without_its_password(url: str, words: str) -> None:
    with pytest.raises(StoreError, match=words) as refused:
        Store(url)
    assert "hush" not in str(refused.value)
