"""Advice that was answered is not repeated until something changes (R-80): calls and feedback over real HTTP."""

import copy
import sqlite3
import time
import uuid
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from datetime import UTC, date, datetime
from pathlib import Path
from typing import Any

import pytest
import requests

from cds_hooks.app import create_app
from fhir_profiles import samples
from plugin.pull.queries import QUERIES
from plugin.record import Record
from plugin.settings import Cards, Rules, Settings, Store
from plugin.store import Store as Database
from tests.cases.build import case
from tests.cds_hooks.serving import open_settings, post, served
from tests.servers import postgresql

TODAY = date(2026, 11, 21)
REVIEW, SIGN = "crlm-lesion-review", "crlm-order-sign"
MDT = {
    "system": "https://vestige.example/fhir/CodeSystem/override-reason",
    "code": "mdt-decision",
    "display": "x",
}
PET = "2026-10-29"
NAME = "ct-only-watch-and-wait"
Change = Callable[[list[dict[str, Any]]], None]


class Site:
    """A service, and what an EHR does with it."""

    def __init__(self, address: str, url: str) -> None:
        self.address, self.url, self.calls = address, url, len(self.kept(url))
        self.began = datetime.now(UTC).date()
        # Patients of another FHIR server are other patients: so tests that share a service do not meet.
        self.server = f"https://{uuid.uuid4()}.example/fhir"

    def call(self, name: str, hook: str, change: Change | None = None, **more: Any) -> list[dict[str, Any]]:
        sample = samples.sample(name, TODAY)
        resources = copy.deepcopy([entry["resource"] for entry in sample.bundle["entry"]])
        if change is not None:
            change(resources)
        context = dict(sample.hook["context"])
        if hook == "patient-view":
            context.pop("draftOrders", None)
        return self.fire(hook, context, resources, **more)

    def fire(
        self,
        hook: str,
        context: dict[str, Any],
        resources: list[dict[str, Any]],
        failed: str = "",
        recorded: bool = True,
        **more: Any,
    ) -> list[dict[str, Any]]:
        prefetch: dict[str, Any] = {}
        for query in QUERIES:
            found = [one for one in resources if one["resourceType"] == query.resource]
            whole = {"resourceType": "Bundle", "entry": [{"resource": one} for one in found]}
            prefetch[query.key] = found[0] if query.is_read else whole
        if failed:
            issue = [{"severity": "error", "code": "exception"}]
            prefetch[failed] = {"resourceType": "OperationOutcome", "issue": issue}
        document = {"hook": hook, "hookInstance": str(uuid.uuid4()), "context": context, "prefetch": prefetch}
        service = {"patient-view": REVIEW, "order-sign": SIGN}[hook]
        answer = post(
            f"{self.address}/cds-services/{service}", {**document, "fhirServer": self.server, **more}
        )
        assert answer.status_code == 200, answer.text
        if recorded:
            self.wait()
        cards: list[dict[str, Any]] = answer.json()["cards"]
        return cards

    def wait(self) -> None:
        """Waits until the call was recorded: that is done once its answer has left."""
        self.calls += 1
        end = time.monotonic() + 60
        while len(self.records()) < self.calls:
            assert time.monotonic() < end, "the call was not recorded"
            time.sleep(0.02)

    def answer(self, card: dict[str, Any], service: str = REVIEW, **item: Any) -> None:
        told = {"card": card["uuid"], "outcomeTimestamp": "2026-11-21T10:00:00Z", **item}
        answer = post(f"{self.address}/cds-services/{service}/feedback", {"feedback": [told]})
        assert (answer.status_code, answer.content) == (200, b"")

    def override(self, card: dict[str, Any], service: str = REVIEW, **more: Any) -> None:
        self.answer(card, service, outcome="overridden", overrideReason={"reason": MDT}, **more)

    def records(self) -> list[Record]:
        return self.kept(self.url)

    @staticmethod
    def kept(url: str) -> list[Record]:
        store = Database(url, create=False)
        try:
            return list(store.records())
        finally:
            store.close()

    def alarms(self) -> str:
        lines = requests.get(f"{self.address}/metrics", timeout=60).text.splitlines()
        return "\n".join(line for line in lines if line.startswith("vestige_alarms_total{"))


@contextmanager
def site(url: str, today: date = TODAY, **cards: Any) -> Iterator[Site]:
    service = open_settings(today=today, hook_deadline=120).service
    settings = Settings(
        service=service, store=Store(url=url), rules=Rules(engine="reference"), cards=Cards(**cards)
    )
    with served(create_app(settings)) as address:
        yield Site(address, url)


@pytest.fixture
def url(tmp_path: Path) -> str:
    return f"sqlite:///{tmp_path / 'v.db'}"


@pytest.fixture(scope="module")
def service(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Site]:
    with site(f"sqlite:///{tmp_path_factory.mktemp('store') / 'v.db'}") as started:
        yield started


@pytest.fixture
def here(service: Site) -> Site:
    """The shared service, seen from an EHR of its own."""
    return Site(service.address, service.url)


@pytest.fixture
def alone(url: str) -> Iterator[Site]:
    """A service of its own, for a test that breaks the store."""
    with site(url) as started:
        yield started


def bytes_of(site: Site) -> bytes:
    """All that the database holds on disk, its log too."""
    file = Path(site.url.removeprefix("sqlite:///"))
    return b"".join(part.read_bytes() for part in file.parent.rglob("*") if part.is_file())


def told(cards: list[dict[str, Any]]) -> list[tuple[str, str]]:
    """Which rule leads each card, and its indicator; the response summary is no message of its own."""
    led = [(card["source"]["topic"]["display"].split(", ")[0], card["indicator"]) for card in cards]
    return [one for one, card in zip(led, cards, strict=True) if card["source"]["topic"]["code"] != "F12"]


def text(cards: list[dict[str, Any]]) -> str:
    return "\n".join(card["detail"] for card in cards)


def without_pet(resources: list[dict[str, Any]]) -> None:
    """The chart before the newest study: its Observations, its report and the study itself come later."""
    resources[:] = [
        one for one in resources if PET not in str(one.get("effectiveDateTime") or one.get("started"))
    ]


# ------------------------------------------------------------------------------------------- not repeated, and why
def days(here: Site) -> set[date]:
    """The days an answer may be of: the client says 10 o'clock of a past day, and no answer is older than its card."""
    return {here.began, datetime.now(UTC).date()}


def test_overridden_advice_is_not_repeated_and_leaves_a_line(here: Site) -> None:
    (card, *_) = here.call(NAME, "patient-view")
    assert told([card]) == [("DA-01", "warning")]
    here.override(card)
    again = here.call(NAME, "patient-view")
    assert told(again) == []
    assert [one["indicator"] for one in again] == ["info"]
    assert "Answered before, unchanged since" in text(again)
    assert any(f"(DA-01, Decided by the MDT, {day})" in text(again) for day in days(here))


def test_the_record_says_what_was_held_back_and_by_which_answer(here: Site) -> None:
    (card, *_) = here.call(NAME, "patient-view")
    here.override(card)
    here.call(NAME, "patient-view")
    first, second = here.records()[-2:]
    assert not first.answers
    assert {one.shown for one in first.findings if one.rule == "DA-01"} == {"card"}
    held = [one for one in second.findings if one.rule == "DA-01"]
    assert {(one.shown, one.hidden_by) for one in held} == {("row", "answer")}
    (answer,) = second.answers
    assert (answer.rule, answer.card, answer.outcome, answer.reason) == (
        "DA-01",
        card["uuid"],
        "overridden",
        "mdt-decision",
    )
    assert answer.day in days(here)
    store = Database(here.url, create=False)
    found = store.record_of(answer.card)
    store.close()
    assert found is not None
    assert (found.id, found.pack_revision) == (first.id, first.pack_revision)


def test_a_critical_message_comes_back_once_as_a_warning_before_signing(here: Site) -> None:
    (card, *_) = here.call(NAME, "order-sign")
    assert told([card]) == [("DA-10", "critical")]
    here.override(card, SIGN)
    (again, *_) = here.call(NAME, "order-sign")
    assert told([again]) == [("DA-10", "warning")]
    assert told(here.call(NAME, "order-sign")) == [("DA-10", "warning")], "not answered: it stays"
    here.override(again, SIGN)
    assert here.call(NAME, "order-sign") == []


def test_two_charts_that_were_open_together_leave_the_warning_before_signing(here: Site) -> None:
    """Two surgeons answer the card each of them sees: nobody has seen it come back yet."""
    hook = samples.sample(NAME, TODAY).hook["context"]
    orders = [{**entry["resource"], "status": "active"} for entry in hook["draftOrders"]["entry"]]
    signing = {**hook, "draftOrders": {"resourceType": "Bundle", "entry": []}}
    bundle = samples.sample(NAME, TODAY).bundle
    resources = [*orders, *(entry["resource"] for entry in bundle["entry"])]
    opened = {name: value for name, value in hook.items() if name != "draftOrders"}
    seen = [here.fire("patient-view", opened, resources) for _ in range(2)]
    assert [told(cards)[0] for cards in seen] == [("DA-10", "critical")] * 2
    for cards in seen:
        here.override(cards[0])
    assert told(here.fire("patient-view", opened, resources)) == []
    (again, *_) = here.fire("order-sign", signing, resources)
    assert told([again]) == [("DA-10", "warning")]
    here.override(again, SIGN)
    assert here.fire("order-sign", signing, resources) == []


def test_the_same_feedback_twice_is_one_answer(here: Site) -> None:
    (card, *_) = here.call(NAME, "order-sign")
    here.override(card, SIGN)
    here.override(card, SIGN)
    here.override(card, SIGN, outcomeTimestamp="2026-11-21T10:05:00Z")
    assert told(here.call(NAME, "order-sign")) == [("DA-10", "warning")]


def test_an_accepted_suggestion_is_remembered(here: Site) -> None:
    (card, *_) = here.call(NAME, "patient-view")
    (suggestion, *_) = card["suggestions"]
    here.answer(card, outcome="accepted", acceptedSuggestions=[{"id": suggestion["uuid"].upper()}])
    again = here.call(NAME, "patient-view")
    assert told(again) == []
    assert any(f"(DA-01, Accepted, {day})" in text(again) for day in days(here))


@pytest.mark.parametrize(
    ("reason", "line"),
    [
        ({"userComment": "Mr. Secret wrote this"}, "A reason in the clinician's own words"),
        ({"reason": {"code": "99", "system": "urn:epic", "display": "Secret"}}, "Another reason"),
        ({"reason": {"code": "mdt-decision", "system": "urn:foreign"}}, "Another reason"),
    ],
)
def test_what_a_client_wrote_is_not_repeated_on_a_card(here: Site, reason: dict[str, Any], line: str) -> None:
    (card, *_) = here.call(NAME, "patient-view")
    here.answer(card, outcome="overridden", overrideReason=reason)
    again = here.call(NAME, "patient-view")
    assert line in text(again)
    assert "Secret" not in str(again)
    assert b"Secret wrote" not in bytes_of(here)


# --------------------------------------------------------------------------------------------------- repeated, and why
def test_a_new_observation_repeats_the_advice(here: Site) -> None:
    before = here.call(NAME, "patient-view", without_pet)
    assert told(before) == [("DA-01", "warning")]
    here.override(before[0])
    assert told(here.call(NAME, "patient-view", without_pet)) == []
    after = here.call(NAME, "patient-view")
    assert told(after) == [("DA-01", "warning")], "a newer study: the message is another one"
    assert "Answered before" not in text(after)


@pytest.mark.parametrize(
    "item",
    [
        {"outcome": "overridden"},
        {"outcome": "overridden", "overrideReason": {}},
        {"outcome": "overridden", "overrideReason": {"userComment": "  "}},
        {"outcome": "accepted", "acceptedSuggestions": [{"id": str(uuid.uuid4())}]},
    ],
    ids=["no reason", "empty reason", "blank words", "a suggestion that is not of this card"],
)
def test_an_answer_that_says_too_little_repeats_the_advice(here: Site, item: dict[str, Any]) -> None:
    (card, *_) = here.call(NAME, "patient-view")
    here.answer(card, **item)
    assert told(here.call(NAME, "patient-view")) == [("DA-01", "warning")]


def test_a_later_answer_without_a_reason_takes_the_first_one_back(here: Site) -> None:
    (card, *_) = here.call(NAME, "patient-view")
    here.override(card)
    here.answer(card, outcome="overridden", outcomeTimestamp="2026-11-21T10:01:00Z")
    assert told(here.call(NAME, "patient-view")) == [("DA-01", "warning")]


def test_feedback_on_a_card_that_was_never_sent_holds_nothing_back(here: Site) -> None:
    (card, *_) = here.call(NAME, "patient-view")
    here.override({**card, "uuid": str(uuid.uuid4())})
    assert told(here.call(NAME, "patient-view")) == [("DA-01", "warning")]


def test_a_part_of_the_record_that_was_not_read_repeats_the_advice(here: Site) -> None:
    (card, *_) = here.call(NAME, "patient-view")
    here.override(card)

    assert told(here.call(NAME, "patient-view")) == []
    sample = samples.sample(NAME, TODAY)
    context = {name: value for name, value in sample.hook["context"].items() if name != "draftOrders"}
    resources = [entry["resource"] for entry in sample.bundle["entry"]]
    failed = here.fire("patient-view", context, resources, failed="imaging")
    assert ("DA-01", "warning") in told(failed)
    assert "Answered before" not in text(failed)


def test_a_lesion_seen_at_operation_is_repeated_whatever_was_answered(tmp_path: Path) -> None:
    built = case("golden-20")
    with site(f"sqlite:///{tmp_path / 'v.db'}", today=built.today) as here:
        resources = [entry["resource"] for entry in built.bundle()["entry"]]
        hook = str(built.context["hook"])
        for _ in range(3):
            cards = here.fire(hook, dict(built.context["context"]), resources)
            assert told(cards)[0] == ("DA-04", "critical")
            here.override(cards[0], SIGN if hook == "order-sign" else REVIEW)


def test_what_cannot_be_decided_is_repeated_whatever_was_answered(here: Site) -> None:
    name = "report-silent"
    for card in here.call(name, "patient-view"):
        here.override(card)
    again = here.call(name, "patient-view")
    assert told(again)[0] == ("HN-03", "warning")
    here.override(again[0])
    assert told(here.call(name, "patient-view"))[0] == ("HN-03", "warning")


def test_the_switch_off_repeats_the_advice(url: str) -> None:
    with site(url) as here:
        server = here.server
        here.override(here.call(NAME, "patient-view")[0])
        assert told(here.call(NAME, "patient-view")) == []
    with site(url, remember_answers=False) as here:
        here.server = server
        assert told(here.call(NAME, "patient-view")) == [("DA-01", "warning")]
    with site(url) as here:
        here.server = server
        assert told(here.call(NAME, "patient-view")) == [], "the answers outlive a restart"


# ------------------------------------------------------------------------------------------------------- faults, scope
def test_a_store_that_fails_shows_the_advice_and_counts_an_alarm(alone: Site) -> None:
    alone.override(alone.call(NAME, "patient-view")[0])
    assert told(alone.call(NAME, "patient-view")) == []
    assert alone.alarms() == ""
    with sqlite3.connect(alone.url.removeprefix("sqlite:///")) as connection:
        connection.execute("ALTER TABLE sent_rule RENAME TO gone")
    connection.close()
    assert told(alone.call(NAME, "patient-view", recorded=False)) == [("DA-01", "warning")]
    assert 'vestige_alarms_total{kind="memory-unavailable"} 1' in alone.alarms()


def test_a_row_that_cannot_be_read_shows_the_advice_too(alone: Site) -> None:
    alone.override(alone.call(NAME, "patient-view")[0])
    with sqlite3.connect(alone.url.removeprefix("sqlite:///")) as connection:
        connection.execute("UPDATE feedback SET accepted = 'nonsense', at = 'never'")
    connection.close()
    assert told(alone.call(NAME, "patient-view")) == [("DA-01", "warning")]
    assert "memory-unavailable" in alone.alarms()


def test_another_fhir_server_is_another_patient(here: Site) -> None:
    one, other = "https://one.example/fhir", "https://other.example/fhir"
    here.override(here.call(NAME, "patient-view", fhirServer=one)[0])
    assert told(here.call(NAME, "patient-view", fhirServer=one + "/")) == []
    assert told(here.call(NAME, "patient-view", fhirServer=other)) == [("DA-01", "warning")]
    assert told(here.call(NAME, "patient-view", fhirServer=None)) == [("DA-01", "warning")]


def test_no_patient_is_named_in_the_database(here: Site) -> None:
    patient = samples.sample(NAME, TODAY).hook["context"]["patientId"]
    (card, *_) = here.call(NAME, "patient-view")
    here.override(card)
    here.call(NAME, "patient-view")
    held = bytes_of(here)
    assert card["uuid"].encode() in held
    assert patient.encode() not in held
    assert b"lesion-l1" not in held


def test_the_whole_way_on_postgresql() -> None:
    with postgresql.running() as url, site(url) as here:
        (card, *_) = here.call(NAME, "patient-view")
        here.override(card)
        assert told(here.call(NAME, "patient-view")) == []
        assert [len(one.answers) for one in here.records()] == [0, 1]
        assert here.alarms() == ""
