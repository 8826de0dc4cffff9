"""The list of sites for the operating theatre: where every original lesion lay, and when it was last seen."""

from __future__ import annotations

from collections.abc import Iterator
from datetime import date

from plugin.advice.lesions import absent, concern
from plugin.advice.markdown import escape
from plugin.advice.slots import Filler
from plugin.advice.text import Texts
from plugin.advice.values import number
from plugin.decision import Decision

MOST = 20


def theatre_list(decision: Decision, texts: Texts) -> list[str]:
    """Returns one line for each original site that is not treated, most doubtful first; at most twenty.

    A resected site that pathology did not find in the specimen counts as one that is not treated.
    Label, segment, depth, size before treatment, last seen where and when, marker, and the status now.
    What is not on record is said to be so. The text is Markdown, as the note of an order is.
    """
    filler = Filler(decision, texts, "order-sign", short=False)
    lesions = [
        lesion.id
        for lesion in decision.lesions
        if (lesion.status != "TREATED" or decision.about("search_site", lesion.id))
        and decision.about("lesion", lesion.id).get("nature") != "benign"
    ]
    ordered = sorted(filler.ordered(lesions), key=lambda lesion: concern(decision, lesion))
    lines = ["; ".join(_site(decision, texts, filler, lesion)) for lesion in ordered[:MOST]]
    left = len(ordered) - MOST
    return lines if left <= 0 else [*lines, texts.words("more").format(count=left)]


def _site(decision: Decision, texts: Texts, filler: Filler, lesion: str) -> Iterator[str]:
    values, history = decision.about("lesion", lesion), decision.about("lesion_history", lesion)
    outcome = filler.outcomes[lesion]
    unknown = absent(decision, texts)
    yield f"{filler.label(lesion)}: {texts.words('segment').lower()} {outcome.segment or unknown}"
    depth = values.get("depthMm")
    yield texts.words("theatre_depth").format(depth=f"{number(depth)} mm" if depth is not None else unknown)
    before = history.get("baselineMm")
    if before is not None:
        yield texts.words("theatre_before").format(mm=number(before))
    day = history.get("lastSeenDay")
    if isinstance(day, date):
        mm = history.get("lastSeenMm")
        size = f"{number(mm)} mm, " if mm is not None else ""
        seen = f"{size}{filler.pair(history.get('lastSeenClass'), day)}"
        yield texts.words("theatre_seen").format(seen=seen)
    if values.get("marker") == "yes":
        moved = values.get("markerMigrated") == "yes"
        yield texts.words("theatre_moved" if moved else "theatre_marker")
    status = str(decision.about("status", lesion).get("value", outcome.status))
    yield escape(texts.word("status", status), limit=80)
    if status == "TREATED":
        yield texts.words("theatre_unfound")
