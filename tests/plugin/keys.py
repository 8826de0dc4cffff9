"""Key pairs for tests, made on the spot: PEM files of the algorithms that SMART Backend Services names."""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path

from cryptography.hazmat.primitives import serialization
from cryptography.hazmat.primitives.asymmetric import ec, rsa

from plugin.settings import Backend

PrivateKey = ec.EllipticCurvePrivateKey | rsa.RSAPrivateKey


@dataclass(frozen=True)
class Pair:
    """A private key and its public half, as PEM files."""

    private: Path
    public: Path
    algorithm: str

    def backend(self, **more: object) -> Backend:
        own = {"client_id": "vestige", "key": self.private, "kid": "key-1", "algorithm": self.algorithm}
        return Backend(**{"in_hooks": True, **own, **more})  # type: ignore[arg-type]


def pair(folder: Path, algorithm: str, name: str = "own") -> Pair:
    """A new pair for ES384 or RS384."""
    key: PrivateKey = (
        ec.generate_private_key(ec.SECP384R1())
        if algorithm == "ES384"
        else rsa.generate_private_key(public_exponent=65537, key_size=2048)
    )
    return written(folder, key, algorithm, name)


def written(folder: Path, key: PrivateKey, algorithm: str, name: str) -> Pair:
    """The pair of a key that was made elsewhere."""
    private, public = folder / f"{name}-{algorithm}.pem", folder / f"{name}-{algorithm}.pub"
    private.write_bytes(
        key.private_bytes(
            serialization.Encoding.PEM, serialization.PrivateFormat.PKCS8, serialization.NoEncryption()
        )
    )
    public.write_bytes(
        key.public_key().public_bytes(
            serialization.Encoding.PEM, serialization.PublicFormat.SubjectPublicKeyInfo
        )
    )
    return Pair(private, public, algorithm)
