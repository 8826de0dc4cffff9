"""What a JWT says: read before anybody believes it, and verified with a key."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

import jwt

CLAIMS = ("iss", "aud", "exp", "iat", "jti")


class NotValid(Exception):
    """A token that cannot be read or is not valid; the text names the kind of fault only."""


def unverified(text: str) -> tuple[Mapping[str, Any], Mapping[str, Any]]:
    """Returns header and claims as they are written, proven by nothing; raises NotValid."""
    try:
        header: Mapping[str, Any] = jwt.get_unverified_header(text)
        claims: Mapping[str, Any] = jwt.decode(text, options={"verify_signature": False})
    except (jwt.PyJWTError, ValueError, RecursionError) as error:
        raise NotValid(type(error).__name__) from None
    return header, claims


def verified(
    text: str,
    key: Mapping[str, Any],
    *,
    algorithm: str,
    audiences: Sequence[str],
    issuer: str,
    leeway: float,
) -> Mapping[str, Any]:
    """Returns the claims that a key of the issuer proves for one of the audiences; raises NotValid."""
    try:
        claims: Mapping[str, Any] = jwt.decode(
            text,
            jwt.PyJWK(dict(key), algorithm),
            algorithms=[algorithm],
            audience=audiences,
            issuer=issuer,
            leeway=leeway,
            options={"require": list(CLAIMS)},
        )
    except (jwt.PyJWTError, ValueError, TypeError, OverflowError) as error:
        raise NotValid(type(error).__name__) from None
    return claims
