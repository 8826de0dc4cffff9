"""The proxy examples of deploy/, run as they are but for names, ports and places."""

from __future__ import annotations

import os
import socket
import subprocess
import time
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path

import pytest

from tests.require import ROOT, require
from tests.servers.certificates import Authority
from tests.servers.sekmet import free_port

DEPLOY = ROOT / "deploy"
WORKERS = (8000, 8001)


@dataclass(frozen=True)
class Proxy:
    """A proxy that runs: its address, who vouches for its certificate, its access log, and its switch."""

    address: str
    authority: Path
    log: Path
    out_of_service: Path


def nginx_settings(folder: Path, port: int = 443, workers: Sequence[int] = WORKERS) -> Path:
    """Writes a whole nginx configuration around deploy/nginx/vestige.conf."""
    text = _adapted((DEPLOY / "nginx" / "vestige.conf").read_text(), folder, workers)
    text = _replaced(text, "listen 443 ssl", f"listen 127.0.0.1:{port} ssl")
    kept = " ".join(f"{name}_temp_path {folder / name};" for name in ("client_body", "proxy"))
    # As root it would give its work to a user who cannot look into the test's folder.
    user = "user root;\n" if os.geteuid() == 0 else ""
    path = folder / "nginx.conf"
    path.write_text(
        f"{user}pid {folder / 'nginx.pid'};\nerror_log {folder / 'nginx-error.log'} error;\n"
        f"worker_processes 1;\nevents {{}}\nhttp {{\n{kept}\n{text}\n}}\n"
    )
    return path


def caddy_settings(folder: Path, port: int = 443, workers: Sequence[int] = WORKERS) -> Path:
    """Writes deploy/caddy/Caddyfile for a place of its own."""
    text = _adapted((DEPLOY / "caddy" / "Caddyfile").read_text(), folder, workers)
    text = _replaced(text, "cds.hospital.example {", f"https://127.0.0.1:{port} {{")
    text = _replaced(text, "admin unix//run/caddy/admin.sock", "admin off\n\tauto_https disable_redirects")
    path = folder / "Caddyfile"
    path.write_text(text)
    return path


def nginx_command(folder: Path, settings: Path) -> list[str]:
    """The command that runs nginx in the foreground, or checks with one more `-t`."""
    return [str(require("nginx")), "-p", str(folder), "-e", str(folder / "start.log"), "-c", str(settings)]


@contextmanager
def nginx(folder: Path, workers: Sequence[int]) -> Iterator[Proxy]:
    """Runs nginx in front of workers on these ports until the block ends."""
    port = free_port()
    command = [*nginx_command(folder, nginx_settings(folder, port, workers)), "-g", "daemon off;"]
    with _running(command, folder, port) as proxy:
        yield proxy


@contextmanager
def caddy(folder: Path, workers: Sequence[int]) -> Iterator[Proxy]:
    """Runs Caddy in front of workers on these ports until the block ends."""
    port = free_port()
    settings = caddy_settings(folder, port, workers)
    command = [str(require("caddy")), "run", "--config", str(settings), "--adapter", "caddyfile"]
    with _running(command, folder, port) as proxy:
        yield proxy


@contextmanager
def _running(command: list[str], folder: Path, port: int) -> Iterator[Proxy]:
    with (folder / "proxy.out").open("wb") as stream:
        process = subprocess.Popen(
            command, cwd=folder, env={"HOME": str(folder)}, stdout=stream, stderr=subprocess.STDOUT
        )
        try:
            _await(port, process, folder / "proxy.out")
            yield Proxy(
                f"https://127.0.0.1:{port}",
                folder / "authority.pem",
                folder / "vestige.log",
                folder / "vestige-out-of-service",
            )
        finally:
            process.terminate()
            process.wait(60)


def _await(port: int, process: subprocess.Popen[bytes], out: Path) -> None:
    end = time.monotonic() + 60
    while time.monotonic() < end and process.poll() is None:
        try:
            socket.create_connection(("127.0.0.1", port), timeout=2).close()
        except OSError:
            time.sleep(0.05)
        else:
            return
    pytest.fail(f"the proxy did not start: {out.read_text(errors='replace')[-800:]}", pytrace=False)


def _adapted(text: str, folder: Path, workers: Sequence[int]) -> str:
    pair = Authority(folder).issue("proxy")
    text = _replaced(text, "/etc/vestige/tls/cds.pem", str(pair.certificate))
    text = _replaced(text, "/etc/vestige/tls/cds.key", str(pair.key))
    for place in ("/var/log/nginx/", "/var/log/caddy/"):
        text = text.replace(place, f"{folder}/")
    for place in ("/etc/nginx/vestige-", "/etc/caddy/vestige-"):
        text = text.replace(place, f"{folder}/vestige-")
    text = text.replace("root /etc/caddy", f"root {folder}")
    for example, port in zip(WORKERS, workers, strict=True):
        text = _replaced(text, f"127.0.0.1:{example}", f"127.0.0.1:{port}")
    return text


def _replaced(text: str, old: str, new: str) -> str:
    assert old in text, f"the example has no {old} any more"
    return text.replace(old, new)
