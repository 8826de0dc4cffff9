"""What the settings say of clients fits together: origins of browsers, and the issuers that servers name."""

from __future__ import annotations

import re
from collections.abc import Iterable, Sequence

from plugin.errors import SettingsError

# As a browser sends it: in small letters, and never with a slash behind it.
_ORIGIN = re.compile(r"https?://[a-z0-9.-]+(:\d+)?|https?://\[[0-9a-f:]+\](:\d+)?")


def check_origins(origins: Iterable[str]) -> None:
    """Passes origins that a browser can send; raises SettingsError for one that could never match."""
    for origin in origins:
        if origin != "*" and not _ORIGIN.fullmatch(origin):
            raise SettingsError(
                f"service.cors_origins: {origin!r} is no origin as browsers send it, in small letters and "
                "without a path, such as https://ehr.hospital.example"
            )


def check_issuers(issuers: Sequence[str], named_by_servers: Iterable[str | None]) -> None:
    """Passes issuers that can call; raises SettingsError for an empty one, and a server of one not trusted.

    `named_by_servers` is the issuer of each FHIR server, None where every client may name the server.
    """
    for number, issuer in enumerate(issuers):
        if not issuer.strip():
            raise SettingsError(f"trust.issuers[{number}].issuer: is empty, and no token has an empty iss")
    for number, name in enumerate(named_by_servers):
        if name is not None and name not in issuers:
            raise SettingsError(
                f"fhir.servers[{number}].issuer: {name!r} is the issuer of no entry of trust.issuers: "
                "no call could name this server"
            )
