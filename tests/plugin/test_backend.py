"""Our own tokens: asked for as SMART Backend Services says, kept for their server, never shown to another."""

from __future__ import annotations

import json
import logging
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any
from urllib.parse import parse_qs

import jwt
import msgspec
import pytest

from plugin.chart import GapReason
from plugin.errors import NoData
from plugin.pull import Sessions, pull
from plugin.pull.backend import RESOURCES, scopes
from plugin.pull.queries import QUERIES
from plugin.pull.transport import Deadline
from plugin.settings import Backend, Settings
from tests.plugin.fhir import PATIENT, authorization, call, observation, patient, settings
from tests.plugin.keys import Pair, pair
from tests.plugin.test_pull_sekmet import names, record, transaction
from tests.servers import hostile
from tests.servers.hostile import Hostile, Reply, Request, serving
from tests.servers.sekmet import TOKEN, Sekmet, running

ALGORITHMS = ("ES384", "RS384")


@pytest.fixture(scope="module")
def keys(tmp_path_factory: pytest.TempPathFactory) -> dict[str, Pair]:
    folder = tmp_path_factory.mktemp("keys")
    return {algorithm: pair(folder, algorithm) for algorithm in ALGORITHMS}


class Guarded:
    """A FHIR server with its token endpoint; `good` are the tokens it accepts, all it gave where None."""

    def __init__(self, answer: Callable[[Request, Hostile, int], Reply] | None = None) -> None:
        self.given: list[str] = []
        self.revoked: set[str] = set()
        self.asked: list[dict[str, str]] = []
        self.life: Any = 300
        self.answer = answer
        self.endpoint = "{origin}/auth/token"

    def __call__(self, request: Request, server: Hostile) -> Reply:
        if request.path == "/fhir/.well-known/smart-configuration":
            endpoint = self.endpoint.format(origin=server.origin)
            return Reply(
                200, json.dumps({"token_endpoint": endpoint, "capabilities": ["permission-v2"]}).encode()
            )
        if request.path == "/auth/token":
            self.asked.append({name: value for name, (value,) in parse_qs(request.body.decode()).items()})
            if self.answer is not None:
                return self.answer(request, server, len(self.asked))
            return self.grant()
        token = request.headers.get("authorization", "").removeprefix("Bearer ")
        if token not in self.given or token in self.revoked:
            return hostile.status(401)
        kind = request.path.removeprefix("/fhir/").split("/")[0]
        answers = {"Patient": hostile.resource(patient()), "Observation": hostile.bundle(observation())}
        return answers.get(kind, hostile.empty())

    def grant(self) -> Reply:
        self.given.append(f"own-secret-{id(self)}-{len(self.given)}")
        body = {"access_token": self.given[-1], "token_type": "bearer", "expires_in": self.life}
        return Reply(200, json.dumps(body).encode())


def asking(server: Hostile, backend: Backend, **more: Any) -> Settings:
    return settings(server.base, backend=backend, **more)


@pytest.mark.parametrize("algorithm", ALGORITHMS)
def test_the_assertion_is_as_the_standard_says(algorithm: str, keys: dict[str, Pair]) -> None:
    own, script = keys[algorithm], Guarded()
    with serving(script) as server:
        for _ in range(2):
            chart = pull(call(fhir_server=server.base), asking(server, own.backend()))
            assert chart.gaps == ()
        endpoint = f"{server.origin}/auth/token"
    told = []
    for form in script.asked:
        assert form["grant_type"] == "client_credentials"
        assert form["client_assertion_type"] == "urn:ietf:params:oauth:client-assertion-type:jwt-bearer"
        assert set(form["scope"].split()) == {f"system/{kind}.rs" for kind in RESOURCES}
        assertion = form["client_assertion"]
        assert jwt.get_unverified_header(assertion) == {"typ": "JWT", "alg": algorithm, "kid": "key-1"}
        claims = jwt.decode(
            assertion, own.public.read_bytes(), algorithms=[algorithm], audience=endpoint, issuer="vestige"
        )
        assert claims["sub"] == "vestige"
        assert 0 < claims["exp"] - claims["iat"] <= 300
        told.append(claims["jti"])
    assert len(set(told)) == 2


def test_scopes_read_everything_that_is_asked_for_and_write_nothing() -> None:
    for query in QUERIES:
        assert f"system/{query.resource}.rs" in scopes(v1=False)
        assert f"system/{query.resource}.read" in scopes(v1=True)
    assert all(one.endswith((".rs", ".read")) for v1 in (False, True) for one in scopes(v1=v1))


def test_a_token_is_kept_until_shortly_before_it_ends(keys: dict[str, Pair]) -> None:
    script = Guarded()
    with serving(script) as server:
        chosen = asking(server, keys["ES384"].backend())
        sessions = Sessions(chosen)
        for _ in range(3):
            assert pull(call(fhir_server=server.base), chosen, sessions).gaps == ()
        assert len(script.given) == 1
        sessions.close()


@pytest.mark.parametrize("life", [0, None, "300", True])
def test_a_token_without_a_stated_life_serves_once(life: Any, keys: dict[str, Pair]) -> None:
    script = Guarded()
    script.life = life
    with serving(script) as server:
        chosen = asking(server, keys["ES384"].backend())
        sessions = Sessions(chosen)
        for _ in range(2):
            assert pull(call(fhir_server=server.base), chosen, sessions).gaps == ()
        sessions.close()
    assert len(script.given) == 2


def test_a_token_that_is_refused_is_renewed_once_for_all_searches(keys: dict[str, Pair]) -> None:
    script = Guarded()
    with serving(script) as server:
        chosen = asking(server, keys["ES384"].backend())
        sessions = Sessions(chosen)
        pull(call(fhir_server=server.base), chosen, sessions)
        script.revoked.update(script.given)
        assert pull(call(fhir_server=server.base), chosen, sessions).gaps == ()
        assert len(script.given) == 2
        sessions.close()


def test_a_server_that_refuses_every_token_is_asked_twice(keys: dict[str, Pair]) -> None:
    class Never(Guarded):
        def grant(self) -> Reply:
            reply = super().grant()
            self.revoked.update(self.given)
            return reply

    script = Never()
    with serving(script) as server:
        chart = pull(call(fhir_server=server.base), asking(server, keys["ES384"].backend()))
        assert len([one for one in server.requests if one.query.get("category") == ["imaging"]]) == 2
    assert {gap.reason for gap in chart.gaps} == {GapReason.NOT_AUTHORISED}
    assert chart.decisive_gaps


def test_a_hook_call_uses_our_token_only_where_the_site_opted_in(keys: dict[str, Pair]) -> None:
    script = Guarded()
    with serving(script) as server:
        chosen = asking(server, keys["ES384"].backend(in_hooks=False))
        with pytest.raises(NoData, match="no access token came"):
            pull(call(fhir_server=server.base), chosen)
        assert server.requests == []
        # A command that a person of the site runs is no hook call.
        assert pull(call(fhir_server=server.base), chosen, in_hook=False).gaps == ()


def test_a_token_of_the_call_goes_before_ours(keys: dict[str, Pair]) -> None:
    script = Guarded()
    script.given.append("secret-token")
    with serving(script) as server:
        chosen = asking(server, keys["ES384"].backend())
        asked = call(fhir_server=server.base, authorization=authorization())
        assert pull(asked, chosen).gaps == ()
        script.revoked.add("secret-token")
        # Nor does ours take its place where it is refused or does not count.
        assert {gap.reason for gap in pull(asked, chosen).gaps} == {GapReason.NOT_AUTHORISED}
        for bad in ({"expires_in": 0}, {"patient": "someone-else"}, {"token_type": "MAC"}):
            with pytest.raises(NoData):
                pull(call(fhir_server=server.base, authorization=authorization(**bad)), chosen)
    assert script.asked == []


def test_a_token_goes_to_its_own_server_only(keys: dict[str, Pair]) -> None:
    one, two = Guarded(), Guarded()
    with serving(one) as first, serving(two) as second:
        own = keys["ES384"].backend()
        both = settings(first.base, second.base, backend=own)
        sessions = Sessions(both)
        for server in (first, second, first):
            assert pull(call(fhir_server=server.base), both, sessions).gaps == ()
        sessions.close()
        sent = {
            server.base: {value for each in server.requests if (value := each.headers.get("authorization"))}
            for server in (first, second)
        }
    assert sent == {
        first.base: {f"Bearer {token}" for token in one.given},
        second.base: {f"Bearer {token}" for token in two.given},
    }
    assert not set(one.given) & set(two.given)


@pytest.mark.parametrize(
    "endpoint", ["https://elsewhere.example/token", "http://127.0.0.1:9/token", "file:///token", ""]
)
def test_an_endpoint_elsewhere_is_not_believed(endpoint: str, keys: dict[str, Pair]) -> None:
    script = Guarded()
    script.endpoint = endpoint
    with serving(script) as server, pytest.raises(NoData, match="token endpoint"):
        pull(call(fhir_server=server.base), asking(server, keys["ES384"].backend()))
    assert script.asked == []


def test_an_endpoint_of_the_settings_is_used_as_it_stands(keys: dict[str, Pair]) -> None:
    script, elsewhere = Guarded(), Guarded()
    with serving(script) as server, serving(elsewhere) as other:
        elsewhere.given = script.given
        own = keys["ES384"].backend(token_endpoint=f"{other.origin}/auth/token")
        assert pull(call(fhir_server=server.base), asking(server, own)).gaps == ()
    assert len(elsewhere.asked) == 1
    assert script.asked == []


REFUSALS: dict[str, tuple[Callable[[Request, Hostile, int], Reply], str]] = {
    "invalid client": (
        lambda request, server, count: Reply(
            401, b'{"error": "invalid_client", "error_description": "secret"}'
        ),
        "HTTP 401, invalid_client",
    ),
    "unknown words": (lambda request, server, count: Reply(400, b'{"error": "secret"}'), r"HTTP 400\)"),
    "500": (lambda request, server, count: hostile.status(500), "HTTP 500"),
    "redirect": (lambda request, server, count: hostile.status(302, Location="/elsewhere"), "HTTP 302"),
    "html": (lambda request, server, count: hostile.html(), "no bearer token"),
    "no token": (lambda request, server, count: Reply(200, b'{"token_type": "bearer"}'), "no bearer token"),
    "odd token": (
        lambda request, server, count: Reply(200, b'{"token_type": "bearer", "access_token": "a\\r\\nb"}'),
        "no bearer token",
    ),
    "other type": (
        lambda request, server, count: Reply(200, b'{"token_type": "mac", "access_token": "a"}'),
        "no bearer token",
    ),
    "reset": (lambda request, server, count: hostile.reset(), "cannot be reached"),
    "silence": (lambda request, server, count: hostile.silence(), "in time"),
    "headers drip": (lambda request, server, count: hostile.drip_headers(), "."),
    "body drips": (lambda request, server, count: hostile.drip_body(), "."),
}


ENDLESS = {"silence", "headers drip", "body drips"}


@pytest.mark.parametrize("how", REFUSALS)
def test_where_no_token_is_to_be_had_it_says_so(
    how: str, keys: dict[str, Pair], caplog: pytest.LogCaptureFixture
) -> None:
    answer, words = REFUSALS[how]
    script = Guarded(answer)
    with serving(script) as server, caplog.at_level(logging.DEBUG):
        # Only what never ends is cut short.
        short = {"budget": 0.6, "read_timeout": 0.5} if how in ENDLESS else {}
        chosen = asking(server, keys["ES384"].backend(), **short)
        sessions = Sessions(chosen)
        watch = Deadline(20.0)
        for _ in range(2):
            with pytest.raises(NoData, match=words) as refused:
                pull(call(fhir_server=server.base), chosen, sessions)
            assert "secret" not in str(refused.value)
        assert not watch.over
        sessions.close()
    # The second call did not ask again at once.
    assert len(script.asked) == 1
    assert PATIENT not in caplog.text
    assert "secret" not in caplog.text


def test_prefetch_still_decides_where_no_token_is_to_be_had(keys: dict[str, Pair]) -> None:
    script = Guarded(REFUSALS["invalid client"][0])
    given: Any = {"imaging": None, "findings": None, "studies": None, "lesions": None}
    with serving(script) as server:
        chart = pull(call(fhir_server=server.base, prefetch=given), asking(server, keys["ES384"].backend()))
    assert chart.decisive_gaps == ()
    assert all("no token of our own" in gap.detail for gap in chart.gaps)


def test_no_text_holds_a_token_or_an_assertion(
    keys: dict[str, Pair], caplog: pytest.LogCaptureFixture
) -> None:
    script = Guarded()
    with serving(script) as server, caplog.at_level(logging.DEBUG):
        chosen = asking(server, keys["ES384"].backend())
        sessions = Sessions(chosen)
        chart = pull(call(fhir_server=server.base), chosen, sessions)
        held = repr(vars(sessions.server(chosen.fhir.servers[0]).tokens))
        sessions.close()
        assert all("own-secret" not in one.path + str(one.query) for one in server.requests)
    for text in (caplog.text, repr(chart), held):
        assert "own-secret" not in text
        assert script.asked[0]["client_assertion"] not in text


@pytest.fixture(scope="module", params=ALGORITHMS)
def smart(
    request: pytest.FixtureRequest, keys: dict[str, Pair], tmp_path_factory: pytest.TempPathFactory
) -> Iterator[tuple[Sekmet, Pair]]:
    """A sekmet-fhir that gives tokens for reading to our client, by the public half of our key."""
    own: Pair = keys[request.param]
    client = {"client_id": "vestige", "public_key_path": str(own.public), "scopes": "system/*.rs"}
    with running(tmp_path_factory.mktemp("sekmet-smart"), TOKEN, [client]) as server:
        server.load(transaction(*record("smart-a"), *record("smart-b")))
        yield server, own


def test_a_real_server_gives_us_a_token_and_the_record(smart: tuple[Sekmet, Pair]) -> None:
    server, own = smart
    chosen = settings(server.base, backend=own.backend(), budget=20.0, read_timeout=10.0)
    sessions = Sessions(chosen)
    for of in ("smart-a", "smart-b"):
        chart = pull(call(patient_id=of, fhir_server=server.base), chosen, sessions)
        assert names(chart) == {f"{one['resourceType']}/{one['id']}" for one in record(of)}
        assert chart.gaps == ()
    sessions.close()


def test_a_real_server_refuses_another_key_and_another_client(
    smart: tuple[Sekmet, Pair], tmp_path: Path
) -> None:
    server, own = smart
    stranger = pair(tmp_path, own.algorithm, "stranger")
    for backend in (stranger.backend(), own.backend(client_id="someone-else")):
        chosen = settings(server.base, backend=backend, budget=20.0, read_timeout=10.0)
        with pytest.raises(NoData, match="HTTP 401, invalid_client"):
            pull(call(patient_id="smart-a", fhir_server=server.base), chosen)


def test_a_real_server_holds_us_to_our_scopes(smart: tuple[Sekmet, Pair]) -> None:
    server, own = smart
    backend = own.backend(scopes=("system/Patient.rs", "system/Observation.rs"))
    chosen = settings(server.base, backend=backend, budget=20.0, read_timeout=10.0)
    chart = pull(call(patient_id="smart-a", fhir_server=server.base), chosen)
    assert {one["resourceType"] for one in chart.resources} == {"Patient", "Observation"}
    assert {gap.reason for gap in chart.decisive_gaps if gap.query == "studies"} == {GapReason.FORBIDDEN}


def test_a_server_is_hashable_with_its_backend(keys: dict[str, Pair]) -> None:
    own = keys["ES384"].backend()
    chosen = settings("https://ehr.example/fhir", backend=own).fhir.servers[0]
    assert len({chosen, msgspec.structs.replace(chosen)}) == 1
