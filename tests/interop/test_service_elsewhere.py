"""A service that runs already and trusts a client: its calls are signed with that client's key, or refused."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import pytest
from cryptography.hazmat.primitives import serialization

from cds_hooks.app import create_app
from plugin.settings import Fhir, FhirServer, Issuer, Rules, Service, Settings, Store, Trust
from tests.cds_hooks.jwts import Client, elliptic, key_file, rsa_client
from tests.cds_hooks.serving import free_port, served
from tests.interop.command import Ran, vestige
from tests.interop.writable import WritableEpic
from tests.servers.hostile import Hostile, serving

SAMPLE = "ct-only-watch-and-wait"


@dataclass
class Elsewhere:
    """A FHIR server, and the address of a service that reads it for one client."""

    server: Hostile
    address: str


@pytest.fixture(scope="module", params=[elliptic, rsa_client], ids=["ES384", "RS384"])
def client(request: pytest.FixtureRequest) -> Client:
    made: Client = request.param()
    return made


@pytest.fixture(scope="module")
def elsewhere(client: Client, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Elsewhere]:
    folder, port = tmp_path_factory.mktemp("elsewhere"), free_port()
    address = f"http://127.0.0.1:{port}"
    with serving(WritableEpic()) as server:
        issuer = Issuer(
            issuer=client.issuer, jwks_file=key_file(folder, client), algorithms=(client.algorithm,)
        )
        settings = Settings(
            service=Service(host="127.0.0.1", port=port, public_url=address, hook_deadline=300.0),
            trust=Trust(issuers=(issuer,), behind_tls_proxy=True),
            fhir=Fhir(servers=(FhirServer(base=server.base, issuer=client.issuer, open=True),), budget=200.0),
            store=Store(url=f"sqlite:///{folder / 'elsewhere.db'}"),
            rules=Rules(engine="in-process"),
        )
        with served(create_app(settings), port):
            yield Elsewhere(server, address)


def pem(folder: Path, client: Client) -> Path:
    path = folder / "client.pem"
    path.write_bytes(
        client.key.private_bytes(
            serialization.Encoding.PEM, serialization.PrivateFormat.PKCS8, serialization.NoEncryption()
        )
    )
    path.chmod(0o600)
    return path


def ran(elsewhere: Elsewhere, folder: Path, *options: Any) -> Ran:
    found = vestige(
        *("interop", elsewhere.server.base, "--json", "--own-hook", "--sample", SAMPLE, "--timeout", 300),
        *("--service", elsewhere.address, *options),
        cwd=folder,
    )
    assert elsewhere.server.script.resources == []  # type: ignore[attr-defined]
    return found


def test_signed_calls_are_answered_as_expected(client: Client, elsewhere: Elsewhere, tmp_path: Path) -> None:
    signed = ran(
        *(elsewhere, tmp_path, "--service-key", pem(tmp_path, client), "--service-kid", client.kid),
        *("--service-issuer", client.issuer, "--service-algorithm", client.algorithm),
        *("--report", "json", "--output", tmp_path / "report.json"),
    )
    assert signed.code == 0, signed.out
    [one] = signed.json["patients"]
    assert {check["verdict"] for check in one["checks"]} == {"pass"}
    report = (tmp_path / "report.json").read_text()
    assert elsewhere.address in report
    assert "eyJ" not in report


def test_calls_that_are_not_signed_are_refused_and_named(elsewhere: Elsewhere, tmp_path: Path) -> None:
    refused = ran(elsewhere, tmp_path)
    assert refused.code == 3
    assert "HTTP 401" in refused.err


def test_a_key_of_somebody_else_is_refused(client: Client, elsewhere: Elsewhere, tmp_path: Path) -> None:
    stranger = elliptic() if client.algorithm == "ES384" else rsa_client()
    refused = ran(
        *(elsewhere, tmp_path, "--service-key", pem(tmp_path, stranger), "--service-kid", client.kid),
        *("--service-issuer", client.issuer, "--service-algorithm", client.algorithm),
    )
    assert refused.code == 3
    assert "HTTP 401" in refused.err


def test_a_key_without_issuer_and_kid_is_refused_before_anything_is_sent(
    client: Client, elsewhere: Elsewhere, tmp_path: Path
) -> None:
    before = len(elsewhere.server.requests)
    refused = ran(elsewhere, tmp_path, "--service-key", pem(tmp_path, client))
    assert refused.code == 2
    assert "--service-issuer and --service-kid" in refused.err
    refused = ran(
        *(elsewhere, tmp_path, "--service-key", pem(tmp_path, client), "--service-algorithm", "none"),
        *("--service-issuer", client.issuer, "--service-kid", client.kid),
    )
    assert refused.code == 2
    assert "'none' is none of ES384, RS384" in refused.err
    written = [one for one in elsewhere.server.requests[before:] if one.method != "GET"]
    assert written == []
