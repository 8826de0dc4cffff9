"""Tokens of a CDS client: good ones with the key that was given, and bad ones on purpose."""

from __future__ import annotations

import json
import time
import uuid
from collections.abc import Mapping
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any

import jwt
from cryptography.hazmat.primitives.asymmetric import ec
from cryptography.hazmat.primitives.serialization import Encoding, PublicFormat
from jwt.algorithms import ECAlgorithm, RSAAlgorithm

from plugin.errors import InputError

LIFETIME = 300
ISSUER = "https://conformance.example"
_CURVES = {"P-256": "ES256", "P-384": "ES384", "P-521": "ES512"}
_RSA = ("RS256", "RS384", "RS512", "PS256", "PS384", "PS512")
_RSA_BITS = 2048


@dataclass(frozen=True, kw_only=True)
class Signer:
    """A private key with what a service knows it by; changes of None leave a claim or header out."""

    key: Any
    algorithm: str
    kid: str
    issuer: str = ISSUER
    jku: str | None = None

    def claims(self, audience: str, **changes: Any) -> dict[str, Any]:
        """Returns the claims of a token for one audience."""
        now = int(time.time())
        made = {
            "iss": self.issuer,
            "sub": self.issuer,
            "aud": audience,
            "iat": now,
            "exp": now + LIFETIME,
            "jti": str(uuid.uuid4()),
            **changes,
        }
        return {name: value for name, value in made.items() if value is not None}

    def header(self, **changes: Any) -> dict[str, Any]:
        """Returns the header of a token beside its algorithm."""
        made = {"typ": "JWT", "kid": self.kid, "jku": self.jku, **changes}
        return {name: value for name, value in made.items() if value is not None}

    def token(self, audience: str, header: Mapping[str, Any] | None = None, **changes: Any) -> str:
        """Returns a signed token; `changes` are to its claims, `header` to its header."""
        headers = self.header(**(header or {}))
        # The library writes typ by itself: only an empty one makes it leave typ out.
        headers.setdefault("typ", "")
        return jwt.encode(self.claims(audience, **changes), self.key, self.algorithm, headers=headers)

    def unsigned(self, audience: str) -> str:
        """Returns a token with alg none and no signature."""
        return f"{_encoded({'alg': 'none', **self.header()})}.{_encoded(self.claims(audience))}."

    def by_shared_secret(self, audience: str, algorithm: str, secret: bytes) -> str:
        """Returns a token whose signature uses text that everybody knows as its secret."""
        # PyJWT refuses a public key as a secret, which is the very mistake that is imitated here.
        header = {"alg": algorithm, **self.header()}
        parts = [_encoded(header), _encoded(self.claims(audience))]
        signature = jwt.algorithms.HMACAlgorithm(_HASHES[algorithm]).sign(".".join(parts).encode(), secret)
        return ".".join([*parts, jwt.utils.base64url_encode(signature).decode()])

    @property
    def public_pem(self) -> bytes:
        """The public key as PEM."""
        pem: bytes = self.key.public_key().public_bytes(Encoding.PEM, PublicFormat.SubjectPublicKeyInfo)
        return pem

    @property
    def public_jwk(self) -> dict[str, Any]:
        """The public key as a JWK with its kid."""
        maker = RSAAlgorithm if self.algorithm.startswith(("RS", "PS")) else ECAlgorithm
        made: dict[str, Any] = json.loads(maker.to_jwk(self.key.public_key()))
        return {**made, "kid": self.kid, "alg": self.algorithm, "use": "sig"}

    def with_new_key(self) -> Signer:
        """Returns a signer that claims the same name and kid with a key of its own."""
        return replace(self, key=ec.generate_private_key(ec.SECP384R1()), algorithm="ES384")


_HASHES = {
    "HS256": jwt.algorithms.HMACAlgorithm.SHA256,
    "HS384": jwt.algorithms.HMACAlgorithm.SHA384,
    "HS512": jwt.algorithms.HMACAlgorithm.SHA512,
}


def stranger() -> Signer:
    """Returns a signer that no service knows."""
    return Signer(key=ec.generate_private_key(ec.SECP384R1()), algorithm="ES384", kid="conformance-stranger")


def signer_of(path: Path, *, issuer: str, jku: str | None, kid: str | None = None) -> Signer:
    """Returns the signer of a private JWK; raises InputError with the reason, which holds nothing of it."""
    try:
        held = json.loads(path.read_bytes())
    except OSError as error:
        raise InputError(f"--jwk {path}: cannot be read: {error.strerror or error}") from error
    except (ValueError, RecursionError):
        raise InputError(f"--jwk {path}: is no JSON; give one private JWK") from None
    if isinstance(held, dict) and isinstance(held.get("keys"), list) and held["keys"]:
        held = held["keys"][0]
    if not isinstance(held, dict) or "d" not in held:
        raise InputError(f"--jwk {path}: is no private JWK: it has no member d")
    kid = kid or held.get("kid")
    if not isinstance(kid, str) or not kid:
        raise InputError(f"--jwk {path}: has no kid, by which the service knows the key; give --kid")
    algorithm = _algorithm(path, held)
    try:
        key = jwt.PyJWK(held, algorithm=algorithm).key
        signer = Signer(key=key, algorithm=algorithm, kid=kid, issuer=issuer, jku=jku)
        short = algorithm in _RSA and key.key_size < _RSA_BITS
        # What the library takes it may not be able to sign with: one token tells.
        _ = short or (signer.token(issuer), signer.public_jwk)
    except _UNUSABLE:
        raise InputError(f"--jwk {path}: is no private key of kind EC or RSA that can be used") from None
    if short:
        raise InputError(f"--jwk {path}: an RSA key needs {_RSA_BITS} bits at least")
    return signer


_UNUSABLE = (
    jwt.PyJWTError,
    NotImplementedError,
    RecursionError,
    ValueError,
    TypeError,
    AttributeError,
)


def _algorithm(path: Path, held: Mapping[str, Any]) -> str:
    """Returns the algorithm of a JWK; raises InputError where the key cannot have it."""
    curve = _CURVES.get(str(held.get("crv")))
    possible = _RSA if held.get("kty") == "RSA" else (curve,) if held.get("kty") == "EC" and curve else ()
    if not possible:
        raise InputError(f"--jwk {path}: is no private key of kind EC or RSA that can be used")
    named = held.get("alg") or ("RS384" if possible is _RSA else curve)
    if named not in possible:
        raise InputError(f"--jwk {path}: its alg does not fit its key; it can be {', '.join(possible)}")
    return str(named)


def _encoded(of: Mapping[str, Any]) -> str:
    return jwt.utils.base64url_encode(json.dumps(of).encode()).decode()
