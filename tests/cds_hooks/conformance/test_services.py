"""The checker against real processes: our own service, open and with trust on, and HealthChain from its package."""

import json
import subprocess
import sys
import time
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import pytest
import requests
from jwt.algorithms import ECAlgorithm

from tests.cds_hooks.jwts import elliptic, key_file
from tests.cds_hooks.serving import ORIGIN, free_port
from tests.log_guard import check_log
from tests.require import ROOT, require

VESTIGE = Path(sys.executable).with_name("vestige")
PUBLIC = "https://cds.hospital.example"
FEW = ("--sample", "ct-only-watch-and-wait", "--sample", "cea-discordant")


@contextmanager
def process(command: list[str], folder: Path, ready: str) -> Iterator[None]:
    """Runs a server until the block ends; it is ready when the address answers with 200."""
    log = folder / "server.log"
    with log.open("wb") as stream:
        running = subprocess.Popen(command, cwd=folder, stdout=stream, stderr=subprocess.STDOUT)
    try:
        end = time.monotonic() + 90
        while not answers(ready):
            assert running.poll() is None, log.read_text()
            assert time.monotonic() < end, log.read_text()
            time.sleep(0.1)
        yield
    finally:
        running.terminate()
        running.wait(30)
    if command[0] == str(VESTIGE):
        check_log(log)


def answers(address: str) -> bool:
    try:
        return requests.get(address, timeout=60).status_code == 200
    except requests.RequestException:
        return False


@contextmanager
def own(folder: Path, *options: str, lines: tuple[str, ...] = ()) -> Iterator[str]:
    port = free_port()
    config = folder / "vestige.toml"
    config.write_text("\n".join((f'[store]\nurl = "sqlite:///{folder}/vestige.db"', *lines)))
    base = f"http://127.0.0.1:{port}"
    command = [str(VESTIGE), "serve", "--config", str(config), "--port", str(port), *options]
    with process(command, folder, f"{base}/readyz"):
        yield base


def checked(*arguments: str, code: int) -> dict[str, Any]:
    """Runs the command as a process and returns its JSON."""
    command = [str(VESTIGE), "conformance", *arguments, "--json", "--timeout", "60", "--slow", "60"]
    run = subprocess.run(command, capture_output=True, timeout=600)
    assert run.returncode == code, (run.stdout[-3000:], run.stderr)
    assert run.stderr == b""
    found: dict[str, Any] = json.loads(run.stdout)
    return found


def problems(report: Mapping[str, Any]) -> dict[str, str]:
    return {one["check"]: one["result"] for one in report["verdicts"] if one["result"] in ("fail", "warn")}


def reasons(report: Mapping[str, Any], check: str) -> str:
    return " ".join(next(one["reasons"] for one in report["verdicts"] if one["check"] == check))


def test_our_service_in_open_mode(tmp_path: Path) -> None:
    fhir, lines = free_port(), (f'[service]\ncors_origins = ["{ORIGIN}"]',)
    allowed = ("--fhir-server", f"http://127.0.0.1:{fhir}/fhir")
    with own(tmp_path, "--open", *allowed, lines=lines) as base:
        report = checked(base, "--origin", ORIGIN, "--fhir-port", str(fhir), *FEW, code=0)
    # --open authenticates nobody, on loopback only; everything else holds.
    assert problems(report) == {"security.required": "warn", "security.forged": "warn"}
    assert report["conformant"] is True
    assert report["counts"]["pass"] > 110
    results = {one["check"]: one["result"] for one in report["verdicts"]}
    assert {held for name, held in results.items() if name.startswith("fhir.")} == {"pass"}
    assert len(report["services"]) >= 5


@pytest.mark.parametrize("client", ["generic", "epic"])
def test_our_service_with_trust_on(tmp_path: Path, client: str) -> None:
    ehr = elliptic(issuer="https://ehr.hospital.example")
    jwk = tmp_path / "private.json"
    jwk.write_text(json.dumps({**json.loads(ECAlgorithm.to_jwk(ehr.key)), "kid": ehr.kid, "alg": "ES384"}))
    lines = (
        f'[service]\npublic_url = "{PUBLIC}"\ncors_origins = ["{ORIGIN}"]',
        "[trust]\nbehind_tls_proxy = true",
        f'[[trust.issuers]]\nissuer = "{ehr.issuer}"\njwks_file = "{key_file(tmp_path, ehr)}"',
        f'profile = "{client}"',
    )
    signed = ("--jwk", str(jwk), "--issuer", ehr.issuer, "--audience", PUBLIC, *FEW)
    with own(tmp_path, lines=lines) as base:
        report = checked(base, *signed, "--origin", ORIGIN, "--client", client, code=0)
        blind = subprocess.run([str(VESTIGE), "conformance", base], capture_output=True, timeout=120)
    assert problems(report) == {}
    results = {one["check"]: one["result"] for one in report["verdicts"]}
    assert {held for name, held in results.items() if name.startswith(("security", "cors"))} == {"pass"}
    text = json.dumps(report)
    assert "eyJ" not in text
    assert json.loads(jwk.read_text())["d"] not in text
    assert blind.returncode == 2
    assert b"--jwk" in blind.stderr


@pytest.fixture(scope="module")
def healthchain(tmp_path_factory: pytest.TempPathFactory) -> Iterator[str]:
    python = require("healthchain").with_name("python")
    port = free_port()
    command = [str(python), str(ROOT / "tests" / "servers" / "healthchain_service.py"), str(port)]
    base = f"http://127.0.0.1:{port}/cds"
    with process(command, tmp_path_factory.mktemp("healthchain"), f"{base}/cds-discovery"):
        yield base


TOLD = (
    *FEW,
    "--discovery",
    "/cds-discovery",
    "--service",
    "first=patient-view",
    "--prefetch",
    "conditions=Condition?patient={{context.patientId}}",
)


def test_healthchain_without_a_hint(healthchain: str) -> None:
    report = checked(healthchain, code=1)
    assert problems(report)["discovery.answers"] == "fail"
    assert "404" in reasons(report, "discovery.answers")


def test_the_known_failures_of_healthchain_are_found(healthchain: str) -> None:
    report = checked(healthchain, *TOLD, code=1)
    found = problems(report)
    assert "GET /cds-services: status 404" in reasons(report, "discovery.answers")
    assert "no feedback is taken: status 404" in reasons(report, "feedback.offered")
    assert "alg none) is accepted" in reasons(report, "security.forged")
    assert "empty list of cards" in reasons(report, "calls.damaged")
    assert "empty list of cards" in reasons(report, "calls.outcome")
    assert "empty list of cards" in reasons(report, "calls.missing")
    assert "first and second show the same cards" in reasons(report, "calls.own-answer")
    assert {found[name] for name in ("discovery.answers", "calls.damaged", "calls.missing")} == {"fail"}


def test_healthchain_accepts_forged_tokens_where_a_key_was_agreed(healthchain: str, tmp_path: Path) -> None:
    """With --jwk the service is said to know a client: to accept alg none is then a broken SHALL."""
    ehr = elliptic()
    jwk = tmp_path / "private.json"
    jwk.write_text(json.dumps({**json.loads(ECAlgorithm.to_jwk(ehr.key)), "kid": ehr.kid}))
    report = checked(healthchain, *TOLD, "--jwk", str(jwk), "--only", "security", code=1)
    found = problems(report)
    broken = ("alg-none", "shared-secret", "other-key", "tampered", "unknown-kid", "audience", "expired")
    assert {found[f"security.{name}"] for name in broken} == {"fail"}
