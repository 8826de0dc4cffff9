"""What a server says it can do, what follows for the searches, and when it is asked for it."""

from __future__ import annotations

from concurrent.futures import Future, ThreadPoolExecutor, wait
from typing import Any

import pytest

from plugin.chart import GapReason
from plugin.dialects import dialects
from plugin.pull import BY_KEY, Sessions, pull
from plugin.pull.capability import UNKNOWN, capability_of, configured, judged, plan
from plugin.pull.prefetch import Answer, State, failed
from plugin.pull.server import AGAIN_SECONDS, KEPT_SECONDS, Server
from tests.plugin.fhir import authorization, call, lesion, observation, settings, study
from tests.servers import hostile
from tests.servers.hostile import Hostile, Reply, Request, by_type, serving


def statement(*resources: Any, **more: Any) -> dict[str, Any]:
    return {
        "resourceType": "CapabilityStatement",
        "rest": [{"mode": "server", "resource": list(resources)}],
        **more,
    }


def listed(kind: str, *parameters: str, **more: Any) -> dict[str, Any]:
    return {"type": kind, "searchParam": [{"name": name} for name in parameters], **more}


def test_an_unknown_server_is_asked_as_the_standard_says() -> None:
    for query in BY_KEY.values():
        assert plan(query, UNKNOWN).ways == (query.template, *query.alternatives)


@pytest.mark.parametrize(
    "odd",
    [
        {},
        {"rest": {}},
        {"rest": ["x", {"resource": "y"}, {"resource": [1, {"type": 2}]}]},
        {"rest": [{"mode": "client", "resource": [{"type": "Patient"}]}]},
        {"rest": [{"resource": []}]},
    ],
)
def test_an_odd_statement_tells_nothing(odd: dict[str, Any]) -> None:
    assert capability_of(odd) == UNKNOWN


def test_ways_with_listed_parameters_come_first_and_none_is_left_out() -> None:
    query = BY_KEY["reports"]
    known = capability_of(statement(listed("DiagnosticReport", "patient", "date")))
    assert plan(query, known).ways == (*query.alternatives, query.template)
    whole = capability_of(statement(listed("DiagnosticReport", "patient", "category")))
    assert plan(query, whole).ways == (query.template, *query.alternatives)


def test_the_subject_is_asked_for_where_there_is_no_patient() -> None:
    known = capability_of(statement(listed("ImagingStudy", "subject")))
    assert plan(BY_KEY["studies"], known).ways == ("ImagingStudy?subject=Patient/{{context.patientId}}",)


def test_a_type_that_is_listed_without_a_search_has_none() -> None:
    known = capability_of(
        statement(listed("ImagingStudy", interaction=[{"code": "read"}]), listed("BodyStructure", "patient"))
    )
    assert known.listed == {"ImagingStudy", "BodyStructure"}
    assert set(known.searches) == {"BodyStructure"}


def test_the_dialect_of_the_settings_goes_before_that_of_the_statement() -> None:
    epic = dialects()["epic"]
    assert capability_of(statement(publisher="Cerner"), epic).dialect is epic
    assert configured(epic).dialect is epic
    assert configured(None) is UNKNOWN


KNOWN = capability_of(statement(listed("Observation", "patient")))
FAULTS = sorted(GapReason, key=lambda one: one.value)
PASSING = {GapReason.NOT_AUTHORISED, GapReason.THROTTLED, GapReason.TIMEOUT, GapReason.WRONG_PATIENT}


@pytest.mark.parametrize("reason", FAULTS)
def test_a_fault_of_an_unlisted_search_is_unsupported_unless_it_passes(reason: GapReason) -> None:
    query = BY_KEY["studies"]
    told = judged(failed(query, reason, "as it was"), KNOWN)
    expected = reason if reason in PASSING else GapReason.UNSUPPORTED
    assert [gap.reason for gap in told.gaps] == [expected]
    assert told.gaps[0].decisive
    # A listed search, and an unknown server, keep their reason.
    assert judged(failed(query, reason, "as it was"), UNKNOWN).gaps[0].reason is reason
    assert judged(failed(BY_KEY["imaging"], reason, "as it was"), KNOWN).gaps[0].reason is reason


def test_nothing_found_by_an_unlisted_search_is_no_answer() -> None:
    none = judged(Answer(query=BY_KEY["studies"], state=State.NONE), KNOWN)
    assert (none.state, none.gaps[0].reason) == (State.FAILED, GapReason.UNSUPPORTED)
    there = Answer(query=BY_KEY["studies"], state=State.PRESENT, resources=(study(),))
    assert judged(there, KNOWN) is there
    assert judged(Answer(query=BY_KEY["imaging"], state=State.NONE), KNOWN).state is State.NONE


def with_statement(answer: Any, **replies: Any) -> Any:
    def metadata(request: Request, server: Hostile) -> Reply:
        reply: Reply = answer() if callable(answer) else hostile.resource(answer)
        return reply

    return by_type(metadata=metadata, **replies)


def refused(request: Request, server: Hostile) -> Reply:
    return hostile.status(403)


def test_what_is_refused_and_not_listed_is_unsupported_from_the_first_call() -> None:
    told = observation(partOf=[{"reference": "ImagingStudy/study-1"}], method={"text": "MRI"})
    script = with_statement(
        statement(listed("Observation", "patient", "category", "code"), listed("Patient")),
        ImagingStudy=refused,
        BodyStructure=refused,
        Observation=lambda request, server: hostile.bundle(told),
    )
    with serving(script) as server:
        chosen = settings(server.base, open=True)
        sessions = Sessions(chosen)
        charts = [pull(call(fhir_server=server.base), chosen, sessions) for _ in range(2)]
        sessions.close()
    for chart in charts:
        gaps = {gap.query: gap for gap in chart.gaps}
        # Every lesion that is referred to was read: there is none. The observation tells its study itself.
        assert "lesions" not in gaps
        assert (gaps["studies"].reason, gaps["studies"].decisive) == (GapReason.UNSUPPORTED, False)
        assert chart.decisive_gaps == ()


def test_without_a_statement_what_is_forbidden_stays_forbidden() -> None:
    with serving(by_type(ImagingStudy=refused)) as server:
        chart = pull(call(fhir_server=server.base), settings(server.base, open=True))
    assert {gap.reason for gap in chart.decisive_gaps if gap.query == "studies"} == {GapReason.FORBIDDEN}


@pytest.mark.parametrize(
    "answer",
    [
        lambda: hostile.status(404),
        lambda: hostile.status(500),
        hostile.html,
        hostile.empty,
        hostile.silence,
        hostile.drip_headers,
        hostile.drip_body,
        hostile.reset,
    ],
)
def test_a_statement_that_cannot_be_had_changes_nothing_and_holds_nobody_up(answer: Any) -> None:
    script = with_statement(answer, BodyStructure=lambda request, server: hostile.bundle(lesion()))
    with serving(script) as server:
        chosen = settings(server.base, open=True, budget=30.0)
        sessions = Sessions(chosen)
        for _ in range(3):
            chart = pull(call(fhir_server=server.base), chosen, sessions)
            assert {gap.query for gap in chart.gaps} == {"patient"}
            assert [one["id"] for one in chart.of_type("BodyStructure")] == ["lesion-1"]
        # One call waited for it, at most; it was not asked for with every call.
        assert 1 <= len(server.asked("metadata")) <= 2
        sessions.close()


def test_it_is_asked_for_with_the_token_of_the_call() -> None:
    with serving(with_statement(statement(listed("Patient")))) as server:
        pull(call(fhir_server=server.base, authorization=authorization()), settings(server.base))
        assert [one.headers["authorization"] for one in server.asked("metadata")] == ["Bearer secret-token"]


class Clock:
    def __init__(self) -> None:
        self.now = 1000.0

    def __call__(self) -> float:
        return self.now


@pytest.mark.parametrize(
    ("good", "kept"), [(True, KEPT_SECONDS), (False, AGAIN_SECONDS)], ids=["good", "not to be had"]
)
def test_it_is_kept_for_a_while_and_then_read_beside_the_call(good: bool, kept: float) -> None:
    clock = Clock()
    answers = [hostile.resource(statement(listed("Patient"), publisher="Cerner")), hostile.status(500)]
    with serving(with_statement(lambda: answers[0 if good else 1])) as server:
        chosen = settings(server.base, open=True)
        with ThreadPoolExecutor() as pool:
            known = Server(chosen.fhir.servers[0], chosen.fhir, pool, clock)
            first = known.learn(None)
            assert first is not None
            wait([first])
            assert (known.known.dialect is not None) is good
            before = len(server.asked("metadata"))
            for step, more in ((kept - 1, 0), (2, 1)):
                clock.now += step
                # From the second time on nobody waits.
                assert known.learn(None) is None
                settled(known)
                assert (len(server.asked("metadata")) > before) is bool(more)
            assert (known.known.dialect is not None) is good
            known.close()


def settled(server: Server) -> None:
    learning: Future[None] | None = server._learning
    if learning is not None:
        wait([learning], timeout=60)


def test_references_to_what_a_server_lacks_are_not_read() -> None:
    told = observation(focus=[{"reference": "BodyStructure/lesion-1"}])
    script = with_statement(
        statement(listed("Observation", "patient"), publisher="Cerner"),
        Observation=lambda request, server: hostile.bundle(told),
    )
    with serving(script) as server:
        chart = pull(call(fhir_server=server.base), settings(server.base, open=True))
        assert not [one for one in server.requests if one.path.endswith("/lesion-1")]
    assert {(gap.query, gap.reason) for gap in chart.decisive_gaps} >= {("lesions", GapReason.UNSUPPORTED)}
