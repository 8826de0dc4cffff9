"""A Bundle as it comes: its resources, what the server said of the search, and where the next page is."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from typing import Any

from fhir_profiles.read.reference import with_references
from plugin.chart import GapReason

# Issue types (FHIR R4 "issue-type") that mean something was left out, even in a mere warning.
_WITHHELD = {
    "forbidden": GapReason.FORBIDDEN,
    "security": GapReason.FORBIDDEN,
    "suppressed": GapReason.FORBIDDEN,
    "login": GapReason.NOT_AUTHORISED,
    "unknown": GapReason.NOT_AUTHORISED,
    "expired": GapReason.NOT_AUTHORISED,
    "throttled": GapReason.THROTTLED,
    "timeout": GapReason.TIMEOUT,
    "incomplete": GapReason.TRUNCATED,
    "too-costly": GapReason.TRUNCATED,
    "transient": GapReason.SERVER_ERROR,
    "lock-error": GapReason.SERVER_ERROR,
    "no-store": GapReason.SERVER_ERROR,
}
# What else an error may be; anything that is not listed counts as a fault of the server.
_FAILED = _WITHHELD | {
    "not-found": GapReason.NOT_FOUND,
    "deleted": GapReason.NOT_FOUND,
    "not-supported": GapReason.UNSUPPORTED,
    "required": GapReason.UNSUPPORTED,
    "invalid": GapReason.UNSUPPORTED,
    "value": GapReason.UNSUPPORTED,
    "code-invalid": GapReason.UNSUPPORTED,
}
# What an issue may be and leave the answer whole ("success" came with R6).
_IN_PASSING = ("information", "warning", "success")
# The types of a Bundle that can hold what a search found; clients put together a collection themselves.
_FOUND = (None, "searchset", "collection")
_LONGEST_TOTAL = 18
_ISSUE_TYPES = frozenset(_FAILED) | {"structure", "processing", "informational", "exception", "business-rule"}


@dataclass(frozen=True, kw_only=True)
class Remark:
    """What an OperationOutcome means for the answer: `fatal` if the answer cannot be trusted at all."""

    reason: GapReason
    code: str
    fatal: bool


@dataclass(frozen=True, kw_only=True)
class Page:
    """One Bundle taken apart.

    `matches` are the resources found, `others` those of `search.mode` include, `broken` counts entries
    that hold no readable resource and a total that is no number; `total`, `self_url` and `next_url` are as
    the server gave them, `next_url` "" where a further page cannot be excluded. `answers` is False where the
    Bundle is of a type that no search is answered with.
    """

    matches: tuple[Mapping[str, Any], ...] = ()
    others: tuple[Mapping[str, Any], ...] = ()
    remarks: tuple[Remark, ...] = ()
    broken: int = 0
    answers: bool = True
    total: int | None = None
    self_url: str | None = None
    next_url: str | None = None


def page(bundle: Mapping[str, Any]) -> Page:
    """Returns the Bundle taken apart; nothing in it raises."""
    matches: list[Mapping[str, Any]] = []
    others: list[Mapping[str, Any]] = []
    remarks: list[Remark] = []
    broken = 0
    entries = bundle.get("entry")
    if entries is None:
        entries = []
    if not isinstance(entries, list):
        entries, broken = [], 1
    for entry in entries:
        resource = entry.get("resource") if isinstance(entry, dict) else None
        kind = resource.get("resourceType") if isinstance(resource, dict) else None
        if not isinstance(resource, dict) or not isinstance(kind, str):
            broken += 1
        elif kind == "OperationOutcome" or _mode(entry) == "outcome":
            remarks.extend(remarks_of(resource))
        elif _mode(entry) == "include":
            others.append(resource)
        else:
            matches.append(resource)
    total = _total(bundle.get("total"))
    if total is None and bundle.get("total") is not None:
        broken += 1
    return Page(
        matches=tuple(matches),
        others=tuple(others),
        remarks=tuple(remarks),
        broken=broken,
        answers=bundle.get("type") in _FOUND,
        total=total,
        self_url=_link(bundle, "self"),
        next_url=_link(bundle, "next"),
    )


def remarks_of(outcome: Mapping[str, Any]) -> tuple[Remark, ...]:
    """Returns what the issues of an OperationOutcome mean for the answer; remarks in passing give nothing.

    Epic sends "no results" and "may not contain the entire record" with every search as warnings of the
    types informational and processing; "not authorized for a sub-resource" is a warning of type suppressed.
    An outcome without an issue, or with one that cannot be read, may be an error and counts as one.
    """
    issues = outcome.get("issue")
    found = []
    for issue in issues if isinstance(issues, list) and issues else [issues]:
        given = issue if isinstance(issue, dict) else {}
        severity, code = given.get("severity"), given.get("code")
        # Only codes of the closed list may reach a text: diagnostics may hold patient data.
        name = code if isinstance(code, str) and code in _ISSUE_TYPES else "unspecified"
        if severity not in _IN_PASSING:
            found.append(Remark(reason=_FAILED.get(name, GapReason.SERVER_ERROR), code=name, fatal=True))
        elif name in _WITHHELD and name != "unknown":
            found.append(Remark(reason=_WITHHELD[name], code=name, fatal=False))
    return tuple(found)


def worst(remarks: Iterable[Remark]) -> Remark | None:
    """Returns the first fatal remark, else the first one, else None."""
    return min(remarks, key=lambda remark: not remark.fatal, default=None)


def with_ids(bundle: Mapping[str, Any]) -> Mapping[str, Any]:
    """Returns the Bundle with every `urn:uuid` full URL turned into "Type/id", in references too.

    A resource without an id takes the UUID of its full URL (a transaction that creates).
    """
    entries = bundle.get("entry")
    if not isinstance(entries, list):
        return bundle
    names: dict[str, str] = {}
    for entry in entries:
        url, resource = _urn_entry(entry)
        if url is not None and resource is not None:
            own = resource.get("id")
            names[url] = (
                f"{resource['resourceType']}/{own if isinstance(own, str) else url.rsplit(':', 1)[1]}"
            )
    if not names:
        return bundle
    return {**bundle, "entry": [_renamed_entry(entry, names) for entry in entries]}


def _renamed_entry(entry: Any, names: Mapping[str, str]) -> Any:
    if not isinstance(entry, dict) or not isinstance(entry.get("resource"), dict):
        return entry
    resource = with_references(entry["resource"], lambda url: names.get(url, url))
    url, _ = _urn_entry(entry)
    if url is not None and url in names and not isinstance(resource.get("id"), str):
        resource = {**resource, "id": names[url].split("/", 1)[1]}
    return {**entry, "resource": resource}


def _urn_entry(entry: Any) -> tuple[str | None, Mapping[str, Any] | None]:
    if not isinstance(entry, dict):
        return None, None
    url, resource = entry.get("fullUrl"), entry.get("resource")
    if not isinstance(url, str) or not url.lower().startswith("urn:"):
        return None, None
    if not isinstance(resource, dict) or not isinstance(resource.get("resourceType"), str):
        return None, None
    return url, resource


def _mode(entry: Mapping[str, Any]) -> object:
    search = entry.get("search")
    return search.get("mode") if isinstance(search, dict) else None


def _link(bundle: Mapping[str, Any], relation: str) -> str | None:
    """Returns the address of a link; "" where there is one that cannot be read, which may be this one."""
    links = bundle.get("link")
    given = links if isinstance(links, list) else [] if links is None else [None]
    readable = [link for link in given if isinstance(link, dict) and isinstance(link.get("relation"), str)]
    for link in readable:
        if link["relation"] == relation:
            url = link.get("url")
            return url if isinstance(url, str) else ""
    # A link that is there but not readable must not pass for the last page.
    return None if len(readable) == len(given) else ""


def _total(value: object) -> int | None:
    """Returns the number of matches; also of a text of digits and of 5.0, and None of all else."""
    if isinstance(value, str) and value.isascii() and value.isdigit() and len(value) <= _LONGEST_TOTAL:
        return int(value)
    if isinstance(value, bool) or not isinstance(value, int | float) or value < 0 or value != value // 1:
        return None
    return int(value)
