"""Clients with keys of their own, and the tokens they make."""

import json
import time
import uuid
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import jwt
from cryptography.hazmat.primitives.asymmetric import ec, rsa
from jwt.algorithms import ECAlgorithm, RSAAlgorithm

PUBLIC = "https://cds.example"


@dataclass
class Client:
    """One CDS client: its issuer, its private key and the JWK that it publishes."""

    issuer: str
    key: Any
    algorithm: str
    kid: str

    @property
    def jwk(self) -> dict[str, Any]:
        algorithm = RSAAlgorithm if self.algorithm.startswith("RS") else ECAlgorithm
        published = json.loads(algorithm.to_jwk(self.key.public_key()))
        return {**published, "kid": self.kid, "alg": self.algorithm, "use": "sig"}

    def claims(self, path: str = "/cds-services/crlm-lesion-review", **changes: Any) -> dict[str, Any]:
        now = int(time.time())
        made = {
            "iss": self.issuer,
            "aud": PUBLIC + path,
            "iat": now,
            "exp": now + 300,
            "jti": str(uuid.uuid4()),
            **changes,
        }
        return {name: value for name, value in made.items() if value is not None}

    def token(
        self,
        claims: dict[str, Any] | None = None,
        *,
        key: Any = None,
        algorithm: str | None = None,
        **header: Any,
    ) -> str:
        headers = {"kid": self.kid, "typ": "JWT", **header}
        return jwt.encode(
            self.claims() if claims is None else claims,
            key or self.key,
            algorithm or self.algorithm,
            headers={name: value for name, value in headers.items() if value is not None},
        )


def elliptic(issuer: str = "https://ehr.example", kid: str = "ec-1") -> Client:
    return Client(issuer, ec.generate_private_key(ec.SECP384R1()), "ES384", kid)


def rsa_client(issuer: str = "https://epic.example", kid: str = "rs+/1=") -> Client:
    return Client(issuer, rsa.generate_private_key(65537, 2048), "RS384", kid)


def key_set(*clients: Client) -> bytes:
    return json.dumps({"keys": [client.jwk for client in clients]}).encode()


def key_file(folder: Path, *clients: Client) -> Path:
    path = folder / f"{clients[0].kid.replace('/', '_')}.json"
    path.write_bytes(key_set(*clients))
    return path
