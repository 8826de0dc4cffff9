"""Resources that others refer to and no search gave: lesions, studies, drugs, images, read by their id."""

from __future__ import annotations

import re
from collections.abc import Iterable, Mapping, Sequence
from typing import Any

import msgspec

_REFERENCES = re.compile(rb'"reference":"([^"\\]+)"')
_WANTED = ("BodyStructure", "ImagingStudy", "Medication", "ImagingSelection")
_RELATIVE = re.compile(rf"(?P<kind>{'|'.join(_WANTED)})/(?P<id>[A-Za-z0-9._-]{{1,256}})(/_history/[^/]+)?")


def dangling(resources: Sequence[Mapping[str, Any]], base: str | None) -> tuple[str, ...]:
    """Returns the "Type/id" that the resources refer to and do not hold, sorted, selections of images last.

    Absolute references count where they lie below `base`. A selection (R5) only names a study, and every
    observation may have its own: others must not be crowded out.
    """
    held = {f"{one.get('resourceType')}/{one.get('id')}" for one in resources}
    named = {name for url in _urls(resources) if (name := _name(url, base)) is not None}
    return tuple(sorted(named - held, key=lambda name: (name.startswith("ImagingSelection/"), name)))


def _name(url: str, base: str | None) -> str | None:
    if base is not None and url.startswith(base + "/"):
        url = url[len(base) + 1 :]
    match = _RELATIVE.fullmatch(url)
    return f"{match['kind']}/{match['id']}" if match else None


def _urls(resources: Iterable[Mapping[str, Any]]) -> set[str]:
    """Returns every reference in the resources, at whatever element.

    They are looked at as they are written: a quote within a value has a backslash there, so what is found
    is a member. A reference with an escape in it is none of ours.
    """
    written = msgspec.json.encode(tuple(resources))
    return {url.decode() for url in _REFERENCES.findall(written)}
