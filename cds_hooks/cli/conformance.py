"""`vestige conformance`: any CDS Hooks service, looked at from outside."""

from __future__ import annotations

from pathlib import Path

import typer

from cds_hooks.cli.terminal import AS_JSON

# Written out, so that no other command waits for the checker to load; a test holds them to the real ones.
CLIENTS = "generic, epic, oracle, sandbox"
GROUPS = (
    "discovery, templates, calls, fhir, transport, cards, suggestions, links, feedback, security, cors, "
    "errors, readiness"
)
URL = typer.Argument(metavar="SERVICE_URL", help="The address below which /cds-services is found.")
CLIENT = typer.Option("generic", metavar="NAME", help=f"The client whose ways are taken: {CLIENTS}.")
JWK = typer.Option(None, metavar="FILE", help="A private JWK that the service knows: signs the calls.")
BEARER = typer.Option(
    None, metavar="NAME", help="The environment variable with a bearer token for the calls."
)
KID = typer.Option(None, help="The key's kid, where the JWK holds none.")
JKU = typer.Option(None, help="The address of the key set, as tokens name it.")
AUDIENCE = typer.Option(None, metavar="URL", help="The service's public address, where it is another.")
ORIGIN = typer.Option(None, help="The origin of a browser client: CORS is looked at.")
DISCOVERY = typer.Option(
    "/cds-services", metavar="PATH", help="Where discovery is, on a service that has it elsewhere."
)
SERVICE = typer.Option(
    [], metavar="ID=HOOK", help="Calls this service too, which discovery does not list; may be repeated."
)
PREFETCH = typer.Option(
    [], metavar="KEY=TEMPLATE", help="Prefetch for services that list no template; may be repeated."
)
FHIR_PORT = typer.Option(
    None,
    metavar="PORT",
    min=1024,
    max=65535,
    help="Serves FHIR at http://127.0.0.1:PORT/fhir; the service must allow it. FHIR access is looked at.",
)
CA_BUNDLE = typer.Option(
    None, metavar="FILE", help="The authorities, in PEM, that vouch for the service's certificate."
)
PRODUCTION = typer.Option(
    False, "--production", help="Plain http fails at any other machine, private addresses too."
)
SAMPLE = typer.Option([], metavar="NAME", help="Calls for this synthetic patient only; may be repeated.")
ONLY = typer.Option([], metavar="GROUP", help=f"Runs one group of checks: {GROUPS}.")
TIMEOUT = typer.Option(10.0, min=0.1, max=600, help="Seconds that one request may take.")
SLOW = typer.Option(5.0, min=0.01, max=600, help="Seconds from which an answer counts as slow.")
REPORT = typer.Option(None, metavar="html|json|junit", help="Writes a report in this form.")
OUTPUT = typer.Option(None, metavar="FILE", help="Where the report is written, else standard output.")


def conformance(
    service_url: str = URL,
    client: str = CLIENT,
    jwk: Path | None = JWK,
    issuer: str = typer.Option("https://conformance.example", help="The issuer that tokens name."),
    kid: str | None = KID,
    jku: str | None = JKU,
    audience: str | None = AUDIENCE,
    bearer_env: str | None = BEARER,
    origin: str | None = ORIGIN,
    discovery: str = DISCOVERY,
    service: list[str] = SERVICE,
    prefetch: list[str] = PREFETCH,
    fhir_port: int | None = FHIR_PORT,
    ca_bundle: Path | None = CA_BUNDLE,
    production: bool = PRODUCTION,
    sample: list[str] = SAMPLE,
    only: list[str] = ONLY,
    timeout: float = TIMEOUT,
    slow: float = SLOW,
    report: str | None = REPORT,
    output: Path | None = OUTPUT,
    json_: bool = AS_JSON,
) -> None:
    """Checks any CDS Hooks service against the specification, requirement by requirement.

    It calls the service with synthetic patients and sends feedback: point it at a test system. Exit codes:
    0 no broken SHALL, 1 a broken one, or a service that stopped answering, 2 unusable input, 3 the service
    cannot be reached.
    """
    from cds_hooks.conformance.command import Wishes, conclude

    wishes = Wishes(
        service_url=service_url,
        client=client,
        jwk=jwk,
        issuer=issuer,
        kid=kid,
        jku=jku,
        audience=audience,
        bearer_env=bearer_env,
        origin=origin,
        discovery=discovery,
        service=service,
        prefetch=prefetch,
        fhir_port=fhir_port,
        ca_bundle=ca_bundle,
        production=production,
        sample=sample,
        only=only,
        timeout=timeout,
        slow=slow,
        report=report,
        output=output,
        json=json_,
    )
    raise typer.Exit(conclude(wishes))
