"""A little that unpacks to a lot, and a lot that never ends: neither memory nor time is given away for it."""

from __future__ import annotations

import gzip
import tracemalloc
import zlib
from collections.abc import Callable

import pytest

from cds_hooks.call import read_call
from cds_hooks.trust import keys
from cds_hooks.trust.keys import KeyCache, KeysUnavailable, fetch
from cds_hooks.wire import MAX_DEPTH, parse
from plugin.chart import GapReason
from plugin.errors import CallError, InputError
from plugin.pull import Sessions, pull
from plugin.pull.files import chart_from_files
from plugin.pull.queries import QUERIES
from tests.plugin.fhir import authorization, call, settings
from tests.security.inputs import SERVICES
from tests.servers import hostile
from tests.servers.hostile import Reply, serving

MEGABYTE = 1024 * 1024
LIMIT = 2 * MEGABYTE
UNPACKED = 256 * MEGABYTE


def zeros(pack: Callable[[bytes], bytes] = gzip.compress) -> bytes:
    return pack(b" " * MEGABYTE)


def one_stream() -> bytes:
    """256 MB in one stream of gzip."""
    packer = zlib.compressobj(9, zlib.DEFLATED, 31)
    return b"".join(packer.compress(b" " * MEGABYTE) for _ in range(UNPACKED // MEGABYTE)) + packer.flush()


BOMBS = {
    "gzip": (one_stream(), "gzip"),
    "gzip in many members": (zeros() * (UNPACKED // MEGABYTE), "gzip"),
    "gzip of gzip": (gzip.compress(one_stream()), "gzip, gzip"),
    "deflate": (zlib.compress(b" " * (64 * MEGABYTE), 9), "deflate"),
}


@pytest.mark.parametrize("name", BOMBS)
def test_what_a_fhir_server_packs_is_unpacked_up_to_the_limit(name: str) -> None:
    body, coding = BOMBS[name]
    assert len(body) < MEGABYTE / 2
    with serving(lambda request, server: hostile.raw(body, **{"Content-Encoding": coding})) as server:
        chosen = settings(server.base, parallel=1, max_bytes=LIMIT)
        with_one = call(fhir_server=server.base, authorization=authorization())
        sessions = Sessions(chosen)
        tracemalloc.start()
        try:
            chart = pull(with_one, chosen, sessions)
            _, peak = tracemalloc.get_traced_memory()
        finally:
            tracemalloc.stop()
            sessions.close()
    assert not chart.resources
    assert {gap.query for gap in chart.gaps if gap.decisive} == {one.key for one in QUERIES if one.decisive}
    assert {gap.reason for gap in chart.gaps} <= {
        GapReason.TRUNCATED,
        GapReason.UNREADABLE,
        GapReason.UNSUPPORTED,
    }
    assert peak < 12 * LIMIT


@pytest.mark.parametrize("name", BOMBS)
def test_what_a_key_server_packs_is_unpacked_up_to_the_limit(name: str) -> None:
    body, coding = BOMBS[name]
    with serving(lambda request, server: hostile.raw(body, **{"Content-Encoding": coding})) as server:
        tracemalloc.start()
        try:
            with pytest.raises(KeysUnavailable):
                fetch(f"{server.base}/jwks")
            _, peak = tracemalloc.get_traced_memory()
        finally:
            tracemalloc.stop()
    assert peak < 6 * MEGABYTE


@pytest.mark.parametrize("drip", [hostile.drip_body, hostile.drip_headers])
def test_a_key_server_that_drips_is_cut_off(
    drip: Callable[[], Reply], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(keys, "SECONDS", 1.0)
    with serving(lambda request, server: drip()) as server, pytest.raises(KeysUnavailable):
        fetch(f"{server.base}/jwks")


def test_a_slow_key_server_holds_up_no_other_client() -> None:
    """While one client's keys are being fetched, another client's are found."""
    other: list[object] = []

    def get(address: str) -> bytes:
        if address == "https://slow.example":
            other.append(cache.key("https://quick.example", "k"))
        return b'{"keys": [{"kid": "k", "kty": "EC"}]}'

    cache = KeyCache(get=get)
    assert cache.key("https://slow.example", "k") == {"kid": "k", "kty": "EC"}
    assert other == [{"kid": "k", "kty": "EC"}]


@pytest.mark.parametrize(
    "text",
    [
        b"[" * 5_000_000,
        b'{"a":' * 1_000_000,
        b"[" * 100_000 + b"]" * 100_000,
        b'{"a":' * 50_000 + b"1" + b"}" * 50_000,
        b"[{}," * 1_000_000,
        b'{"a": "' + b"[" * 100 + b'", "b": ' + b"[" * (MAX_DEPTH + 1) + b"]" * (MAX_DEPTH + 1) + b"}",
    ],
    ids=["lists", "objects", "closed lists", "closed objects", "a comb", "beside a text"],
)
def test_depth_is_refused(text: bytes) -> None:
    with pytest.raises(CallError):
        parse(text)


@pytest.mark.parametrize(
    "number", [b"9" * 4_000_000, b"1" + b"0" * 400 + b".5", b"1e999999999", b"-" + b"9" * 5000]
)
def test_a_number_without_end_is_refused_or_read_and_never_counted_out(number: bytes) -> None:
    for service in SERVICES:
        with pytest.raises(CallError):
            read_call(b'{"hook": ' + number + b"}", service)


def test_a_file_that_is_nested_without_end_is_refused(tmp_path: object) -> None:
    file = tmp_path / "deep.json"  # type: ignore[operator]
    file.write_bytes(b'{"resourceType": "Bundle", "entry": ' + b"[" * 500_000 + b"]" * 500_000 + b"}")
    with pytest.raises(InputError):
        chart_from_files([file])
