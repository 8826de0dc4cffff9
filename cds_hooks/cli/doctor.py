"""`vestige doctor`: what a FHIR server answers to our searches, and what its limits would cost."""

from __future__ import annotations

import ssl
from collections.abc import Iterator, Sequence
from pathlib import Path
from typing import Any

import msgspec
import typer
from rich.console import Console
from rich.progress import Progress
from rich.table import Table

from cds_hooks.cli import fhir_access as options
from cds_hooks.cli.terminal import AS_JSON, CONFIG, console, plain, print_json
from cds_hooks.rulebook import pack_of
from plugin.chart import GapReason
from plugin.dialects import dialects
from plugin.errors import FhirError
from plugin.probe.asker import Asker
from plugin.probe.examination import Examination, Searched, Verdict
from plugin.probe.examine import HARMLESS, examine
from plugin.probe.imagined import Imagined, imagine
from plugin.probe.journal import Journal
from plugin.probe.losses import Losses, losses
from plugin.settings import Settings, load, today
from rules.evaluate import Evaluator

PATIENT = typer.Option(
    HARMLESS,
    "--patient",
    metavar="ID",
    help="A test patient to search for; without one, an id that no server has.",
)
STYLES = {
    Verdict.SUPPORTED: "green",
    Verdict.IGNORED: "bold white on red",
    Verdict.LACKING: "yellow",
    Verdict.REFUSED: "yellow",
}
READ = "4."
"""How the versions of FHIR begin that are read."""
_SECONDS = 60.0


def doctor(
    fhir_base: str = options.FHIR_BASE,
    patient: str = PATIENT,
    auth: str | None = options.AUTH,
    client_id: str | None = options.CLIENT_ID,
    key: Path | None = options.KEY,
    kid: str | None = options.KID,
    algorithm: str = options.ALGORITHM,
    token_endpoint: str | None = options.TOKEN_ENDPOINT,
    secret_file: Path | None = options.SECRET_FILE,
    secret_env: str | None = options.SECRET_ENV,
    scope: list[str] = options.SCOPES,
    ca_bundle: Path | None = options.CA_BUNDLE,
    allow_http: bool = options.ALLOW_HTTP,
    dialect: str | None = options.DIALECT,
    parallel: int = options.PARALLEL,
    timeout: float = options.TIMEOUT,
    config: Path | None = CONFIG,
    as_json: bool = AS_JSON,
) -> None:
    """Asks a FHIR server everything that Vestige asks, read-only; exit code 1 where that has a cost."""
    settings = load(config)
    base = options.base_here(fhir_base, allow_http=allow_http)
    server = options.server_of(settings, base, ca_bundle=ca_bundle, allow_http=allow_http, dialect=dialect)
    access = options.access_of(
        server,
        auth=auth,
        client_id=client_id,
        key=key,
        kid=kid,
        algorithm=algorithm,
        token_endpoint=token_endpoint,
        secret_file=secret_file,
        secret_env=secret_env,
        scopes=scope,
    )
    limits = options.limits_of(settings, timeout, parallel)
    entrance = access.opened(server, limits)
    asker = Asker(server, base, entrance, limits, Journal(entrance.secrets), parallel=parallel)
    known = dialects()[server.dialect] if server.dialect is not None else None
    try:
        with _bar(as_json) as bar:
            task = bar.add_task("asking", total=None)
            found = examine(
                asker,
                patient=patient,
                dialect=known,
                context=_context(server.ca_bundle),
                told=lambda done, of, what: bar.update(task, completed=done, total=of, description=what),
            )
    finally:
        asker.close()
    raise typer.Exit(_tell(found, settings, as_json=as_json))


def _context(bundle: Path | None) -> ssl.SSLContext:
    return ssl.create_default_context(cafile=None if bundle is None else str(bundle))


def _bar(as_json: bool) -> Progress:
    return Progress(console=Console(stderr=True), transient=True, disable=as_json)


def _tell(found: Examination, settings: Settings, *, as_json: bool) -> int:
    if not found.reached:
        raise FhirError(GapReason.SERVER_ERROR, f"{found.base} cannot be reached: {found.fault}")
    with Evaluator(pack_of(settings), mode="reference", timeout=_SECONDS) as evaluator:
        imagined = imagine(found, evaluator, today(settings))
        lost = losses([one.key for one in found.searches if not one.works], evaluator.pack)
    problems = tuple(problems_of(found, imagined))
    if as_json:
        print_json(document(found, lost, imagined, problems))
    else:
        _print(console(), found, lost, imagined, problems)
    return 1 if problems else 0


def problems_of(found: Examination, imagined: Sequence[Imagined]) -> Iterator[str]:
    """Yields what makes this server one to look at before a clinician relies on it."""
    if found.fhir_version is not None and not found.fhir_version.startswith(READ):
        yield f"the server speaks FHIR {found.fhir_version}; Vestige reads R4, {READ}x"
    for one in found.searches:
        if one.verdict is Verdict.IGNORED:
            yield f"{one.resource} ({one.key}): the server ignores the patient: {one.detail}"
        elif one.verdict in (Verdict.FORBIDDEN, Verdict.FAILED, Verdict.THROTTLED):
            yield f"{one.resource} ({one.key}): {one.verdict.value}: {one.detail}"
    changed = [one for one in imagined if one.changes]
    if changed:
        yield (
            f"{len(changed)} of {len(imagined)} synthetic patients would be decided otherwise than with "
            "everything read"
        )


def document(
    found: Examination, lost: Losses, imagined: Sequence[Imagined], problems: Sequence[str]
) -> dict[str, Any]:
    """Returns what `--json` prints."""
    whole: dict[str, Any] = msgspec.to_builtins(found)
    median, slowest = found.latency
    return {
        **{name: value for name, value in whole.items() if name != "statement"},
        "capabilityStatement": found.statement is not None,
        "latency": {"median": median, "slowest": slowest},
        "losses": msgspec.to_builtins(lost),
        "patients": [
            {
                "name": one.sample.name,
                "changes": [{"lesion": a, "expected": b, "here": c} for a, b, c in one.changes],
                "silencedRules": one.silenced,
                "rulesInstead": one.instead,
                "cardsInstead": one.cards,
            }
            for one in imagined
        ],
        "problems": list(problems),
    }


def _print(
    out: Console, found: Examination, lost: Losses, imagined: Sequence[Imagined], problems: Sequence[str]
) -> None:
    for name, value in _facts(found):
        out.print(plain(f"{name:<14} {value}"), soft_wrap=True)
    out.print()
    out.print(_searches(found.searches))
    for line in _remarks(found, lost, imagined):
        out.print(plain(line), soft_wrap=True)
    out.print(plain(f"Smallest scopes: {' '.join(found.scopes)}"), soft_wrap=True)
    out.print()
    for problem in problems:
        out.print(plain(f"Problem: {problem}"), style="bold red", soft_wrap=True)
    if not problems:
        out.print(plain("No problem found."), style="bold green")


def _facts(found: Examination) -> Iterator[tuple[str, str]]:
    median, slowest = found.latency
    smart = found.smart
    yield "Server", f"{found.base} ({found.software or 'names no software'})"
    yield "FHIR", found.fhir_version or _versionless(found)
    yield "Known as", found.dialect or "no make we have notes on: asked by what it lists"
    yield "Connection", _connection(found)
    yield (
        "SMART",
        "Backend Services" if smart.backend_services else "listed" if smart.present else "none listed",
    )
    yield "CORS", found.cors or "no header: browsers cannot ask it directly, which Vestige does not need"
    yield "Strict", {True: "honoured", False: "not honoured", None: "could not be told"}[found.strict]
    yield "Latency", f"median {median:.0f} ms, slowest {slowest:.0f} ms, {found.requests} requests"


def _versionless(found: Examination) -> str:
    if found.statement is not None:
        return "its CapabilityStatement names no version"
    return f"no CapabilityStatement: {found.statement_detail}"


def _connection(found: Examination) -> str:
    security = found.security
    if security.tls is None:
        return security.note
    return f"{security.tls}, certificate by {security.issuer or 'an unnamed issuer'} until {security.expires}"


def _searches(searches: Sequence[Searched]) -> Table:
    table = Table(box=None, pad_edge=False, padding=(0, 1, 0, 0))
    for heading in ("query", "resource", "verdict", "ms", "page", "next", "what"):
        table.add_column(heading, overflow="fold", no_wrap=heading in ("query", "verdict", "ms", "page"))
    for one in searches:
        last = one.attempts[-1] if one.attempts else None
        ways = f", by way {len(one.attempts)}" if len(one.attempts) > 1 and one.works else ""
        table.add_row(
            plain(f"{one.key}{'*' if one.decisive else ''}"),
            plain(one.resource),
            plain(one.verdict.value),
            f"{last.milliseconds:.0f}" if last else "",
            str(last.entries) if last else "",
            plain((last.next_form or "") if last else ""),
            plain(f"{one.detail}{ways}"),
            style=STYLES.get(one.verdict, "red") if one.verdict is not Verdict.SUPPORTED else None,
        )
    return table


def _remarks(found: Examination, lost: Losses, imagined: Sequence[Imagined]) -> Iterator[str]:
    yield "* decisive: without it the history of a lesion may be cut short."
    for one in found.searches:
        if one.lenient_leak:
            yield (
                f"{one.resource}: asked without strict handling, the server answers with data of others. "
                "Vestige always asks strictly, and checks every resource of a prefetch."
            )
        if not one.works and one.readable:
            yield f"{one.resource}: cannot be searched, but read by its id where others refer to it."
    if lost.rules:
        yield f"Rules without any input here: {', '.join(lost.rules)}"
    if lost.exposed:
        yield f"Rules that see less here: {', '.join(lost.exposed)}"
    for each in imagined:
        if each.changes or each.silenced or each.instead:
            yield from _patient(each)


def _patient(each: Imagined) -> Iterator[str]:
    yield f"{each.sample.name}:"
    for label, before, after in each.changes:
        yield f"  {label}: {before} with everything read, {after} here"
    if each.silenced:
        yield f"  no longer said: {', '.join(each.silenced)}"
    if each.instead:
        yield f"  said instead: {', '.join(each.instead)}"
    for card in each.cards:
        yield f"  card: {card}"
