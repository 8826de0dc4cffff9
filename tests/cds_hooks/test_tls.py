"""TLS: the service refuses plain HTTP in production, speaks TLS itself where asked, and knows its clients by certificate."""

import ssl
from collections.abc import Iterator
from pathlib import Path
from urllib.parse import urlsplit

import pytest
import requests

from cds_hooks.cli.serve import settings_for, tls_of
from cds_hooks.server import Tls
from plugin.errors import SettingsError
from plugin.settings import Service, Settings, Trust, checked
from tests.cds_hooks.jwts import PUBLIC, elliptic, key_file
from tests.cds_hooks.test_cli import Running
from tests.servers.certificates import Authority, Pair


def asked(settings: Settings) -> Settings:
    return settings_for(settings, host=None, port=None, open_=False, fhir_servers=(), today=None)


@pytest.fixture(scope="module")
def authority(tmp_path_factory: pytest.TempPathFactory) -> Authority:
    return Authority(tmp_path_factory.mktemp("authority"))


@pytest.fixture(scope="module")
def pair(authority: Authority) -> Pair:
    return authority.issue("server")


def config(folder: Path, pair: Pair, more: str = "") -> Path:
    client = elliptic()
    keys = key_file(folder, client)
    path = folder / "vestige.toml"
    path.write_text(
        f'[service]\npublic_url = "{PUBLIC}"\nport = 0\n'
        f'tls_cert = "{pair.certificate}"\ntls_key = "{pair.key}"\n{more}\n'
        f'[[trust.issuers]]\nissuer = "{client.issuer}"\njwks_file = "{keys}"\n'
        f'[store]\nurl = "sqlite:///{folder / "v.db"}"\n[rules]\nengine = "in-process"\n'
    )
    return path


@pytest.fixture
def address(tmp_path: Path, pair: Pair) -> Iterator[str]:
    command = Running("serve", "--config", str(config(tmp_path, pair)), cwd=tmp_path)
    try:
        yield command.address(r"https://\S+(?=/cds-services)")
    finally:
        command.process.kill()
        command.process.communicate()


def test_plain_http_in_production_is_refused() -> None:
    with pytest.raises(SettingsError, match=r"service\.tls_cert.*trust\.behind_tls_proxy.*--open"):
        asked(Settings())


def test_a_public_address_without_tls_is_refused() -> None:
    trust = Trust(behind_tls_proxy=True)
    with pytest.raises(SettingsError, match=r"service\.public_url"):
        asked(Settings(service=Service(public_url="http://cds.example"), trust=trust))
    assert asked(Settings(service=Service(public_url="https://cds.example"), trust=trust))
    assert asked(Settings(service=Service(public_url="http://127.0.0.1:8000"), trust=trust))


def test_a_certificate_is_enough(pair: Pair) -> None:
    settings = Settings(service=Service(tls_cert=pair.certificate, tls_key=pair.key))
    assert tls_of(asked(settings).service) == Tls(pair.certificate, pair.key)
    assert tls_of(Service()) is None


@pytest.mark.parametrize(
    ("names", "said"),
    [
        (("tls_cert",), "come together"),
        (("tls_key",), "come together"),
        (("tls_client_ca",), "needs service.tls_cert"),
        (("tls_cert", "tls_key"), "there is no file"),
    ],
)
def test_settings_that_make_no_tls(names: tuple[str, ...], said: str) -> None:
    with pytest.raises(SettingsError, match=said):
        checked(Settings(service=Service(**dict.fromkeys(names, Path("/nowhere.pem")))))


def test_files_that_are_no_certificate(tmp_path: Path, pair: Pair) -> None:
    nonsense = tmp_path / "x.pem"
    nonsense.write_text("nonsense")
    with pytest.raises(SettingsError, match="cannot be used"):
        Tls(nonsense, pair.key).context()
    with pytest.raises(SettingsError, match="cannot be used"):
        Tls(pair.certificate, pair.key, nonsense).context()


def test_the_service_speaks_tls_itself(address: str, authority: Authority) -> None:
    answer = requests.get(f"{address}/healthz", verify=str(authority.bundle), timeout=30)
    assert answer.json() == {"status": "ok"}
    assert (
        requests.get(f"{address}/cds-services", verify=str(authority.bundle), timeout=30).status_code == 401
    )
    with pytest.raises(requests.exceptions.SSLError):
        requests.get(f"{address}/healthz", timeout=30)


def test_nothing_below_tls_1_2(pair: Pair) -> None:
    assert Tls(pair.certificate, pair.key).context().minimum_version == ssl.TLSVersion.TLSv1_2


def test_clients_known_by_their_certificate(tmp_path: Path, authority: Authority, pair: Pair) -> None:
    own = authority.issue("client")
    path = config(tmp_path, pair, f'tls_client_ca = "{authority.bundle}"')
    command = Running("serve", "--config", str(path), cwd=tmp_path)
    try:
        base = command.address(r"https://\S+(?=/cds-services)")
        assert urlsplit(base).hostname == "127.0.0.1"
        shown = (str(own.certificate), str(own.key))
        answer = requests.get(f"{base}/healthz", verify=str(authority.bundle), cert=shown, timeout=30)
        assert answer.status_code == 200
        with pytest.raises(requests.exceptions.RequestException):
            requests.get(f"{base}/healthz", verify=str(authority.bundle), timeout=30)
    finally:
        command.process.kill()
        command.process.communicate()
