"""A few hundred damaged calls, records, files and rule packs, the same ones in each run; `make fuzz-input` runs more."""

from __future__ import annotations

import json
from typing import Any

import pytest

from plugin.decision import Decision
from tests.security import inputs
from tests.security.fuzz import TARGETS, run
from tests.security.mutate import VALUES, as_text, mutated, mutated_text

SEED = 20261122
EXECUTIONS = {"call": 300, "record": 120, "file": 100, "pack": 200}


@pytest.mark.parametrize("target", TARGETS)
def test_nothing_from_outside_raises_what_is_not_ours(target: str) -> None:
    assert run(target, EXECUTIONS[target], SEED) >= EXECUTIONS[target]


def test_what_is_not_damaged_is_decided() -> None:
    """The way that is fuzzed ends in a decision: nothing above passes for want of a readable record."""
    decisions = [inputs.take_record(as_text(one)) for one in inputs.calls()]
    assert all(decisions)
    assert sum(len(one.findings) for one in decisions if one) > 50
    assert inputs.take_pack(inputs.PACK)


def test_a_fault_would_be_found(monkeypatch: pytest.MonkeyPatch) -> None:
    def fails(body: bytes) -> None:
        assert b"5e-324" not in body

    monkeypatch.setattr(inputs, "take_call", fails)
    with pytest.raises(AssertionError):
        run("call", 3000, SEED)


@pytest.mark.parametrize("value", VALUES, ids=repr)
def test_each_value_in_each_place_of_a_short_call(value: Any) -> None:
    call = {**inputs.calls()[0], "prefetch": None}
    for place in call:
        inputs.take_call(as_text({**call, place: value}))
    for place in call["context"]:
        inputs.take_call(as_text({**call, "context": {**call["context"], place: value}}))
    for place in inputs.FEEDBACK["feedback"][0]:
        inputs.take_feedback(as_text({"feedback": [{**inputs.FEEDBACK["feedback"][0], place: value}]}))


def test_mutations_are_the_same_each_time() -> None:
    drawn = [(0, 77, 61), (3, 1234567, 9), (9, 5, 88)]
    call = inputs.calls()[0]
    assert mutated(call, drawn) == mutated(call, drawn) != call
    assert mutated_text(b"{}" * 50, drawn) == mutated_text(b"{}" * 50, drawn) != b"{}" * 50


@pytest.mark.parametrize("own", ["b" * 64, "b" * 200, "b" * 5000], ids=len)
def test_lesions_whose_long_ids_begin_alike_stay_two(own: str) -> None:
    """An id may have 64 characters; of longer ones the beginning was once taken for the whole."""
    for call in inputs.calls():
        text = json.dumps(call)
        names = [one["resource"]["id"] for one in call["prefetch"]["lesions"].get("entry", [])]
        for number, name in enumerate(names):
            text = text.replace(f"BodyStructure/{name}", f"BodyStructure/{own}{number}")
            text = text.replace(f'"id": "{name}"', f'"id": "{own}{number}"')
        plain, renamed = inputs.take_record(as_text(call)), inputs.take_record(text.encode())
        assert plain
        assert renamed
        assert statuses(plain) == statuses(renamed)


def statuses(decision: Decision) -> list[tuple[str, str]]:
    return sorted((one.label, one.status) for one in decision.lesions)
