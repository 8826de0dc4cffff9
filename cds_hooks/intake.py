"""What is taken in of a request: the content type, the body up to its limit, the credentials."""

from __future__ import annotations

import asyncio

from starlette.requests import Request

from plugin.errors import CallError

JSON_TYPES = frozenset({"application/json", "application/fhir+json", "application/json+fhir"})
BODY_SECONDS = 30.0
DRAINED = 4


def check_content_type(request: Request) -> None:
    """Passes a JSON body that is not compressed; else raises CallError (415)."""
    media_type, _, parameters = request.headers.get("content-type", "").partition(";")
    if media_type.strip().lower() not in JSON_TYPES:
        raise CallError("Send Content-Type: application/json.", status=415, code="not-supported")
    name, _, value = parameters.strip().partition("=")
    if name.strip().lower() == "charset" and value.strip(' "').lower() not in ("utf-8", "utf8"):
        raise CallError("Send the body in UTF-8.", status=415, code="not-supported")
    if request.headers.get("content-encoding", "identity").lower() != "identity":
        raise CallError("Send the body without Content-Encoding.", status=415, code="not-supported")


async def body_of(request: Request, limit: int) -> bytes:
    """Returns the body, or raises CallError: 413 above `limit` bytes, 408 when it does not arrive.

    A body somewhat too large is read to its end and thrown away, because most clients only look at the answer
    after they have sent everything. One that says itself that it is far too large is not waited for.
    """
    said = request.headers.get("content-length", "")
    if said.isdecimal() and int(said) > DRAINED * limit:
        raise _too_large(limit)
    chunks: list[bytes] = []
    size = 0
    try:
        async with asyncio.timeout(BODY_SECONDS):
            async for chunk in request.stream():
                size += len(chunk)
                if size <= limit:
                    chunks.append(chunk)
                elif size > DRAINED * limit:
                    break
    except TimeoutError:
        raise CallError("The request body did not arrive in time.", status=408, code="timeout") from None
    if size > limit:
        raise _too_large(limit)
    return b"".join(chunks)


def _too_large(limit: int) -> CallError:
    return CallError(f"The request body is larger than {limit} bytes.", status=413, code="too-long")
