"""JSON in and out, away from HTTP."""

import json

import pytest
from hypothesis import given
from hypothesis import strategies as st

from cds_hooks.wire import MAX_DEPTH, parse, render
from plugin.errors import CallError

JSON = st.recursive(
    st.none()
    | st.booleans()
    | st.integers(-(2**53), 2**53)
    | st.floats(allow_nan=False, allow_infinity=False)
    | st.text(st.characters(codec="utf-8")),
    lambda inner: (
        st.lists(inner, max_size=4)
        | st.dictionaries(st.text(st.characters(codec="utf-8"), max_size=5), inner, max_size=4)
    ),
    max_leaves=30,
)


@given(JSON, st.booleans(), st.sampled_from([None, 1]))
def test_valid_json_is_read_as_it_is(value: object, escaped: bool, indent: int | None) -> None:
    assert parse(json.dumps(value, ensure_ascii=escaped, indent=indent).encode()) == value


@given(st.binary(max_size=60) | st.text(alphabet='{}[]":,\\ a1', max_size=60).map(str.encode))
def test_anything_else_is_a_call_error(body: bytes) -> None:
    try:
        expected = json.loads(body.decode(), parse_constant=lambda _: 1 / 0, object_pairs_hook=once)
    except (ValueError, ZeroDivisionError):
        with pytest.raises(CallError):
            parse(body)
    else:
        assert parse(body) == expected


def once(pairs: list[tuple[str, object]]) -> dict[str, object]:
    if len(dict(pairs)) != len(pairs):
        raise ValueError("twice")
    return dict(pairs)


@pytest.mark.parametrize("inside", ["1", '"a"', "[]", "{}", "[[]]", '"\\n      "'])
@pytest.mark.parametrize("brackets", [("[", "]"), ('{"a":', "}"), ('{"b":[],"a":[1,', "]}")])
def test_depth_is_counted_to_the_level(brackets: tuple[str, str], inside: str) -> None:
    opening, closing = brackets
    levels = opening.count("{") + opening.count("[") - opening.count("[]")
    most = (MAX_DEPTH - (inside.count("[") + inside.count("{"))) // levels
    for deep in (most, most + 1):
        found = f"{opening * deep}{inside}{closing * deep}".encode()
        if deep * levels + inside.count("[") + inside.count("{") <= MAX_DEPTH:
            assert parse(found)
        else:
            with pytest.raises(CallError, match="deeper than 64"):
                parse(found)


@pytest.mark.parametrize("brackets", [("[", "]"), ('{"a":', "}")])
def test_depth(brackets: tuple[str, str]) -> None:
    opening, closing = brackets
    inside = "1"
    assert parse((opening * MAX_DEPTH + inside + closing * MAX_DEPTH).encode())
    for deep in (MAX_DEPTH + 1, 500, 20_000):
        with pytest.raises(CallError):
            parse((opening * deep + inside + closing * deep).encode())
        with pytest.raises(CallError):
            parse((opening * deep).encode())


def test_brackets_and_colons_in_text_count_for_nothing() -> None:
    value = {"a": "[" * 500, "b": '{"a":1,"a":2}', "c:d": ["\\", '\\"', ":::"]}
    assert parse(json.dumps(value).encode()) == value


def test_no_word_of_the_body_is_repeated() -> None:
    for body in (b'{"zzsecretzz": nope}', b'{"zzsecretzz": 1, "zzsecretzz": 2}', b"zzsecretzz"):
        with pytest.raises(CallError) as caught:
            parse(body)
        assert "zzsecretzz" not in str(caught.value)


def test_render_leaves_out_what_is_empty() -> None:
    document = {
        "cards": [],
        "systemActions": None,
        "x": {"y": "", "z": [None, {}]},
        "kept": {"zero": 0, "no": False},
    }
    assert json.loads(render(document)) == {"cards": [], "kept": {"zero": 0, "no": False}}
