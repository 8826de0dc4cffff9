"""However a server cuts an answer into pages, the answer is the same; a page that is lost is never forgotten."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any, cast

from hypothesis import given, settings
from hypothesis import strategies as st

from plugin.chart import GapReason
from plugin.errors import FhirError
from plugin.pull import search
from plugin.pull.client import Client
from plugin.pull.prefetch import Answer, State, judge
from plugin.pull.queries import BY_KEY
from plugin.settings import Fhir
from tests.plugin.fhir import PATIENT, observation, searchset

QUERY = BY_KEY["imaging"]


class Pages:
    """Stands in for the client: gives the pages of one search, and fails at one of them."""

    def __init__(self, sizes: list[int], fails_at: int | None, total: bool) -> None:
        self.limits = Fhir()
        self.fails_at = fails_at
        self.pages: list[dict[str, Any]] = []
        count = 0
        for number, size in enumerate(sizes):
            found = [observation(f"obs-{count + one}") for one in range(size)]
            count += size
            link = [{"relation": "next", "url": str(number + 1)}] if number + 1 < len(sizes) else []
            self.pages.append(searchset(*found, link=link, **({"total": sum(sizes)} if total else {})))

    def get(self, link: str) -> Mapping[str, Any]:
        number = int(link) if link.isdigit() else 0
        if number == self.fails_at:
            raise FhirError(GapReason.SERVER_ERROR, "HTTP 500")
        return self.pages[number]


def answered(pages: Pages) -> Answer:
    return search.answer(cast(Client, pages), QUERY, PATIENT)


SIZES = st.lists(st.integers(0, 4), min_size=1, max_size=6)


@settings(max_examples=60)
@given(sizes=SIZES, total=st.booleans())
def test_the_cut_into_pages_does_not_matter(sizes: list[int], total: bool) -> None:
    answer = answered(Pages(sizes, None, total))
    assert [one["id"] for one in answer.resources] == [f"obs-{number}" for number in range(sum(sizes))]
    assert answer.gaps == ()
    assert answer.state is (State.PRESENT if sum(sizes) else State.NONE)


@settings(max_examples=60)
@given(sizes=SIZES, total=st.booleans(), data=st.data())
def test_a_lost_page_is_never_forgotten(sizes: list[int], total: bool, data: st.DataObject) -> None:
    lost = data.draw(st.integers(0, len(sizes) - 1))
    answer = answered(Pages(sizes, lost, total))
    assert answer.state in (State.FAILED, State.INCOMPLETE)
    assert [gap.decisive for gap in answer.gaps] == [True]
    assert len(answer.resources) == sum(sizes[:lost])


@settings(max_examples=60)
@given(sizes=SIZES, total=st.booleans())
def test_a_prefetched_first_page_leads_to_the_same_answer(sizes: list[int], total: bool) -> None:
    pages = Pages(sizes, None, total)
    begun = judge(QUERY, {"imaging": pages.pages[0]}, PATIENT)
    if begun.next_url is None:
        finished = begun
    else:
        assert begun.state is State.INCOMPLETE
        finished = search.follow(cast(Client, pages), QUERY, begun)
    assert finished.resources == answered(pages).resources
    assert finished.gaps == ()
