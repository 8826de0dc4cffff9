"""A second language: its texts fit, say the same things, fall back to English, and hold no key that English lacks."""

from __future__ import annotations

import re
import shutil
import string
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import msgspec
import pytest
import yaml

from plugin.advice import advise
from plugin.advice.markdown import LIMIT, units
from plugin.advice.text import merged, texts_of, unknown_keys
from plugin.errors import SettingsError
from plugin.settings import Cards, Settings
from rules.language import load_pack
from tests.plugin.advising import decided, fact, lesion
from tests.rules.crlm.test_advice_texts import SLOTS, strings

PACK = load_pack()
FOLDER = PACK.folder / "text"
LANGUAGES = sorted(file.stem for file in FOLDER.glob("*.yaml"))
LONGEST = {
    "en": SLOTS,
    "de": {
        **SLOTS,
        "date": "bis 2026-10-01",
        "study": "eingeschr. MRT 2026-10-01",
        "basis": "mehrere schwache Befunde",
        "waiting": "Watch-and-wait",
        "waiting_in": "Watch-and-wait",
        "review": "vor der Anordnung prüfen",
        "exclusion": "Ablehnung durch den Patienten",
        "disposition_reason": "Erkrankung außerhalb der Leber",
        "biopsy": "2026-10-01",
        "seen": "Sonographie 2026-10-01",
        "unseen": "Sonographie 2026-10-01",
        "sources": "99 Quellen",
    },
}
"""The longest values that fill the texts of a language."""


def document(language: str) -> dict[str, Any]:
    found: dict[str, Any] = yaml.safe_load((FOLDER / f"{language}.yaml").read_text(encoding="utf-8"))
    return found


def summaries(language: str) -> Iterator[tuple[str, str]]:
    for path, text in strings(document(language)):
        if "/summary" in path:
            yield path, text


def slots(text: str) -> set[str]:
    return {name for _, name, _, _ in string.Formatter().parse(text) if name}


ALL = [(language, path, text) for language in LANGUAGES for path, text in summaries(language)]


def test_there_are_two_languages_with_their_longest_values() -> None:
    assert LANGUAGES == ["de", "en"]
    assert set(LONGEST) == set(LANGUAGES)


@pytest.mark.parametrize(("language", "path", "text"), ALL, ids=lambda value: str(value)[:60])
def test_a_summary_fits(language: str, path: str, text: str) -> None:
    values = LONGEST[language]
    for given in ({**values, "lesions": "segment8"}, {**values, "segment": ""}):
        filled = text.format_map(given)
        assert units(filled) <= LIMIT, (units(filled), filled)
        assert filled.endswith(".")
        assert not re.search(r"[*_`\[\]<>|\n]", filled)


@pytest.mark.parametrize("language", LANGUAGES)
def test_a_translation_fills_the_slots_that_english_fills(language: str) -> None:
    """A text must not leave out the lesions, the date or the study that the English one names."""
    english = dict(strings(document("en")))
    for path, text in summaries(language):
        assert slots(text) == slots(english[path]), path


@pytest.mark.parametrize("language", [one for one in LANGUAGES if one != "en"])
def test_every_summary_and_every_status_is_translated(language: str) -> None:
    own, english = dict(strings(document(language))), dict(strings(document("en")))
    wanted = [path for path in english if "/summary" in path]
    wanted += [path for path in english if path.split("/")[1] in ("status", "reason", "visibility", "class")]
    assert [path for path in wanted if path not in own] == []


def test_english_stands_where_a_language_has_nothing() -> None:
    german, english = texts_of(PACK.folder, "de"), texts_of(PACK.folder, "en")
    assert german.rule("DA-09", None, "why") == english.rule("DA-09", None, "why")
    assert german.rule("DA-09", None, "summary") != english.rule("DA-09", None, "summary")
    assert german.evidence("E05") == english.evidence("E05")


@pytest.mark.parametrize(
    ("change", "words"),
    [
        ({"statuss": {}}, ["de.yaml", "statuss", "did you mean 'status'?"]),
        ({"status": {"VISIBEL": "x"}}, ["status.VISIBEL", "did you mean 'VISIBLE'?"]),
        ({"rules": {"DA-99": {"summary": "x"}}}, ["rules.DA-99"]),
        ({"rules": {"DA-10": {"cases": {"undecide": {"summary": "x"}}}}}, ["undecide", "'undecided'"]),
        ({"rules": {"DA-10": {"summary": {"one": "x"}}}}, ["rules.DA-10.summary"]),
        ({"status": "sichtbar"}, ["status"]),
    ],
)
def test_a_key_that_english_lacks_is_refused(
    tmp_path: Path, change: dict[str, Any], words: list[str]
) -> None:
    folder = tmp_path / "pack"
    shutil.copytree(FOLDER, folder / "text")
    changed = merged(document("de"), change)
    (folder / "text" / "de.yaml").write_text(yaml.safe_dump(changed, allow_unicode=True), encoding="utf-8")
    with pytest.raises(SettingsError) as refused:
        texts_of(folder, "de")
    assert all(word in str(refused.value) for word in words), str(refused.value)


def test_a_language_without_a_file_is_refused_with_those_there_are() -> None:
    with pytest.raises(SettingsError, match="de, en"):
        texts_of(PACK.folder, "fr")


def test_english_has_no_unknown_key_in_itself() -> None:
    assert list(unknown_keys(document("en"), document("en"))) == []


WATCHED = {"disposition": "watch-and-wait", "dispositionLevel": "lesion"}


def test_a_card_in_german() -> None:
    made = decided(lesion("L3", "APPARENT_DLM", **{"class": "CT"}, **WATCHED))
    settings = msgspec.structs.replace(Settings(), cards=Cards(language="de"))
    (card,) = advise(made, "order-sign", settings=settings, language="de")
    assert card.summary == (
        "Watch-and-wait stützt sich nur auf CT: L3; vor dieser Entscheidung hepatobiliäres MRT."
    )
    assert "nicht abgrenzbar, unbestätigt; Watch-and-wait" in card.detail
    assert "**Dafür**" in card.detail
    assert "(Benoist 2006)" in card.detail, "the sources stay in English"
    assert card.suggestions[0].label == "Hepatobiliäres Leber-MRT mit Diffusion anfordern"
    assert card.override_reasons[0].display == "Anderswo dokumentiert"


def test_the_language_changes_words_and_nothing_else() -> None:
    made = decided(
        lesion("L1", "CONFIRMED_DLM", **WATCHED),
        lesion("L2", "CANNOT_DECIDE", reason="quality"),
        fact("therapy", known="yes", nextOrdered="yes", cycles=7),
    )
    english, german = (advise(made, "order-sign", settings=Settings(), language=one) for one in ("en", "de"))
    assert [(one.family, one.indicator, one.rules, one.subjects) for one in english] == [
        (one.family, one.indicator, one.rules, one.subjects) for one in german
    ]
