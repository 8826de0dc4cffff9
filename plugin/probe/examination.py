"""What was found out about one FHIR server."""

from __future__ import annotations

from enum import Enum
from typing import Any

import msgspec


class Verdict(Enum):
    """What became of a search: only the first is an answer to build on.

    IGNORED is the dangerous one: the server drops `patient` and answers with everybody's data.
    LACKING was not asked, because this make of server is known not to have it.
    """

    SUPPORTED = "supported"
    REFUSED = "refused"
    IGNORED = "ignored"
    FORBIDDEN = "forbidden"
    LACKING = "lacking"
    THROTTLED = "throttled"
    FAILED = "failed"


class Attempt(msgspec.Struct, frozen=True, kw_only=True):
    """One way to ask, and what came of it; `template` as in the query registry."""

    template: str
    verdict: Verdict
    status: int
    milliseconds: float
    detail: str
    entries: int = 0
    strangers: int = 0
    next_form: str | None = None


class Searched(msgspec.Struct, frozen=True, kw_only=True):
    """One query of the registry: the ways that were tried, in order, and the verdict on the last.

    `lenient_leak`: asked without strict handling, the server answered with data of others; a prefetch that
    an EHR makes so is not to be trusted. `readable`: the type can be read by its id.
    """

    key: str
    resource: str
    decisive: bool
    verdict: Verdict
    attempts: tuple[Attempt, ...]
    detail: str = ""
    lenient_leak: bool | None = None
    readable: bool | None = None

    @property
    def works(self) -> bool:
        """True where the server answers it."""
        return self.verdict is Verdict.SUPPORTED


class Security(msgspec.Struct, frozen=True, kw_only=True):
    """How the connection is protected; `expires` is the last day of the server's certificate."""

    tls: str | None = None
    issuer: str | None = None
    expires: str | None = None
    note: str = ""


class Smart(msgspec.Struct, frozen=True, kw_only=True):
    """What `.well-known/smart-configuration` says; `present` False where there is none."""

    present: bool
    token_endpoint: str | None = None
    backend_services: bool = False
    algorithms: tuple[str, ...] = ()
    scopes_v2: bool = False
    scopes_v1: bool = False


class Examination(msgspec.Struct, frozen=True, kw_only=True):
    """Everything that was found out; `statement` is the CapabilityStatement as it came."""

    base: str
    reached: bool
    statement: dict[str, Any] | None
    statement_detail: str
    software: str | None
    fhir_version: str | None
    dialect: str | None
    smart: Smart
    security: Security
    cors: str | None
    strict: bool | None
    searches: tuple[Searched, ...]
    scopes: tuple[str, ...]
    requests: int
    waits: int
    fault: str = ""

    @property
    def latency(self) -> tuple[float, float]:
        """The median and the slowest answer to a search, in ms."""
        times = sorted(one.milliseconds for each in self.searches for one in each.attempts if one.status)
        return (times[len(times) // 2], times[-1]) if times else (0.0, 0.0)

    def of(self, key: str) -> Searched:
        """Returns what became of one query."""
        return next(one for one in self.searches if one.key == key)
