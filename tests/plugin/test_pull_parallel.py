"""The searches of one call run side by side, within the time there is."""

from __future__ import annotations

import threading

from plugin.pull import pull
from plugin.pull.transport import Deadline
from tests.plugin.fhir import authorization, call, patient, settings
from tests.servers import hostile
from tests.servers.hostile import Hostile, Reply, Request, serving

TOGETHER = 6


def test_searches_run_side_by_side() -> None:
    """No search is answered before six are waiting: one after the other would never end."""
    lock, enough = threading.Lock(), threading.Event()
    waiting = [0]

    def script(request: Request, server: Hostile) -> Reply:
        if request.path.endswith("/metadata"):
            return hostile.status(404)
        with lock:
            waiting[0] += 1
            if waiting[0] >= TOGETHER:
                enough.set()
        assert enough.wait(30), "the searches were not asked side by side"
        return hostile.resource(patient()) if "/Patient/" in request.path else hostile.bundle()

    with serving(script) as server:
        asked = call(fhir_server=server.base, authorization=authorization())
        chart = pull(asked, settings(server.base, budget=60.0, read_timeout=60.0))
    assert chart.gaps == ()


def test_the_call_may_give_less_time_than_the_site() -> None:
    with serving(lambda request, server: hostile.silence()) as server:
        watch = Deadline(20.0)
        asked = call(fhir_server=server.base, authorization=authorization(), seconds=0.3)
        chart = pull(asked, settings(server.base, budget=60.0, read_timeout=60.0))
        assert not watch.over
    assert {gap.reason.value for gap in chart.gaps} == {"timeout"}


def test_without_any_time_left_nothing_is_asked() -> None:
    with serving(lambda request, server: hostile.silence()) as server:
        asked = call(fhir_server=server.base, authorization=authorization(), seconds=-1.0)
        chart = pull(asked, settings(server.base, budget=60.0))
        assert {gap.reason.value for gap in chart.gaps} == {"timeout"}
        assert not server.asked("Observation")
