"""The settings: one TOML file, overridden by `VESTIGE_SECTION__KEY` in the environment."""

from __future__ import annotations

import os
import re
import tomllib
from collections.abc import Mapping
from contextlib import AbstractContextManager
from datetime import date, datetime
from pathlib import Path
from typing import Annotated, Any, Literal
from zoneinfo import ZoneInfo, ZoneInfoNotFoundError

import msgspec
from msgspec import Meta, Struct, field

from plugin.address import AddressError, check
from plugin.dialects import dialects
from plugin.errors import SettingsError
from plugin.local_codes import refusal
from plugin.settings_clients import check_origins
from plugin.settings_lines import naming
from plugin.settings_page import Page, check_page
from plugin.settings_source import decoded, environment, refuse_unknown, suggestion
from plugin.settings_traces import Traces, check_traces

_LINK = re.compile(r"https://[A-Za-z0-9.-]+(:\d+)?(/[^\s@]*)?")
SHORTEST_KEY = 32
_REVERSE_DOMAIN = re.compile(r"[a-z][a-z0-9-]*(\.[a-z0-9-]+){2,}")

Seconds = Annotated[float, Meta(gt=0, le=600)]
Count = Annotated[int, Meta(ge=1)]
Port = Annotated[int, Meta(ge=0, le=65535)]
Algorithm = Literal["ES256", "ES384", "ES512", "RS256", "RS384", "RS512", "PS384"]
Profile = Literal["generic", "epic", "oracle", "sandbox"]


class Site(Struct, frozen=True, kw_only=True):
    """What the site says of itself; None means not stated and reads as unknown in the rules."""

    timezone: str = "UTC"
    name: str = ""
    ious_standard: bool | None = None
    ceious_available: bool | None = None
    gadoxetate_available: bool | None = None

    @property
    def zone(self) -> ZoneInfo:
        """The time zone in which today is decided."""
        return ZoneInfo(self.timezone)


class Service(Struct, frozen=True, kw_only=True):
    """The HTTP service; `today` fixes the clock and is accepted with `open` only.

    `result_review_hook` is the site's own hook, by a reverse-domain name, for when a result is looked at.
    `tls_cert` and `tls_key` (PEM) make it speak TLS itself; with `tls_client_ca` every client must show a
    certificate of this authority. `log` is the form of the lines on standard error. `calls_at_once` are
    worked on at the same time, `calls_waiting` wait for that; what comes beyond is refused with 503.
    `repeat_seconds` is how long a decision is given again where the same record is read; 0: never.
    """

    host: str = "127.0.0.1"
    port: Port = 8000
    public_url: str | None = None
    open: bool = False
    today: date | None = None
    max_body: Count = 16 * 1024 * 1024
    hook_deadline: Seconds = 4.0
    calls_at_once: Annotated[int, Meta(ge=1, le=256)] = 16
    calls_waiting: Annotated[int, Meta(ge=0, le=10_000)] = 16
    repeat_seconds: Annotated[float, Meta(ge=0, le=3600)] = 600.0
    cors_origins: tuple[str, ...] = ()
    result_review_hook: str | None = None
    tls_cert: Path | None = None
    tls_key: Path | None = None
    tls_client_ca: Path | None = None
    log: Literal["text", "json"] = "text"


class Backend(Struct, frozen=True, kw_only=True):
    """Our own access to a FHIR server by SMART Backend Services: who we are there, and what proves it.

    `key` is a PEM or JWK file, `kid` the name under which its public half is registered. Without
    `token_endpoint` the server is asked, and must name one at its own address. `in_hooks` permits its use in
    a hook call that came without a token.
    """

    client_id: Annotated[str, Meta(min_length=1)]
    key: Path
    kid: Annotated[str, Meta(min_length=1)]
    algorithm: Literal["ES384", "RS384"] = "ES384"
    token_endpoint: str | None = None
    scopes: tuple[str, ...] = ()
    in_hooks: bool = False


class FhirServer(Struct, frozen=True, kw_only=True):
    """One FHIR server that may be asked: an exact base, and whose calls may name it.

    `open` permits calls without a token; `allow_http` permits plain http beyond loopback; `dialect` names its
    make where its CapabilityStatement does not.
    """

    base: str
    issuer: str | None = None
    open: bool = False
    allow_http: bool = False
    ca_bundle: Path | None = None
    client_cert: Path | None = None
    client_key: Path | None = None
    dialect: str | None = None
    backend: Backend | None = None


class Fhir(Struct, frozen=True, kw_only=True):
    """The FHIR servers that may be asked, and how long and how much; times in seconds."""

    servers: tuple[FhirServer, ...] = ()
    connect_timeout: Seconds = 1.0
    read_timeout: Seconds = 2.0
    budget: Seconds = 3.0
    max_pages: Count = 20
    max_entries: Count = 10_000
    max_bytes: Count = 16 * 1024 * 1024
    max_references: Count = 50
    parallel: Annotated[int, Meta(ge=1, le=64)] = 18


class Issuer(Struct, frozen=True, kw_only=True):
    """One CDS client that may call: its `iss`, where its keys are, and which audiences it sends."""

    issuer: str
    jwks_file: Path | None = None
    jku: tuple[str, ...] = ()
    audiences: tuple[str, ...] = ()
    algorithms: tuple[Algorithm, ...] = ("ES384", "RS384")
    tenants: tuple[str, ...] = ()
    profile: Profile = "generic"


class Trust(Struct, frozen=True, kw_only=True):
    """Who may call; times in seconds."""

    issuers: tuple[Issuer, ...] = ()
    leeway: Annotated[float, Meta(ge=0, le=600)] = 60.0
    # Epic's tokens live 900 s and name an `iat` 300 s in the past.
    max_lifetime: Annotated[float, Meta(gt=0, le=3600)] = 1200.0
    replay_protection: bool = True
    # `database`: a token is accepted once by all workers together, over a restart, too; `process`: by each.
    replay_store: Literal["database", "process"] = "database"
    behind_tls_proxy: bool = False


class Store(Struct, frozen=True, kw_only=True):
    """Where feedback, sent cards and decision records are kept; any SQLAlchemy URL.

    `pseudonym_key` is a file with the secret under which patients appear there (None: a key in the database
    itself). `spool` is the folder in which records wait for the database (None: beside an SQLite database,
    else `vestige-spool`), with at most `spool_max` bytes for each worker. `on_failure` says what becomes of a
    call while the database is away: it is answered and its record waits (`spool`), or it is refused
    (`refuse`). `keep_days` is how long `vestige records prune` leaves records.
    """

    url: str = "sqlite:///vestige.db"
    records: bool = True
    keep_comments: bool = False
    pseudonym_key: Path | None = None
    spool: Path | None = None
    spool_max: Annotated[int, Meta(ge=65536)] = 256 * 1024 * 1024
    on_failure: Literal["spool", "refuse"] = "spool"
    keep_days: Count | None = None


class Rules(Struct, frozen=True, kw_only=True):
    """The rule pack (None: the one shipped), and what the site changes in it."""

    pack: Path | None = None
    parameters: dict[str, int | float | str] = field(default_factory=dict)
    states: dict[str, Literal["active", "shadow", "off"]] = field(default_factory=dict)
    # `pool`: durable_rules in worker processes, so that a crash in it costs one answer of one engine.
    engine: Literal["in-process", "pool", "reference"] = "pool"
    engine_workers: Count = 1


class CardLink(Struct, frozen=True, kw_only=True):
    """One link that every card carries, to the letter: the site's guideline, or a SMART app's launch."""

    label: Annotated[str, Meta(min_length=1, max_length=100)]
    url: str
    type: Literal["absolute", "smart"] = "absolute"


class Cards(Struct, frozen=True, kw_only=True):
    """How much is shown at once, in which language, with which links.

    `remember_answers` lets advice that was answered step back until something changes.
    """

    max_cards: Count = 4
    response_summary: bool = False
    language: str = "en"
    remember_answers: bool = True
    links: tuple[CardLink, ...] = ()


class OrderCode(Struct, frozen=True, kw_only=True):
    """One code by which the site orders something; `system` is a canonical URL or an OID as urn:oid:..."""

    system: Annotated[str, Meta(min_length=1)]
    code: Annotated[str, Meta(min_length=1)]
    display: str = ""


class Codes(Struct, frozen=True, kw_only=True):
    """The site's own codes of suggested orders, which stand before the standard ones of the draft.

    `meanings` says by "system|code" what its codes of procedures, orders, appointments and examinations stand
    for; the names are those of `fhir_profiles.meaning.MEANINGS`.
    """

    meanings: dict[str, str] = field(default_factory=dict)
    liver_mri: tuple[OrderCode, ...] = ()
    liver_mri_plain: tuple[OrderCode, ...] = ()
    ious: tuple[OrderCode, ...] = ()
    ceious: tuple[OrderCode, ...] = ()
    mdt_review: tuple[OrderCode, ...] = ()


class Settings(Struct, frozen=True, kw_only=True):
    """The whole configuration; every section has working defaults."""

    site: Site = field(default_factory=Site)
    service: Service = field(default_factory=Service)
    fhir: Fhir = field(default_factory=Fhir)
    trust: Trust = field(default_factory=Trust)
    store: Store = field(default_factory=Store)
    rules: Rules = field(default_factory=Rules)
    cards: Cards = field(default_factory=Cards)
    codes: Codes = field(default_factory=Codes)
    page: Page = field(default_factory=Page)
    traces: Traces = field(default_factory=Traces)

    def with_fhir_servers(self, bases: tuple[str, ...]) -> Settings:
        """Returns settings that also permit these bases; without a token where the service is open itself."""
        added = tuple(FhirServer(base=base, open=self.service.open) for base in bases)
        fhir = msgspec.structs.replace(self.fhir, servers=self.fhir.servers + added)
        return msgspec.structs.replace(self, fhir=fhir)


def load(path: Path | None = None, env: Mapping[str, str] | None = None) -> Settings:
    """Returns the settings of a TOML file (None: the defaults) with the overrides of the environment.

    Raises SettingsError, naming the key, for an unknown key, a wrong type or value, or an unreadable file.
    """
    with named(path, env):
        raw = _toml(path) if path is not None else {}
        refuse_unknown(Settings, raw, source=str(path))
        raw = environment(Settings, raw, os.environ if env is None else env)
        try:
            settings = msgspec.convert(raw, Settings, dec_hook=decoded)
        except msgspec.ValidationError as error:
            raise SettingsError(_readable(error)) from error
        return checked(settings)


def named(path: Path | None, env: Mapping[str, str] | None = None) -> AbstractContextManager[None]:
    """Returns a block whose SettingsError says the line of the file, or the variable, of the key it names."""
    return naming(path, os.environ if env is None else env, Settings.__struct_fields__)


def checked(settings: Settings) -> Settings:
    """Returns the settings unchanged, or raises SettingsError where values contradict each other."""
    try:
        settings.site.zone  # noqa: B018 - the look-up is the check
    except (ZoneInfoNotFoundError, ValueError, OSError) as error:
        raise SettingsError(
            f"site.timezone: {settings.site.timezone!r} is no time zone; use a name such as Europe/Amsterdam"
        ) from error
    if settings.service.today is not None and not settings.service.open:
        raise SettingsError("service.today fixes the clock and is accepted only with service.open = true")
    own = settings.service.result_review_hook
    if own is not None and not _REVERSE_DOMAIN.fullmatch(own):
        raise SettingsError(
            f"service.result_review_hook: {own!r} must be a name under the site's own domain, turned round, "
            "such as org.hospital.result-review"
        )
    _check_tls(settings.service)
    check_origins(settings.service.cors_origins)
    for number, link in enumerate(settings.cards.links):
        if not _LINK.fullmatch(link.url):
            raise SettingsError(
                f"cards.links[{number}].url: must be an https address without user and blanks"
            )
    if settings.store.pseudonym_key is not None:
        pseudonym_key(settings.store.pseudonym_key)
    for code, name in settings.codes.meanings.items():
        if (trouble := refusal(code, name)) is not None:
            raise SettingsError(f"codes.meanings: {trouble}")
    for number, server in enumerate(settings.fhir.servers):
        # Not its base: that may hold what is refused, a password.
        _check_server(server, f"fhir.servers[{number}]", service_open=settings.service.open)
    check_page(settings.page, settings.fhir.servers, service_open=settings.service.open)
    check_traces(settings.traces)
    return settings


def pseudonym_key(file: Path) -> bytes:
    """Returns the secret of a file, without the blanks around it; raises SettingsError below 32 bytes."""
    try:
        key = file.read_bytes().strip()
    except OSError as error:
        raise SettingsError(f"store.pseudonym_key: {file} cannot be read: {error.strerror}") from error
    if len(key) < SHORTEST_KEY:
        raise SettingsError(f"store.pseudonym_key: {file}: a secret has at least {SHORTEST_KEY} random bytes")
    return key


def today(settings: Settings) -> date:
    """Returns the current day at the site, or the day fixed in `service.today`."""
    if settings.service.today is not None:
        return settings.service.today
    return datetime.now(settings.site.zone).date()


def _check_tls(service: Service) -> None:
    if (service.tls_cert is None) != (service.tls_key is None):
        raise SettingsError("service.tls_cert and service.tls_key come together: the certificate and its key")
    if service.tls_client_ca is not None and service.tls_cert is None:
        raise SettingsError("service.tls_client_ca needs service.tls_cert and service.tls_key beside it")
    for name in ("tls_cert", "tls_key", "tls_client_ca"):
        file: Path | None = getattr(service, name)
        if file is not None and not file.is_file():
            raise SettingsError(f"service.{name}: there is no file {file}")


def _check_server(server: FhirServer, where: str, *, service_open: bool) -> None:
    if server.client_key is not None and server.client_cert is None:
        raise SettingsError(f"{where}: client_key needs client_cert beside it")
    for name in ("ca_bundle", "client_cert", "client_key"):
        file: Path | None = getattr(server, name)
        if file is not None and not file.is_file():
            raise SettingsError(f"{where}.{name}: there is no file {file}")
    if server.dialect is not None and server.dialect not in dialects():
        raise SettingsError(f"{where}.dialect: unknown{suggestion(server.dialect, dialects())}")
    try:
        check(server.base, allow_http=server.allow_http, service_open=service_open)
    except AddressError as error:
        raise SettingsError(f"{where}: would never be asked: {error}") from error
    if server.backend is not None:
        _check_backend(server, server.backend, f"{where}.backend", service_open=service_open)


def _check_backend(server: FhirServer, backend: Backend, where: str, *, service_open: bool) -> None:
    # Only here: the key needs the cryptography that most sites without a backend never load.
    from plugin.private_key import KeyFileError, private_key

    try:
        private_key(backend.key, backend.algorithm)
    except KeyFileError as error:
        raise SettingsError(f"{where}.key: {error}") from error
    if backend.in_hooks and server.issuer is None and not service_open:
        raise SettingsError(
            f"{where}.in_hooks: name the issuer of this server, whose calls may use our token"
        )
    if backend.token_endpoint is not None:
        try:
            check(backend.token_endpoint, allow_http=server.allow_http, service_open=service_open)
        except AddressError as error:
            raise SettingsError(f"{where}.token_endpoint: {error}") from error


def _toml(path: Path) -> dict[str, Any]:
    try:
        return tomllib.loads(path.read_text(encoding="utf-8-sig"))
    except OSError as error:
        raise SettingsError(f"{path}: cannot be read: {error.strerror or error}") from error
    except UnicodeDecodeError as error:
        raise SettingsError(f"{path}: is not UTF-8 text") from error
    except tomllib.TOMLDecodeError as error:
        raise SettingsError(f"{path}: is no valid TOML: {error}") from error
    except (ValueError, RecursionError) as error:  # which the reader lets out beside its own
        raise SettingsError(f"{path}: holds a number or a nesting without end") from error


def _readable(error: msgspec.ValidationError) -> str:
    """Turns msgspec's path ("- at `$.site.port`") into the key in front of the message."""
    text, _, where = str(error).partition(" - at `$")
    key = where.rstrip("`").lstrip(".")
    return f"{key}: {text}" if key else text
