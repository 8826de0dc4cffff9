"""Feedback on cards: what clients send, checked and made one shape (CDS Hooks 2.0.1, "Feedback")."""

from __future__ import annotations

import re
from collections.abc import Mapping
from datetime import UTC, datetime
from typing import Any

from cds_hooks.trust.caller import Caller
from cds_hooks.wire import parse
from plugin.errors import CallError
from plugin.rows import FeedbackItem

OUTCOMES = ("accepted", "overridden")
MAX_ITEMS = 1000
MAX_TEXT = 4000
_UUID = re.compile(r"[0-9a-fA-F]{8}-([0-9a-fA-F]{4}-){3}[0-9a-fA-F]{12}")
_CONTROLS = re.compile(r"[\x00-\x08\x0b\x0c\x0e-\x1f\x7f]")
_RFC3339 = re.compile(r"\d{4}-\d\d-\d\d[Tt]\d\d:\d\d:\d\d(\.\d{1,9})?([Zz]|[+-]\d\d:\d\d)", re.ASCII)
EPIC_REASON = "com.epic.cdshooks.feedback.overrideReason."


def read_feedback(body: bytes, *, service: str, caller: Caller, comments: bool) -> list[FeedbackItem]:
    """Returns the items of a feedback body; raises CallError (400) naming the first member at fault.

    All or nothing: one unusable item refuses the whole body, so a client may send it again unchanged.
    User comments are free text and are dropped unless `comments` is true.
    """
    request = parse(body)
    items = request.get("feedback") if isinstance(request, dict) else None
    if not isinstance(items, list) or not items:
        raise CallError("feedback must be a list with at least one item.", code="required")
    if len(items) > MAX_ITEMS:
        raise CallError(f"feedback holds more than {MAX_ITEMS} items; send them in parts.", code="too-long")
    return [_item(item, f"feedback[{place}]", service, caller, comments) for place, item in enumerate(items)]


def _item(item: Any, where: str, service: str, caller: Caller, comments: bool) -> FeedbackItem:
    if not isinstance(item, dict):
        raise CallError(f"{where} must be an object.", code="structure")
    outcome = _text(item, "outcome", where)
    if outcome not in OUTCOMES:
        raise CallError(f"{where}.outcome must be accepted or overridden.", code="value")
    reason = _reason(item, where)
    coding = _member(reason, "reason", f"{where}.overrideReason")
    epic = {**_epic(item), **_epic(reason)}
    comment = reason.get("userComment")
    if comment is not None and not isinstance(comment, str):
        raise CallError(f"{where}.overrideReason.userComment must be text.", code="value")
    words = _cut(comment)
    return FeedbackItem(
        service=service,
        card=_id(_text(item, "card", where), f"{where}.card"),
        outcome=outcome,
        at=_timestamp(item, where),
        accepted=_accepted(item, where) if outcome == "accepted" else (),
        reason_system=_cut(coding.get("system")),
        reason_code=_cut(coding.get("code")) or _cut(epic.get("reasonCategory")),
        reason_display=_cut(coding.get("display"))
        or _cut(epic.get("reasonDisplay"))
        or _cut(epic.get("reasonTitle")),
        comment=words if comments else None,
        commented=words is not None and bool(words.strip()),
        client=caller.issuer,
        tenant=caller.tenant,
    )


def _accepted(item: Mapping[str, Any], where: str) -> tuple[str, ...]:
    suggestions = item.get("acceptedSuggestions")
    if not isinstance(suggestions, list) or not suggestions:
        raise CallError(f"{where}.acceptedSuggestions is missing: accepted requires it.", code="required")
    names = [one.get("id") if isinstance(one, dict) else None for one in suggestions]
    if not all(isinstance(name, str) and name for name in names):
        raise CallError(f"{where}.acceptedSuggestions[].id must be text.", code="value")
    return tuple(_id(str(name)[:MAX_TEXT], f"{where}.acceptedSuggestions[].id") for name in names)


def _id(text: str, where: str) -> str:
    """Returns an id as it came, a UUID in the small letters we made it in: some clients send capitals."""
    if _CONTROLS.search(text):
        raise CallError(f"{where} holds control characters.", code="value")
    return text.lower() if _UUID.fullmatch(text) else text


def _reason(item: Mapping[str, Any], where: str) -> Mapping[str, Any]:
    """`overrideReason`; Epic's published sample names it `overrideReasons`, of which the first one counts."""
    name = "overrideReason" if "overrideReason" in item else "overrideReasons"
    several = item.get(name)
    if name == "overrideReasons" and isinstance(several, list):
        return _member({name: next(iter(several), None)}, name, where)
    return _member(item, name, where)


def _epic(holder: Mapping[str, Any]) -> Mapping[str, Any]:
    """Epic's reason, in an extension of the item or of its `overrideReasons`."""
    extension = holder.get("extension")
    if not isinstance(extension, dict):
        return {}
    return {key.removeprefix(EPIC_REASON): value for key, value in extension.items()}


def _member(parent: Mapping[str, Any], name: str, where: str) -> Mapping[str, Any]:
    value = parent.get(name)
    if value is None:
        return {}
    if not isinstance(value, dict):
        raise CallError(f"{where}.{name} must be an object.", code="value")
    return value


def _text(item: Mapping[str, Any], name: str, where: str) -> str:
    value = item.get(name)
    if value is None or value == "":
        raise CallError(f"{where}.{name} is missing.", code="required")
    if not isinstance(value, str) or len(value) > MAX_TEXT:
        raise CallError(f"{where}.{name} must be text of at most {MAX_TEXT} characters.", code="value")
    return value


def _timestamp(item: Mapping[str, Any], where: str) -> datetime:
    text = _text(item, "outcomeTimestamp", where)
    refusal = CallError(
        f"{where}.outcomeTimestamp must be an RFC 3339 date and time with a zone.", code="value"
    )
    if not _RFC3339.fullmatch(text):
        raise refusal
    try:
        return datetime.fromisoformat(text.upper()).astimezone(UTC)
    except (ValueError, OverflowError):
        raise refusal from None


def _cut(value: Any) -> str | None:
    """Returns a text that is stored, without control characters, which a database may refuse."""
    return _CONTROLS.sub("", value)[:MAX_TEXT] or None if isinstance(value, str) else None
