"""The OpenAPI document: it is valid, it is of this registry, and the service keeps to it under hostile calls."""

import json
import re
import subprocess
import sys
from pathlib import Path
from typing import Any

import msgspec
import pytest
import requests
from openapi_spec_validator import validate

from cds_hooks.app import create_app
from cds_hooks.cards import response
from cds_hooks.model import HookResponse, encoded
from cds_hooks.openapi import openapi
from cds_hooks.services import SERVICES, services_of
from plugin.settings import Issuer, Service, Settings, Store, Trust
from tests.cds_hooks.jwts import PUBLIC, elliptic, key_file
from tests.cds_hooks.serving import Said, advice, open_settings, post, served
from tests.service import running

SCHEMATHESIS = Path(sys.executable).with_name("schemathesis")
CONFIG = Path(__file__).with_name("schemathesis.toml")


def document(**changes: Any) -> dict[str, Any]:
    return openapi(SERVICES.values(), **{"base": "https://cds.example", "authenticated": True, **changes})


@pytest.mark.parametrize("authenticated", [True, False])
def test_the_document_is_valid(authenticated: bool) -> None:
    validate(document(authenticated=authenticated))


def test_every_service_is_in_it() -> None:
    own = services_of(Settings(service=Service(result_review_hook="org.hospital.result-review")))
    paths = openapi(own.values(), base="https://cds.example", authenticated=True)["paths"]
    wanted = {f"/cds-services/{name}{more}" for name in own for more in ("", "/feedback")}
    assert set(paths) == {"/cds-services", *wanted}
    for service in own.values():
        body = paths[f"/cds-services/{service.id}"]["post"]["requestBody"]
        assert body["content"]["application/json"]["example"]["hook"] == service.hook.name


def test_required_members_are_those_of_the_hook() -> None:
    schemas = document()["components"]["schemas"]
    for service in SERVICES.values():
        name = "".join(part.capitalize() for part in service.hook.name.split("-"))
        assert set(schemas[f"{name}Context"]["required"]) == set(service.hook.required)
        assert schemas[f"{name}Call"]["properties"]["hook"] == {"enum": [service.hook.name]}


def test_a_signed_service_says_so_and_an_open_one_does_not() -> None:
    assert document()["security"] == [{"client": []}]
    bare = document(authenticated=False)
    assert "security" not in bare
    assert "securitySchemes" not in bare["components"]


def test_it_is_served_without_a_token(tmp_path: Path) -> None:
    client = elliptic()
    issuer = Issuer(issuer=client.issuer, jwks_file=key_file(tmp_path, client))
    settings = Settings(service=Service(public_url=PUBLIC), trust=Trust(issuers=(issuer,)))
    with served(create_app(settings, Said())) as base:
        answer = requests.get(f"{base}/openapi.json", timeout=60)
        assert requests.post(f"{base}/openapi.json", timeout=60).status_code == 405
    assert answer.headers["Content-Type"] == "application/json"
    assert answer.json()["servers"] == [{"url": PUBLIC}]
    validate(answer.json())


@pytest.mark.parametrize("service", SERVICES.values(), ids=lambda one: one.id)
def test_the_examples_are_answered(service: Any) -> None:
    paths = document()["paths"]
    example = paths[f"/cds-services/{service.id}"]["post"]["requestBody"]["content"]["application/json"][
        "example"
    ]
    with served(create_app(open_settings(), Said())) as base:
        answer = post(f"{base}/cds-services/{service.id}", example)
    assert (answer.status_code, answer.content) == (200, b'{"cards":[]}')


@pytest.mark.parametrize(
    "change",
    [
        {"hint": "x"},
        {"indicator": "hard-stop"},
        {"uuid": "1"},
        {"summary": ""},
        {"summary": "x" * 140},
        {"source": {"label": "Vestige"}},
        {"selectionBehavior": "sometimes"},
        {"suggestions": []},
        {"links": [{"label": "x", "url": "ftp://x", "type": "absolute"}]},
        {"overrideReasons": [{"system": "s", "code": "c"}]},
    ],
    ids=lambda change: "-".join(change),
)
def test_a_card_that_is_not_of_the_document_never_leaves(change: dict[str, Any]) -> None:
    made = response([advice()])["cards"][0]
    assert encoded({"cards": [made]}, HookResponse)
    with pytest.raises(ValueError, match="no HookResponse as the protocol wants it") as raised:
        encoded({"cards": [{**made, **change}]}, HookResponse)
    assert "L1" not in str(raised.value)


def test_no_member_of_a_response_may_be_null() -> None:
    schemas = document()["components"]["schemas"]
    answers = [schemas[name] for name in ("HookResponse", "Card", "Suggestion", "Link", "OperationOutcome")]
    assert "null" not in json.dumps(answers)
    with pytest.raises(msgspec.ValidationError):
        msgspec.convert({"cards": None}, HookResponse)


def hostile_calls(address: str, folder: Path, *options: str) -> subprocess.CompletedProcess[str]:
    """Schemathesis makes calls that keep to the document and calls that do not, over HTTP."""
    command = [
        *(str(SCHEMATHESIS), "--config-file", str(CONFIG)),
        *("run", f"{address}/openapi.json", "--no-color", "--seed", "20261121"),
        *("--generation-database", "none", "--request-timeout", "60", *options),
    ]
    return subprocess.run(command, cwd=folder, capture_output=True, text=True)


def test_the_service_keeps_to_it_under_hostile_calls(tmp_path: Path) -> None:
    """The real service, rules and all; feedback is one code for every service and is tried at one."""
    with running(tmp_path) as service:
        ran = hostile_calls(
            service.address,
            tmp_path,
            *("--phases", "examples,coverage,fuzzing", "--max-examples", "5"),
            *("--exclude-path-regex", r"crlm-(?!lesion-review).*/feedback"),
        )
        log = service.log.read_text()
    assert ran.returncode == 0, ran.stdout[-6000:] + ran.stderr[-2000:]
    assert int(re.search(r"(\d+) generated", ran.stdout)[1]) > 300  # type: ignore[index]
    assert "fault error-id" not in log


def test_no_call_gets_around_the_signature(tmp_path: Path) -> None:
    """Each call that is answered is tried again without a token and with one made up: both must be refused."""
    client = elliptic()
    issuer = Issuer(issuer=client.issuer, jwks_file=key_file(tmp_path, client))
    paths = ("", "/crlm-lesion-review", "/crlm-lesion-review/feedback")
    settings = Settings(
        service=Service(public_url=PUBLIC),
        trust=Trust(issuers=(issuer,), replay_protection=False),
        store=Store(url=f"sqlite:///{tmp_path / 'v.db'}"),
    )
    token = client.token(client.claims(aud=[f"{PUBLIC}/cds-services{path}" for path in paths]))
    with served(create_app(settings, Said())) as base:
        ran = hostile_calls(
            base,
            tmp_path,
            *("--url", base, "-H", f"Authorization: Bearer {token}"),
            *("--checks", "ignored_auth,not_a_server_error,status_code_conformance"),
            *("--phases", "examples,fuzzing", "--max-examples", "3"),
            *("--include-path-regex", r"cds-services$|crlm-lesion-review"),
        )
    assert ran.returncode == 0, ran.stdout[-6000:] + ran.stderr[-2000:]
