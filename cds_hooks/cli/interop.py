"""`vestige interop`: loads synthetic patients into a FHIR server, fires hooks, checks, and removes them."""

from __future__ import annotations

import tempfile
from collections.abc import Sequence
from contextlib import ExitStack
from pathlib import Path

import msgspec
import typer
from rich.console import Console
from rich.progress import Progress
from rich.table import Table

from cds_hooks.cli import fhir_access as options
from cds_hooks.cli.interop_options import ALGORITHMS, agreed, base_of_run, writable, writing
from cds_hooks.cli.terminal import AS_JSON, CONFIG, console, plain, print_json
from cds_hooks.interop import report
from cds_hooks.interop.clean import Cleaned, clean
from cds_hooks.interop.manifest import Manifest, new_run
from cds_hooks.interop.outcome import Outcome
from cds_hooks.interop.patients import Subject, folder_subjects, sample_subjects
from cds_hooks.interop.reader import Reader
from cds_hooks.interop.run import Means, read_only, write
from cds_hooks.interop.service import Service, elsewhere, started
from cds_hooks.interop.stop import stoppable
from cds_hooks.rulebook import evaluator_here
from plugin.chart import GapReason
from plugin.errors import FhirError, InputError
from plugin.probe.access import Access, Entrance
from plugin.probe.asker import Asker
from plugin.probe.journal import Journal
from plugin.settings import Fhir, FhirServer, Settings, load, today

BASE = typer.Argument(None, metavar="FHIR_BASE", help="The base address of the FHIR server.")
WRITE = typer.Option(False, "--write", help="Loads synthetic patients; the default on this machine only.")
READ_ONLY = typer.Option(False, "--read-only", help="Looks at patients that are there; writes nothing.")
PATIENT = typer.Option([], "--patient", metavar="ID", help="With --read-only: a patient; may be repeated.")
MOST = typer.Option(5, "--most", min=1, max=50, help="With --read-only and no --patient: how many to take.")
SAMPLE = typer.Option([], "--sample", metavar="NAME", help="Only this synthetic patient; may be repeated.")
PATIENTS = typer.Option(
    None, "--patients", metavar="DIR", help="Patients of a folder in place of the samples."
)
HOOKS = typer.Option(
    None, "--every-hook/--own-hook", help="Fires every hook, or only the one of the patient's story."
)
SERVICE = typer.Option(None, "--service", metavar="URL", help="A service that runs; else one is started.")
SERVICE_KEY = typer.Option(None, "--service-key", metavar="FILE", help="Signs the calls to --service.")
SERVICE_ISSUER = typer.Option(None, "--service-issuer", metavar="ISS", help="Who signs: iss of the JWT.")
SERVICE_KID = typer.Option(None, "--service-kid", metavar="KID", help="The name of that key.")
SERVICE_ALGORITHM = typer.Option(
    None, "--service-algorithm", metavar="ALG", help="ES384, the default, or RS384."
)
KEEP = typer.Option(False, "--keep", help="Leaves the patients there, and the manifest to remove them with.")
CLEAN = typer.Option(None, "--clean", metavar="MANIFEST", help="Only removes what a run left behind.")
MANIFEST = typer.Option(None, "--manifest", metavar="FILE", help="Where the manifest of the run is kept.")
REPORT = typer.Option(None, "--report", metavar="KIND", help="Writes a report: html, junit or json.")
OUTPUT = typer.Option(None, "--output", metavar="FILE", help="Where the report goes.")
BODIES = typer.Option(False, "--bodies", help="With --read-only: keeps patient data in the report.")
STYLES = {"pass": "green", "differs": "yellow", "fail": "bold red"}


def interop(
    fhir_base: str | None = BASE,
    write_: bool = WRITE,
    read_only_: bool = READ_ONLY,
    patient: list[str] = PATIENT,
    most: int = MOST,
    sample: list[str] = SAMPLE,
    patients: Path | None = PATIENTS,
    every_hook: bool | None = HOOKS,
    service: str | None = SERVICE,
    service_key: Path | None = SERVICE_KEY,
    service_issuer: str | None = SERVICE_ISSUER,
    service_kid: str | None = SERVICE_KID,
    service_algorithm: str | None = SERVICE_ALGORITHM,
    keep: bool = KEEP,
    clean_: Path | None = CLEAN,
    manifest: Path | None = MANIFEST,
    report_: str | None = REPORT,
    output: Path | None = OUTPUT,
    bodies: bool = BODIES,
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
    """Shows on a FHIR server that Vestige reads it rightly; exit code 1 where it does not."""
    settings = load(config)
    left = None if clean_ is None else Manifest.read(clean_)
    base = base_of_run(fhir_base, left, allow_http=allow_http)
    writes = left is not None or writing(base, write=write_, only_read=read_only_)
    if report_ is not None and report_ not in report.KINDS:
        raise InputError(f"--report {report_!r} is none of {', '.join(report.KINDS)}")
    agreed(
        {
            "--patient": patient,
            "--bodies": bodies,
            "--sample": sample,
            "--patients": patients,
            "--keep": keep,
            "--manifest": manifest,
            "--report": report_,
            "--output": output,
            "--service": service,
            "--service-key": service_key,
            "--service-issuer": service_issuer,
            "--service-kid": service_kid,
            "--service-algorithm": service_algorithm,
        },
        writes=writes,
        cleans=left is not None,
    )
    writable(report_, output)
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
    with ExitStack() as stack:
        door = _Door(access, server, limits, base, writes=writes, bodies=writes or bodies)
        stack.callback(door.close)
        stack.enter_context(stoppable(door.asker.stop))
        if left is not None:
            raise typer.Exit(_cleaned(clean(left, door.asker, check=True), left, as_json=as_json))
        subjects = _subjects(settings, patients, sample) if writes else ()
        folder = Path(stack.enter_context(tempfile.TemporaryDirectory(prefix="vestige-interop-")))
        evaluator = stack.enter_context(evaluator_here(settings, timeout=timeout))
        door.reachable()
        reader = Reader(settings, server, door.reading, limits, evaluator, door.journal)
        stack.callback(reader.close)
        called: Service
        if service is not None:
            called = elsewhere(
                service,
                door.journal,
                timeout,
                key=service_key,
                issuer=service_issuer,
                kid=service_kid,
                algorithm=service_algorithm or ALGORITHMS[0],
            )
            stack.callback(called.close)
        else:
            opened = msgspec.structs.replace(server, open=reader.token() is None)
            called = stack.enter_context(started(settings, limits, opened, folder, door.journal, timeout))
        bar = stack.enter_context(_bar(as_json))
        task = bar.add_task("starting", total=None)
        means = Means(
            asker=door.asker,
            reader=reader,
            service=called,
            told=lambda done, of, what: bar.update(task, completed=done, total=of, description=what),
            every_hook=options.local(base) if every_hook is None else every_hook,
            own_service=service is None,
        )
        outcome = _run(means, subjects, patient, most, manifest, writes=writes, keep=keep)
        bar.stop()
    where = None if report_ is None else report.written(report_, outcome, door.journal.entries, output)
    raise typer.Exit(_tell(outcome, where, as_json=as_json))


class _Door:
    """The ways into one server: one to write where that is wanted, one to read, and the journal of both."""

    def __init__(
        self, access: Access, server: FhirServer, limits: Fhir, base: str, *, writes: bool, bodies: bool
    ) -> None:
        self.reading: Entrance = access.opened(server, limits)
        self.asking: Entrance = access.opened(server, limits, write=writes)
        self.journal = Journal(lambda: self.reading.secrets() | self.asking.secrets(), bodies=bodies)
        self.asker = Asker(
            server, base, self.asking, limits, self.journal, parallel=limits.parallel, writes=writes
        )

    def reachable(self) -> None:
        """Raises FhirError where the server does not answer at all."""
        reply = self.asker.get("metadata", about="CapabilityStatement")
        if not reply.reached:
            raise FhirError(GapReason.SERVER_ERROR, f"{self.asker.base} cannot be reached: {reply.fault}")

    def close(self) -> None:
        """Closes every connection."""
        self.asker.close()
        self.reading.close()


def _subjects(settings: Settings, folder: Path | None, chosen: Sequence[str]) -> tuple[Subject, ...]:
    day = today(settings)
    found = sample_subjects(day) if folder is None else folder_subjects(folder, day)
    unknown = sorted(set(chosen) - {one.name for one in found})
    if unknown:
        raise InputError(
            f"there is no {', '.join(unknown)}; there are {', '.join(one.name for one in found)}"
        )
    return tuple(one for one in found if not chosen or one.name in chosen)


def _run(
    means: Means,
    subjects: Sequence[Subject],
    patients: Sequence[str],
    most: int,
    path: Path | None,
    *,
    writes: bool,
    keep: bool,
) -> Outcome:
    run = new_run()
    if not writes:
        return read_only(means, list(patients) or _some(means.asker, most), run)
    where = path or Path(f"vestige-interop-{run}.manifest.jsonl")
    return write(means, subjects, Manifest.begun(where, run, means.asker.base), keep=keep)


def _some(asker: Asker, most: int) -> list[str]:
    """Returns the ids of some patients of the server; raises InputError where it shows none."""
    bundle = asker.get(f"Patient?_count={most}", about="some patients").resource or {}
    entries = bundle.get("entry")
    found = [
        entry["resource"]["id"]
        for entry in (entries if isinstance(entries, list) else [])
        if isinstance(entry, dict)
        and isinstance(entry.get("resource"), dict)
        and entry["resource"].get("resourceType") == "Patient"
        and isinstance(entry["resource"].get("id"), str)
    ]
    if not found:
        raise InputError("the server lists no patients: name some with --patient")
    return found[:most]


def _cleaned(done: Cleaned, left: Manifest, *, as_json: bool) -> int:
    if as_json:
        print_json({"run": left.run, "base": left.base, **msgspec.to_builtins(done)})
    else:
        out = console()
        out.print(plain(f"{done.removed} resources removed, {done.absent} were not there."))
        for one in done.left:
            out.print(plain(f"Left behind: {one}"), style="bold red", soft_wrap=True)
    return 0 if done.whole else 1


def _tell(outcome: Outcome, where: Path | None, *, as_json: bool) -> int:
    if as_json:
        print_json({**outcome.document(), "report": None if where is None else str(where)})
    else:
        _print(console(), outcome, where)
    return 0 if outcome.good else 1


def _print(out: Console, outcome: Outcome, where: Path | None) -> None:
    table = Table(box=None, pad_edge=False, padding=(0, 1, 0, 0))
    for heading in ("patient", "verdict", "checks", "s"):
        table.add_column(heading, overflow="fold")
    for one in outcome.patients:
        passed = sum(check.verdict != "fail" for check in one.checks)
        cells = (one.name, one.verdict, f"{passed}/{len(one.checks)}", f"{one.seconds:.1f}")
        table.add_row(*(plain(cell) for cell in cells), style=STYLES[one.verdict])
    out.print(table)
    for one in outcome.patients:
        for check in one.checks:
            if check.verdict != "pass":
                line = f"{one.name}: {check.name}: {check.verdict}: {check.detail}"
                out.print(plain(line), style=STYLES[check.verdict], soft_wrap=True)
    out.print()
    for name, value in report.facts(outcome):
        out.print(plain(f"{name:<12} {value}"), soft_wrap=True)
    if where is not None:
        out.print(plain(f"report       {where}"), soft_wrap=True)


def _bar(as_json: bool) -> Progress:
    return Progress(console=Console(stderr=True), transient=True, disable=as_json)
