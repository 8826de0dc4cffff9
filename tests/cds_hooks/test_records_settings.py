"""What was in force is in each decision record, so that a change of the settings shows between two of them."""

from __future__ import annotations

import time
from pathlib import Path
from typing import Any

import msgspec

from cds_hooks.app import create_app
from plugin.record import Record
from plugin.settings import Rules, Settings, Store
from plugin.store import Store as Database
from tests.cds_hooks.serving import open_settings, post, served
from tests.contract.test_engine_lost import TODAY, call


def recorded(url: str, rules: Rules, **more: Any) -> Record:
    """Returns the record of one call under these rules."""
    settings = Settings(
        service=open_settings(today=TODAY, hook_deadline=60).service,
        store=Store(url=url),
        rules=rules,
        **more,
    )
    database = Database(url)
    before = len(list(database.records()))
    with served(create_app(settings)) as base:
        assert post(f"{base}/cds-services/crlm-order-sign", call()).status_code == 200
        end = time.monotonic() + 60
        while len(found := list(database.records())) == before:
            assert time.monotonic() < end, "the call was not recorded"
            time.sleep(0.02)
    database.close()
    return found[-1]


def test_a_change_of_settings_shows_between_two_records(tmp_path: Path) -> None:
    url = f"sqlite:///{tmp_path / 's.db'}"
    first = recorded(url, Rules(engine="reference"))
    same = recorded(url, Rules(engine="reference"))
    changed = recorded(
        url, Rules(engine="reference", states={"DC-07": "shadow"}, parameters={"imaging_age_max": 21})
    )
    assert first.settings == same.settings != changed.settings
    assert "DC-07" not in first.states
    assert changed.states["DC-07"] == "shadow"
    assert first.parameters["imaging_age_max"] != changed.parameters["imaging_age_max"] == "21"
    assert set(first.milliseconds) >= {"pull", "decide", "advise"}
    old = {
        name: value
        for name, value in msgspec.to_builtins(first).items()
        if name not in ("states", "settings")
    }
    assert msgspec.convert(old, Record).states == {}, "a record of an earlier release is read"
