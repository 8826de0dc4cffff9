"""The security headers of our pages: the demo EHR and the lesion timeline."""

from __future__ import annotations

from collections.abc import Mapping
from types import MappingProxyType

from starlette.types import ASGIApp, Message, Receive, Scope, Send

NONE: Mapping[str, str] = MappingProxyType({})


class PageHeaders:
    """Completes the head of every answer of a page; what the answer itself says of these is replaced."""

    def __init__(self, app: ASGIApp, policy: str, more: Mapping[str, str] = NONE) -> None:
        self._app = app
        headers = {
            "content-security-policy": policy,
            "x-content-type-options": "nosniff",
            "referrer-policy": "no-referrer",
            "cache-control": "no-store",
            **more,
        }
        self._headers = [(name.encode(), value.encode()) for name, value in headers.items()]
        self._names = {name for name, _ in self._headers}

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Passes one request on and completes the head of its answer."""

        async def complete(message: Message) -> None:
            if message["type"] == "http.response.start":
                kept = [one for one in message.get("headers", ()) if one[0].lower() not in self._names]
                message["headers"] = [*kept, *self._headers]
            await send(message)

        await self._app(scope, receive, complete)
