"""Trust: every way in which a token is not believed, and that a believed one opens the door once."""

import base64
import json
import socket
import sqlite3
import threading
import time
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from contextlib import ExitStack, closing
from pathlib import Path
from typing import Any

import jwt
import msgspec
import pytest
import requests
from cryptography.hazmat.primitives.serialization import Encoding, PublicFormat
from starlette.applications import Starlette
from starlette.responses import RedirectResponse, Response
from starlette.routing import Route

from cds_hooks.app import create_app
from cds_hooks.trust import Gate
from cds_hooks.trust.keys import (
    FRESH,
    MAX_BYTES,
    REFRESH_AFTER,
    RETRY_AFTER,
    USABLE,
    KeyCache,
    KeysUnavailable,
    check_address,
    fetch,
    keys_of,
)
from cds_hooks.trust.replay import AWAY, ReplayStore, SharedReplayStore
from plugin.errors import CallError, SettingsError
from plugin.settings import Issuer, Service, Settings, Store, Trust
from plugin.used_tokens import FORGET_SECONDS, SLACK_SECONDS, UsedTokens
from tests.cds_hooks.jwts import PUBLIC, Client, elliptic, key_file, key_set, rsa_client
from tests.cds_hooks.serving import ORIGIN, Said, body, post, served

REVIEW = "/cds-services/crlm-lesion-review"
EHR = elliptic()
EPIC = rsa_client()
STRANGER = elliptic(issuer=EHR.issuer, kid=EHR.kid)


@pytest.fixture(scope="module")
def settings(tmp_path_factory: pytest.TempPathFactory) -> Settings:
    folder = tmp_path_factory.mktemp("keys")
    issuers = (
        Issuer(issuer=EHR.issuer, jwks_file=key_file(folder, EHR)),
        Issuer(
            issuer=EPIC.issuer,
            jwks_file=key_file(folder, EPIC),
            audiences=("site-audience",),
            profile="epic",
            tenants=("t1",),
        ),
    )
    return Settings(
        service=Service(public_url=PUBLIC, cors_origins=(ORIGIN,)),
        trust=Trust(issuers=issuers),
        store=Store(url=f"sqlite:///{folder / 'v.db'}"),
    )


@pytest.fixture
def gate(settings: Settings) -> Gate:
    return Gate(settings)


def enters(gate: Gate, token: str, path: str = REVIEW) -> Any:
    return gate.caller([f"Bearer {token}"], [PUBLIC + path])


def refused(gate: Gate, *authorization: str) -> None:
    with pytest.raises(CallError) as caught:
        gate.caller(authorization, [PUBLIC + REVIEW])
    assert caught.value.status == 401
    assert str(caught.value) == "The call is not authenticated.", "no reason is given away"


def test_both_published_algorithms(gate: Gate) -> None:
    assert enters(gate, EHR.token()).issuer == EHR.issuer
    epic = enters(gate, EPIC.token(EPIC.claims(tenant="t1", sub="x", nbf=int(time.time()) - 300)))
    assert (epic.profile.name, epic.tenant) == ("epic", "t1")


@pytest.mark.parametrize(
    "changes",
    [
        {"iss": "https://elsewhere.example"},
        {"iss": None},
        {"iss": ["https://ehr.example"]},
        {"aud": PUBLIC + "/cds-services/crlm-order-sign"},
        {"aud": PUBLIC + "/cds-services"},
        {"aud": "http://cds.example" + REVIEW},
        {"aud": PUBLIC + REVIEW + "/feedback"},
        {"aud": None},
        {"aud": []},
        {"exp": int(time.time()) - 120},
        {"exp": None},
        {"exp": "tomorrow"},
        {"exp": int(time.time()) + 100_000},
        {"iat": int(time.time()) + 3600, "exp": int(time.time()) + 3700},
        {"iat": None},
        {"iat": "1"},
        {"nbf": int(time.time()) + 3600},
        {"jti": None},
        {"jti": 7},
        {"jti": ""},
        {"jti": "x" * 5000},
    ],
    ids=lambda changes: "-".join(changes),
)
def test_claims_that_are_not_believed(gate: Gate, changes: dict[str, Any]) -> None:
    claims = {**EHR.claims(), **changes}
    claims = {name: value for name, value in claims.items() if value is not None}
    token = jwt.api_jws.encode(
        json.dumps(claims).encode(), EHR.key, "ES384", headers={"kid": EHR.kid, "typ": "JWT"}
    )
    refused(gate, f"Bearer {token}")


@pytest.mark.parametrize(
    "changes", [{"aud": ["https://x.example", PUBLIC + REVIEW]}, {"sub": "x", "extra": {"a": 1}}]
)
def test_claims_that_are_believed(gate: Gate, changes: dict[str, Any]) -> None:
    assert enters(gate, EHR.token(EHR.claims(**changes))).issuer == EHR.issuer


def test_a_long_token_is_read(gate: Gate) -> None:
    token = EHR.token(EHR.claims(extra="x" * 6000))
    assert len(token) > 8 * 1024
    assert enters(gate, token)
    refused(gate, f"Bearer {EHR.token(EHR.claims(extra='x' * 13_000))}")


def test_a_header_that_must_be_understood_and_is_not(gate: Gate) -> None:
    refused(gate, f"Bearer {EHR.token(crit=['x'], x=1)}")


def test_clock_that_runs_half_a_second_ahead(gate: Gate) -> None:
    now = time.time()
    assert enters(gate, EHR.token(EHR.claims(iat=now + 0.5, exp=now + 300)))


def test_other_audiences_of_one_client_only(gate: Gate) -> None:
    assert enters(gate, EPIC.token(EPIC.claims(aud="site-audience", tenant="t1")))
    refused(gate, f"Bearer {EHR.token(EHR.claims(aud='site-audience'))}")


def test_tenants(gate: Gate) -> None:
    refused(gate, f"Bearer {EPIC.token()}")
    refused(gate, f"Bearer {EPIC.token(EPIC.claims(tenant='t2'))}")
    refused(gate, f"Bearer {EPIC.token(EPIC.claims(tenant=['t1']))}")


@pytest.mark.parametrize(
    "header",
    [
        {"kid": None},
        {"kid": ""},
        {"kid": "other"},
        {"kid": EPIC.kid},
        {"typ": ""},
        {"typ": "at+jwt"},
        {"jku": "https://ehr.example/jwks.json"},
    ],
)
def test_headers_that_are_not_believed(gate: Gate, header: dict[str, Any]) -> None:
    refused(gate, f"Bearer {EHR.token(**header)}")


def test_type_is_compared_without_case(gate: Gate) -> None:
    assert enters(gate, EHR.token(typ="jwt"))


def test_algorithm_none(gate: Gate) -> None:
    refused(gate, f"Bearer {jwt.encode(EHR.claims(), None, 'none', headers={'kid': EHR.kid})}")


@pytest.mark.parametrize("algorithm", ["HS256", "HS384", "HS512"])
def test_key_confusion(gate: Gate, algorithm: str) -> None:
    """The public key is no secret: a signature made with it as an HMAC key proves nothing."""
    import hashlib
    import hmac

    public = EPIC.key.public_key().public_bytes(Encoding.PEM, PublicFormat.SubjectPublicKeyInfo)

    def part(value: bytes) -> bytes:
        return base64.urlsafe_b64encode(value).rstrip(b"=")

    head = part(json.dumps({"alg": algorithm, "typ": "JWT", "kid": EPIC.kid}).encode())
    signed = head + b"." + part(json.dumps(EPIC.claims(tenant="t1")).encode())
    mac = hmac.new(public, signed, getattr(hashlib, f"sha{algorithm[2:]}")).digest()
    refused(gate, f"Bearer {(signed + b'.' + part(mac)).decode()}")


def test_algorithm_beyond_the_list_and_beside_the_key(gate: Gate) -> None:
    refused(gate, f"Bearer {EPIC.token(EPIC.claims(tenant='t1'), algorithm='RS256')}")
    refused(gate, f"Bearer {EHR.token(key=EPIC.key, algorithm='RS384')}")


def test_key_of_another_client(gate: Gate) -> None:
    refused(gate, f"Bearer {EHR.token(EHR.claims(iss=EPIC.issuer, tenant='t1'))}")
    refused(gate, f"Bearer {EPIC.token(EPIC.claims(iss=EHR.issuer))}")
    refused(gate, f"Bearer {STRANGER.token()}")


def test_altered_token(gate: Gate) -> None:
    head, claims, signature = EHR.token().split(".")
    changed = base64.urlsafe_b64encode(json.dumps(EHR.claims()).encode()).decode().rstrip("=")
    refused(gate, f"Bearer {head}.{changed}.{signature}")
    refused(gate, f"Bearer {head}.{claims}.")


@pytest.mark.parametrize(
    "header",
    [
        "",
        "null",
        "Bearer",
        "Bearer ",
        "Bearer null",
        "Bearer x.y.z",
        "Basic dXNlcjpwYXNz",
        "Bearer " + "a" * 20_000,
        "Bearer " + "." * 50,
    ],
)
def test_what_is_no_token(gate: Gate, header: str) -> None:
    refused(gate, header)


def test_deeply_nested_token(gate: Gate) -> None:
    nested = base64.urlsafe_b64encode(b"[" * 6000).decode()
    refused(gate, f"Bearer {nested}.{nested}.x")


def test_missing_and_double_header(gate: Gate) -> None:
    refused(gate)
    refused(gate, f"Bearer {EHR.token()}", f"Bearer {EHR.token()}")


def test_scheme_without_case(gate: Gate) -> None:
    assert gate.caller([f"bearer   {EHR.token()}"], [PUBLIC + REVIEW])


def test_used_once(gate: Gate) -> None:
    token = EHR.token()
    assert enters(gate, token)
    refused(gate, f"Bearer {token}")


def test_one_identifier_from_two_clients(gate: Gate) -> None:
    assert enters(gate, EHR.token(EHR.claims(jti="same")))
    assert enters(gate, EPIC.token(EPIC.claims(jti="same", tenant="t1")))


def test_used_once_among_many_at_the_same_time(gate: Gate) -> None:
    token = EHR.token()

    def attempt(_: int) -> bool:
        try:
            return bool(enters(gate, token))
        except CallError:
            return False

    with ThreadPoolExecutor(8) as pool:
        assert sum(pool.map(attempt, range(32))) == 1


def test_a_refused_token_does_not_use_up_its_identifier(gate: Gate) -> None:
    claims = EHR.claims()
    refused(gate, f"Bearer {STRANGER.token(claims)}")
    assert enters(gate, EHR.token(claims))


def test_replay_protection_can_be_switched_off(settings: Settings) -> None:
    trust = msgspec.structs.replace(settings.trust, replay_protection=False)
    gate = Gate(msgspec.structs.replace(settings, trust=trust))
    token = EHR.token()
    assert enters(gate, token)
    assert enters(gate, token)


def test_replay_store_forgets_what_has_expired() -> None:
    now = [1000.0]
    store = ReplayStore(clock=lambda: now[0], steady=lambda: now[0])
    assert store.first_use("i", "j", 1010)
    assert not store.first_use("i", "j", 1010)
    now[0] = 1011
    assert store.first_use("i", "j", 1020)


def test_two_workers_accept_a_token_once(settings: Settings) -> None:
    token = EHR.token()
    assert enters(Gate(settings), token)
    with pytest.raises(CallError):
        enters(Gate(settings), token)


def test_each_worker_for_itself_where_the_site_says_so(settings: Settings) -> None:
    trust = msgspec.structs.replace(settings.trust, replay_store="process")
    alone = msgspec.structs.replace(settings, trust=trust)
    token = EHR.token()
    assert enters(Gate(alone), token)
    assert enters(Gate(alone), token)


def test_used_once_among_many_workers_at_the_same_time(tmp_path: Path) -> None:
    url = f"sqlite:///{tmp_path / 'v.db'}"
    workers = [UsedTokens(url) for _ in range(4)]

    def attempt(number: int) -> bool:
        return workers[number % 4].first_use("issuer", "one", 2e9)

    with ThreadPoolExecutor(8) as pool:
        assert sum(pool.map(attempt, range(40))) == 1
    for worker in workers:
        worker.close()


def test_used_tokens_are_forgotten_when_they_have_expired(tmp_path: Path) -> None:
    now = [1000.0]
    store = UsedTokens(f"sqlite:///{tmp_path / 'v.db'}", clock=lambda: now[0])
    assert store.first_use("i", "j", 1010)
    now[0] = 1011 + max(FORGET_SECONDS, SLACK_SECONDS)
    assert store.first_use("i", "other", 2000)
    assert store.first_use("i", "j", 2000), "an expired token is refused for its exp, not for want of room"
    store.close()


def test_only_digests_of_tokens_are_kept(tmp_path: Path) -> None:
    store = UsedTokens(f"sqlite:///{tmp_path / 'v.db'}")
    assert store.first_use("https://ehr.example", "secret-jti", 2e9)
    store.close()
    assert b"secret-jti" not in (tmp_path / "v.db").read_bytes()


def test_a_database_that_is_away_keeps_no_advice_back(
    tmp_path: Path, caplog: pytest.LogCaptureFixture
) -> None:
    store = SharedReplayStore(f"sqlite:///{tmp_path / 'no' / 'such' / 'folder' / 'v.db'}", lambda: 0.0)
    assert store.first_use("i", "j", 2e9)
    assert not store.first_use("i", "j", 2e9), "this process still knows"
    assert "used tokens are kept by this process alone" in caplog.text
    assert store.missing() is not None, "a load balancer that asks can send calls elsewhere"
    store.close()


def test_a_database_that_hangs_keeps_no_advice_back_and_is_left_alone(
    tmp_path: Path, caplog: pytest.LogCaptureFixture, monkeypatch: pytest.MonkeyPatch
) -> None:
    """SQLite waits five seconds for a lock, longer than a clinician waits for a card."""
    now = [0.0]
    # However slow the machine is: only the one question below is to be waited for in vain.
    monkeypatch.setattr("cds_hooks.trust.replay.OPENING", 3600.0)
    monkeypatch.setattr("cds_hooks.trust.replay.PATIENCE", 3600.0)
    store = SharedReplayStore(f"sqlite:///{tmp_path / 'v.db'}", lambda: now[0])
    assert store.first_use("i", "first", 2e9)
    assert store.missing() is None
    monkeypatch.setattr("cds_hooks.trust.replay.PATIENCE", 0.05)
    with closing(sqlite3.connect(tmp_path / "v.db", isolation_level=None)) as holder:
        holder.execute("BEGIN EXCLUSIVE")
        assert store.first_use("i", "second", 2e9)
        assert "has not answered" in caplog.text
        assert store.missing() is not None
        monkeypatch.setattr("cds_hooks.trust.replay.PATIENCE", 3600.0)
        assert store.first_use("i", "third", 2e9), "not asked at all"
        assert not store.first_use("i", "third", 2e9)
        holder.execute("ROLLBACK")
    now[0] = AWAY
    assert store.missing() is None
    assert store.first_use("i", "fourth", 2e9)
    store.close()
    other = SharedReplayStore(f"sqlite:///{tmp_path / 'v.db'}")
    assert not other.first_use("i", "fourth", 2e9), "shared again"
    other.close()


# Key sets from an address.


class Keys:
    """A key set that a test changes under way, and how often it was asked for."""

    def __init__(self, *clients: Client) -> None:
        self.document: bytes | None = key_set(*clients)
        self.asked = 0
        self.now = self.takes = 0.0
        self.cache = KeyCache(get=self.get, clock=lambda: self.now)

    def get(self, address: str) -> bytes:
        self.asked += 1
        self.now += self.takes
        if self.document is None:
            raise KeysUnavailable(f"{address} cannot be reached")
        return self.document


def test_keys_are_fetched_once_and_again_for_an_unknown_key() -> None:
    second = elliptic(kid="ec-2")
    keys = Keys(EHR)
    assert keys.cache.key("https://k.example", "ec-1") == EHR.jwk
    assert keys.cache.key("https://k.example", "ec-1") == EHR.jwk
    assert keys.asked == 1
    assert keys.cache.key("https://k.example", "ec-2") is None
    assert keys.asked == 1, "an unknown kid asks again only after a pause"
    keys.document, keys.now = key_set(EHR, second), REFRESH_AFTER + 1
    assert keys.cache.key("https://k.example", "ec-2") == second.jwk
    assert keys.asked == 2


def test_a_removed_key_stops_working_and_an_outage_does_not_shut_the_door_at_once() -> None:
    keys = Keys(EHR)
    assert keys.cache.key("https://k.example", "ec-1")
    keys.document, keys.now = None, FRESH / 2
    assert keys.cache.key("https://k.example", "other") is None
    assert keys.cache.key("https://k.example", "ec-1")
    keys.now = FRESH + 120
    assert keys.cache.key("https://k.example", "ec-1"), "the hour is over, and the client away for a moment"
    keys.now = USABLE + 1
    with pytest.raises(KeysUnavailable):
        keys.cache.key("https://k.example", "ec-1")
    keys.document, keys.now = key_set(elliptic(kid="new")), 2 * FRESH
    assert keys.cache.key("https://k.example", "ec-1") is None


def test_after_a_failure_a_key_set_is_asked_for_again_soon() -> None:
    keys = Keys(EHR)
    keys.document = None
    with pytest.raises(KeysUnavailable):
        keys.cache.key("https://k.example", "ec-1")
    keys.document, keys.now = key_set(EHR), RETRY_AFTER - 1
    with pytest.raises(KeysUnavailable):
        keys.cache.key("https://k.example", "ec-1")
    keys.now = RETRY_AFTER
    assert keys.cache.key("https://k.example", "ec-1")
    asked = keys.asked
    keys.now += RETRY_AFTER
    assert keys.cache.key("https://k.example", "unknown") is None
    assert keys.asked == asked, "an unknown key of a set that was read is no failure"


def test_a_key_set_that_hangs_is_asked_for_less_often() -> None:
    keys = Keys(EHR)
    keys.document, keys.takes = None, 5.0
    with pytest.raises(KeysUnavailable):
        keys.cache.key("https://k.example", "ec-1")
    asked, began = keys.asked, keys.now - 5.0
    for later in (RETRY_AFTER, 19.0, 20.0):
        keys.now = max(keys.now, began + later)
        with pytest.raises(KeysUnavailable):
            keys.cache.key("https://k.example", "ec-1")
        assert keys.asked - asked == (later == 20.0)


def test_an_address_on_the_list_is_used_and_no_other() -> None:
    address = "https://ehr.example/jwks.json"
    issuer = Issuer(issuer=EHR.issuer, jku=(address,))
    keys = Keys(EHR)
    gate = Gate(
        Settings(service=Service(public_url=PUBLIC), trust=Trust(issuers=(issuer,), replay_store="process")),
        keys=keys.cache,
    )
    assert enters(gate, EHR.token(jku=address))
    assert enters(gate, EHR.token())
    asked = keys.asked
    for other in (
        "https://ehr.example/jwks.json/",
        "https://evil.example/jwks.json",
        "http://ehr.example/jwks.json",
        7,
        ["x"],
    ):
        refused(gate, f"Bearer {EHR.token(jku=other)}")
    assert keys.asked == asked, "an unlisted address is never asked"


def test_keys_that_cannot_be_had_are_a_401() -> None:
    keys = Keys(EHR)
    keys.document = None
    issuer = Issuer(issuer=EHR.issuer, jku=("https://ehr.example/jwks.json",))
    gate = Gate(
        Settings(service=Service(public_url=PUBLIC), trust=Trust(issuers=(issuer,), replay_store="process")),
        keys=keys.cache,
    )
    refused(gate, f"Bearer {EHR.token()}")


def test_fetching() -> None:
    async def keys(_request: object) -> Response:
        return Response(key_set(EHR), media_type="application/json")

    async def away(_request: object) -> Response:
        return RedirectResponse("/keys")

    async def big(_request: object) -> Response:
        return Response(b" " * (MAX_BYTES + 1))

    async def none(_request: object) -> Response:
        return Response("<html>", 503)

    routes = [Route(f"/{one.__name__}", one) for one in (keys, away, big, none)]
    with served(Starlette(routes=routes)) as base:
        assert keys_of(fetch(f"{base}/keys")) == {EHR.kid: EHR.jwk}
        for path in ("away", "big", "none"):
            with pytest.raises(KeysUnavailable):
                fetch(f"{base}/{path}")
    with pytest.raises(KeysUnavailable):
        fetch(f"{base}/keys")


@pytest.mark.parametrize(
    "document",
    [b"", b"[]", b"{}", b'{"keys": []}', b'{"keys": 7}', b'{"keys":[{"kid":"a"},{"kid":"a"}]}', b"\xff"],
)
def test_what_is_no_key_set(document: bytes) -> None:
    with pytest.raises(ValueError):
        keys_of(document)


@pytest.mark.parametrize(
    "address",
    [
        "http://ehr.example/jwks",
        "https://user:pass@ehr.example/jwks",
        "https://ehr.example/jwks#x",
        "file:///etc/passwd",
        "ehr.example",
        "https://",
    ],
)
def test_addresses_that_keys_never_come_from(address: str) -> None:
    with pytest.raises(SettingsError):
        check_address(address)


# The configuration.


@pytest.mark.parametrize(
    ("issuers", "named"),
    [
        ((), "trust.issuers is empty"),
        ((Issuer(issuer="a"),), "give jwks_file or jku"),
        ((Issuer(issuer="a", jku=("http://x.example/",)),), "https address"),
        ((Issuer(issuer="a", jwks_file=Path("/nonexistent.json")),), "cannot be read"),
        (
            (
                Issuer(issuer="a", jku=("https://x.example/",)),
                Issuer(issuer="a", jku=("https://y.example/",)),
            ),
            "twice",
        ),
    ],
)
def test_settings_that_cannot_be_used(issuers: tuple[Issuer, ...], named: str) -> None:
    with pytest.raises(SettingsError, match=named):
        Gate(Settings(service=Service(public_url=PUBLIC), trust=Trust(issuers=issuers)))


def test_a_client_whose_private_key_is_public_is_called_so(
    tmp_path: Path, caplog: pytest.LogCaptureFixture
) -> None:
    sandbox = elliptic(issuer="https://sandbox.cds-hooks.org")
    known = Issuer(issuer=EHR.issuer, jwks_file=key_file(tmp_path, EHR))
    Gate(Settings(service=Service(public_url=PUBLIC), trust=Trust(issuers=(known,))))
    assert "anybody can sign" not in caplog.text
    public = Issuer(issuer=sandbox.issuer, jwks_file=key_file(tmp_path, sandbox))
    Gate(Settings(service=Service(public_url=PUBLIC), trust=Trust(issuers=(public,))))
    assert "https://sandbox.cds-hooks.org: anybody can sign as this client" in caplog.text


def test_without_a_public_address_there_is_no_audience(settings: Settings) -> None:
    nowhere = msgspec.structs.replace(settings, service=Service())
    with pytest.raises(SettingsError, match="public_url"):
        create_app(nowhere, Said())


# Over HTTP.


@pytest.fixture(scope="module")
def said() -> Said:
    return Said()


@pytest.fixture(scope="module")
def base(settings: Settings, said: Said) -> Iterator[str]:
    with served(create_app(settings, said)) as address:
        yield address


def test_the_door_over_http(base: str, said: Said) -> None:
    assert post(base + REVIEW, body(), Authorization=f"Bearer {EHR.token()}").status_code == 200
    assert said.calls[-1][1].issuer == EHR.issuer
    answer = post(base + REVIEW, body(), Origin=ORIGIN, Host="cds.example")
    assert answer.status_code == 401
    assert answer.headers["WWW-Authenticate"] == "Bearer"
    assert answer.headers["Access-Control-Allow-Origin"] == ORIGIN
    assert answer.json()["issue"][0] == {
        "severity": "error",
        "code": "login",
        "diagnostics": "The call is not authenticated.",
    }


def test_discovery_and_feedback_are_behind_the_same_door(base: str) -> None:
    assert requests.get(f"{base}/cds-services", timeout=60).status_code == 401
    token = EHR.token(EHR.claims("/cds-services"))
    assert (
        requests.get(
            f"{base}/cds-services", headers={"Authorization": f"Bearer {token}"}, timeout=10
        ).status_code
        == 200
    )
    item = {"card": "c", "outcome": "overridden", "outcomeTimestamp": "2026-11-21T10:00:00Z"}
    address = f"{base}{REVIEW}/feedback"
    assert post(address, {"feedback": [item]}).status_code == 401
    for path in (REVIEW + "/feedback", REVIEW):
        token = EHR.token(EHR.claims(path))
        assert post(address, {"feedback": [item]}, Authorization=f"Bearer {token}").status_code == 200


def test_preflight_needs_no_token(base: str) -> None:
    asked = {
        "Origin": ORIGIN,
        "Access-Control-Request-Method": "POST",
        "Access-Control-Request-Headers": "authorization,content-type",
    }
    assert requests.options(base + REVIEW, headers=asked, timeout=60).status_code == 200


def test_no_token_in_the_log(base: str, caplog: pytest.LogCaptureFixture) -> None:
    caplog.set_level("DEBUG")
    token = EHR.token(EHR.claims(aud="https://elsewhere.example"))
    assert post(base + REVIEW, body(), Authorization=f"Bearer {token}").status_code == 401
    assert "InvalidAudienceError" in caplog.text
    assert not [part for part in token.split(".") if part in caplog.text]


# Before the body.


def test_who_proves_nothing_takes_no_room_from_who_does(settings: Settings) -> None:
    """Three open bodies of nobody, a byte each, where there is room for one body."""
    service = msgspec.structs.replace(settings.service, calls_at_once=1, calls_waiting=0)
    small = msgspec.structs.replace(settings, service=service)
    with served(create_app(small, Said())) as base, ExitStack() as held:
        host, port = base.removeprefix("http://").split(":")
        for _ in range(3):
            one = held.enter_context(socket.create_connection((host, int(port)), timeout=60))
            head = f"POST {REVIEW} HTTP/1.1\r\nHost: {host}\r\nContent-Type: application/json\r\n"
            one.sendall(f"{head}Content-Length: 1000\r\n\r\n{{".encode())
            assert one.recv(12) == b"HTTP/1.1 401"
        answer = post(base + REVIEW, body(), Authorization=f"Bearer {EHR.token()}")
        assert answer.status_code == 200


def test_who_cannot_be_proven_in_time_gets_no_card(settings: Settings) -> None:
    """A forged token that names a client whose keys hang: neither a card nor a count of late answers."""
    release = threading.Event()

    def hang(_address: str) -> bytes:
        release.wait(60)
        return key_set(EHR)

    issuer = Issuer(issuer=EHR.issuer, jku=("https://ehr.example/jwks.json",))
    trust = Trust(issuers=(issuer,), replay_store="process")
    service = msgspec.structs.replace(settings.service, hook_deadline=0.3)
    app = create_app(msgspec.structs.replace(settings, trust=trust, service=service), Said())
    app.state.desk.gate = Gate(app.state.desk.settings, keys=KeyCache(get=hang))
    with served(app) as base:
        forged = post(base + REVIEW, body(), Authorization=f"Bearer {STRANGER.token()}")
        release.set()
        counts = requests.get(f"{base}/metrics", timeout=60).text
    assert forged.status_code == 503
    assert forged.json()["issue"][0]["code"] == "timeout"
    assert "vestige_late_total 0.0" in counts
