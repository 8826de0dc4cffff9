"""Resources that others refer to and no search gave: lesions, studies and drugs, read by their id."""

from __future__ import annotations

import re
from collections.abc import Iterable, Mapping
from typing import Any

_WANTED = ("BodyStructure", "ImagingStudy", "Medication")
_RELATIVE = re.compile(rf"(?P<kind>{'|'.join(_WANTED)})/(?P<id>[A-Za-z0-9._-]{{1,256}})(/_history/[^/]+)?")


def dangling(resources: Iterable[Mapping[str, Any]], base: str | None) -> tuple[str, ...]:
    """Returns the "Type/id" that the resources refer to and do not hold, sorted.

    Absolute references count where they lie below `base`.
    """
    held = {f"{one.get('resourceType')}/{one.get('id')}" for one in resources}
    named = {name for one in resources for url in _urls(one) if (name := _name(url, base)) is not None}
    return tuple(sorted(named - held))


def _name(url: str, base: str | None) -> str | None:
    if base is not None and url.startswith(base + "/"):
        url = url[len(base) + 1 :]
    match = _RELATIVE.fullmatch(url)
    return f"{match['kind']}/{match['id']}" if match else None


def _urls(resource: Mapping[str, Any]) -> list[str]:
    """Returns every reference in a resource; without recursion, for it looks at every element there is."""
    found: list[str] = []
    waiting: list[Any] = [resource]
    for value in waiting:
        if isinstance(value, list):
            waiting += [item for item in value if isinstance(item, dict | list)]
            continue
        for key, item in value.items():
            if isinstance(item, dict | list):
                waiting.append(item)
            elif key == "reference" and isinstance(item, str):
                found.append(item)
    return found
