"""Addresses of FHIR servers: one spelling, which are never asked, and which links stay inside."""

from __future__ import annotations

import ipaddress
import re
from urllib.parse import unquote, urljoin, urlsplit

# Addresses that are never a FHIR server: link-local, and the metadata services of the large clouds.
_REFUSED = tuple(
    ipaddress.ip_network(network)
    for network in (
        "0.0.0.0/8",
        "169.254.0.0/16",
        "100.100.100.200/32",
        "168.63.129.16/32",
        "192.0.0.192/32",
        "224.0.0.0/4",
        "255.255.255.255/32",
        "::/128",
        "fe80::/10",
        "fd00:ec2::254/128",
        "ff00::/8",
    )
)
# RFC 3986, section 2: reserved, unreserved and the per cent sign.
_ADDRESS = re.compile(r"[A-Za-z0-9._~:/?#\[\]@!$&'()*+,;=%-]+")
_PORTS = {"http": 80, "https": 443}


class AddressError(ValueError):
    """An address that is not used; the text says why and holds no path or query."""


def base_of(url: str) -> str:
    """Returns a FHIR base in one spelling: lower-case scheme and host, no default port, no final slash.

    Raises AddressError for anything but http or https, and for user info, query or fragment.
    """
    try:
        parts = urlsplit(url.strip())
        port = parts.port
    except ValueError as error:
        raise AddressError("it is no valid address") from error
    scheme, host = parts.scheme.lower(), (parts.hostname or "").lower()
    if scheme not in _PORTS or not host:
        raise AddressError("it is no http or https address")
    if parts.username is not None or parts.password is not None:
        raise AddressError("it holds a user name or password")
    if parts.query or parts.fragment or "?" in url or "#" in url:
        raise AddressError("it holds a query or fragment")
    name = f"[{host}]" if ":" in host else host
    where = name if port is None or port == _PORTS[scheme] else f"{name}:{port}"
    return f"{scheme}://{where}{parts.path.rstrip('/')}"


def service_address(url: str) -> str:
    """Returns the address of a service as it was written, but for a slash at its end.

    Raises AddressError for one that no client could call, or that cannot be signed for: beside what no base
    may have, a character that no address has, and a path that is the service's own.
    """
    if not _ADDRESS.fullmatch(url):
        raise AddressError("it is empty, or holds a character that no address has")
    if base_of(url).endswith("/cds-services"):
        raise AddressError("it is to end before /cds-services")
    return url.rstrip("/")


def check(base: str, *, allow_http: bool, service_open: bool) -> None:
    """Raises AddressError where a base may not be asked, allow list or not."""
    base = base_of(base)
    host = urlsplit(base).hostname or ""
    if service_open and not is_loopback(host):
        raise AddressError("a service without authentication asks servers on loopback only")
    if base.startswith("http:") and not (is_loopback(host) or allow_http):
        raise AddressError("plain http is used on loopback only, unless allow_http is set for it")
    if is_refused(host):
        raise AddressError("it is a link-local or metadata address")


def is_loopback(host: str) -> bool:
    """Says whether a host name or address literal is this machine."""
    if host == "localhost":
        return True
    address = _address(host)
    return address is not None and address.is_loopback


def is_refused(host: str) -> bool:
    """Says whether an address literal is one that is never asked, allow list or not."""
    address = _address(host)
    return address is not None and any(
        address in network for network in _REFUSED if network.version == address.version
    )


def inside(base: str, link: str) -> str:
    """Returns a link of a Bundle as an absolute address, unchanged otherwise.

    Raises AddressError where it leaves the origin or the path of `base`: a token never follows it.
    """
    if not link or any(ord(char) <= 32 or ord(char) == 127 or char == "\\" for char in link):
        raise AddressError("the link is no valid address")
    absolute = link if urlsplit(link).scheme else urljoin(base + "/", link)
    parts = urlsplit(absolute)
    if parts.fragment:
        raise AddressError("the link is no valid address")
    there = base_of(parts._replace(query="", fragment="").geturl().rstrip("?"))
    segments = unquote(unquote(parts.path)).split("/")
    if ".." in segments or "." in segments:
        raise AddressError("the link leaves the server")
    if there != base and not there.startswith(base + "/"):
        raise AddressError("the link leaves the server")
    return absolute


def _address(host: str) -> ipaddress.IPv4Address | ipaddress.IPv6Address | None:
    try:
        address = ipaddress.ip_address(host.split("%", 1)[0])
    except ValueError:
        return None
    mapped = getattr(address, "ipv4_mapped", None)
    return mapped if mapped is not None else address
