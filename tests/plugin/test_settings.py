"""Settings: the file, the environment, and the words of a refusal."""

from __future__ import annotations

import json
from datetime import UTC, date, datetime
from pathlib import Path
from zoneinfo import ZoneInfo

import pytest
from cryptography.hazmat.primitives.asymmetric.ec import EllipticCurvePrivateKey
from cryptography.hazmat.primitives.serialization import load_pem_private_key
from jwt.algorithms import ECAlgorithm

from plugin.errors import SettingsError
from plugin.settings import FhirServer, Service, Settings, load, today
from tests.plugin.keys import pair

FILE = """
[site]
timezone = "Europe/Amsterdam"
ious_standard = true

[fhir]
budget = 2

[[fhir.servers]]
base = "https://ehr.example/fhir"
issuer = "https://ehr.example"
ca_bundle = "HOSPITAL"

[rules.parameters]
small_residual_max = 12

[rules.states]
DA-10 = "shadow"
"""


def filed(folder: Path) -> str:
    """The file above, with an authority that is there."""
    (folder / "hospital.pem").write_text("")
    return FILE.replace("HOSPITAL", str(folder / "hospital.pem"))


def written(folder: Path, text: str) -> Path:
    path = folder / "vestige.toml"
    path.write_text(text)
    return path


def test_defaults_work_without_file_and_environment() -> None:
    assert load(None, {}) == Settings()


def test_the_file_is_read(tmp_path: Path) -> None:
    settings = load(written(tmp_path, filed(tmp_path)), {})
    assert settings.site.zone == ZoneInfo("Europe/Amsterdam")
    assert settings.site.ious_standard is True
    assert settings.site.ceious_available is None
    assert settings.fhir.servers == (
        FhirServer(
            base="https://ehr.example/fhir", issuer="https://ehr.example", ca_bundle=tmp_path / "hospital.pem"
        ),
    )
    assert settings.fhir.budget == 2.0
    assert settings.rules.parameters == {"small_residual_max": 12}
    assert settings.rules.states == {"DA-10": "shadow"}


@pytest.mark.parametrize(
    ("name", "value", "section", "key", "expected"),
    [
        ("VESTIGE_SERVICE__PORT", "9000", "service", "port", 9000),
        ("VESTIGE_SERVICE__OPEN", "true", "service", "open", True),
        ("vestige_service__host", "0.0.0.0", "service", "host", "0.0.0.0"),
        ("VESTIGE_SITE__IOUS_STANDARD", "false", "site", "ious_standard", False),
        ("VESTIGE_SITE__NAME", "12", "site", "name", "12"),
        (
            "VESTIGE_SERVICE__CORS_ORIGINS",
            "https://a.example, https://b.example",
            "service",
            "cors_origins",
            ("https://a.example", "https://b.example"),
        ),
        (
            "VESTIGE_SERVICE__CORS_ORIGINS",
            '["https://a.example"]',
            "service",
            "cors_origins",
            ("https://a.example",),
        ),
        ("VESTIGE_SERVICE__CORS_ORIGINS", "", "service", "cors_origins", ()),
        (
            "VESTIGE_FHIR__SERVERS",
            "https://a.example/fhir",
            "fhir",
            "servers",
            (FhirServer(base="https://a.example/fhir"),),
        ),
        (
            "VESTIGE_FHIR__SERVERS",
            '[{"base": "https://a.example/fhir", "open": true}]',
            "fhir",
            "servers",
            (FhirServer(base="https://a.example/fhir", open=True),),
        ),
        ("VESTIGE_FHIR__BUDGET", "1.5", "fhir", "budget", 1.5),
        ("VESTIGE_RULES__PACK", "packs/own", "rules", "pack", Path("packs/own")),
        ("VESTIGE_STORE__URL", "sqlite:///x.db", "store", "url", "sqlite:///x.db"),
        (
            "VESTIGE_RULES__PARAMETERS__SMALL_RESIDUAL_MAX",
            "11",
            "rules",
            "parameters",
            {"small_residual_max": 11},
        ),
        ("VESTIGE_RULES__PARAMETERS__RATIO", "0.7", "rules", "parameters", {"ratio": 0.7}),
        ("VESTIGE_RULES__STATES", '{"DA-10": "off"}', "rules", "states", {"DA-10": "off"}),
    ],
)
def test_the_environment_is_typed_as_its_field(
    name: str, value: str, section: str, key: str, expected: object
) -> None:
    settings = load(None, {name: value})
    assert getattr(getattr(settings, section), key) == expected


def test_the_environment_wins_over_the_file(tmp_path: Path) -> None:
    settings = load(
        written(tmp_path, filed(tmp_path)), {"VESTIGE_SITE__TIMEZONE": "UTC", "VESTIGE_FHIR__BUDGET": "4"}
    )
    assert (settings.site.timezone, settings.fhir.budget) == ("UTC", 4.0)
    assert settings.site.ious_standard is True


def test_names_without_a_level_are_no_settings() -> None:
    assert load(None, {"VESTIGE_REQUIRE": "node", "VESTIGES": "x", "OTHER__KEY": "x"}) == Settings()


@pytest.mark.parametrize(
    ("env", "words"),
    [
        ({"VESTIGE_SITE__TIMEZON": "UTC"}, ["VESTIGE_SITE__TIMEZON", "did you mean timezone?"]),
        ({"VESTIGE_SIT__TIMEZONE": "UTC"}, ["did you mean site?"]),
        ({"VESTIGE_QQQ__X": "UTC"}, ["unknown key qqq", "known: cards, codes, fhir"]),
        ({"VESTIGE_SERVICE__PORT": "many"}, ["VESTIGE_SERVICE__PORT", "int"]),
        ({"VESTIGE_SERVICE__PORT": "70000"}, ["VESTIGE_SERVICE__PORT", "65535"]),
        ({"VESTIGE_SERVICE__PORT__X": "1"}, ["port has no keys below it"]),
        ({"VESTIGE_FHIR__SERVERS": '[{"bas": "x"}]'}, ["unknown key bas", "did you mean base?"]),
        ({"VESTIGE_FHIR__SERVERS": "[{"}, ["VESTIGE_FHIR__SERVERS", "no valid JSON"]),
        ({"VESTIGE_RULES__STATES": '{"DA-10": "maybe"}'}, ["VESTIGE_RULES__STATES", "maybe"]),
        ({"VESTIGE_SITE__TIMEZONE": "Mars/Base"}, ["site.timezone", "Mars/Base"]),
        ({"VESTIGE_SITE__TIMEZONE": "../etc"}, ["site.timezone"]),
        ({"VESTIGE_SERVICE__TODAY": "2026-01-01"}, ["service.today", "service.open"]),
    ],
)
def test_a_refusal_names_the_key(env: dict[str, str], words: list[str]) -> None:
    with pytest.raises(SettingsError) as refused:
        load(None, env)
    assert all(word in str(refused.value) for word in words), str(refused.value)


def test_a_refusal_repeats_no_secret() -> None:
    with pytest.raises(SettingsError) as refused:
        load(None, {"VESTIGE_STORE__RECORDS": "postgresql://user:hush@db/x"})
    assert "hush" not in str(refused.value)


@pytest.mark.parametrize(
    ("text", "words"),
    [
        ("[site]\ntimezne = 'UTC'", ["unknown key site.timezne", "did you mean timezone?"]),
        ("[[fhir.servers]]\nbas = 'x'", ["fhir.servers[0].bas", "did you mean base?"]),
        ("[sevice]\nport = 1", ["unknown key sevice", "did you mean service?"]),
        ("[service]\nport = '8000'", ["service.port", "int"]),
        ("[rules]\npack = 1", ["rules.pack", "path"]),
        ("[service]\nhook_deadline = 0", ["service.hook_deadline"]),
        ("[fhir]\nservers = 'x'", ["fhir.servers"]),
        ("site = 1", ["site"]),
        ("[site", ["no valid TOML"]),
        (
            "[[fhir.servers]]\nbase = 'https://a.example'\nca_bundle = 'absent.pem'",
            ["fhir.servers[0].ca_bundle", "absent.pem"],
        ),
        ("[[fhir.servers]]\nbase = 'https://a.example'\nclient_key = 'k.pem'", ["client_key", "client_cert"]),
    ],
)
def test_a_file_is_refused_with_its_key(tmp_path: Path, text: str, words: list[str]) -> None:
    with pytest.raises(SettingsError) as refused:
        load(written(tmp_path, text), {})
    assert all(word in str(refused.value) for word in words), str(refused.value)


def test_a_file_that_is_not_there_is_named(tmp_path: Path) -> None:
    with pytest.raises(SettingsError, match=r"absent\.toml: cannot be read"):
        load(tmp_path / "absent.toml", {})


def test_a_file_that_is_no_text_is_named(tmp_path: Path) -> None:
    path = tmp_path / "vestige.toml"
    path.write_bytes(b"\xff\xfe\x00")
    with pytest.raises(SettingsError, match="UTF-8"):
        load(path, {})


def test_today_is_the_day_at_the_site() -> None:
    east = load(None, {"VESTIGE_SITE__TIMEZONE": "Pacific/Kiritimati"})
    west = load(None, {"VESTIGE_SITE__TIMEZONE": "Pacific/Niue"})
    assert today(east) == datetime.now(UTC).astimezone(ZoneInfo("Pacific/Kiritimati")).date()
    # 25 hours lie between them: it is never the same day at both.
    assert today(east) > today(west)


def test_today_is_fixed_only_without_authentication() -> None:
    settings = load(None, {"VESTIGE_SERVICE__OPEN": "true", "VESTIGE_SERVICE__TODAY": "2026-03-01"})
    assert today(settings) == date(2026, 3, 1)


@pytest.mark.parametrize("open_", [True, False])
def test_servers_added_on_the_command_line_need_a_token_unless_the_service_is_open(open_: bool) -> None:
    settings = Settings(service=Service(open=open_)).with_fhir_servers(("http://127.0.0.1:8001/fhir",))
    assert settings.fhir.servers == (FhirServer(base="http://127.0.0.1:8001/fhir", open=open_),)


@pytest.mark.parametrize(
    ("base", "words"),
    [
        ("http://ehr.example/fhir", "loopback only"),
        ("https://169.254.169.254/fhir", "metadata"),
        ("https://ehr.example/fhir?x=1", "query"),
        ("ehr.example/fhir", "http or https"),
    ],
)
def test_a_server_that_would_never_be_asked_is_refused_at_the_start(base: str, words: str) -> None:
    with pytest.raises(SettingsError, match=words):
        load(None, {"VESTIGE_FHIR__SERVERS": base})


def test_an_open_service_has_servers_on_loopback_only() -> None:
    env = {"VESTIGE_FHIR__SERVERS": "https://ehr.example/fhir"}
    assert load(None, env).fhir.servers[0].base == "https://ehr.example/fhir"
    with pytest.raises(SettingsError, match="without authentication"):
        load(None, {**env, "VESTIGE_SERVICE__OPEN": "true"})


SERVER = """
[[fhir.servers]]
base = "https://ehr.example/fhir"
{more}
[fhir.servers.backend]
client_id = "vestige"
key = "{key}"
kid = "key-1"
{backend}
"""


@pytest.mark.parametrize("algorithm", ["ES384", "RS384"])
def test_a_backend_is_read(algorithm: str, tmp_path: Path) -> None:
    own = pair(tmp_path, algorithm)
    text = SERVER.format(more="", key=own.private, backend=f'algorithm = "{algorithm}"')
    (server,) = load(written(tmp_path, text), {}).fhir.servers
    assert server.backend == own.backend(in_hooks=False)


def test_a_key_may_be_a_jwk(tmp_path: Path) -> None:
    own = load_pem_private_key(pair(tmp_path, "ES384").private.read_bytes(), None)
    assert isinstance(own, EllipticCurvePrivateKey)
    (tmp_path / "own.jwk").write_text(ECAlgorithm.to_jwk(own))
    text = SERVER.format(more="", key=tmp_path / "own.jwk", backend="")
    assert load(written(tmp_path, text), {}).fhir.servers[0].backend is not None
    public = json.loads(ECAlgorithm.to_jwk(own.public_key()))
    (tmp_path / "own.jwk").write_text(json.dumps(public))
    with pytest.raises(SettingsError, match="private key"):
        load(written(tmp_path, text), {})


@pytest.mark.parametrize(
    ("backend", "words"),
    [
        ('algorithm = "RS384"', "backend.key: RS384 needs an RSA private key"),
        ('algorithm = "HS256"', "HS256"),
        ("in_hooks = true", "backend.in_hooks: name the issuer"),
        ('token_endpoint = "http://ehr.example/token"', "backend.token_endpoint: plain http"),
        ('token_endpoint = "https://169.254.169.254/token"', "backend.token_endpoint: it is a link-local"),
        ('scope = ["system/*.rs"]', "unknown key fhir.servers[0].backend.scope; did you mean scopes?"),
    ],
)
def test_a_backend_that_would_not_do_is_refused(backend: str, words: str, tmp_path: Path) -> None:
    text = SERVER.format(more="", key=pair(tmp_path, "ES384").private, backend=backend)
    with pytest.raises(SettingsError) as refused:
        load(written(tmp_path, text), {})
    assert words in str(refused.value)


@pytest.mark.parametrize("content", ["", "no key", "{}", '{"kty": "EC"}', "-----BEGIN PRIVATE KEY-----"])
def test_a_file_without_a_key_is_refused_and_not_quoted(content: str, tmp_path: Path) -> None:
    (tmp_path / "key.pem").write_text(content)
    with pytest.raises(SettingsError) as refused:
        load(written(tmp_path, SERVER.format(more="", key=tmp_path / "key.pem", backend="")), {})
    assert "backend.key" in str(refused.value)
    assert not content or content not in str(refused.value)


def test_a_key_that_is_not_there_is_refused(tmp_path: Path) -> None:
    text = SERVER.format(more="", key=tmp_path / "none.pem", backend="")
    with pytest.raises(SettingsError, match=r"none\.pem cannot be read"):
        load(written(tmp_path, text), {})


def test_an_unknown_dialect_is_refused(tmp_path: Path) -> None:
    text = SERVER.format(more='dialect = "epik"', key=pair(tmp_path, "ES384").private, backend="")
    with pytest.raises(SettingsError, match=r"fhir\.servers\[0\]\.dialect: unknown; did you mean epic"):
        load(written(tmp_path, text), {})
