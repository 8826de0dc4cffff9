"""The nine sample patients on the page: what it shows is what their documents say."""

from collections.abc import Callable
from typing import Any

import pytest

from fhir_profiles import samples
from tests.cds_hooks.timeline_page.stub import Says

Opened = Callable[..., Any]
Documents = dict[str, dict[str, Any]]


@pytest.mark.parametrize("name", samples.names())
def test_the_page_shows_what_the_document_says(
    opened: Opened, sample_documents: Documents, name: str
) -> None:
    made = sample_documents[name]
    page = opened(Says(document=made))
    assert page.locator("h1").inner_text() == made["patient"]["display"]
    rows = page.locator(".matrix tbody tr")
    assert rows.count() == len(made["lesions"])
    for place, lesion in enumerate(made["lesions"]):
        row = rows.nth(place)
        assert row.locator("th b").inner_text() == lesion["label"]
        assert row.locator("td.status").inner_text() == lesion["statusText"]
        sizes = row.locator("td.cell").all_inner_texts()
        said = [lesion["cells"][study["id"]] for study in made["studies"]]
        assert len(sizes) == len(said)
        for text, cell in zip(sizes, said, strict=True):
            assert (cell["mm"] is None) or (f"{cell['mm']:g} mm" in text)
        assert row.locator("td.advice li").count() == len(lesion["openAdvice"])
    assert page.locator(".card h3").all_inner_texts() == [one["card"]["summary"] for one in made["cards"]]
    assert page.locator(".theatre > li").count() == len(made["theatre"])
    drawn = page.locator(".liver g.lesion").count()
    placed = [one for one in made["lesions"] if one["segment"] or one["segments"]]
    assert drawn == len(placed)


def test_no_sample_is_shown_as_an_all_clear(opened: Opened, sample_documents: Documents) -> None:
    quiet = sample_documents["nothing-to-say"]
    page = opened(Says(document=quiet))
    assert "That is not an all-clear" in page.locator("#cards").inner_text() or quiet["cards"]
    assert "all clear" not in page.locator("main").inner_text().lower()
