"""The decision record: what was read, what was decided with which rules, and what was shown.

It is pseudonymous: patient, resources and lesions appear as keyed digests, so that who holds the site's key
and the chart can prove what a decision rested on, and nobody else can read the chart from it.
"""

from __future__ import annotations

import hmac
from collections.abc import Iterable, Mapping, Sequence
from datetime import UTC, date, datetime
from typing import Any
from uuid import uuid4

import msgspec

from plugin.chart import Chart
from plugin.sent import SentCard
from plugin.version import VERSION

SETTINGS = "settings"
"""What stands in the place of a service in the record of a change of settings, which is about no patient."""


class ReadResource(msgspec.Struct, frozen=True, kw_only=True):
    """One resource that was read: its type, its pseudonym, its version, and a keyed digest of its content."""

    type: str
    pseudonym: str
    digest: str
    version: str | None = None
    draft: bool = False


class RecordedGap(msgspec.Struct, frozen=True, kw_only=True):
    """One thing that was not read."""

    resource: str
    reason: str
    decisive: bool
    query: str | None = None


class RecordedFinding(msgspec.Struct, frozen=True, kw_only=True):
    """One finding: rule, conclusion, how it was shown, what held it back, and the pseudonym of its lesion."""

    rule: str
    conclusion: str | None = None
    indicator: str | None = None
    shown: str | None = None
    subject: str | None = None
    hidden_by: str | None = None


class RecordedAnswer(msgspec.Struct, frozen=True, kw_only=True):
    """One earlier answer that held: why the message of `rule` stepped back; `card` is what was answered."""

    rule: str
    card: str
    digest: str
    outcome: str
    reason: str
    day: date


class Record(msgspec.Struct, frozen=True, kw_only=True):
    """One decision; times in milliseconds, moments in UTC."""

    id: str
    made: datetime
    service: str
    hook: str | None
    hook_instance: str | None
    client: str | None
    patient: str
    today: date
    code_version: str
    pack_revision: str
    parameters: dict[str, str]
    base: str | None
    reads: dict[str, str]
    resources: tuple[ReadResource, ...]
    gaps: tuple[RecordedGap, ...]
    findings: tuple[RecordedFinding, ...]
    cards: tuple[str, ...]
    alarms: tuple[str, ...]
    milliseconds: dict[str, float]
    answers: tuple[RecordedAnswer, ...] = ()
    # `late`: the deadline had passed, and the answer said that nothing was assessed.
    outcome: str = "answered"
    # The rules that are not active, and a keyed digest of all settings: a change of either shows between two.
    states: dict[str, str] = {}
    settings: str = ""
    # Of a change of settings (`service` is then SETTINGS): the keys that changed, never their values.
    changed: tuple[str, ...] = ()
    # The id of the record whose decision was given again, since the same record was read on the same day.
    repeats: str | None = None


class Entry(msgspec.Struct, frozen=True, kw_only=True):
    """What is kept of one call: its record (None where none is wanted) and the cards that were sent."""

    record: Record | None = None
    sent: tuple[SentCard, ...] = ()


class Pseudonyms:
    """Makes the pseudonyms of one site under its key."""

    def __init__(self, key: bytes) -> None:
        self._key = key

    def of(self, kind: str, text: str) -> str:
        """Returns the pseudonym of an identifier; the kind keeps equal ids of two types apart."""
        return self._mac(f"{kind}\0{text}".encode())[:32]

    def content(self, resource: Mapping[str, Any]) -> str:
        """Returns the keyed digest of a resource, whatever the order of its members."""
        return self._mac(msgspec.json.encode(resource, order="sorted"))

    def _mac(self, message: bytes) -> str:
        return hmac.digest(self._key, message, "sha256").hex()


def record_of(
    chart: Chart,
    pseudonyms: Pseudonyms,
    *,
    service: str,
    today: date,
    pack_revision: str,
    parameters: Mapping[str, object],
    findings: Iterable[RecordedFinding],
    cards: Sequence[str],
    hook_instance: str | None = None,
    client: str | None = None,
    alarms: Sequence[str] = (),
    milliseconds: Mapping[str, float] | None = None,
    answers: Iterable[RecordedAnswer] = (),
    outcome: str = "answered",
    states: Mapping[str, str] | None = None,
    settings: str = "",
) -> Record:
    """Returns the record of one decision on a chart; subjects of findings are made pseudonyms here."""
    return Record(
        id=str(uuid4()),
        made=datetime.now(UTC),
        service=service,
        hook=chart.hook,
        hook_instance=hook_instance,
        client=client,
        patient=pseudonyms.of("Patient", chart.patient_id),
        today=today,
        code_version=VERSION,
        pack_revision=pack_revision,
        parameters={name: str(value) for name, value in sorted(parameters.items())},
        base=chart.base,
        reads={one.query: f"{one.source} {one.count}" for one in chart.reads},
        resources=(
            *(_resource(one, pseudonyms, draft=False) for one in chart.resources),
            *(_resource(one, pseudonyms, draft=True) for one in chart.drafts),
        ),
        gaps=tuple(
            RecordedGap(
                resource=one.resource, reason=one.reason.value, decisive=one.decisive, query=one.query
            )
            for one in chart.gaps
        ),
        findings=tuple(_finding(one, pseudonyms) for one in findings),
        cards=tuple(cards),
        alarms=tuple(alarms),
        milliseconds={**chart.milliseconds, **(milliseconds or {})},
        answers=tuple(answers),
        outcome=outcome,
        states=dict(states or {}),
        settings=settings,
    )


def repeated(record: Record) -> Record:
    """Returns the record of a decision given again: its own id and moment, and which record it repeats."""
    return msgspec.structs.replace(record, id=str(uuid4()), made=datetime.now(UTC), repeats=record.id)


def change_record(
    *,
    pack_revision: str,
    parameters: Mapping[str, object],
    states: Mapping[str, str],
    settings: str,
    today: date,
    outcome: str,
    changed: Sequence[str],
    alarms: Sequence[str] = (),
) -> Record:
    """Returns the record of a change of settings or rules: what is in force after it, and which keys."""
    return Record(
        id=str(uuid4()),
        made=datetime.now(UTC),
        service=SETTINGS,
        hook=None,
        hook_instance=None,
        client=None,
        patient="",
        today=today,
        code_version=VERSION,
        pack_revision=pack_revision,
        parameters={name: str(value) for name, value in sorted(parameters.items())},
        base=None,
        reads={},
        resources=(),
        gaps=(),
        findings=(),
        cards=(),
        alarms=tuple(alarms),
        milliseconds={},
        outcome=outcome,
        states=dict(states),
        settings=settings,
        changed=tuple(changed),
    )


def _resource(resource: Mapping[str, Any], pseudonyms: Pseudonyms, *, draft: bool) -> ReadResource:
    kind, own, meta = str(resource.get("resourceType")), resource.get("id"), resource.get("meta")
    version = meta.get("versionId") if isinstance(meta, dict) else None
    return ReadResource(
        type=kind,
        pseudonym=pseudonyms.of(kind, str(own)),
        digest=pseudonyms.content(resource),
        version=version if isinstance(version, str) else None,
        draft=draft,
    )


def _finding(finding: RecordedFinding, pseudonyms: Pseudonyms) -> RecordedFinding:
    if finding.subject is None:
        return finding
    return msgspec.structs.replace(finding, subject=pseudonyms.of("Lesion", finding.subject))
