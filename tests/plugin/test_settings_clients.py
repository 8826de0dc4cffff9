"""Settings of clients that could never work are refused, with their key."""

import pytest

from cds_hooks.cli.serve import settings_for
from cds_hooks.desk import public_base
from plugin.address import AddressError, service_address
from plugin.errors import SettingsError
from plugin.settings import Fhir, FhirServer, Issuer, Service, Settings, Trust, checked

KEYS = ("https://ehr.example/jwks.json",)


def production(issuers: tuple[Issuer, ...], *servers: FhirServer) -> Settings:
    settings = Settings(
        service=Service(public_url="https://cds.example"),
        trust=Trust(issuers=issuers, behind_tls_proxy=True),
        fhir=Fhir(servers=servers),
    )
    return settings_for(settings, host=None, port=None, open_=False, fhir_servers=(), today=None)


@pytest.mark.parametrize(
    "origin",
    ["https://x.example", "http://localhost:8001", "https://x.example:8443", "http://[::1]:8001", "*"],
)
def test_an_origin_as_browsers_send_it(origin: str) -> None:
    assert checked(Settings(service=Service(cors_origins=(origin,))))


@pytest.mark.parametrize(
    "origin", ["https://x.example/", "x.example", "https://X.example", "null", "", "https://x.example/a"]
)
def test_an_origin_that_could_never_match(origin: str) -> None:
    with pytest.raises(SettingsError, match=r"service\.cors_origins"):
        checked(Settings(service=Service(cors_origins=(origin,))))


def test_a_server_of_an_issuer_that_is_not_trusted() -> None:
    trusted = Issuer(issuer="https://ehr.example", jku=KEYS)
    servers = [FhirServer(base="https://a.example"), FhirServer(base="https://b.example", issuer="https://c")]
    assert production((trusted,), servers[0], FhirServer(base="https://c.example", issuer=trusted.issuer))
    with pytest.raises(SettingsError, match=r"fhir\.servers\[1\]\.issuer: 'https://c'"):
        production((trusted,), *servers)


@pytest.mark.parametrize("name", ["", " "])
def test_an_issuer_without_a_name(name: str) -> None:
    with pytest.raises(SettingsError, match=r"trust\.issuers\[0\]\.issuer: is empty"):
        production((Issuer(issuer=name, jku=KEYS),))


@pytest.mark.parametrize("url", ["https://x.example", "https://X.example:8443/vestige", "http://[::1]:8000"])
def test_the_address_of_a_service_keeps_its_spelling(url: str) -> None:
    assert service_address(url + "/") == url


@pytest.mark.parametrize(
    "url",
    [
        "",
        "x.example",
        "ftp://x.example",
        "https://u:p@x.example",
        "https://x.example/?",
        "https://x.example/#",
        "https://x.example:99999",
        "https://exa mple",
        "https://x.example/a|b",
        "https://x.exämple",
        "https://x.example/cds-services",
    ],
)
def test_an_address_that_no_client_can_call(url: str) -> None:
    with pytest.raises(AddressError):
        service_address(url)
    with pytest.raises(SettingsError, match=r"service\.public_url"):
        public_base(Settings(service=Service(public_url=url)))
