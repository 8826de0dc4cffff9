"""HealthChain's CDS service with a constant card, as its documentation writes one.

Run by the Python of `.venv-healthchain`: `python tests/bench/servers/healthchain_constant.py PORT`. Its hook address is
`/cds/cds-services/constant`, its discovery `/cds/cds-discovery`.
"""

from __future__ import annotations

import sys

import uvicorn
from healthchain.gateway import CDSHooksService, HealthChainAPI
from healthchain.models.requests.cdsrequest import CDSRequest
from healthchain.models.responses.cdsresponse import Card, CDSResponse, Source

app = HealthChainAPI()
cds = CDSHooksService()


@cds.hook("patient-view", id="constant", title="Constant", description="Constant")
def constant(request: CDSRequest) -> CDSResponse:
    card = Card(
        summary="A card that says the same to every call",
        indicator="info",
        detail="x" * 600,
        source=Source(label="A constant"),
    )
    return CDSResponse(cards=[card])


app.register_service(cds)

if __name__ == "__main__":
    uvicorn.run(app, port=int(sys.argv[1]), access_log=False, log_level="error")
