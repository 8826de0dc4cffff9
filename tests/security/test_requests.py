"""Requests over raw sockets: no request is read in two ways, none is unbounded, and each fault is answered or cut."""

from __future__ import annotations

import asyncio
import time
from collections.abc import Iterator
from urllib.parse import urlsplit

import pytest
import uvicorn
from uvicorn.server import ServerState

from cds_hooks import connection
from cds_hooks.connection import MAX_HEAD
from tests.security.raw import BEHIND, BODY, PATH, SECONDS, all_of, connected, length, post, sent
from tests.service import running

CHUNKED = b"Transfer-Encoding: chunked\r\n"
CLOSE = b"Connection: close\r\n"
CHUNK = b"18\r\n" + BODY + b"\r\n0\r\n\r\n"
OFFER = b"Connection: Upgrade, HTTP2-Settings\r\nUpgrade: h2c\r\nHTTP2-Settings: AAMAAABkAARAAAAAAAIAAAAA\r\n"


@pytest.fixture(scope="module")
def port(tmp_path_factory: pytest.TempPathFactory) -> Iterator[int]:
    folder = tmp_path_factory.mktemp("service")
    (folder / "vestige.toml").write_text('[rules]\nengine = "reference"\n')
    with running(folder, options=["--config", "vestige.toml"]) as service:
        yield urlsplit(service.address).port or 0
        assert "Traceback" not in service.log.read_text()


# Each would be framed in one way by some servers and in another by others: what is behind must not be a request.
TWO_WAYS = {
    "Content-Length twice": post(length() + length(), BODY + BEHIND),
    "two Content-Lengths": post(length() + length(5), BODY + BEHIND),
    "a list of lengths": post(b"Content-Length: 24, 24\r\n", BODY + BEHIND),
    "Content-Length and Transfer-Encoding": post(length(4) + CHUNKED, b"0\r\n\r\n" + BEHIND),
    "Transfer-Encoding and Content-Length": post(CHUNKED + length(4), b"0\r\n\r\n" + BEHIND),
    "an unknown Transfer-Encoding": post(b"Transfer-Encoding: xchunked\r\n", b"0\r\n\r\n" + BEHIND),
    "chunked before another": post(b"Transfer-Encoding: chunked, identity\r\n", b"0\r\n\r\n" + BEHIND),
    "Transfer-Encoding twice": post(CHUNKED + b"Transfer-Encoding: identity\r\n", b"0\r\n\r\n" + BEHIND),
    "a blank before the colon": post(b"Transfer-Encoding : chunked\r\n" + length(4), b"0\r\n\r\n" + BEHIND),
    "a vertical tab": post(b"Transfer-Encoding:\x0bchunked\r\n" + length(4), b"0\r\n\r\n" + BEHIND),
    "a negative length": post(b"Content-Length: -1\r\n", BODY + BEHIND),
    "a length with a sign": post(b"Content-Length: +24\r\n", BODY + BEHIND),
    "a hexadecimal length": post(b"Content-Length: 0x18\r\n", BODY + BEHIND),
    "a length with an underscore": post(b"Content-Length: 2_4\r\n", BODY + BEHIND),
    "an empty length": post(b"Content-Length: \r\n", BODY + BEHIND),
    "a length beyond 64 bits": post(b"Content-Length: 99999999999999999999999\r\n", BODY + BEHIND),
    "a folded header": post(b"X-A: a\r\n b\r\n" + length(), BODY + BEHIND),
    "a folded length": post(b"Content-Length:\r\n 24\r\n", BODY + BEHIND),
    "bare line feeds": post(length()).replace(b"\r\n", b"\n") + BEHIND,
    "a bare carriage return": post(b"X-A: a\rX-B: b\r\n" + length(), BODY + BEHIND),
    "a NUL in a header": post(b"X-A: a\x00b\r\n" + length(), BODY + BEHIND),
    "a negative chunk": post(CHUNKED, b"-1\r\n" + BODY + b"\r\n0\r\n\r\n" + BEHIND),
    "a chunk beyond 64 bits": post(CHUNKED, b"fffffffffffffffff\r\n" + BODY + b"\r\n0\r\n\r\n" + BEHIND),
    "chunks with bare line feeds": post(CHUNKED, b"18\n" + BODY + b"\n0\n\n" + BEHIND),
    "a chunk that ends elsewhere": post(CHUNKED, b"18\r\n" + BODY + b"XX0\r\n\r\n" + BEHIND),
    "an offer over two lengths": post(OFFER + CHUNKED + length(4), CHUNK + BEHIND),
    "CONNECT": b"CONNECT elsewhere.example:443 HTTP/1.1\r\nHost: elsewhere.example:443\r\n\r\n" + BEHIND,
    "HTTP/2 at once": b"PRI * HTTP/2.0\r\n\r\nSM\r\n\r\n" + BEHIND,
    "no HTTP": b"\x16\x03\x01\x02\x00\x01\x00\x01\xfc\x03\x03" + BEHIND,
}


@pytest.mark.parametrize("request_", TWO_WAYS.values(), ids=TWO_WAYS.keys())
def test_what_could_be_read_in_two_ways_is_refused_whole(request_: bytes, port: int) -> None:
    statuses, came = sent(port, request_)
    assert statuses == [400], came


def test_a_body_longer_than_said_is_no_request(port: int) -> None:
    statuses, came = sent(port, post(length(5), BODY + b"\r\n\r\n"))
    assert statuses in ([400], [400, 400]), came
    assert b'"cards"' not in came


def test_a_body_shorter_than_said_is_waited_for_and_never_answered_with_cards(port: int) -> None:
    with connected(port) as made:
        made.sendall(post(length(500)))
        made.shutdown(1)
        assert all_of(made) == ([], b"")


def test_requests_behind_each_other_are_answered_each(port: int) -> None:
    assert sent(port, post(length()) + post(CHUNKED, CHUNK) + BEHIND)[0] == [400, 400, 200]


@pytest.mark.parametrize(
    "request_",
    [post(OFFER + length()), post(OFFER + CHUNKED, CHUNK), post(length() + OFFER)],
    ids=["a length", "chunks", "after the length"],
)
def test_an_offer_of_another_protocol_costs_no_body(request_: bytes, port: int) -> None:
    """Java's client offers HTTP/2 with its first call in plain text."""
    statuses, came = sent(port, request_ + BEHIND)
    assert statuses == [400, 200]
    assert b"hookInstance is missing" in came


def test_an_offer_in_pieces_is_read_as_one(port: int) -> None:
    whole = post(OFFER + length())
    with connected(port) as made:
        for place in range(0, len(whole), 40):
            made.sendall(whole[place : place + 40])
            time.sleep(0.01)
        made.sendall(BEHIND)
        statuses, came = all_of(made)
    assert statuses == [400, 200]
    assert b"hookInstance is missing" in came


@pytest.mark.parametrize(
    "head",
    [
        b"X-A: " + b"a" * (2 * MAX_HEAD) + b"\r\n",
        b"".join(b"X-%d: a\r\n" % number for number in range(10_000)),
        b"Authorization: Bearer " + b"a" * (16 * MAX_HEAD) + b"\r\n",
    ],
    ids=["one header", "many headers", "a token"],
)
def test_a_head_that_is_too_large_is_431(head: bytes, port: int) -> None:
    statuses, came = sent(port, post(head + length(), BODY + BEHIND))
    assert statuses == [431] or (not statuses and not came)  # cut while it was still being sent


def test_a_head_without_an_end_is_cut_off(port: int) -> None:
    with connected(port) as made:
        made.sendall(b"GET /healthz HTTP/1.1\r\nX-A: ")
        with pytest.raises(OSError):  # noqa: PT012
            for _ in range(4000):
                made.sendall(b"a" * 65536)
            raise AssertionError("a head of 256 MB was taken in")


def test_trailers_without_an_end_are_cut_off(port: int) -> None:
    with connected(port) as made:
        made.sendall(post(CHUNKED, CHUNK.removesuffix(b"\r\n") + b"X-A: "))
        with pytest.raises(OSError):  # noqa: PT012
            for _ in range(4000):
                made.sendall(b"a" * 65536)
            raise AssertionError("256 MB of trailers were taken in")


def test_a_large_but_usual_head_is_read(port: int) -> None:
    statuses, _ = sent(port, post(CLOSE + b"X-A: " + b"a" * 40_000 + b"\r\n" + length()))
    assert statuses == [400]


def test_a_body_that_says_it_is_far_too_large_is_413_at_once(port: int) -> None:
    """Nothing of it is sent, so an answer shows that it was not waited for."""
    for number in (10**15, 2**63):
        with connected(port) as made:
            made.sendall(post(length(number), b""))
            assert made.recv(65536).startswith(b"HTTP/1.1 413")


@pytest.mark.parametrize(
    ("start", "limit"), [(b"", "keep alive"), (b"GET /healthz HTTP/1.1\r\nHost: local", "HEAD_SECONDS")]
)
def test_a_head_that_does_not_come_to_its_end_is_408(
    start: bytes, limit: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Many such connections would otherwise be held open for nothing."""
    monkeypatch.setattr(connection, "HEAD_SECONDS", 0.1 if limit == "HEAD_SECONDS" else 1000.0)

    async def nothing(scope: object, receive: object, send: object) -> None:
        raise AssertionError("no request was sent")

    async def exchange() -> bytes:
        config = uvicorn.Config(nothing, timeout_keep_alive=1, log_config=None)  # type: ignore[arg-type]
        state = ServerState()
        server = await asyncio.get_running_loop().create_server(
            lambda: connection.Connection(config=config, server_state=state, app_state={}), "127.0.0.1", 0
        )
        async with server:
            reader, writer = await asyncio.open_connection(*server.sockets[0].getsockname())
            writer.write(start)
            came = await asyncio.wait_for(reader.read(), SECONDS)
            writer.close()
        return came

    assert asyncio.run(exchange()).startswith(b"HTTP/1.1 408")


def test_two_hosts_are_not_believed(port: int) -> None:
    """With `--open` the Host says whether a page of elsewhere asks; of two it could choose one."""
    twice = BEHIND.replace(b"\r\nConnection", b"\r\nHost: elsewhere.example\r\nConnection")
    assert sent(port, twice)[0] == [403]
    assert sent(port, BEHIND.replace(b"Host: localhost\r\n", b""))[0] == [403]


def test_a_compressed_body_is_415_and_not_unpacked(port: int) -> None:
    for coding in (b"gzip", b"deflate", b"br", b"zstd", b"gzip, gzip", b"x"):
        statuses, _ = sent(port, post(CLOSE + b"Content-Encoding: " + coding + b"\r\n" + length()))
        assert statuses == [415]


def test_what_is_sent_is_not_in_a_header_of_the_answer(port: int) -> None:
    mark = b"planted%0d%0aX-Planted:%201"
    for request_ in (
        BEHIND.replace(b"/healthz", b"/" + mark),
        BEHIND.replace(b"/healthz", b"/readyz?" + mark),
        BEHIND.replace(b"/healthz", b"/cds-services//" + mark + b"/"),
        post(CLOSE + length(), path=PATH + b"/" + mark),
        post(
            CLOSE
            + b"Origin: https://planted.example\r\nAccess-Control-Request-Method: planted\r\n"
            + length()
        ),
        post(CLOSE + b"X-Request-Id: planted\r\nX-Forwarded-Host: planted.example\r\n" + length()),
    ):
        statuses, came = sent(port, request_)
        head = came.partition(b"\r\n\r\n")[0].lower()
        assert statuses
        assert b"planted" not in head
