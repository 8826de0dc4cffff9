"""The status against the straight-line oracle, and the laws of the status."""

import random

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from rules.tables import run_tests
from tests.rules.crlm import generate, laws, oracle
from tests.rules.crlm.histories import History
from tests.rules.crlm.status_rules import HIGHEST_STRATUM, pack, rules

randoms = st.integers(min_value=0, max_value=2**48).map(random.Random)
SLOW = [HealthCheck.too_slow, HealthCheck.large_base_example]


def expected(history: History) -> dict[str, tuple[str, str]]:
    found = {lesion.id: oracle.status(history, lesion.id) for lesion in history.lesions}
    return {id_: (status.value, status.reason) for id_, status in found.items()}


@settings(max_examples=300, deadline=None, suppress_health_check=SLOW)
@given(randoms)
def test_rules_give_the_status_of_the_text(rng: random.Random) -> None:
    history = generate.history(rng)
    assert rules().statuses(history) == expected(history)


@settings(max_examples=1700, deadline=None, suppress_health_check=SLOW)
@given(randoms)
def test_second_evaluation_gives_the_status_of_the_text(rng: random.Random) -> None:
    history = generate.history(rng)
    assert rules("reference").statuses(history) == expected(history)


@settings(max_examples=100, deadline=None, suppress_health_check=SLOW)
@given(randoms)
def test_grades_are_those_of_the_text(rng: random.Random) -> None:
    history = generate.history(rng)
    assert rules("reference").grades(history) == oracle.grades(history)


@settings(max_examples=50, deadline=None, suppress_health_check=SLOW)
@given(randoms)
def test_order_never_matters(rng: random.Random) -> None:
    history = generate.history(rng)
    assert rules().statuses(laws.shuffled(history, rng)) == rules().statuses(history)


@settings(max_examples=60, deadline=None, suppress_health_check=SLOW)
@given(randoms)
def test_laws_hold(rng: random.Random) -> None:
    history = generate.history(rng)
    reference = rules("reference")
    assert laws.broken(history, reference.values, reference.grades, rng) is None


@settings(max_examples=300, deadline=None, suppress_health_check=SLOW)
@given(randoms)
def test_laws_hold_for_the_oracle(rng: random.Random) -> None:
    history = generate.history(rng)

    def decide(changed: History) -> dict[str, str]:
        return {id_: value for id_, (value, _) in expected(changed).items()}

    assert laws.broken(history, decide, oracle.grades, rng) is None


@pytest.mark.parametrize("id_", [s.id for s in pack().statements.values() if s.stratum <= HIGHEST_STRATUM])
def test_table(id_: str) -> None:
    results = run_tests(pack(), id_)
    assert results
    assert [f"{r.table} '{r.name}': {r.message}" for r in results if not r.passed] == []
