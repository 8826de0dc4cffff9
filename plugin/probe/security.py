"""How the connection to a server is protected: TLS version and certificate."""

from __future__ import annotations

import socket
import ssl
from datetime import UTC, datetime
from urllib.parse import urlsplit

from plugin.address import is_loopback
from plugin.probe.examination import Security

_SECONDS = 5.0


def seen_security(base: str, context: ssl.SSLContext | None = None) -> Security:
    """Returns TLS version, issuer and last day of the certificate, or a note on why there are none."""
    parts = urlsplit(base)
    host = parts.hostname or ""
    if parts.scheme != "https":
        where = "on this machine only" if is_loopback(host) else "everything can be read on the way"
        return Security(note=f"plain http: {where}")
    try:
        with (
            socket.create_connection((host, parts.port or 443), timeout=_SECONDS) as plain,
            (context or ssl.create_default_context()).wrap_socket(plain, server_hostname=host) as secured,
        ):
            certificate = secured.getpeercert() or {}
            return Security(
                tls=secured.version(),
                issuer=_issuer(certificate.get("issuer", ())),
                expires=_day(certificate.get("notAfter")),
            )
    except ssl.SSLError as error:
        return Security(note=f"TLS could not be established: {error.reason or 'no reason given'}")
    except OSError:
        return Security(note="no connection could be made")


def _issuer(names: object) -> str | None:
    pairs = [pair for part in names for pair in part] if isinstance(names, tuple) else []
    found = {pair[0]: pair[1] for pair in pairs if isinstance(pair, tuple) and len(pair) == 2}
    name = found.get("organizationName") or found.get("commonName")
    return name if isinstance(name, str) else None


def _day(text: object) -> str | None:
    if not isinstance(text, str):
        return None
    return datetime.fromtimestamp(ssl.cert_time_to_seconds(text), UTC).date().isoformat()
