"""Which FHIR server may be asked: exact bases of the allow list only, before any byte is sent."""

from __future__ import annotations

from plugin.address import AddressError, base_of, check, inside, is_loopback, is_refused
from plugin.settings import FhirServer, Settings

__all__ = ["AddressError", "base_of", "check_server", "inside", "is_loopback", "is_refused", "permitted"]


def permitted(settings: Settings, fhir_server: str, issuer: str | None) -> FhirServer:
    """Returns the configured server for this base and issuer.

    Raises AddressError with the reason where there is none.
    """
    base = base_of(fhir_server)
    for server in settings.fhir.servers:
        if base_of(server.base) == base and server.issuer in (None, issuer):
            check_server(server, service_open=settings.service.open)
            return server
    raise AddressError("it is not on the allow list (fhir.servers) for this caller")


def check_server(server: FhirServer, *, service_open: bool) -> None:
    """Raises AddressError where a configured server may not be asked under these settings."""
    check(server.base, allow_http=server.allow_http, service_open=service_open)
