"""Browser clients: preflight without credentials, headers on every answer, nobody else's origin."""

from collections.abc import Iterator

import pytest
import requests

from cds_hooks.app import create_app
from tests.cds_hooks.serving import ORIGIN, Said, body, open_settings, post, served

PATHS = ["/cds-services", "/cds-services/crlm-order-sign", "/cds-services/crlm-order-sign/feedback"]


@pytest.fixture(scope="module")
def base() -> Iterator[str]:
    with served(create_app(open_settings(), Said())) as address:
        yield address


def preflight(
    address: str, origin: str, method: str = "POST", headers: str = "authorization,content-type"
) -> requests.Response:
    asked = {
        "Origin": origin,
        "Access-Control-Request-Method": method,
        "Access-Control-Request-Headers": headers,
    }
    return requests.options(address, headers=asked, timeout=60)


@pytest.mark.parametrize("path", PATHS)
def test_preflight(base: str, path: str) -> None:
    answer = preflight(base + path, ORIGIN, "GET" if path == PATHS[0] else "POST")
    assert answer.status_code in (200, 204)
    assert answer.headers["Access-Control-Allow-Origin"] == ORIGIN
    assert "Origin" in answer.headers["Vary"]
    allowed = answer.headers["Access-Control-Allow-Headers"].lower()
    assert "authorization" in allowed
    assert "content-type" in allowed
    assert {"GET", "POST", "OPTIONS"} <= set(answer.headers["Access-Control-Allow-Methods"].split(", "))
    assert "Access-Control-Allow-Credentials" not in answer.headers


@pytest.mark.parametrize("origin", ["https://elsewhere.example", "null", ORIGIN + ".evil.example"])
def test_other_origins_get_nothing(base: str, origin: str) -> None:
    assert "Access-Control-Allow-Origin" not in preflight(base + PATHS[1], origin).headers
    answer = requests.get(f"{base}/cds-services", headers={"Origin": origin}, timeout=60)
    assert "Access-Control-Allow-Origin" not in answer.headers
    assert "Origin" in answer.headers["Vary"]


@pytest.mark.parametrize(
    ("path", "document", "status"),
    [
        (PATHS[1], body("order-sign"), 200),
        (PATHS[1], b"{", 400),
        ("/cds-services/nobody", body(), 404),
        (PATHS[2], b"{}", 400),
    ],
)
def test_headers_on_every_answer(base: str, path: str, document: object, status: int) -> None:
    answer = post(base + path, document, Origin=ORIGIN)
    assert answer.status_code == status
    assert answer.headers["Access-Control-Allow-Origin"] == ORIGIN


def test_off_unless_configured() -> None:
    with served(create_app(open_settings(cors_origins=()), Said())) as base:
        assert "Access-Control-Allow-Origin" not in preflight(base + PATHS[1], ORIGIN).headers
        answer = requests.get(f"{base}/cds-services", headers={"Origin": ORIGIN}, timeout=60)
    assert "Access-Control-Allow-Origin" not in answer.headers
