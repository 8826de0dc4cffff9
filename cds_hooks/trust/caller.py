"""The CDS client behind a call, as far as it was proven."""

from __future__ import annotations

from dataclasses import dataclass

from cds_hooks.profiles import PROFILES, Profile


@dataclass(frozen=True, kw_only=True)
class Caller:
    """One CDS client; `issuer` is None where nobody was asked to prove anything (`--open`)."""

    issuer: str | None
    profile: Profile
    tenant: str | None = None


@dataclass(frozen=True, kw_only=True)
class Proof:
    """A caller whose token is signed, meant for us and alive; `jti` is None where it may be used again."""

    caller: Caller
    jti: str | None = None
    expires: float = 0.0


ANYBODY = Caller(issuer=None, profile=PROFILES["generic"])
OPEN = Proof(caller=ANYBODY)
