"""Advice wrapped into CDS Hooks cards (2.0.1, "Card Attributes"): the protocol, and nothing clinical."""

from __future__ import annotations

import json
import re
from collections.abc import Callable, Mapping, Sequence
from typing import TYPE_CHECKING, Any
from uuid import uuid4

from cds_hooks.profiles import EPIC_DETAIL_TYPE, PROFILES, Profile

if TYPE_CHECKING:
    from plugin.decision import Advice, OverrideReason, Suggestion
    from plugin.settings import CardLink

CANONICAL = "https://vestige.example/fhir"
TOPICS = f"{CANONICAL}/CodeSystem/card-topic"
SOURCE_LABEL = "Vestige"
TIMELINE_LABEL = "Lesion timeline"
SUMMARY_LIMIT = 139
INDICATORS = ("info", "warning", "critical")
MAX_TOPIC = 100

_TAG = re.compile(r"<(?=[A-Za-z/!?])")
_CONTROLS = re.compile(r"[\x00-\x08\x0b\x0c\x0e-\x1f\x7f]")

NewUuid = Callable[[], str]


def new_uuid() -> str:
    """Returns a random UUID (RFC 4122, version 4) as text."""
    return str(uuid4())


def response(
    advices: Sequence[Advice],
    *,
    profile: Profile = PROFILES["generic"],
    source_url: str | None = None,
    links: Sequence[CardLink] = (),
    timeline: str | None = None,
    uuid: NewUuid = new_uuid,
) -> dict[str, Any]:
    """Returns the response body of a hook call: one card an advice, in the order given."""
    made = [
        card(one, profile=profile, source_url=source_url, links=links, timeline=timeline, uuid=uuid)
        for one in advices
    ]
    return {"cards": made}


def card(
    advice: Advice,
    *,
    profile: Profile = PROFILES["generic"],
    source_url: str | None = None,
    links: Sequence[CardLink] = (),
    timeline: str | None = None,
    uuid: NewUuid = new_uuid,
) -> dict[str, Any]:
    """Returns one card, as far as the client takes it in; raises ValueError where it cannot be one.

    `links` are the site's own, sent to the letter: no rule can make another, and none holds a patient's data.
    That to the launch address of the `timeline` page names the lesions beside the address, in `appContext`,
    where the client hands that on.
    """
    if advice.indicator not in INDICATORS:
        raise ValueError(f"advice {advice.topic}: indicator {advice.indicator!r} is none of {INDICATORS}")
    suggestions = [_suggestion(one, profile, uuid) for one in advice.suggestions if _taken(one, profile)]
    made: dict[str, Any] = {
        "uuid": uuid(),
        "summary": one_line(advice.summary),
        "detail": without_tags(advice.detail),
        "indicator": advice.indicator,
        "source": {"label": SOURCE_LABEL, "url": source_url, "topic": topic(advice)},
        "suggestions": suggestions,
        "overrideReasons": _reasons(advice.override_reasons),
        "links": [*_links(links, profile), *_timeline(timeline, advice, profile)],
    }
    if suggestions:
        made["selectionBehavior"] = profile.cards.selection_behavior
    if profile.cards.detail_type:
        made["extension"] = {EPIC_DETAIL_TYPE: profile.cards.detail_type}
    if not made["summary"]:
        raise ValueError(f"advice {advice.topic}: the summary is empty")
    return made


def late_card(seconds: float, *, source_url: str | None, uuid: NewUuid = new_uuid) -> dict[str, Any]:
    """Returns the card of a call whose deadline passed; silence would read as "nothing found"."""
    return {
        "uuid": uuid(),
        "summary": "Vestige could not assess this patient in time: no liver lesion was judged",
        "detail": (
            f"The answer was not complete after {seconds:g} seconds, so **nothing was assessed**. This card "
            "does not mean that lesions are absent or unchanged.\n\n"
            "- Open the chart again, or repeat the order, to ask once more.\n"
            "- If it happens again, tell the administrators of this service; its log holds the call."
        ),
        "indicator": "warning",
        "source": {
            "label": SOURCE_LABEL,
            "url": source_url,
            "topic": {"system": TOPICS, "code": "NotAssessedInTime", "display": "Not assessed in time"},
        },
    }


def topic(advice: Advice) -> dict[str, str]:
    """Returns the stable Coding by which a client remembers overrides; its code is alphanumeric."""
    code = "".join(letter for letter in advice.topic if letter.isascii() and letter.isalnum())[:MAX_TOPIC]
    if not code:
        raise ValueError(f"advice with rules {advice.rules}: topic {advice.topic!r} has no letter or digit")
    return {"system": TOPICS, "code": code, "display": ", ".join(advice.rules) or advice.family}


def one_line(summary: str) -> str:
    """Returns the summary on one line and below 140 UTF-16 units, the limit of `summary`."""
    text = " ".join(_CONTROLS.sub(" ", summary).split())
    if _utf16(text) <= SUMMARY_LIMIT:
        return text
    while _utf16(text) > SUMMARY_LIMIT - 1:
        text = text[:-1]
    return text.rstrip() + "…"


def without_tags(detail: str) -> str:
    """Returns the Markdown with every opening of an HTML tag disarmed, and without control characters.

    Texts are escaped where they are written; some clients render raw HTML, so nothing leaves unescaped.
    """
    return _TAG.sub("&lt;", _CONTROLS.sub("", detail))


def _taken(suggestion: Suggestion, profile: Profile) -> bool:
    """Whether the client makes a new order of this type from a suggestion."""
    types = profile.cards.action_resources
    return not types or suggestion.resource.get("resourceType") in types


def _resource(resource: Mapping[str, Any], profile: Profile) -> Mapping[str, Any]:
    """The draft with the codes first by which the client finds its own order."""
    systems = profile.orders.systems
    codings = resource.get("code", {}).get("coding", [])
    if not systems or not codings:
        return resource
    known = [one for system in systems for one in codings if one.get("system") == system]
    return {
        **resource,
        "code": {**resource["code"], "coding": [*known, *(one for one in codings if one not in known)]},
    }


def _links(links: Sequence[CardLink], profile: Profile) -> list[dict[str, str]]:
    return [
        {"label": link.label, "url": link.url, "type": link.type}
        for link in links
        if link.type in profile.cards.link_types
    ]


def _timeline(launch: str | None, advice: Advice, profile: Profile) -> list[dict[str, str]]:
    if launch is None or "smart" not in profile.cards.link_types:
        return []
    link = {"label": TIMELINE_LABEL, "url": launch, "type": "smart"}
    if profile.cards.app_context and advice.subjects:
        link["appContext"] = json.dumps({"lesions": list(advice.subjects)}, separators=(",", ":"))
    return [link]


def _suggestion(suggestion: Suggestion, profile: Profile, uuid: NewUuid) -> dict[str, Any]:
    made: dict[str, Any] = {
        "label": one_line(suggestion.label),
        "uuid": uuid(),
        "actions": [
            {
                "type": "create",
                "description": one_line(suggestion.description) or one_line(suggestion.label),
                "resource": _resource(suggestion.resource, profile),
            }
        ],
    }
    if suggestion.recommended:
        made["isRecommended"] = True
    return made


def _reasons(reasons: Sequence[OverrideReason]) -> list[Mapping[str, str]]:
    """One Coding a reason; a second (system, code) pair would be ambiguous to the client and is left out."""
    made: dict[tuple[str, str], Mapping[str, str]] = {}
    for reason in reasons:
        coding = {"system": reason.system, "code": reason.code, "display": reason.display}
        made.setdefault((reason.system, reason.code), coding)
    return list(made.values())


def _utf16(text: str) -> int:
    return len(text.encode("utf-16-le", "surrogatepass")) // 2
