"""The memory of answers beside a store that hangs, fails or is not asked."""

import threading
from collections.abc import Iterator
from dataclasses import replace
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import pytest

from cds_hooks.call import HookCall
from cds_hooks.memory import Lost, Memory, Remembered
from cds_hooks.trust.caller import ANYBODY
from plugin.errors import SettingsError, StoreError
from plugin.record import Pseudonyms
from plugin.sent import Answered, Reply, SentRule
from plugin.settings import Cards, Settings, Site, load
from plugin.settings import Store as StoreSettings
from plugin.store import Store
from tests.cds_hooks.serving import open_settings
from tests.plugin.advising import pack
from tests.plugin.test_sent import sent

CALL = HookCall(
    service="crlm-lesion-review",
    hook="patient-view",
    shown_as="patient-view",
    hook_instance="i",
    patient_id="p1",
    context={},
)


class Slow:
    """Stands for a store that does not answer until it is told to."""

    def __init__(self, fault: Exception | None = None) -> None:
        self.fault, self.go, self.asked = fault, threading.Event(), 0

    def answered(self, _patient: str) -> tuple[Any, ...]:
        self.asked += 1
        if self.fault is not None:
            raise self.fault
        self.go.wait(60)
        return ()


def memory(store: Any, deadline: float = 120, **cards: Any) -> Memory:
    settings = Settings(service=open_settings(hook_deadline=deadline).service, cards=Cards(**cards))
    return Memory(store, Pseudonyms(b"k" * 32), pack(), settings)


@pytest.fixture
def slow() -> Iterator[Slow]:
    store = Slow()
    yield store
    store.go.set()


def test_a_store_that_hangs_is_waited_for_a_quarter_of_the_deadline_and_no_longer(slow: Slow) -> None:
    made = memory(slow, deadline=0.4)
    assert made.ask(CALL, ANYBODY)() == Remembered(alarms=(Lost(),))
    made.close()


def test_many_calls_beside_a_store_that_hangs_are_all_answered(slow: Slow) -> None:
    made = memory(slow, deadline=0.2)
    waiting = [made.ask(CALL, ANYBODY) for _ in range(20)]
    assert {one() for one in waiting} == {Remembered(alarms=(Lost(),))}
    made.close()


def test_a_store_that_fails_is_an_alarm() -> None:
    made = memory(Slow(StoreError("the database cannot be used")))
    assert made.ask(CALL, ANYBODY)().alarms[0].kind == "memory-unavailable"
    made.close()


def test_a_fault_of_the_program_is_not_swallowed() -> None:
    made = memory(Slow(ZeroDivisionError()))
    with pytest.raises(ZeroDivisionError):
        made.ask(CALL, ANYBODY)()
    made.close()


def test_switched_off_the_store_is_not_asked() -> None:
    store = Slow(StoreError("x"))
    made = memory(store, remember_answers=False)
    assert made.ask(CALL, ANYBODY)() == Remembered()
    assert store.asked == 0
    made.close()


def test_nothing_stored_is_nothing_remembered(tmp_path: Path) -> None:
    store = Store(f"sqlite:///{tmp_path / 's.db'}")
    made = memory(store)
    assert made.ask(CALL, ANYBODY)() == Remembered()
    made.close()
    store.close()


def test_a_patient_is_one_of_a_client_a_tenant_and_a_server() -> None:
    made = memory(Slow(StoreError("x")))
    north = replace(ANYBODY, issuer="https://north.example")
    server = "https://north.example/fhir"
    names = [
        made.patient(CALL, ANYBODY),
        made.patient(CALL, north),
        made.patient(CALL, replace(north, tenant="east")),
        made.patient(replace(CALL, patient_id="p2"), north),
        made.patient(replace(CALL, fhir_server=server), north),
        made.patient(replace(CALL, patient_id="", fhir_server="p1"), ANYBODY),
        made.patient(CALL, replace(ANYBODY, issuer="", tenant="https://north.example")),
    ]
    assert len(set(names)) == len(names)
    assert made.patient(replace(CALL, fhir_server=server + "/"), north) == names[4]
    assert not any("p1" in one or "north" in one for one in names)
    other = Memory(Slow(), Pseudonyms(b"o" * 32), pack(), Settings())  # type: ignore[arg-type]
    assert other.patient(CALL, ANYBODY) != names[0]
    made.close()
    other.close()


def test_the_secret_of_the_site_is_a_file_of_enough_bytes(tmp_path: Path) -> None:
    file = tmp_path / "key"
    toml = tmp_path / "v.toml"
    toml.write_text(f'[store]\npseudonym_key = "{file}"\n')
    with pytest.raises(SettingsError, match="cannot be read"):
        load(toml, {})
    file.write_bytes(b" short \n" * 3)
    with pytest.raises(SettingsError, match="at least 32"):
        load(toml, {})
    file.write_bytes(b"x" * 32 + b"\n")
    assert load(toml, {}).store == StoreSettings(pseudonym_key=file)


def test_an_answer_whose_day_no_calendar_holds_is_an_alarm() -> None:
    one = sent(made=datetime(1, 1, 1, tzinfo=UTC), rules=(SentRule(rule="DA-09", digest="d09"),))
    reply = Reply(outcome="overridden", at=one.made, reason_code="mdt-decision")
    settings = Settings(service=open_settings().service, site=Site(timezone="America/New_York"))

    class Damaged:
        def answered(self, _patient: str) -> tuple[Answered, ...]:
            return (Answered(sent=one, reply=reply),)

    made = Memory(Damaged(), Pseudonyms(b"k" * 32), pack(), settings)  # type: ignore[arg-type]
    assert made.ask(CALL, ANYBODY)() == Remembered(alarms=(Lost(),))
    made.close()
