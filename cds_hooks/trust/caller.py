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


ANYBODY = Caller(issuer=None, profile=PROFILES["generic"])
