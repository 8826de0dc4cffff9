"""The page over https, alone and in a frame of the EHR: what its cookies and headers say; the page itself."""

from collections.abc import Iterator
from pathlib import Path

import msgspec
import pytest
import requests

from cds_hooks.app import create_app
from tests.cds_hooks.serving import served
from tests.cds_hooks.timeline_page.site import SECONDS, Site, demo_site

EHR = "https://ehr.example"


@pytest.fixture(scope="module")
def site(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Site]:
    with demo_site(tmp_path_factory.mktemp("page"), "nothing-to-say") as running:
        yield running


def first_answer(site: Site, frames: tuple[str, ...]) -> requests.Response:
    """The answer to a launch of a service that is reached by https."""
    settings = site.settings
    settings = msgspec.structs.replace(
        settings,
        service=msgspec.structs.replace(settings.service, public_url="https://vestige.example"),
        page=msgspec.structs.replace(settings.page, frame_ancestors=frames),
    )
    with served(create_app(settings)) as address:
        return requests.get(
            f"{address}/timeline/launch",
            params={"iss": f"{site.ehr}/fhir", "launch": "x"},
            allow_redirects=False,
            timeout=SECONDS,
        )


def test_alone_nobody_frames_it_and_its_cookies_are_lax(site: Site) -> None:
    answer = first_answer(site, ())
    cookie = answer.headers["set-cookie"]
    assert cookie.startswith("__Host-vestige-sign-in=")
    assert "Secure" in cookie
    assert "HttpOnly" in cookie
    assert "SameSite=lax" in cookie
    assert "Domain" not in cookie
    assert "frame-ancestors 'none'" in answer.headers["content-security-policy"]


def test_in_a_frame_only_the_ehr_shows_it_and_its_cookies_are_sent_there(site: Site) -> None:
    answer = first_answer(site, (EHR,))
    assert "SameSite=none" in answer.headers["set-cookie"]
    assert "Secure" in answer.headers["set-cookie"]
    assert f"frame-ancestors {EHR}" in answer.headers["content-security-policy"]


def test_the_page_and_its_files_hold_nothing_of_anybody_and_are_not_kept(site: Site) -> None:
    answer = requests.get(f"{site.service}/timeline/", timeout=SECONDS)
    assert answer.status_code in (200, 404)
    policy = answer.headers["content-security-policy"]
    assert policy.startswith("default-src 'none'; script-src 'self'; style-src 'self'")
    assert "unsafe" not in policy
    assert answer.headers["cache-control"] == "no-store"
    assert answer.headers["referrer-policy"] == "no-referrer"
    assert answer.headers["x-content-type-options"] == "nosniff"
    assert requests.get(f"{site.service}/timeline", timeout=SECONDS).url == f"{site.service}/timeline/"


@pytest.mark.parametrize(
    "path", ["static/../page.py", "static/..%2fpage.py", "static/%2e%2e/smart.py", "page.py"]
)
def test_only_the_files_of_the_page_are_served(site: Site, path: str) -> None:
    request = requests.Request("GET", f"{site.service}/timeline/{path}").prepare()
    request.url = f"{site.service}/timeline/{path}"
    with requests.Session() as session:
        answer = session.send(request, timeout=SECONDS)
    assert answer.status_code == 404
    assert "import" not in answer.text


def test_a_page_that_is_not_enabled_is_not_there(site: Site, tmp_path: Path) -> None:
    settings = msgspec.structs.replace(
        site.settings, page=msgspec.structs.replace(site.settings.page, enabled=False)
    )
    with served(create_app(settings)) as address:
        for path in ("", "/", "/launch?iss=x", "/session"):
            assert requests.get(f"{address}/timeline{path}", timeout=SECONDS).status_code == 404
