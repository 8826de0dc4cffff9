"""`vestige demo`: the service, a demo EHR and synthetic patients, all on loopback."""

from __future__ import annotations

import logging
import tempfile
import webbrowser
from pathlib import Path

import msgspec
import typer

from cds_hooks.app import create_app
from cds_hooks.cli.serve import changed
from cds_hooks.cli.terminal import TODAY, console, day
from cds_hooks.page.authority import CLIENT
from cds_hooks.page.ehr import create_ehr
from cds_hooks.server import Listening, grace_of, listen, port_of, run
from fhir_profiles import samples
from plugin.settings import FhirServer, Settings
from plugin.settings import today as today_of
from plugin.settings_page import Page, PageClient

HOST = "127.0.0.1"


def demo(
    port: int = typer.Option(8000, min=0, max=65535, help="The port of the CDS Hooks service."),
    ehr_port: int = typer.Option(8001, min=0, max=65535, help="The port of the demo EHR."),
    today: str | None = TODAY,
    browser: bool = typer.Option(False, "--browser", help="Opens the page in a browser."),
) -> None:
    """Starts the service and an EHR page that calls it; Ctrl-C ends both."""
    logging.basicConfig(level=logging.WARNING, format="%(levelname)s %(name)s %(message)s")
    with (
        listen(HOST, port) as service_socket,
        listen(HOST, ehr_port) as ehr_socket,
        tempfile.TemporaryDirectory(prefix="vestige-demo-") as folder,
    ):
        service = f"http://{HOST}:{port_of(service_socket)}"
        origin = f"http://{HOST}:{port_of(ehr_socket)}"
        settings = _settings(service, origin, Path(folder), today)
        patients = [samples.sample(name, today_of(settings)) for name in samples.names()]
        servers = [
            Listening(create_app(settings), service_socket),
            Listening(create_ehr(patients, origin=origin, service=service, timeline=True), ehr_socket),
        ]
        run(
            servers,
            started=lambda: _announce(service, origin, browser),
            grace=grace_of(settings.service),
            log_level="warning",
        )
    console().print("vestige: ended.")


def _settings(service: str, origin: str, folder: Path, today: str | None) -> Settings:
    """Open settings whose only FHIR server is the demo EHR; feedback is kept until the demo ends."""
    port = int(service.rpartition(":")[2])
    settings = changed(
        Settings(),
        open=True,
        host=HOST,
        port=port,
        public_url=service,
        cors_origins=(origin,),
        today=day(today),
    )
    fhir = msgspec.structs.replace(settings.fhir, servers=(FhirServer(base=f"{origin}/fhir"),))
    store = msgspec.structs.replace(settings.store, url=f"sqlite:///{folder / 'demo.db'}", keep_comments=True)
    client = PageClient(server=f"{origin}/fhir", client_id=CLIENT, write=True)
    page = Page(enabled=True, clients=(client,))
    return msgspec.structs.replace(settings, fhir=fhir, store=store, page=page)


def _announce(service: str, origin: str, browser: bool) -> None:
    out = console()
    out.print(f"Vestige demo: open {origin}/ in a browser. Ctrl-C ends it.")
    out.print(
        f"The service answers at {service}/cds-services, without authentication, on this machine only.",
        soft_wrap=True,
    )
    out.print("All patients are synthetic. Not for clinical use.")
    if browser:
        webbrowser.open(origin)
