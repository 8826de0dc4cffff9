"""What the bench measures is what it says, and an answer that is something else ends it."""

import dataclasses
import json
import os
from typing import Any

import pytest
import uvloop
from starlette.applications import Starlette
from starlette.requests import Request
from starlette.responses import JSONResponse, Response
from starlette.routing import Route

from cds_hooks.app import create_app
from plugin.settings import Rules, Settings, Store
from tests.bench.calls import LESIONS, OBSERVATIONS, body
from tests.bench.load import Target, Unexpected, load
from tests.bench.soak import Sample, Soak, soaked
from tests.bench.started import NO_ANSWER, REVIEW
from tests.cds_hooks.serving import open_settings, post, served


def sent(call: bytes, kind: str) -> list[str]:
    """The ids of the resources of one type, as often as they are sent."""
    found = []
    for answer in json.loads(call)["prefetch"].values():
        entries = [] if answer is None else answer.get("entry", [{"resource": answer}])
        found += [one["resource"]["id"] for one in entries if one["resource"]["resourceType"] == kind]
    return found


def test_the_call_is_the_one_that_the_time_of_an_answer_is_stated_for() -> None:
    call = body("bench-1")
    assert 153_000 <= len(call) <= 157_000
    assert len(set(sent(call, "Observation"))) == OBSERVATIONS
    assert len(sent(call, "BodyStructure")) == LESIONS
    twice = body("bench-1", OBSERVATIONS)
    assert len(sent(twice, "Observation")) == 2 * OBSERVATIONS


def test_what_is_sent_twice_changes_no_answer() -> None:
    settings = Settings(
        service=open_settings(hook_deadline=120).service,
        store=Store(url="sqlite://", records=False),
        rules=Rules(engine="reference"),
    )
    with served(create_app(settings)) as base:
        answers = [
            post(base + REVIEW, body("bench-1", filed)).json()
            for filed in (0, OBSERVATIONS // 3, OBSERVATIONS)
        ]
    told = [[(one["summary"], one["detail"]) for one in answer["cards"]] for answer in answers]
    assert told[0]
    assert told[0] == told[1] == told[2]


def target(base: str, **changes: Any) -> Target:
    port = int(base.rsplit(":", 1)[1])
    return Target("odd", port, 0, 0.0, "/list", "/call", (b"{}",), **changes)


@pytest.mark.parametrize(
    ("status", "told"), [(401, {}), (503, {}), (200, {"cards": []}), (200, {"code": "NotAssessedInTime"})]
)
def test_an_answer_that_is_not_measured_ends_the_bench(status: int, told: dict[str, Any]) -> None:
    count = 0

    async def odd(_request: Request) -> Response:
        nonlocal count
        count += 1
        return JSONResponse({"cards": [1]}) if count < 5 else JSONResponse(told, status)

    with served(Starlette(routes=[Route("/call", odd, methods=["POST"])])) as base:
        with pytest.raises(Unexpected, match="odd, patient-view"):
            uvloop.run(load(target(base, never=NO_ANSWER), "patient-view", 2, 60))


@pytest.mark.parametrize(
    ("megabytes", "grown"),
    [
        ([50, 90, *[100] * 8], 0.0),
        ([100, 100, 100, 100, 100, 100, 110, 120, 130, 130], 0.3),
        ([100, 100, 100, 100, 200, 100, 100, 100, 100, 90], -0.05),
    ],
    ids=["warm-up is not counted", "grows", "a peak is not the end"],
)
def test_growth_is_from_after_the_warm_up_to_the_end(megabytes: list[float], grown: float) -> None:
    samples = [Sample(second, mb, 0.0, 1, 1, 0) for second, mb in enumerate(megabytes)]
    assert Soak(samples=samples).growth() == pytest.approx(grown)


def test_a_soak_asks_evenly_and_ends_with_the_first_call_that_fails() -> None:
    count = 0

    async def odd(_request: Request) -> Response:
        nonlocal count
        count += 1
        return JSONResponse({"cards": [1]}, 200 if count < 20 else 503)

    async def metrics(_request: Request) -> Response:
        return Response("vestige_records_waiting 0.0")

    app = Starlette(routes=[Route("/call", odd, methods=["POST"]), Route("/metrics", metrics)])
    with served(app) as base:
        own = dataclasses.replace(target(base), pid=os.getpid())
        with pytest.raises(Unexpected, match="503"):
            uvloop.run(soaked(own, 50.0, 60.0, lambda _: None))
    assert count >= 20


def test_discovery_sends_what_the_server_wants_to_see() -> None:
    seen: list[str | None] = []

    async def listed(request: Request) -> Response:
        seen.append(request.headers.get("authorization"))
        return JSONResponse({"services": []})

    with served(Starlette(routes=[Route("/list", listed)])) as base:
        head = {"head": lambda path: {"Authorization": f"Bearer for {path}"}}
        row = uvloop.run(load(target(base, **head), "discovery", 2, 0.2))
    assert set(seen) == {"Bearer for /list"}
    assert row.answers == len(seen)
    assert row.seconds >= 0.2
    assert row.rate == pytest.approx(row.answers / row.seconds)
