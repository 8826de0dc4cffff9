"""A reading on its way to the FHIR server: one transaction, taken whole or not at all."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

import msgspec
import requests
import urllib3

from fhir_profiles.check import check
from plugin.address import base_of
from plugin.errors import CallError, FhirError
from plugin.pull.exchange import Exchange, exchange
from plugin.pull.transport import Deadline, Flights, new_session, watched
from plugin.settings import Fhir, FhirServer

SECONDS = 30.0
_JSON = "application/fhir+json"


@dataclass(frozen=True, kw_only=True)
class Stored:
    """The resources that the server made."""

    resources: tuple[str, ...]


def store_bundle(server: FhirServer, token: str, bundle: Mapping[str, Any], limits: Fhir) -> Stored:
    """Returns what was stored; raises CallError (502) where it is not certain that all of it was."""
    problems = [*check(bundle), *(one for entry in bundle["entry"] for one in check(entry["resource"]))]
    if problems:
        raise CallError(f"The reading is no valid FHIR ({problems[0]}); nothing was stored.", status=500)
    headers = {
        "Accept": _JSON,
        "Content-Type": _JSON,
        "Authorization": f"Bearer {token}",
        "Prefer": "return=minimal",
        "User-Agent": "vestige",
    }
    body = msgspec.json.encode(bundle)
    status, answer = _sent(
        server, Exchange(url=base_of(server.base), headers=headers, method="POST", body=body), limits
    )
    if status in (401, 403):
        raise CallError(
            "The FHIR server did not permit the reading to be stored; nothing was stored.",
            status=403,
            code="forbidden",
        )
    entries = _entries(answer)
    if status not in (200, 201) or len(entries) != len(bundle["entry"]) or not all(map(_made, entries)):
        raise CallError(
            f"The FHIR server did not confirm the reading (HTTP {status}); "
            "look at the record before it is sent again.",
            status=502,
            code="exception",
        )
    return Stored(resources=tuple(_location(entry) for entry in entries))


def _sent(server: FhirServer, sent: Exchange, limits: Fhir) -> tuple[int, bytes]:
    session, deadline, flights = new_session(server, parallel=1), Deadline(SECONDS), Flights()
    patient = msgspec.structs.replace(limits, read_timeout=SECONDS)
    try:
        with watched(flights, deadline), flights:
            status, _, body = exchange(session, sent, patient, deadline)
    except (FhirError, requests.RequestException, urllib3.exceptions.HTTPError, OSError):
        raise CallError(
            "The FHIR server did not answer; look at the record before the reading is sent again.",
            status=502,
            code="transient",
        ) from None
    finally:
        session.close()
    return status, body


def _entries(body: bytes) -> list[Any]:
    try:
        told = msgspec.json.decode(body)
    except (msgspec.DecodeError, UnicodeDecodeError, RecursionError):
        return []
    found = told.get("entry") if isinstance(told, dict) else None
    return found if isinstance(found, list) else []


def _made(entry: Any) -> bool:
    response = entry.get("response") if isinstance(entry, dict) else None
    return isinstance(response, dict) and str(response.get("status", "")).startswith(("200", "201"))


def _location(entry: Any) -> str:
    """ "Type/id" with its version, of the location of an answer."""
    parts = str(entry["response"].get("location", "")).split("/")
    for place, part in enumerate(parts):
        if part in ("Observation", "Provenance"):
            return "/".join(parts[place:])
    return ""
