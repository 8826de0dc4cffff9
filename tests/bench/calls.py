"""Hook calls as a client sends them: every prefetch template of ours filled from one synthetic patient."""

from __future__ import annotations

import json
import uuid
from typing import Any
from urllib.parse import parse_qsl

from cds_hooks.page.records import Records
from plugin.pull.queries import PREFETCH, path
from tests.bench.reading_bench import PATIENT, patient

OBSERVATIONS, LESIONS = 100, 10
# The templates ask for imaging Observations by category (`imaging`) and for statements on lesions by code
# (`findings`). What has both is sent twice, as a client would. With this many filed under the category, the call
# has the size that the time of an answer is stated for: 155 kB.
FILED_AS_IMAGING = 37


def record(own: str, filed: int = FILED_AS_IMAGING) -> dict[str, Any]:
    """Returns a filled prefetch: 100 Observations over 10 lesions, the newest `filed` by category, too."""
    resources = json.loads(
        json.dumps(patient(OBSERVATIONS, relevant=1.0, lesions=LESIONS)).replace(PATIENT, own)
    )
    ours = [one for one in resources if one["resourceType"] == "Observation"]
    for one in sorted(ours, key=lambda one: (one["effectiveDateTime"], one["id"]))[: len(ours) - filed]:
        del one["category"]
    records = Records([{"resourceType": "Bundle", "entry": [{"resource": one} for one in resources]}])
    return {key: _answer(path(template, own), records) for key, template in PREFETCH.items()}


def _answer(asked: str, records: Records) -> dict[str, Any] | None:
    kind, _, query = asked.partition("?")
    if not query:
        return records.read(*kind.split("/"))
    entries = [{"resource": one} for one in records.find(kind, parse_qsl(query))]
    return {"resourceType": "Bundle", "type": "searchset", "total": len(entries), "entry": entries}


def body(own: str, filed: int = FILED_AS_IMAGING) -> bytes:
    """Returns a patient-view call."""
    call = {
        "hook": "patient-view",
        "hookInstance": str(uuid.uuid4()),
        "context": {"userId": "Practitioner/bench", "patientId": own},
        "prefetch": record(own, filed),
    }
    return json.dumps(call).encode()
