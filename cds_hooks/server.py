"""Runs ASGI applications: sockets first, so that a taken port is a message and no traceback."""

from __future__ import annotations

import asyncio
import errno
import math
import signal
import socket
import ssl
from collections.abc import Callable, Generator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path

import uvicorn
from starlette.types import ASGIApp

from cds_hooks.connection import Connection
from plugin.errors import SettingsError, VestigeError
from plugin.settings import Service

# Longer than proxies keep a connection without a request (nginx: 60): who closes first must not be the one
# that is asked next, or a call is lost on a connection that just went away.
KEEP_ALIVE_SECONDS = 75
# Beyond the deadline of a call: an answer that is being recorded by then, and its way out.
STOP_SECONDS = 3.0


class CannotListen(VestigeError):
    """An address that the service should listen on cannot be had."""

    exit_code = 3


@dataclass(frozen=True)
class Tls:
    """The certificate and key (PEM) of a server, and the authority whose certificate clients must show."""

    cert: Path
    key: Path
    client_ca: Path | None = None

    def context(self) -> ssl.SSLContext:
        """Returns what a handshake needs: TLS 1.2 or later; raises SettingsError where a file does not do."""
        made = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
        made.minimum_version = ssl.TLSVersion.TLSv1_2
        try:
            made.load_cert_chain(self.cert, self.key)
            if self.client_ca is not None:
                made.load_verify_locations(self.client_ca)
                made.verify_mode = ssl.CERT_REQUIRED
        except (ssl.SSLError, OSError) as error:
            raise SettingsError(
                f"service.tls_cert, tls_key or tls_client_ca cannot be used: {error}"
            ) from error
        return made


@dataclass(frozen=True)
class Listening:
    """One application and the socket it answers on, over TLS where it has a certificate."""

    app: ASGIApp
    socket: socket.socket
    tls: Tls | None = None


def listen(host: str, port: int) -> socket.socket:
    """Returns a bound socket; raises CannotListen, naming the address and what to do."""
    try:
        family, *_, address = socket.getaddrinfo(
            host, port, type=socket.SOCK_STREAM, flags=socket.AI_PASSIVE
        )[0]
        bound = socket.socket(family, socket.SOCK_STREAM)
    except OSError as error:
        raise CannotListen(f"cannot listen on {host}:{port}: {error.strerror or error}") from error
    try:
        bound.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
        bound.bind(address)
        bound.listen(1024)
    except OSError as error:
        bound.close()
        if error.errno == errno.EADDRINUSE:
            text = f"port {port} on {host} is taken: stop the other program or choose another port"
            raise CannotListen(text) from error
        raise CannotListen(f"cannot listen on {host}:{port}: {error.strerror}") from error
    return bound


def port_of(bound: socket.socket) -> int:
    """Returns the port of a bound socket (it was chosen by the system where 0 was asked for)."""
    port: int = bound.getsockname()[1]
    return port


def grace_of(service: Service) -> float:
    """Returns the seconds in which every call that was taken in is answered, its record kept."""
    return service.hook_deadline + STOP_SECONDS


def run(
    servers: Sequence[Listening], *, started: Callable[[], None], grace: float, log_level: str = "info"
) -> None:
    """Serves until SIGINT or SIGTERM, then ends every server; `started` runs once all of them answer.

    At the end no new connection is taken, and what was asked before is answered for `grace` seconds; a second
    Ctrl-C does not wait for that.
    """
    uvicorn_servers = [_Server(_config(one, log_level, grace)) for one in servers]
    loop_factory = uvicorn_servers[0].config.get_loop_factory()
    with asyncio.Runner(loop_factory=loop_factory) as runner:
        runner.run(_serve_all(uvicorn_servers, [one.socket for one in servers], started))


class _Server(uvicorn.Server):
    """A server that leaves the signals to `run`: two in one process would take them from each other."""

    @contextmanager
    def capture_signals(self) -> Generator[None, None, None]:
        yield


def _config(one: Listening, log_level: str, grace: float) -> uvicorn.Config:
    context = None if one.tls is None else one.tls.context()
    return uvicorn.Config(
        one.app,
        http=Connection,
        ssl_context_factory=None if context is None else lambda _config, _default: context,
        log_level=log_level,
        access_log=False,
        server_header=False,
        timeout_keep_alive=KEEP_ALIVE_SECONDS,
        # uvicorn takes whole seconds.
        timeout_graceful_shutdown=math.ceil(grace),
        log_config=None,
    )


async def _serve_all(
    servers: Sequence[_Server], sockets: Sequence[socket.socket], started: Callable[[], None]
) -> None:
    def stop(number: int | None = None) -> None:
        for server in servers:
            if server.should_exit and number == signal.SIGINT:
                server.force_exit = True
            server.should_exit = True

    loop = asyncio.get_running_loop()
    for number in (signal.SIGINT, signal.SIGTERM):
        loop.add_signal_handler(number, stop, number)
    tasks = [
        asyncio.create_task(server.serve(sockets=[bound]))
        for server, bound in zip(servers, sockets, strict=True)
    ]
    while not all(server.started for server in servers) and not any(task.done() for task in tasks):
        await asyncio.sleep(0.02)
    if all(server.started for server in servers):
        started()
    try:
        await asyncio.gather(*tasks)
    finally:
        stop()
        await asyncio.gather(*tasks, return_exceptions=True)
