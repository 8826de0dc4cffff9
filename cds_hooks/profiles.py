"""What differs from client to client, as data; chosen per trusted issuer."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass


@dataclass(frozen=True, kw_only=True)
class Profile:
    """How one kind of CDS client wants its cards.

    `detail_type` fills Epic's card extension for the content type of `detail`; None leaves it out.
    """

    name: str
    selection_behavior: str = "any"
    detail_type: str | None = None


PROFILES: Mapping[str, Profile] = {
    profile.name: profile
    for profile in (
        Profile(name="generic"),
        Profile(name="epic", detail_type="text/markdown"),
        Profile(name="oracle"),
        Profile(name="sandbox"),
    )
}

EPIC_DETAIL_TYPE = "com.epic.cdshooks.card.detail.content-type"
