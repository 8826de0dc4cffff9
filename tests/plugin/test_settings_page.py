"""The settings of the page: what cannot work is refused at start, by name."""

from pathlib import Path
from typing import Any

import msgspec
import pytest

from plugin.errors import SettingsError
from plugin.settings import Fhir, FhirServer, Settings, checked, load
from plugin.settings_page import Page, PageClient, secret_of

BASE = "https://ehr.example/fhir"


def made(**client: Any) -> Settings:
    values = {"server": BASE, "client_id": "page", **client}
    page = Page(enabled=True, clients=(PageClient(**values),))
    return msgspec.structs.replace(Settings(), fhir=Fhir(servers=(FhirServer(base=BASE),)), page=page)


def test_a_registration_with_a_known_server_is_taken() -> None:
    assert checked(made(server=BASE + "/")).page.clients[0].client_id == "page"


def test_the_page_is_off_unless_enabled() -> None:
    assert load(None, {}).page.enabled is False


@pytest.mark.parametrize(
    ("client", "named"),
    [
        ({"server": "https://other.example/fhir"}, "page.clients[0].server"),
        ({"server": "ftp://other.example"}, "page.clients[0].server"),
        ({"token_endpoint": "http://169.254.169.254/token"}, "page.clients[0].token_endpoint"),
        ({"token_endpoint": "http://login.example/token"}, "page.clients[0].token_endpoint"),
        ({"authorization_endpoint": "login.example"}, "page.clients[0].authorization_endpoint"),
        ({"jwks_uri": "https://169.254.169.254/keys"}, "page.clients[0].jwks_uri"),
        ({"client_secret": Path("/nowhere/secret")}, "page.clients[0].client_secret"),
        ({"key": Path("/nowhere/key.pem")}, "page.clients[0].key"),
        ({"key": Path("/nowhere/key.pem"), "kid": "k"}, "page.clients[0].key"),
        ({"key": Path("/nowhere/key.pem"), "client_secret": Path("/nowhere/s")}, "page.clients[0]"),
    ],
)
def test_a_registration_that_cannot_work_is_refused(client: dict[str, Any], named: str) -> None:
    with pytest.raises(SettingsError, match=named.replace("[", r"\[").replace("]", r"\]")):
        checked(made(**client))


@pytest.mark.parametrize(
    "origin", ["https://ehr.example/path", "http://ehr.example", "*", "https://a b", "'self'"]
)
def test_who_may_frame_the_page_is_an_origin(origin: str) -> None:
    settings = made()
    page = msgspec.structs.replace(settings.page, frame_ancestors=(origin,))
    with pytest.raises(SettingsError, match=r"page\.frame_ancestors"):
        checked(msgspec.structs.replace(settings, page=page))


def test_a_page_without_a_registration_is_refused() -> None:
    with pytest.raises(SettingsError, match=r"page\.enabled"):
        checked(msgspec.structs.replace(Settings(), page=Page(enabled=True)))


def test_one_server_has_one_registration() -> None:
    settings = made()
    page = msgspec.structs.replace(settings.page, clients=settings.page.clients * 2)
    with pytest.raises(SettingsError, match="named twice"):
        checked(msgspec.structs.replace(settings, page=page))


def test_a_secret_is_read_without_its_blanks_and_never_empty(tmp_path: Path) -> None:
    file = tmp_path / "secret"
    file.write_text(" s3cret\n")
    assert secret_of(file) == "s3cret"
    file.write_text("\n")
    with pytest.raises(SettingsError, match="is empty"):
        secret_of(file)
