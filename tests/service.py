"""The service as a process of its own, started by its own command."""

import json
import subprocess
import sys
import time
from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from datetime import date
from pathlib import Path
from typing import Any

import pytest
import requests

from tests.log_guard import check_log
from tests.servers.sekmet import free_port

SERVICES = {
    "patient-view": "crlm-lesion-review",
    "order-select": "crlm-order-select",
    "order-sign": "crlm-order-sign",
    "order-dispatch": "crlm-order-dispatch",
    "appointment-book": "crlm-appointment-book",
    "encounter-start": "crlm-encounter-start",
    "encounter-discharge": "crlm-encounter-discharge",
}


@dataclass(frozen=True)
class Service:
    """A running service: its address, and what it has logged so far."""

    address: str
    log: Path
    pid: int

    def call(self, body: dict[str, Any], **options: Any) -> requests.Response:
        service = SERVICES[body["hook"]]
        return requests.post(
            f"{self.address}/cds-services/{service}",
            data=json.dumps(body),
            headers={"Content-Type": "application/json"},
            timeout=60,
            **options,
        )


@contextmanager
def running(
    folder: Path,
    *,
    bases: Sequence[str] = (),
    today: date | None = None,
    options: Sequence[str] = (),
    environment: Mapping[str, str] | None = None,
    vestige: Path = Path(sys.executable).with_name("vestige"),
    port: int | None = None,
    trusting: bool = True,
) -> Iterator[Service]:
    """Runs `vestige serve` until the block ends: open, or with the trust its `--config` says."""
    port = port or free_port()
    command = [str(vestige), "serve", *(["--open"] if trusting else []), "--port", str(port)]
    for base in bases:
        command += ["--fhir-server", base]
    if today:
        command += ["--today", today.isoformat()]
    log = folder / "service.log"
    with log.open("wb") as stream:
        process = subprocess.Popen(
            [*command, *options], cwd=folder, env=environment, stdout=stream, stderr=subprocess.STDOUT
        )
        try:
            service = Service(f"http://127.0.0.1:{port}", log, process.pid)
            _wait(service, process)
            yield service
        finally:
            process.terminate()
            process.wait(15)
    check_log(log)


def _wait(service: Service, process: subprocess.Popen[bytes]) -> None:
    end = time.monotonic() + 60
    while time.monotonic() < end and process.poll() is None:
        try:
            if requests.get(f"{service.address}/readyz", timeout=2).status_code == 200:
                return
        except requests.RequestException:
            time.sleep(0.1)
    pytest.fail(f"the service did not start: {service.log.read_text(errors='replace')[-800:]}", pytrace=False)
