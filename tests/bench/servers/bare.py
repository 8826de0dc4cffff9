"""The limit of the machine: a bare Starlette server that parses the body and answers a constant card.

`python -m tests.bench.servers.bare PORT`
"""

from __future__ import annotations

import gc
import json
import sys

import msgspec
import uvicorn
from starlette.applications import Starlette
from starlette.requests import Request
from starlette.responses import Response
from starlette.routing import Route

CARD = {
    "uuid": "00000000-0000-4000-8000-000000000000",
    "summary": "A card that says the same to every call",
    "indicator": "info",
    "detail": "x" * 600,
    "source": {"label": "A constant"},
}
CARDS = json.dumps({"cards": [CARD]}).encode()
SERVICES = json.dumps(
    {"services": [{"id": "constant", "hook": "patient-view", "title": "Constant", "description": "Constant"}]}
).encode()
JSON = "application/json"


async def discovery(request: Request) -> Response:
    return Response(SERVICES, media_type=JSON)


async def call(request: Request) -> Response:
    msgspec.json.decode(await request.body())
    return Response(CARDS, media_type=JSON)


app = Starlette(
    routes=[Route("/cds-services", discovery), Route("/cds-services/constant", call, methods=["POST"])]
)

if __name__ == "__main__":
    gc.collect()
    gc.freeze()
    uvicorn.run(app, port=int(sys.argv[1]), access_log=False, log_level="error")
