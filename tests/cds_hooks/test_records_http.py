"""When an answer is recorded: before it leaves, or as late where its deadline passed; and what a failure does."""

import threading
import time
from dataclasses import dataclass, field

import msgspec
import pytest
import requests

from cds_hooks.answer import Answer, Sent
from cds_hooks.app import create_app
from cds_hooks.call import HookCall
from cds_hooks.desk import Turn
from cds_hooks.trust import Caller
from plugin.errors import StoreError
from plugin.settings import Settings, Store
from tests.cds_hooks.serving import Said, advice, body, open_settings, post, served

REVIEW = "/cds-services/crlm-lesion-review"


@dataclass
class Recorded(Said):
    """Tells whether a call was recorded as answered or as late, and can take its time for it."""

    outcomes: list[str] = field(default_factory=list)
    recording_seconds: float = 0.0

    def __call__(self, call: HookCall, caller: Caller) -> Answer:
        made = super().__call__(call, caller)
        return Answer(advices=made.advices, record=self.keep, late=lambda: self.outcomes.append("late"))

    def keep(self, cards: tuple[Sent, ...]) -> None:
        self.record(cards)
        time.sleep(self.recording_seconds)
        self.outcomes.append("answered")


def refusing() -> Settings:
    return msgspec.structs.replace(open_settings(), store=Store(on_failure="refuse"))


def until_outcomes(said: Recorded, count: int) -> None:
    end = time.monotonic() + 60
    while len(said.outcomes) < count:
        assert time.monotonic() < end, "the call was not recorded"
        time.sleep(0.01)


def test_an_answer_is_recorded_before_it_leaves() -> None:
    said = Recorded(advices=(advice(),), recording_seconds=0.3)
    with served(create_app(open_settings(hook_deadline=60), said)) as base:
        assert post(base + REVIEW, body()).status_code == 200
        assert said.outcomes == ["answered"]


def test_an_answer_that_comes_too_late_is_recorded_as_late() -> None:
    said = Recorded(advices=(advice(),), seconds=1.0)
    with served(create_app(open_settings(hook_deadline=0.2), said)) as base:
        (card,) = post(base + REVIEW, body()).json()["cards"]
        assert "ultrasound" not in card["summary"]
        until_outcomes(said, 1)
    assert said.outcomes == ["late"]
    assert said.recorded == []


def test_an_answer_that_is_being_recorded_at_its_deadline_is_given() -> None:
    said = Recorded(advices=(advice(),), recording_seconds=0.6)
    with served(create_app(open_settings(hook_deadline=0.3), said)) as base:
        (card,) = post(base + REVIEW, body()).json()["cards"]
    if said.outcomes == ["answered"]:
        assert card["summary"] == advice().summary
    else:
        # On a machine that had no time for the call at all it is late, and says so on both sides.
        assert said.outcomes == ["late"]
        assert card["summary"] != advice().summary


def test_a_record_that_cannot_be_kept_refuses_the_call_where_the_site_says_so() -> None:
    said = Recorded(advices=(advice(),), store_error=StoreError("the disk is full"))
    with served(create_app(refusing(), said)) as base:
        answer = post(base + REVIEW, body())
        assert answer.status_code == 503
        assert answer.json()["resourceType"] == "OperationOutcome"
        counts = requests.get(f"{base}/metrics", timeout=60).text
    assert "vestige_records_lost_total 1.0" in counts
    assert 'vestige_calls_total{service="crlm-lesion-review",status="503"} 1.0' in counts
    assert 'vestige_calls_total{service="crlm-lesion-review",status="200"}' not in counts


def test_only_one_takes_the_turn() -> None:
    for _ in range(20):
        turn, taken = Turn(), list[bool]()
        threads = [threading.Thread(target=lambda turn=turn: taken.append(turn.take())) for _ in range(4)]
        for thread in threads:
            thread.start()
        for thread in threads:
            thread.join()
        assert sorted(taken) == [False, False, False, True]


@pytest.mark.parametrize("policy", ["spool", "refuse"])
def test_the_policy_is_a_setting(policy: str) -> None:
    assert msgspec.convert({"on_failure": policy}, Store).on_failure == policy
    with pytest.raises(msgspec.ValidationError):
        msgspec.convert({"on_failure": "forget"}, Store)
