"""Work done once is the work done each time: places, slots and clean texts against their plain formulations."""

import unicodedata

from hypothesis import given, settings
from hypothesis import strategies as st

from plugin.advice import shown
from plugin.advice.markdown import clean, escape, units
from plugin.advice.placing import placed
from plugin.advice.slots import Filler, Slots, fill
from plugin.advice.text import texts_of
from plugin.once import Once
from tests.plugin.advising import decided, fact, lesion, pack

TEXTS = st.text(st.characters(codec="utf-8"), max_size=60) | st.text(max_size=30)


class Thing(Once):
    """Anything that never changes."""


def test_work_is_done_once_for_each_key_and_object() -> None:
    calls: list[str] = []

    def work(name: str) -> str:
        calls.append(name)
        return name

    one, other = Thing(), Thing()
    assert [one.once("a", lambda: work("a1")), one.once("a", lambda: work("a2"))] == ["a1", "a1"]
    assert one.once("b", lambda: work("b1")) == "b1"
    assert other.once("a", lambda: work("a3")) == "a3"
    assert calls == ["a1", "b1", "a3"]


def test_nothing_found_is_kept_too() -> None:
    thing = Thing()
    assert thing.once("none", lambda: None) is None
    assert thing.once("none", lambda: 1 / 0) is None


def test_places_are_those_of_the_hook_that_is_asked_for() -> None:
    decision = decided(lesion("L1", "CONFIRMED_DLM", reason="none"), fact("operation", day=None))
    hooks = ("patient-view", "order-sign", "patient-view")
    found = [shown(decision, hook) for hook in hooks]
    assert found[0] is found[2]
    for hook, here in zip(hooks, found, strict=True):
        fresh = decided(lesion("L1", "CONFIRMED_DLM", reason="none"), fact("operation", day=None))
        assert [(one.finding.rule, one.shown) for one in placed(fresh, hook)] == [
            (one.finding.rule, one.shown) for one in here
        ]


@settings(max_examples=100, deadline=None)
@given(
    st.lists(st.dictionaries(st.sampled_from("abcd"), st.sampled_from(["x", "y", "z"])), max_size=4),
    st.lists(st.sampled_from("abcde"), min_size=1, max_size=6),
)
def test_slots_say_what_the_first_source_says(sources: list[dict[str, str]], names: list[str]) -> None:
    slots = Slots([lambda source=source: source for source in sources], "?")
    known = {name: value for source in reversed(sources) for name, value in source.items()}
    for _ in range(2):
        assert fill(" ".join(f"{{{name}}}" for name in names), slots) == " ".join(
            known.get(name, "?") for name in names
        )


def test_a_set_slot_stands_before_every_source() -> None:
    slots = Slots([lambda: {"a": "source"}], "?")
    slots["a"] = "set"
    assert fill("{a} {b}", slots) == "set ?"


def test_texts_about_other_findings_are_filled_anew() -> None:
    texts = texts_of(pack().folder, "en")
    decision = decided(lesion("L1", "APPARENT_DLM"), lesion("L2", "APPARENT_DLM"))
    filler = Filler(decision, texts, "patient-view", short=False)
    findings = [one for one in decision.active if one.subject in ("L1", "L2")]
    assert {one.subject for one in findings} == {"L1", "L2"}
    for one in (*findings, *findings):
        fresh = Filler(decision, texts, "patient-view", short=False)
        assert filler.text("{lesions} {study}", [one]) == fresh.text("{lesions} {study}", [one])
        assert filler.text("{lesions}", [one]) == one.subject


@settings(max_examples=100, deadline=None)
@given(TEXTS)
def test_clean_is_as_written_out(text: str) -> None:
    kept = "".join(
        " " if unicodedata.category(letter) in {"Cc", "Zl", "Zp", "Zs"} else letter
        for letter in text
        if unicodedata.category(letter) not in {"Cf", "Cs", "Co", "Cn"}
    )
    assert clean(text) == " ".join(kept.split())
    assert units(text) == len(text.encode("utf-16-le", "surrogatepass")) // 2


@settings(max_examples=100, deadline=None)
@given(st.text(st.sampled_from("aL2 <>&*_|`#.\\[]()"), max_size=30))
def test_escaping_is_as_written_out(text: str) -> None:
    safe = clean(text)
    for letter, name in (("&", "&amp;"), ("<", "&lt;"), (">", "&gt;")):
        safe = safe.replace(letter, name)
    special = "\\`*_{}[]()#+!|~:@$^=.-"
    assert escape(text) == "".join(f"\\{one}" if one in special else one for one in safe)
