"""How a service is checked: its address, the patients, the client whose ways are taken."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field

from cds_hooks.conformance.library import Profile, profiles
from cds_hooks.conformance.patients import SyntheticPatient
from cds_hooks.conformance.tokens import Signer


@dataclass(frozen=True, kw_only=True)
class Options:
    """How a service is checked; `base` is its address without a trailing slash.

    `signer` or `bearer` authenticate the calls; `audience` is the base that tokens name, where it is another.
    `slow`: seconds from which an answer is slow. `services` (id and hook) are called beside the listed ones;
    `prefetch` is filled for a service that lists no templates, as where an EHR has them typed in. With
    `fhir_port` the checker serves FHIR at http://127.0.0.1:PORT/fhir, which the service has to allow. For a
    service in `production` plain http is a fault at any address but this machine's.
    """

    base: str
    patients: Sequence[SyntheticPatient]
    profile: Profile = field(default_factory=lambda: profiles()["generic"])
    signer: Signer | None = None
    bearer: str | None = field(default=None, repr=False)
    audience: str | None = None
    origin: str | None = None
    discovery: str = "/cds-services"
    slow: float = 5.0
    services: Sequence[tuple[str, str]] = ()
    prefetch: Mapping[str, str] = field(default_factory=dict)
    fhir_port: int | None = None
    production: bool = False
