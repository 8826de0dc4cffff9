"""A service with its timeline page and a demo EHR beside it, on real sockets; and a person's browser, without one."""

from __future__ import annotations

import contextlib
from collections.abc import Callable, Iterator
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import msgspec
import requests
from starlette.types import ASGIApp

from cds_hooks.app import create_app
from cds_hooks.page.authority import CLIENT
from cds_hooks.page.ehr import create_ehr
from fhir_profiles import samples
from plugin.settings import Fhir, FhirServer, Settings, Store
from plugin.settings_page import Page, PageClient
from tests.cds_hooks.serving import open_settings, served
from tests.servers.sekmet import free_port

SECONDS = 60


@dataclass
class Site:
    """Where the service and the EHR answer."""

    service: str
    ehr: str
    settings: Settings


@contextlib.contextmanager
def demo_site(
    folder: Path,
    name: str,
    *,
    around: Callable[[ASGIApp], ASGIApp] | None = None,
    budget: float = 30,
    **client: Any,
) -> Iterator[Site]:
    """Runs service and demo EHR with one sample patient; `client` changes the page's registration.

    `around` puts something between the EHR and those who ask it; `budget` is for all that is read in one call.
    """
    sample = samples.sample(name)
    ehr_port, port = free_port(), free_port()
    ehr, service = f"http://127.0.0.1:{ehr_port}", f"http://127.0.0.1:{port}"
    settings = page_settings(folder, f"{ehr}/fhir", service, today=sample.anchor, budget=budget, **client)
    called_by = msgspec.structs.replace(settings.service, cors_origins=(ehr,))
    settings = msgspec.structs.replace(settings, service=called_by)
    told: ASGIApp = create_ehr([sample], origin=ehr, service=service, timeline=True)
    with (
        served(told if around is None else around(told), ehr_port),
        served(create_app(settings), port),
    ):
        yield Site(service=service, ehr=ehr, settings=settings)


def page_settings(
    folder: Path, base: str, service: str, *, today: Any, budget: float = 30, **client: Any
) -> Settings:
    """Returns open settings of a service whose page is registered with one FHIR server."""
    made = open_settings(today=today, hook_deadline=30)
    registered = {"server": base, "client_id": CLIENT, "write": True, **client}
    return msgspec.structs.replace(
        made,
        service=msgspec.structs.replace(made.service, public_url=service),
        fhir=Fhir(servers=(FhirServer(base=base),), budget=budget, read_timeout=20, connect_timeout=20),
        store=Store(url=f"sqlite:///{folder / 'page.db'}"),
        rules=msgspec.structs.replace(made.rules, engine="reference"),
        page=Page(enabled=True, clients=(PageClient(**registered),)),
    )


@dataclass
class Visitor:
    """A browser as far as HTTP goes: it follows redirects and keeps cookies."""

    service: str
    http: requests.Session = field(default_factory=requests.Session)
    csrf: str = ""

    def open(self, ehr: str, patient: str, context: str = "") -> requests.Response:
        """Launches the page from the demo EHR and takes up the session."""
        launched = self.http.post(f"{ehr}/launch/{patient}", data=context, timeout=SECONDS)
        answer = self.http.get(launched.json()["url"], timeout=SECONDS)
        self.take_up()
        return answer

    def take_up(self) -> dict[str, Any]:
        """Returns what the page learns of its session, and keeps its CSRF value."""
        told: dict[str, Any] = self.http.get(f"{self.service}/timeline/session", timeout=SECONDS).json()
        self.csrf = str(told.get("csrf", ""))
        return told

    def ask(self, path: str, sent: Any = None, **headers: str) -> requests.Response:
        """Sends a POST as the page does."""
        return self.http.post(
            f"{self.service}/timeline/{path}",
            json={} if sent is None else sent,
            headers={"X-Vestige-CSRF": self.csrf, **headers},
            timeout=SECONDS,
        )
