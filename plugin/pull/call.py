"""What the pull needs of a hook call."""

from __future__ import annotations

import re
from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any

_TOKEN = re.compile(r"[\x21-\x7e]+")


@dataclass(frozen=True, kw_only=True)
class HookInput:
    """One hook call, checked by the protocol layer; `issuer` is the verified `iss` of the caller's JWT.

    `seconds` is how long reading may take, where the answer has a deadline; the site's own budget holds too.
    Nothing that may hold patient data or a token appears in its text form.
    """

    hook: str
    patient_id: str = field(repr=False)
    context: Mapping[str, Any] = field(default_factory=dict, repr=False)
    prefetch: Mapping[str, Any] | None = field(default=None, repr=False)
    fhir_server: str | None = None
    authorization: Mapping[str, Any] | None = field(default=None, repr=False)
    issuer: str | None = None
    seconds: float | None = None


@dataclass(frozen=True, kw_only=True)
class Bearer:
    """A bearer token and how many seconds it is valid; the token never appears in its text form."""

    token: str = field(repr=False)
    expires_in: float


def bearer(call: HookInput) -> Bearer | str | None:
    """Returns the token of `fhirAuthorization`, the reason why it is not used, or None where none was sent.

    CDS Hooks 2.0.1, "Passing the Access Token to the CDS Service": the type is Bearer, the token is used
    for this call only and not beyond `expires_in`.
    """
    sent = call.authorization
    if sent is None:
        return None
    token, kind = sent.get("access_token"), sent.get("token_type")
    if not isinstance(token, str) or not _TOKEN.fullmatch(token):
        return "fhirAuthorization holds no usable access_token"
    if not isinstance(kind, str) or kind.casefold() != "bearer":
        return "the token_type of fhirAuthorization is not Bearer"
    seconds = _seconds(sent.get("expires_in"))
    if seconds is None or seconds <= 0:
        return "the token of fhirAuthorization has expired or states no expires_in"
    patient = sent.get("patient")
    if isinstance(patient, str) and patient.removeprefix("Patient/") != call.patient_id:
        return "the token of fhirAuthorization is for another patient"
    return Bearer(token=token, expires_in=seconds)


def _seconds(value: object) -> float | None:
    if isinstance(value, bool):
        return None
    if isinstance(value, int | float):
        return float(value)
    if isinstance(value, str) and re.fullmatch(r"\d{1,9}", value.strip()):
        return float(value)
    return None
