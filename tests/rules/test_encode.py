"""Values as integers: exact, never rounded, bounded."""

from __future__ import annotations

import datetime
from decimal import Decimal

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from rules.engine.encode import LIMIT, Texts, bounded, decode_number, encode_value, millionths
from rules.engine.hashing import MAX_NUMBER, collision, fnv1a32, ids_are_distinct
from rules.errors import EngineFault, LimitExceeded
from rules.numbers import fits, tidy

exact = st.integers(-(10**15) + 1, 10**15 - 1).map(lambda n: Decimal(n).scaleb(-6))


@pytest.mark.parametrize(
    ("number", "encoded"),
    [
        (0, 0),
        (1, 1_000_000),
        (-3, -3_000_000),
        (Decimal("0.000001"), 1),
        (Decimal("-0.000001"), -1),
        (Decimal("0.1"), 100_000),
        (Decimal("1E+2"), 100_000_000),
        (Decimal("5.100000"), 5_100_000),
        (Decimal("999999999.999999"), 999_999_999_999_999),
        (10**9 - 1, 999_999_999_000_000),
    ],
)
def test_a_number_becomes_millionths(number: int | Decimal, encoded: int) -> None:
    assert millionths(number) == encoded


@pytest.mark.parametrize("number", [Decimal("0.0000001"), Decimal("1.0000005"), Decimal("1E-7")])
def test_rounding_is_refused(number: Decimal) -> None:
    with pytest.raises(LimitExceeded, match="more than six decimal places"):
        millionths(number)


@pytest.mark.parametrize("number", [LIMIT, -LIMIT, LIMIT + 1, 2**63])
def test_a_number_out_of_bounds_is_refused(number: int) -> None:
    with pytest.raises(LimitExceeded, match="too large"):
        bounded(number)
    assert bounded(LIMIT - 1) == LIMIT - 1
    assert bounded(1 - LIMIT) == 1 - LIMIT


@given(exact)
@settings(deadline=None)
def test_numbers_survive(number: Decimal) -> None:
    assert fits(number)
    assert decode_number(millionths(number), "decimal") == number


@given(st.decimals(allow_nan=True, allow_infinity=True))
@settings(deadline=None)
def test_what_fits_is_what_the_encoder_takes(number: Decimal) -> None:
    if not fits(number):
        return
    assert Decimal(millionths(number)).scaleb(-6) == number


@pytest.mark.parametrize(
    ("text", "fit"),
    [
        ("1", True),
        ("1.000000", True),
        ("1.0000000", True),
        ("0.0000010", True),
        ("0.0000001", False),
        ("1E-6", True),
        ("1E-7", False),
        ("999999999.999999", True),
        ("1000000000", False),
        ("-1000000000", False),
        ("1E+8", True),
        ("NaN", False),
        ("Infinity", False),
    ],
)
def test_fits(text: str, fit: bool) -> None:
    assert fits(Decimal(text)) is fit


@pytest.mark.parametrize(
    ("text", "plain"), [("5.10", "5.1"), ("1E+2", "100"), ("0.000", "0"), ("7", "7"), ("-0.50", "-0.5")]
)
def test_tidy(text: str, plain: str) -> None:
    assert str(tidy(Decimal(text))) == plain


def test_a_date_becomes_its_day_number() -> None:
    texts = Texts()
    first, second = datetime.date(2024, 2, 28), datetime.date(2024, 3, 1)
    assert encode_value("date", second, texts) - encode_value("date", first, texts) == 2
    assert encode_value("date", datetime.date.min, texts) == 1


def test_texts_are_numbered_by_their_full_content() -> None:
    base = Texts()
    assert [base[text] for text in ("a", "b", "a", "")] == [1, 2, 1, 3]
    own = Texts(base)
    long = "x" * 70_000
    words = ["b", "é", "e\u0301", "日本", long, long + "y", "5", "05", "Obs-162382", "Obs-379599"]
    numbers = [own[word] for word in words]
    assert numbers[0] == 2
    assert len(set(numbers)) == len(words)
    assert own.names[numbers[5]] == long + "y"
    assert "é" not in base, "an evaluation's texts do not stay"


@pytest.mark.parametrize(
    ("type_", "value"), [("int", "5"), ("date", "2024-01-01"), ("id", 5), ("decimal", 1.5), ("code", 1)]
)
def test_another_type_is_a_fault(type_: str, value: object) -> None:
    with pytest.raises(EngineFault):
        encode_value(type_, value, Texts())  # type: ignore[arg-type]


def test_a_part_of_a_whole_number_is_a_fault() -> None:
    with pytest.raises(EngineFault):
        decode_number(1_500_000, "int")
    assert decode_number(-2_000_000, "int") == -2


# ---------------------------------------------------------------- the engine's hash


def test_the_hash_is_the_engines() -> None:
    # Pairs that durable_rules takes for one name; the hash must find them.
    for first, second in [
        ("pat-4d58c2d3", "pat-5a1d94f3"),
        ("Obs-162382", "Obs-379599"),
        ("talzdl", "pcrcwx"),
    ]:
        assert fnv1a32(first) == fnv1a32(second)
        assert collision([first, "x", second]) == (first, second)
    assert collision(["a", "b", "a"]) is None
    assert fnv1a32("") == 0x811C9DC5
    assert fnv1a32("a") == 0xE40C292C


def test_numbers_of_facts_do_not_collide() -> None:
    assert ids_are_distinct()
    assert collision(str(n) for n in range(MAX_NUMBER + 2)) is None
