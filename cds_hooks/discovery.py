"""Discovery: what `GET /cds-services` answers, and how a published prefetch template is judged."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from hashlib import sha256
from typing import Any

from cds_hooks.model import DiscoveryResponse, encoded
from cds_hooks.services import SERVICES, Service
from cds_hooks.templates import problems

REVISION = "example.vestige.rule-pack"
# Discovery of 2.0.1 has no member for these; 3.0 will: until then they are an extension.
PROTOCOL = "example.vestige.protocol"
SPECIFICATION = "2.0.1"


@dataclass(frozen=True)
class Discovery:
    """The rendered discovery document with its entity tag."""

    body: bytes
    etag: str


def discovery(
    prefetch: Mapping[str, str],
    decisive: Iterable[str],
    *,
    revision: str,
    services: Iterable[Service] = SERVICES.values(),
) -> Discovery:
    """Returns the discovery document: every service with the same prefetch, since findings never depend on
    the hook (CDS Hooks 2.0.1, "Discovery").

    Raises ValueError for a template that some client could not fill.
    """
    services = tuple(services)
    _check(services, prefetch)
    requirements = usage_requirements(decisive, revision)
    entries = [_entry(one, prefetch, requirements, revision) for one in services]
    body = encoded({"services": entries}, DiscoveryResponse)
    return Discovery(body, f'"{sha256(body).hexdigest()[:32]}"')


def usage_requirements(decisive: Iterable[str], revision: str) -> str:
    """Returns which prefetch keys are required, which FHIR version is expected and which rules answer."""
    return (
        "Expects FHIR R4 (4.0.1). Required, from prefetch or from an allow-listed FHIR server: "
        f"{', '.join(decisive)}. With none of them readable the answer is 412; every other key may be "
        f"absent, and the cards then name what was not read. Rule pack {revision}."
    )


def _check(services: Iterable[Service], prefetch: Mapping[str, str]) -> None:
    faults = [
        f"{service.id}: prefetch {key}: {problem}"
        for service in services
        for key, template in prefetch.items()
        for problem in problems(service.hook, key, template)
    ]
    if faults:
        raise ValueError("; ".join(faults))


def _entry(service: Service, prefetch: Mapping[str, str], requirements: str, revision: str) -> dict[str, Any]:
    return {
        "hook": service.hook.name,
        "title": service.title,
        "description": service.description,
        "id": service.id,
        "prefetch": dict(prefetch),
        "usageRequirements": requirements,
        "extension": {
            REVISION: {"revision": revision},
            PROTOCOL: {"version": SPECIFICATION, "hookVersion": service.hook.version},
        },
    }
