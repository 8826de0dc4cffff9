"""Removes what a run created, and nothing else: by the ids of the manifest, or by the run's identifier."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from typing import Any
from urllib.parse import quote

import msgspec

from cds_hooks.interop.manifest import Manifest, Planned
from cds_hooks.interop.patients import RUN_IDENTIFIER, is_marked
from plugin.errors import Stopped
from plugin.probe.asker import Asker
from plugin.pull.bundle import page

_AT_ONCE = 100
_GONE = frozenset({200, 202, 204, 404, 410})
Told = Callable[[int], None]


class Cleaned(msgspec.Struct, frozen=True, kw_only=True):
    """What cleaning did: removed, found never to have been there, and what is left with the reason."""

    removed: int
    absent: int
    left: tuple[str, ...]

    @property
    def whole(self) -> bool:
        """True where nothing is left."""
        return not self.left


def clean(manifest: Manifest, asker: Asker, *, check: bool, told: Told | None = None) -> Cleaned:
    """Removes everything that the manifest names, the last created first.

    What the server said it created is deleted by its id; with `check` only after a look whether it carries
    the mark of the run. What was only planned is looked for by its identifier. Once the asker is told to
    stop, the rest is left, and said.
    """
    counts = {"removed": 0, "absent": 0}
    faults: dict[str, str] = {}
    try:
        _every(manifest, asker, counts, faults, check=check, told=told)
    except Stopped:
        faults = {one.name: f"stopped: vestige interop --clean {manifest.path}" for one in manifest.left}
    manifest.finish()
    left = tuple(f"{name}: {fault}" for name, fault in sorted(faults.items()))
    return Cleaned(removed=counts["removed"], absent=counts["absent"], left=left)


def _every(
    manifest: Manifest,
    asker: Asker,
    counts: dict[str, int],
    faults: dict[str, str],
    *,
    check: bool,
    told: Told | None,
) -> None:
    """Removes what can be removed; `faults` says why the rest is still there."""
    waiting = list(reversed(manifest.left))
    known = [one for one in waiting if one.id is not None and one.name in manifest.made]
    if not check and len(known) > 1:
        _together(known, manifest, asker, counts, told)
    for one in [one for one in waiting if one.name in {each.name for each in manifest.left}]:
        fault = _one(one, manifest, asker, counts, check=check)
        if fault:
            faults[one.name] = fault
        if told is not None:
            told(1)
    # What others referred to could not go before them: once more, now that they are gone.
    for one in [one for one in waiting if one.name in faults]:
        fault = _one(one, manifest, asker, counts, check=check)
        if fault is None:
            del faults[one.name]


def _together(
    known: Sequence[Planned], manifest: Manifest, asker: Asker, counts: dict[str, int], told: Told | None
) -> None:
    """Deletes by transactions, as long as the server takes them."""
    for start in range(0, len(known), _AT_ONCE):
        some = known[start : start + _AT_ONCE]
        entries = [{"request": {"method": "DELETE", "url": f"{one.type}/{one.id}"}} for one in some]
        bundle = {"resourceType": "Bundle", "type": "transaction", "entry": entries}
        if asker.send("POST", "", bundle, about="clean").status != 200:
            return
        manifest.gone(some)
        counts["removed"] += len(some)
        if told is not None:
            told(len(some))


def _one(
    one: Planned, manifest: Manifest, asker: Asker, counts: dict[str, int], *, check: bool
) -> str | None:
    """Removes one resource; returns why it is still there, or None."""
    own = one.id if one.name in manifest.made else None
    if own is None or check:
        # What was only planned under an id of ours is looked for there; the rest by its identifier.
        found = _found(one, one.id, manifest.run, asker)
        if isinstance(found, _Fault):
            return found.text
        own = found
    if own is None:
        counts["absent"] += 1
        manifest.gone([one])
        return None
    reply = asker.send("DELETE", f"{one.type}/{own}", about="clean")
    if reply.status not in _GONE:
        return reply.fault or f"HTTP {reply.status}"
    manifest.gone([one])
    counts["removed"] += 1
    return None


class _Fault:
    def __init__(self, text: str) -> None:
        self.text = text


def _found(one: Planned, own: str | None, run: str, asker: Asker) -> str | _Fault | None:
    """Returns the id of the resource where it is there and carries the run's mark, None where it is not."""
    if own is not None:
        reply = asker.get(f"{one.type}/{own}", about="clean")
        if reply.status in (404, 410):
            return None
        resource = reply.resource if reply.status == 200 else None
        if resource is None:
            return _Fault(reply.fault or f"it cannot be read (HTTP {reply.status})")
        return (
            own if is_marked(resource, run) else _Fault("it does not carry the mark of the run: left alone")
        )
    value = f"{RUN_IDENTIFIER}|{one.identifier}"
    reply = asker.get(f"{one.type}?identifier={quote(value, safe='')}", about="clean")
    bundle = reply.resource if reply.status == 200 else None
    if bundle is None:
        return None if reply.status in (404, 410) else _Fault(reply.fault or f"HTTP {reply.status}")
    matches = page(bundle).matches
    ours = [each for each in matches if is_marked(each, run) and _identified(each, one)]
    if matches and not ours:
        return _Fault("the server does not search by identifier: it cannot be told whether it is there")
    return str(ours[0]["id"]) if ours else None


def _identified(resource: Mapping[str, Any], one: Planned) -> bool:
    """Says whether a resource has this very identifier: a server may have ignored it in the search."""
    identifiers = resource.get("identifier")
    return resource.get("resourceType") == one.type and any(
        isinstance(each, Mapping)
        and (each.get("system"), each.get("value")) == (RUN_IDENTIFIER, one.identifier)
        for each in (identifiers if isinstance(identifiers, list) else [])
    )


def count(kinds: Sequence[str], asker: Asker) -> dict[str, int | None]:
    """Returns how many resources of each type the server has, None where it does not tell."""
    found: dict[str, int | None] = {}
    for kind in kinds:
        reply = asker.get(f"{kind}?_summary=count", about="count")
        total = (reply.resource or {}).get("total") if reply.status == 200 else None
        found[kind] = total if isinstance(total, int) and not isinstance(total, bool) else None
    return found
