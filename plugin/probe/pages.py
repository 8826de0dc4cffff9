"""The first page of a search, as it tells whether the others can be had."""

from __future__ import annotations

from urllib.parse import urlsplit

from plugin.pull.bundle import Page


def unreliable(taken: Page) -> str | None:
    """Returns why a hook call could not rely on this page, or None."""
    if not taken.answers:
        return "the Bundle is of a type that no search is answered with"
    if taken.broken:
        return f"{taken.broken} parts of the Bundle cannot be read"
    if taken.next_url == "":
        return "its links cannot be read, so that a further page may be lost"
    if taken.next_url is None and taken.total is not None and taken.total > len(taken.matches):
        return f"{len(taken.matches)} of {taken.total} results came, and there is no link to the others"
    return None


def next_form(url: str, base: str, kind: str) -> str:
    """Returns what the link to the next page looks like."""
    parts, own = urlsplit(url), urlsplit(base)
    if parts.scheme and (parts.scheme, parts.netloc) != (own.scheme, own.netloc):
        return "at another address"
    where = "relative" if not parts.scheme else "absolute"
    if parts.path.rstrip("/").endswith(f"/{kind}") or parts.path == kind:
        return f"{where}, at the type"
    return (
        f"{where}, at the base" if parts.path.rstrip("/") == own.path.rstrip("/") else f"{where}, elsewhere"
    )
