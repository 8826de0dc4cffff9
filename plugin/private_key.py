"""The private key by which a site proves who it is to an authorisation server, from PEM or JWK."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Literal

from cryptography.hazmat.primitives.asymmetric.ec import SECP384R1, EllipticCurvePrivateKey
from cryptography.hazmat.primitives.asymmetric.rsa import RSAPrivateKey
from cryptography.hazmat.primitives.serialization import load_pem_private_key
from jwt import PyJWK
from jwt.exceptions import PyJWTError

SmartAlgorithm = Literal["ES384", "RS384"]
PrivateKey = EllipticCurvePrivateKey | RSAPrivateKey
_LEAST_BITS = 2048


class KeyFileError(ValueError):
    """A file that holds no usable private key; the text says why and holds nothing of the key."""


def private_key(path: Path, algorithm: SmartAlgorithm) -> PrivateKey:
    """Returns the key of a PEM or JWK file, fit for the algorithm; raises KeyFileError with the reason."""
    try:
        content = path.read_bytes()
    except OSError as error:
        raise KeyFileError(f"{path} cannot be read: {error.strerror or error}") from error
    key = _of_jwk(content, algorithm) if content.lstrip().startswith(b"{") else _of_pem(content)
    if algorithm == "ES384":
        if isinstance(key, EllipticCurvePrivateKey) and isinstance(key.curve, SECP384R1):
            return key
        raise KeyFileError("ES384 needs a private key on the curve P-384")
    if isinstance(key, RSAPrivateKey) and key.key_size >= _LEAST_BITS:
        return key
    raise KeyFileError(f"RS384 needs an RSA private key of at least {_LEAST_BITS} bits")


def _of_pem(content: bytes) -> object:
    try:
        return load_pem_private_key(content, password=None)
    except (ValueError, TypeError):
        # The cause is dropped: it may quote the file.
        raise KeyFileError("it is no PEM file of an unencrypted private key") from None


def _of_jwk(content: bytes, algorithm: SmartAlgorithm) -> object:
    try:
        return PyJWK(json.loads(content), algorithm=algorithm).key
    except (ValueError, TypeError, PyJWTError):
        raise KeyFileError("it is no JWK of a private key") from None
