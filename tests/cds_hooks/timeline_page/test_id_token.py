"""The id_token: what does not hold is refused, whatever it says of itself."""

from __future__ import annotations

import time
from collections.abc import Mapping
from functools import cache
from typing import Any

import jwt
import pytest
from cryptography.hazmat.primitives.asymmetric import ec, rsa
from jwt.algorithms import ECAlgorithm, RSAAlgorithm

from cds_hooks.timeline_page.smart import _verified, selected_of

CLIENT, ISSUER = "page", "https://ehr.example"


@cache
def rsa_key() -> rsa.RSAPrivateKey:
    return rsa.generate_private_key(public_exponent=65537, key_size=2048)


@cache
def ec_key() -> ec.EllipticCurvePrivateKey:
    return ec.generate_private_key(ec.SECP384R1())


def keys() -> dict[str, Any]:
    return {
        "keys": [
            {**RSAAlgorithm.to_jwk(rsa_key().public_key(), as_dict=True), "kid": "r", "use": "sig"},
            {**ECAlgorithm.to_jwk(ec_key().public_key(), as_dict=True), "kid": "e", "use": "sig"},
            {"kty": "oct", "k": "c2VjcmV0", "kid": "o"},
        ]
    }


def claims(**changes: Any) -> dict[str, Any]:
    now = int(time.time())
    made = {"iss": ISSUER, "aud": CLIENT, "sub": "u", "iat": now, "exp": now + 300, **changes}
    return {name: value for name, value in made.items() if value is not None}


def token(said: Mapping[str, Any], key: Any = None, algorithm: str = "RS256", kid: str | None = "r") -> str:
    headers = {} if kid is None else {"kid": kid}
    return jwt.encode(dict(said), key or rsa_key(), algorithm=algorithm, headers=headers)


def test_a_token_that_holds_is_read() -> None:
    assert _verified(token(claims()), keys(), CLIENT, ISSUER)["sub"] == "u"
    assert _verified(token(claims(), ec_key(), "ES384", "e"), keys(), CLIENT, ISSUER)["sub"] == "u"


@pytest.mark.parametrize(
    "changes",
    [
        {"iss": "https://elsewhere.example"},
        {"aud": "another-app"},
        {"aud": ["another-app"]},
        {"exp": int(time.time()) - 3600},
        {"exp": None},
        {"iat": None},
        {"sub": None},
        {"aud": None},
        {"iss": None},
    ],
)
def test_claims_that_are_not_for_us_are_refused(changes: dict[str, Any]) -> None:
    with pytest.raises(jwt.PyJWTError):
        _verified(token(claims(**changes)), keys(), CLIENT, ISSUER)


def test_another_key_is_refused() -> None:
    other = rsa.generate_private_key(public_exponent=65537, key_size=2048)
    with pytest.raises(jwt.PyJWTError):
        _verified(token(claims(), other), keys(), CLIENT, ISSUER)


@pytest.mark.parametrize("kid", ["unknown", "o", None])
def test_a_key_that_is_not_exactly_one_of_theirs_is_refused(kid: str | None) -> None:
    with pytest.raises(ValueError, match="key"):
        _verified(token(claims(), kid=kid), keys(), CLIENT, ISSUER)


def test_no_signature_and_a_shared_secret_are_refused() -> None:
    unsigned = jwt.encode(claims(), None, algorithm="none", headers={"kid": "r"})
    shared = jwt.encode(claims(), "s" * 64, algorithm="HS256", headers={"kid": "r"})
    for made in (unsigned, shared):
        with pytest.raises(ValueError, match="algorithm"):
            _verified(made, keys(), CLIENT, ISSUER)


@pytest.mark.parametrize(
    ("context", "selected"),
    [
        ('{"lesions": ["BodyStructure/a", "BodyStructure/b"]}', ("BodyStructure/a", "BodyStructure/b")),
        ({"lesions": ["BodyStructure/a", 3, None]}, ("BodyStructure/a",)),
        ({"lesions": [str(number) for number in range(500)]}, tuple(str(number) for number in range(100))),
        ("not json", ()),
        ("[1]", ()),
        ("[" * 100_000, ()),
        (None, ()),
        ({"lesions": "BodyStructure/a"}, ()),
    ],
)
def test_only_texts_are_selected_and_not_without_end(context: Any, selected: tuple[str, ...]) -> None:
    assert selected_of(context) == selected
