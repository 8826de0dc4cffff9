"""The command behind `vestige conformance`: what was wished for, checked, run and written."""

from __future__ import annotations

import os
import re
import socket
import ssl
import sys
from collections.abc import Iterable, Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from urllib.parse import SplitResult, urlsplit

import requests
from rich.console import Console
from rich.progress import BarColumn, MofNCompleteColumn, Progress, TextColumn

from cds_hooks.cli.terminal import console
from cds_hooks.conformance.checks import CHECKS, Check
from cds_hooks.conformance.exchange import Client, is_loopback
from cds_hooks.conformance.groups import GROUPS
from cds_hooks.conformance.library import Profile, profiles
from cds_hooks.conformance.options import Options
from cds_hooks.conformance.patients import patients
from cds_hooks.conformance.report.html import as_html
from cds_hooks.conformance.report.junit import as_junit
from cds_hooks.conformance.report.table import as_json, print_report
from cds_hooks.conformance.run import Report, inspect_service
from cds_hooks.conformance.tokens import signer_of
from fhir_profiles.samples import names
from plugin.errors import InputError, VestigeError

FORMS = {"html": as_html, "json": as_json, "junit": as_junit}
MOST = 600
_ORIGIN = re.compile(r"https?://[A-Za-z0-9.\-\[\]:]+")


_NO_WAY = {
    "no answer: SSLError": "no TLS: its certificate is not trusted (--ca-bundle), or it speaks none",
    "no answer: ProxyError": "the proxy leads to nothing",
    "no answer: ConnectionError": "the connection fails",
    "no answer: ConnectTimeout": "the connection fails",
}


class Unreachable(VestigeError):
    """The service cannot be reached at all."""

    exit_code = 3


@dataclass(frozen=True, kw_only=True)
class Wishes:
    """The arguments and options of the command, as they were typed."""

    service_url: str
    client: str
    jwk: Path | None
    issuer: str
    kid: str | None
    jku: str | None
    audience: str | None
    bearer_env: str | None
    origin: str | None
    discovery: str
    service: Sequence[str]
    prefetch: Sequence[str]
    fhir_port: int | None
    ca_bundle: Path | None
    production: bool
    sample: Sequence[str]
    only: Sequence[str]
    timeout: float
    slow: float
    report: str | None
    output: Path | None
    json: bool


def conclude(wishes: Wishes) -> int:
    """Writes the report on a service and returns the exit code: 0 where no SHALL was found broken, else 1.

    Raises InputError for what cannot be used and for a service that wants a token while none was given, and
    Unreachable where nothing listens.
    """
    form = _form(wishes.report, wishes.output, wishes.json)
    options = options_of(wishes)
    groups = _known("--only", wishes.only, GROUPS) or tuple(GROUPS)
    _writable(wishes.output)
    client = Client(
        seconds=_seconds("--timeout", wishes.timeout),
        secrets=(options.bearer,) if options.bearer else (),
        ca_bundle=_authorities(wishes.ca_bundle),
    )
    found = _run(options, groups, client)
    _write(found, form, wishes.output)
    if not found.conformant:
        return 1
    if found.token_wanted:
        raise InputError("the service asks for a token: give --jwk with a key that it knows, or --bearer-env")
    return 0


def options_of(wishes: Wishes) -> Options:
    """Returns how the service is checked; raises InputError for a wish that cannot be met."""
    bearer, profile = _bearer(wishes.bearer_env), _profile(wishes.client)
    if wishes.jwk is not None and bearer is not None:
        raise InputError("--jwk and --bearer-env: give one of them")
    signer = None
    if wishes.jwk is not None:
        signer = signer_of(wishes.jwk, issuer=wishes.issuer, jku=wishes.jku, kid=wishes.kid)
    return Options(
        base=_base(wishes.service_url),
        patients=patients(_known("--sample", wishes.sample, names())),
        profile=profile,
        signer=signer,
        bearer=bearer,
        audience=_base(wishes.audience) if wishes.audience is not None else None,
        origin=_origin(wishes.origin or profile.origin),
        discovery=_path(wishes.discovery),
        slow=_seconds("--slow", wishes.slow),
        fhir_port=wishes.fhir_port,
        production=wishes.production,
        services=_pairs("--service", wishes.service),
        prefetch=dict(_pairs("--prefetch", wishes.prefetch)),
    )


def _run(options: Options, groups: tuple[str, ...], client: Client) -> Report:
    _reach(options, client)
    chosen = [one for one in CHECKS.values() if one.group in groups]
    with _progress(len(chosen)) as bar:

        def advance(one: Check) -> None:
            bar.update(bar.task_ids[0], advance=1, description=one.name)

        return inspect_service(options, client, groups=groups, progress=advance)


@contextmanager
def _progress(total: int) -> Iterator[Progress]:
    """Yields a progress bar on standard error, shown on a terminal only and gone afterwards."""
    err = Console(stderr=True)
    columns = (TextColumn("{task.description}", markup=False), BarColumn(), MofNCompleteColumn())
    with Progress(*columns, console=err, transient=True, disable=not err.is_terminal) as bar:
        bar.add_task("", total=total)
        yield bar


def _write(found: Report, form: str | None, output: Path | None) -> None:
    if form is None:
        print_report(console(), found)
        return
    content = FORMS[form](found)
    if output is None:
        sys.stdout.buffer.write(content)
        sys.stdout.buffer.flush()
        return
    try:
        output.write_bytes(content)
    except OSError as error:
        raise InputError(f"--output {output}: cannot be written: {error.strerror or error}") from error
    print_report(console(), found)


def _writable(output: Path | None) -> None:
    """Raises InputError for a file that cannot be written, and leaves none behind."""
    if output is None:
        return
    there = output.exists()
    try:
        output.open("ab").close()
        if not there:
            output.unlink()
    except OSError as error:
        raise InputError(f"--output {output}: cannot be written: {error.strerror or error}") from error


def _seconds(option: str, given: float) -> float:
    if not 0 < given <= MOST:
        raise InputError(f"{option} {given}: give seconds, {MOST} at most")
    return given


def _authorities(path: Path | None) -> str | None:
    """Returns the file of the authorities; raises InputError where it holds none."""
    if path is None:
        return None
    try:
        ssl.create_default_context(cafile=str(path))
    except OSError as error:
        reason = error.strerror if not isinstance(error, ssl.SSLError) else "it holds no certificate in PEM"
        raise InputError(f"--ca-bundle {path}: {reason or error}") from None
    return str(path)


def _form(report: str | None, output: Path | None, json_: bool) -> str | None:
    if json_ and report not in (None, "json"):
        raise InputError("--json and --report: give one of them")
    form = "json" if json_ else report
    if form is None and output is not None:
        raise InputError("--output needs --report: html, json or junit")
    if form is not None and form not in FORMS:
        raise InputError(f"--report {form}: there are {', '.join(FORMS)}")
    return form


def _bearer(name: str | None) -> str | None:
    if name is None:
        return None
    token = os.environ.get(name, "").strip()
    if not token:
        raise InputError(f"--bearer-env {name}: this environment variable is not set")
    if not token.isascii() or not token.isprintable() or " " in token:
        raise InputError(f"--bearer-env {name}: this environment variable holds no bearer token")
    return token


def _profile(name: str) -> Profile:
    _known("--client", [name], profiles())
    return profiles()[name]


def _known(option: str, wanted: Sequence[str], known: Iterable[str]) -> tuple[str, ...]:
    """Returns the names, or raises InputError for the first that is not known."""
    for name in wanted:
        if name not in known:
            raise InputError(f"{option} {name}: there are {', '.join(known)}")
    return tuple(dict.fromkeys(wanted))


def _pairs(option: str, given: Sequence[str]) -> list[tuple[str, str]]:
    pairs = [one.partition("=") for one in given]
    for name, _, text in pairs:
        if not name or not text:
            raise InputError(f"{option} {name!r}: write a name, an equals sign and its value")
    return [(name, text) for name, _, text in pairs]


def _base(url: str) -> str:
    """Returns a base address without a trailing slash and without /cds-services."""
    parts = _parts(url)
    if parts is None or parts.scheme not in ("http", "https") or not parts.hostname:
        raise InputError(f"{url!r} is no http or https address, such as https://cds.hospital.example")
    if "@" in parts.netloc or parts.query or parts.fragment:
        raise InputError("the service's address must be without user, query and fragment")
    return url.strip().rstrip("/").removesuffix("/cds-services").rstrip("/")


def _parts(url: str) -> SplitResult | None:
    try:
        parts = urlsplit(url.strip())
        # Reading the port is what checks it.
        _ = parts.port
    except ValueError:
        return None
    return parts if url.isascii() and url.strip().isprintable() and " " not in url.strip() else None


def _origin(origin: str | None) -> str | None:
    if origin is not None and not _ORIGIN.fullmatch(origin):
        raise InputError(f"--origin {origin!r} is no origin, such as https://ehr.hospital.example")
    return origin


def _path(path: str) -> str:
    if not re.fullmatch(r"/[A-Za-z0-9._~/-]*", path):
        raise InputError(f"--discovery {path!r} is no path below SERVICE_URL, such as /cds-services")
    return path


def _reach(options: Options, client: Client) -> None:
    """Raises Unreachable where nothing listens, or where no TLS and no proxy leads to a service."""
    parts = urlsplit(options.base)
    if is_loopback(options.base) or not requests.utils.get_environ_proxies(options.base):
        port = parts.port or (443 if parts.scheme == "https" else 80)
        try:
            socket.create_connection((parts.hostname or "", port), client.seconds).close()
        except (OSError, UnicodeError) as error:
            reason = (isinstance(error, OSError) and error.strerror) or type(error).__name__
            raise Unreachable(f"{options.base} cannot be reached: {reason}") from None
    # One exchange of its own: it is not the service's fault that it cannot be asked.
    first = Client(seconds=client.seconds, ca_bundle=client.ca_bundle)
    why = first.send("GET", options.base + options.discovery).error
    first.close()
    if why in _NO_WAY:
        raise Unreachable(f"{options.base} cannot be reached: {_NO_WAY[why]}")
