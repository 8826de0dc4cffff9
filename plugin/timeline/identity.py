"""Lesion identity with three values: same, different, unknown.

The ladder: DICOM tracking UID, then BodyStructure, then label and segment together, else unknown. Geometry
never decides, and a different UID alone does not prove a different lesion.
"""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterable
from dataclasses import dataclass, field
from enum import StrEnum

from fhir_profiles.records import LesionRecord, LesionRef
from plugin.timeline.segments import WHOLE as _WHOLE
from plugin.timeline.segments import overlap

_LABEL_LENGTH = 120


class Identity(StrEnum):
    """Whether a reference means a tracked liver lesion, certainly another structure, or cannot be said."""

    SAME = "same"
    DIFFERENT = "different"
    UNKNOWN = "unknown"


@dataclass(frozen=True, slots=True)
class Match:
    """The answer for one reference: the lesion's id only when the identity is the same."""

    identity: Identity
    lesion: str | None = None


_UNKNOWN = Match(Identity.UNKNOWN)
_DIFFERENT = Match(Identity.DIFFERENT)


@dataclass(slots=True, eq=False)
class Entry:
    """One lesion while it is being put together: its BodyStructures, UIDs, labels and segments."""

    bodies: set[str] = field(default_factory=set)
    uids: set[str] = field(default_factory=set)
    labels: dict[str, str] = field(default_factory=dict)
    segments: set[str] = field(default_factory=set)
    records: list[LesionRecord] = field(default_factory=list)
    liver: bool | None = None
    tainted: bool = False

    @property
    def id(self) -> str:
        """The smallest BodyStructure reference; else the smallest tracking UID; else label and segment."""
        if self.bodies:
            return min(self.bodies)
        if self.uids:
            return f"uid:{min(self.uids)}"
        return f"label:{min(self.labels)}/{min(self.segments, default=_WHOLE)}"

    @property
    def label(self) -> str:
        """The shortest label on record, else the last part of the id."""
        if self.labels:
            return min(self.labels.values(), key=lambda text: (len(text), text))[:_LABEL_LENGTH]
        return self.id.rsplit("/", 1)[-1].removeprefix("uid:")


class Register:
    """Every tracked lesion of one patient; resolves what a resource says of a lesion to one of them."""

    def __init__(
        self,
        bodies: Iterable[LesionRecord],
        mentions: Iterable[LesionRef],
        elsewhere: Iterable[LesionRef] = (),
        within: Iterable[LesionRef] = (),
    ) -> None:
        """`mentions`: what usable observations say of their lesion; `elsewhere`: those that place it outside
        the liver; `within`: those that place it inside."""
        self._by_body: dict[str, Entry] = {}
        self._by_uid: dict[str, Entry] = {}
        self._by_label: dict[str, list[Entry]] = defaultdict(list)
        self.entries: list[Entry] = []
        self._resolved: dict[LesionRef, Match] = {}
        self._take_bodies(sorted(bodies, key=lambda record: record.source))
        outside = set(elsewhere)
        named = sorted({*mentions, *outside}, key=_order)
        self._take_references(named)
        self._index_labels()
        self._taint_shared_labels()
        self._take_tracked(named)
        self._take_labelled(ref for ref in named if ref not in outside)
        self._leave_out(outside, set(within))
        self.entries.sort(key=lambda entry: entry.id)

    def resolve(self, ref: LesionRef | None) -> Match:
        """Gives the lesion a reference means; contradicting rungs of the ladder give unknown."""
        if ref is None:
            return _UNKNOWN
        match = self._resolved.get(ref)
        if match is None:
            match = self._resolved[ref] = self._resolve(ref)
        return match

    def _resolve(self, ref: LesionRef) -> Match:
        found = self._identified(ref)
        if found:
            return self._match(found[0]) if len(found) == 1 else _UNKNOWN
        same = self._labelled(ref)
        return self._match(same) if same is not None else _UNKNOWN

    def named(self, ref: LesionRef) -> str | None:
        """Gives the lesion that an order or decision names by its BodyStructure, though its identity clashes.

        A plan for a BodyStructure is known even where no finding can be matched with it.
        """
        entry = self._by_body.get(ref.body or "")
        if entry is not None and entry.liver is not False:
            return entry.id
        return self.resolve(ref).lesion

    def _match(self, entry: Entry) -> Match:
        if entry.tainted:
            return _UNKNOWN
        if entry.liver is False:
            return _DIFFERENT
        return Match(Identity.SAME, entry.id)

    def _identified(self, ref: LesionRef) -> list[Entry]:
        found: list[Entry] = []
        for entry in (self._by_uid.get(ref.uid or ""), self._by_body.get(ref.body or "")):
            if entry is not None and entry not in found:
                found.append(entry)
        return found

    def entry(self, lesion_id: str) -> Entry:
        """Gives the entry with that id; KeyError when there is none."""
        for entry in self.entries:
            if entry.id == lesion_id:
                return entry
        raise KeyError(lesion_id)

    def _labelled(self, ref: LesionRef) -> Entry | None:
        """The one lesion with the same label and the same segment, both on record."""
        if not ref.label or ref.segment in (None, _WHOLE):
            return None
        named = self._by_label.get(_fold(ref.label), [])
        if len(named) == 1 and named[0].segments == {ref.segment}:
            return named[0]
        return None

    def _take_bodies(self, records: list[LesionRecord]) -> None:
        """BodyStructures; those that share a tracking UID are one lesion unless they contradict."""
        for record in records:
            body = record.ref.body or record.key
            uids = {*record.uids, *([record.ref.uid] if record.ref.uid else [])}
            known = [self._by_body[body]] if body in self._by_body else []
            known += [self._by_uid[uid] for uid in uids if uid in self._by_uid]
            entry = Entry(bodies={body}, uids=set(uids), records=[record], liver=record.liver)
            entry.labels = {_fold(label): label for label in _labels(record)}
            entry.segments = {*record.segments} - {_WHOLE} or {*record.segments}
            for other in _distinct(known):
                entry = self._join(entry, other)
            self._put(entry)

    def _join(self, entry: Entry, other: Entry) -> Entry:
        places = entry.segments - {_WHOLE}, other.segments - {_WHOLE}
        apart = bool(places[0] and places[1]) and not overlap(*places)
        if apart or not _agree(set(entry.labels), set(other.labels)):
            entry.tainted = other.tainted = True
            return entry
        self.entries.remove(other)
        return Entry(
            bodies=entry.bodies | other.bodies,
            uids=entry.uids | other.uids,
            labels={**other.labels, **entry.labels},
            segments=(entry.segments | other.segments) - {_WHOLE} or entry.segments | other.segments,
            records=[*other.records, *entry.records],
            liver=_either(entry.liver, other.liver),
            tainted=entry.tainted or other.tainted,
        )

    def _put(self, entry: Entry) -> None:
        self.entries.append(entry)
        self._by_body.update(dict.fromkeys(entry.bodies, entry))
        self._by_uid.update(dict.fromkeys(entry.uids, entry))

    def _take_references(self, refs: list[LesionRef]) -> None:
        """BodyStructures that are named but not on record, and UIDs that stand beside a BodyStructure."""
        claimed: dict[str, set[str]] = defaultdict(set)
        for ref in refs:
            if ref.body is None:
                continue
            if ref.body not in self._by_body:
                self._put(Entry(bodies={ref.body}))
            entry = self._by_body[ref.body]
            if not entry.records:
                entry.labels |= {_fold(ref.label): ref.label} if ref.label else {}
                entry.segments |= {ref.segment} - {None} if ref.segment else set()
            if ref.uid is not None and ref.uid not in self._by_uid:
                claimed[ref.uid].add(ref.body)
        for uid, bodies in claimed.items():
            owners = _distinct([self._by_body[body] for body in sorted(bodies)])
            for owner in owners:
                owner.uids.add(uid)
                owner.tainted = owner.tainted or len(owners) > 1
            self._by_uid[uid] = owners[0]

    def _index_labels(self) -> None:
        self._by_label.clear()
        for entry in self.entries:
            for label in entry.labels:
                self._by_label[label].append(entry)

    def _taint_shared_labels(self) -> None:
        """One label on two lesions makes both unknown; a structure outside the liver does not count."""
        for named in self._by_label.values():
            liver = [entry for entry in named if entry.liver is not False]
            if len(liver) > 1:
                for entry in liver:
                    entry.tainted = True

    def _take_tracked(self, refs: list[LesionRef]) -> None:
        """Lesions known by a tracking UID alone, unless label and segment say that they are known already."""
        unknown: dict[str, list[LesionRef]] = defaultdict(list)
        for ref in refs:
            if ref.uid is not None and ref.body is None and ref.uid not in self._by_uid:
                unknown[ref.uid].append(ref)
        for uid, mentions in sorted(unknown.items()):
            labels = {_fold(ref.label): ref.label for ref in mentions if ref.label}
            segments = {ref.segment for ref in mentions if ref.segment and ref.segment != _WHOLE}
            known = self._same_place(labels, segments)
            if known is not None:
                known.uids.add(uid)
                self._by_uid[uid] = known
                continue
            rivals = [entry for label in labels for entry in self._by_label.get(label, [])]
            if any(entry.bodies for entry in rivals):
                continue  # one label on a BodyStructure and beside another UID: whose it is cannot be said
            entry = Entry(uids={uid}, labels=labels, segments=segments)
            for each in (entry, *rivals) if rivals else ():
                each.tainted = True
            self._put(entry)
            for label in labels:
                self._by_label[label].append(entry)

    def _same_place(self, labels: dict[str, str], segments: set[str]) -> Entry | None:
        if len(labels) != 1 or len(segments) != 1:
            return None
        named = self._by_label.get(next(iter(labels)), [])
        return named[0] if len(named) == 1 and named[0].segments == segments else None

    def _leave_out(self, outside: set[LesionRef], within: set[LesionRef]) -> None:
        """Marks what is described outside the liver where neither a BodyStructure nor a statement places it
        inside."""
        inside = {id(entry) for ref in within for entry in self._identified(ref)}
        for ref in outside:
            for entry in self._identified(ref):
                if entry.liver is None and not entry.segments and id(entry) not in inside:
                    entry.liver = False
        for entry in self.entries:
            # One place on record and another in a statement: what was seen may be of a tracked lesion.
            entry.tainted = entry.tainted or (entry.liver is False and id(entry) in inside)

    def _take_labelled(self, refs: Iterable[LesionRef]) -> None:
        """Lesions known by label and segment alone; a label in two segments makes both unknown."""
        places: dict[str, dict[str, str]] = defaultdict(dict)
        for ref in refs:
            if ref.uid or ref.body or not ref.label or ref.segment in (None, _WHOLE):
                continue
            places[_fold(ref.label)][str(ref.segment)] = ref.label
        for label, segments in sorted(places.items()):
            if self._by_label.get(label):
                continue
            for segment, text in sorted(segments.items()):
                entry = Entry(labels={label: text}, segments={segment}, tainted=len(segments) > 1)
                self._put(entry)
                self._by_label[label].append(entry)


def _labels(record: LesionRecord) -> tuple[str, ...]:
    return (*record.labels, *([record.ref.label] if record.ref.label else []))


def _fold(label: str) -> str:
    return " ".join(label.split()).casefold()


def _agree(one: set[str], other: set[str]) -> bool:
    return not one or not other or bool(one & other)


def _either(one: bool | None, other: bool | None) -> bool | None:
    """Liver where either says so: a lesion is left out only when nothing places it in the liver."""
    if one or other:
        return True
    return None if one is None or other is None else False


def _distinct(entries: list[Entry]) -> list[Entry]:
    found: list[Entry] = []
    for entry in entries:
        if all(entry is not other for other in found):
            found.append(entry)
    return found


def _order(ref: LesionRef) -> tuple[str, str, str, str]:
    return (ref.body or "", ref.uid or "", ref.label or "", ref.segment or "")
