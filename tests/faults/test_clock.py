"""The wall clock is set forward and back: no token is used twice, no call is late, no record is lost."""

from __future__ import annotations

import itertools
import time
from pathlib import Path

import pytest

from cds_hooks.app import create_app
from cds_hooks.trust.replay import ReplayStore
from plugin.settings import Fhir, FhirServer, Rules, Settings, Store
from plugin.used_tokens import FORGET_SECONDS, UsedTokens
from tests.cds_hooks.serving import open_settings, post, served
from tests.contract.test_bad_input import TODAY, call_of, ordinary
from tests.faults.test_load import cards
from tests.servers.hostile import serving

HALF_AN_HOUR = 1800.0


class Clocks:
    """A wall clock that can be set, and a steady one beside it."""

    def __init__(self) -> None:
        self.wall_now, self.steady_now = 1_000_000.0, 50.0

    def wall(self) -> float:
        return self.wall_now

    def steady(self) -> float:
        return self.steady_now

    def passes(self, seconds: float) -> None:
        self.wall_now += seconds
        self.steady_now += seconds


@pytest.mark.parametrize("where", ["process", "database"])
def test_a_token_is_used_once_whatever_the_clock_does(where: str, tmp_path: Path) -> None:
    clocks = Clocks()
    if where == "process":
        store: ReplayStore | UsedTokens = ReplayStore(clocks.wall, clocks.steady)
    else:
        store = UsedTokens(f"sqlite:///{tmp_path / 'v.db'}", clocks.wall)
    numbers = itertools.count()

    def others_come() -> None:
        """Each use of another token makes the store forget what it thinks is over."""
        clocks.passes(FORGET_SECONDS + 1)
        assert store.first_use("ehr", f"other-{next(numbers)}", clocks.wall_now + 300)

    expires = clocks.wall_now + 300
    assert store.first_use("ehr", "one", expires)
    clocks.wall_now += HALF_AN_HOUR
    others_come()
    clocks.wall_now -= HALF_AN_HOUR
    others_come()
    assert not store.first_use("ehr", "one", expires), "it was set forward and back"
    clocks.wall_now -= HALF_AN_HOUR
    clocks.passes(600)
    others_come()
    assert not store.first_use("ehr", "one", expires), "by the clock that was set back it still lives"
    store.close()


def test_a_store_forgets_again_once_both_clocks_are_past() -> None:
    clocks = Clocks()
    store = ReplayStore(clocks.wall, clocks.steady)
    assert store.first_use("ehr", "one", clocks.wall_now + 300)
    clocks.passes(301)
    assert store.first_use("ehr", "one", clocks.wall_now + 300)


def test_a_call_is_answered_while_the_clock_jumps(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """Deadlines and budgets of a whole call: every look at the wall clock gives another day."""
    real, days = time.time, itertools.cycle((0, 1, -1, 400, -400))
    with serving(ordinary) as server:
        settings = Settings(
            service=open_settings(today=TODAY, hook_deadline=60).service,
            fhir=Fhir(servers=(FhirServer(base=server.base, open=True),), budget=40, read_timeout=40),
            store=Store(url=f"sqlite:///{tmp_path / 'v.db'}"),
            rules=Rules(engine="reference"),
        )
        with served(create_app(settings)) as base:
            steady = cards(post(f"{base}/cds-services/crlm-lesion-review", call_of(server.base)))
            monkeypatch.setattr(time, "time", lambda: real() + 86400 * next(days))
            jumping = [
                post(f"{base}/cds-services/crlm-lesion-review", call_of(server.base)) for _ in range(3)
            ]
            monkeypatch.setattr(time, "time", real)
    assert [len(cards(one)) for one in jumping] == [len(steady)] * 3
