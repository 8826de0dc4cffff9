"""Whose answer holds for whom: two hospitals, two tenants, two users; every call proven by a token."""

import time
import uuid
from collections.abc import Iterator
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import pytest

from cds_hooks.app import create_app
from fhir_profiles import samples
from plugin.pull.queries import QUERIES
from plugin.settings import Issuer, Rules, Service, Settings, Store, Trust
from plugin.store import Store as Database
from tests.cds_hooks.jwts import PUBLIC, Client, elliptic, key_file
from tests.cds_hooks.serving import post, served

PATH = "/cds-services/crlm-lesion-review"
NORTH = elliptic("https://north.example", "north-1")
SOUTH = elliptic("https://south.example", "south-1")
REASON = {
    "reason": {"system": "https://vestige.example/fhir/CodeSystem/override-reason", "code": "mdt-decision"}
}


class Site:
    """A service that two hospitals call about a patient who has the same id in both."""

    def __init__(self, address: str, url: str) -> None:
        self.address, self.url, self.calls = address, url, 0
        sample = samples.sample("ct-only-watch-and-wait", datetime.now(UTC).date())
        resources = [entry["resource"] for entry in sample.bundle["entry"]]
        self.prefetch: dict[str, Any] = {}
        for query in QUERIES:
            found = [one for one in resources if one["resourceType"] == query.resource]
            whole = {"resourceType": "Bundle", "entry": [{"resource": one} for one in found]}
            self.prefetch[query.key] = found[0] if query.is_read else whole
        self.patient = sample.hook["context"]["patientId"]

    def call(self, client: Client, user: str = "Practitioner/one", **claims: Any) -> list[dict[str, Any]]:
        context = {"userId": user, "patientId": self.patient}
        document = {
            "hook": "patient-view",
            "hookInstance": str(uuid.uuid4()),
            "context": context,
            "prefetch": self.prefetch,
        }
        token = client.token(client.claims(PATH, **claims))
        answer = post(self.address + PATH, document, Authorization=f"Bearer {token}")
        assert answer.status_code == 200, answer.text
        self.wait()
        cards: list[dict[str, Any]] = answer.json()["cards"]
        return [card for card in cards if card["source"]["topic"]["code"] != "F12"]

    def wait(self) -> None:
        """Waits until the call was recorded: that is done once its answer has left."""
        self.calls += 1
        end, store = time.monotonic() + 60, Database(self.url)
        while len(list(store.records())) < self.calls:
            assert time.monotonic() < end, "the call was not recorded"
            time.sleep(0.02)
        store.close()

    def override(
        self, client: Client, card: dict[str, Any], aud: str = f"{PATH}/feedback", **claims: Any
    ) -> None:
        item = {
            "card": card["uuid"],
            "outcome": "overridden",
            "overrideReason": REASON,
            "outcomeTimestamp": datetime.now(UTC).isoformat(),
        }
        token = client.token(client.claims(aud, **claims))
        answer = post(f"{self.address}{PATH}/feedback", {"feedback": [item]}, Authorization=f"Bearer {token}")
        assert (answer.status_code, answer.content) == (200, b"")


@pytest.fixture
def site(tmp_path: Path) -> Iterator[Site]:
    issuers = tuple(Issuer(issuer=one.issuer, jwks_file=key_file(tmp_path, one)) for one in (NORTH, SOUTH))
    url = f"sqlite:///{tmp_path / 'v.db'}"
    settings = Settings(
        service=Service(public_url=PUBLIC, hook_deadline=120),
        trust=Trust(issuers=issuers),
        store=Store(url=url),
        rules=Rules(engine="reference"),
    )
    with served(create_app(settings)) as address:
        yield Site(address, url)


def test_what_one_hospital_answered_says_nothing_to_the_other(site: Site) -> None:
    (card,) = site.call(NORTH)
    site.override(NORTH, card)
    assert site.call(NORTH) == []
    assert len(site.call(SOUTH)) == 1


def test_a_hospital_cannot_answer_the_card_of_another(site: Site) -> None:
    (card,) = site.call(NORTH)
    site.override(SOUTH, card)
    assert len(site.call(NORTH)) == 1
    store = Database(site.url)
    assert store.unmatched() == 1
    store.close()


def test_tenants_of_one_issuer_are_apart(site: Site) -> None:
    (card,) = site.call(NORTH, tenant="east")
    site.override(NORTH, card, tenant="west")
    assert len(site.call(NORTH, tenant="east")) == 1, "another tenant answered"
    site.override(NORTH, card, tenant="east")
    assert site.call(NORTH, tenant="east") == []
    assert len(site.call(NORTH, tenant="west")) == 1
    assert len(site.call(NORTH)) == 1


def test_an_answer_holds_for_every_user_of_the_hospital(site: Site) -> None:
    (card,) = site.call(NORTH, user="Practitioner/one")
    site.override(NORTH, card)
    assert site.call(NORTH, user="Practitioner/two") == []


def test_feedback_may_name_the_address_of_the_service_as_its_audience(site: Site) -> None:
    (card,) = site.call(NORTH)
    site.override(NORTH, card, aud=PATH)
    assert site.call(NORTH) == []


def test_feedback_without_a_token_changes_nothing(site: Site) -> None:
    (card,) = site.call(NORTH)
    item = {"card": card["uuid"], "outcome": "overridden", "overrideReason": REASON}
    answer = post(
        f"{site.address}{PATH}/feedback",
        {"feedback": [{**item, "outcomeTimestamp": datetime.now(UTC).isoformat()}]},
    )
    assert answer.status_code == 401
    assert len(site.call(NORTH)) == 1
