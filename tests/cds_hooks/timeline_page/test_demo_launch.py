"""The page opened from the demo EHR, over HTTP: sign-in, data, a reading; no server of others."""

import json
from collections.abc import Iterator

import pytest
import requests

from tests.cds_hooks.timeline_page.site import SECONDS, Site, Visitor, demo_site

SAMPLE = "report-silent"
PATIENT = "vestige-5-patient"


@pytest.fixture(scope="module")
def site(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Site]:
    with demo_site(tmp_path_factory.mktemp("page"), SAMPLE) as running:
        yield running


@pytest.fixture
def visitor(site: Site) -> Visitor:
    made = Visitor(site.service)
    made.open(site.ehr, PATIENT)
    return made


def test_a_launch_ends_on_the_page_and_no_address_names_the_patient(site: Site) -> None:
    made = Visitor(site.service)
    answer = made.open(site.ehr, PATIENT)
    passed = [one.url for one in answer.history] + [answer.url]
    assert answer.url == f"{site.service}/timeline/"
    assert len(passed) >= 4
    assert not [url for url in passed if PATIENT in url]


def test_the_session_cookie_is_closed_to_scripts_and_to_other_sites(site: Site) -> None:
    made = Visitor(site.service)
    answer = made.open(site.ehr, PATIENT)
    set_ = [one.headers["set-cookie"] for one in answer.history if "set-cookie" in one.headers]
    opened = [one for one in set_ if "vestige-timeline=" in one]
    assert len(opened) == 1
    assert "HttpOnly" in opened[0]
    assert "SameSite=lax" in opened[0]


def test_data_is_the_document_of_the_patient(visitor: Visitor) -> None:
    told = visitor.ask("data")
    assert told.status_code == 200, told.text
    document = told.json()
    assert document["patient"]["id"] == PATIENT
    assert document["lesions"]
    assert document["writes"] == "ask"
    assert told.headers["cache-control"] == "no-store"
    assert "script-src 'self'" in told.headers["content-security-policy"]
    assert "unsafe" not in told.headers["content-security-policy"]


def test_why_and_resources_of_a_lesion(visitor: Visitor) -> None:
    lesion = visitor.ask("data").json()["lesions"][0]
    chains = visitor.ask("why", {"lesion": lesion["id"]}).json()["chains"]
    assert chains
    token = next(token for cell in lesion["cells"].values() for token in cell["sources"])
    found = visitor.ask("resources", {"tokens": [token, "Observation/none"]}).json()
    assert found[token]["resourceType"] == "Observation"
    assert found["Observation/none"] is None
    assert visitor.ask("why", {"lesion": "BodyStructure/none"}).status_code == 404


def test_a_card_selects_its_lesions(site: Site) -> None:
    made = Visitor(site.service)
    made.open(site.ehr, PATIENT, json.dumps({"lesions": ["BodyStructure/a"], "hookInstance": "x"}))
    assert made.take_up()["selected"] == ["BodyStructure/a"]


def test_a_hook_call_sends_the_link_with_its_lesions(site: Site) -> None:
    granted = requests.post(f"{site.ehr}/authorise/{PATIENT}", timeout=SECONDS).json()
    called = {
        "hook": "patient-view",
        "hookInstance": "d1577c69-dfbe-44ad-ba6d-3e05e953b2ea",
        "context": {"userId": "Practitioner/vestige-sample-clinician", "patientId": PATIENT},
        "fhirServer": f"{site.ehr}/fhir",
        "fhirAuthorization": granted,
    }
    services = requests.get(f"{site.service}/cds-services", timeout=SECONDS).json()["services"]
    service = next(one["id"] for one in services if one["hook"] == "patient-view")
    cards = requests.post(f"{site.service}/cds-services/{service}", json=called, timeout=SECONDS).json()[
        "cards"
    ]
    links = [link for card in cards for link in card["links"]]
    assert cards
    assert len(links) == len(cards)
    assert {link["type"] for link in links} == {"smart"}
    assert {link["url"] for link in links} == {f"{site.service}/timeline/launch"}
    about = [json.loads(link["appContext"]) for link in links if "appContext" in link]
    assert about
    assert all(one["lesions"] and set(one) == {"lesions"} for one in about)


def test_a_reading_asks_for_the_right_to_write_then_is_stored(site: Site) -> None:
    visitor = Visitor(site.service)
    visitor.open(site.ehr, PATIENT)
    form = visitor.ask("reading/form").json()
    asked = [one for one in form["asks"] if one["what"] == "visibility"]
    assert asked, form
    reading = {
        "study": form["study"],
        "lesions": [{"lesion": asked[0]["lesion"], "visibility": "seen", "mm": 7.5}],
    }
    preview = visitor.ask("reading/preview", reading)
    assert preview.status_code == 200, preview.text
    changed = {one["lesion"]: one for one in preview.json()["changes"]}
    assert changed[asked[0]["lesion"]]["before"] == "CANNOT_DECIDE"
    assert changed[asked[0]["lesion"]]["after"] != "CANNOT_DECIDE"

    before = visitor.ask("data").json()
    sent = visitor.ask("reading", reading).json()
    assert sent == {"stored": False, "authorise": "write"}
    visitor.http.get(f"{site.service}/timeline/write", timeout=SECONDS)
    session = visitor.take_up()
    assert session["writes"] == "granted"
    assert session["pending"] == reading
    assert session["demo"] is True
    stored = visitor.ask("reading", session["pending"]).json()
    assert stored["stored"] is True, stored
    assert {one.split("/")[0] for one in stored["resources"]} == {"Observation", "Provenance"}
    after = visitor.ask("data").json()
    status = {one["id"]: one["status"] for one in after["lesions"]}
    assert status[asked[0]["lesion"]] == changed[asked[0]["lesion"]]["after"]
    assert len(after["lesions"]) == len(before["lesions"])


def test_nobody_is_sent_to_grant_a_right_that_no_reading_waits_for(visitor: Visitor) -> None:
    answer = visitor.http.get(f"{visitor.service}/timeline/write", timeout=SECONDS)
    assert answer.status_code == 409
    assert not answer.history


def test_every_post_wants_the_csrf_value_and_the_same_site(visitor: Visitor) -> None:
    right = visitor.csrf
    for path in ("data", "why", "resources", "reading/form", "reading/preview", "reading", "logout"):
        visitor.csrf = "wrong"
        assert visitor.ask(path).status_code == 403, path
        visitor.csrf = right
        assert visitor.ask(path, {}, **{"Sec-Fetch-Site": "cross-site"}).status_code == 403, path


def test_without_a_session_nothing_is_told(site: Site) -> None:
    stranger = Visitor(site.service, csrf="x")
    for path in ("data", "why", "resources", "reading/form", "reading/preview", "reading", "logout"):
        assert stranger.ask(path).status_code == 401, path
    answer = stranger.http.get(f"{site.service}/timeline/session", timeout=SECONDS)
    assert answer.status_code == 401
    assert answer.json()["resourceType"] == "OperationOutcome"


def test_logout_ends_the_session(visitor: Visitor) -> None:
    assert visitor.ask("logout").status_code == 204
    assert visitor.ask("data").status_code == 401
