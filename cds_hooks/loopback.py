"""Keeps an open service to this machine, also where a web page borrows the address of a name of its own."""

from __future__ import annotations

from urllib.parse import urlsplit

from starlette.datastructures import Headers
from starlette.types import ASGIApp, Receive, Scope, Send

from cds_hooks.outcome import outcome
from plugin.address import is_loopback


class LoopbackNames:
    """Refuses (403) requests whose Host is no name of loopback: DNS rebinding makes any page same-origin."""

    def __init__(self, app: ASGIApp) -> None:
        self._app = app

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Passes one request on, or refuses it."""
        if scope["type"] == "http" and not _local(Headers(scope=scope).getlist("host")):
            text = "Without authentication this service answers to localhost only."
            await outcome(403, text)(scope, receive, send)
            return
        await self._app(scope, receive, send)


def _local(hosts: list[str]) -> bool:
    """One Host header that names loopback; of two, a proxy and we might each believe another."""
    return len(hosts) == 1 and is_loopback(_name(hosts[0]))


def _name(host: str) -> str:
    try:
        return urlsplit(f"//{host}").hostname or ""
    except ValueError:
        return ""
