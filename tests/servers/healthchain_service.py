"""HealthChain's CDS service as its documentation writes one, with two services on one hook.

Run by the Python of `.venv-healthchain`: `python tests/servers/healthchain_service.py PORT`. Each service reads the
Conditions that were prefetched, as any service would, and says whose card it is.
"""

from __future__ import annotations

import sys

import uvicorn
from healthchain.gateway import CDSHooksService, HealthChainAPI
from healthchain.models.requests.cdsrequest import CDSRequest
from healthchain.models.responses.cdsresponse import Card, CDSResponse, Source

app = HealthChainAPI()
cds = CDSHooksService()


def said(request: CDSRequest, name: str) -> CDSResponse:
    found = request.prefetch["conditions"]["entry"]
    codes = [entry["resource"]["code"]["coding"][0]["code"] for entry in found]
    card = Card(
        summary=f"The {name} service found {len(codes)} conditions",
        indicator="info",
        detail="Codes: " + ", ".join(codes),
        source=Source(label=f"The {name} service"),
    )
    return CDSResponse(cards=[card])


@cds.hook("patient-view", id="first", title="First", description="The first of two services")
def first(request: CDSRequest) -> CDSResponse:
    return said(request, "first")


@cds.hook("patient-view", id="second", title="Second", description="The second of two services")
def second(request: CDSRequest) -> CDSResponse:
    return said(request, "second")


app.register_service(cds)

if __name__ == "__main__":
    uvicorn.run(app, port=int(sys.argv[1]), access_log=False, log_level="critical")
