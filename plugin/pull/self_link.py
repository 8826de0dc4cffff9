"""What a server says it searched for: the self link of a Bundle, held against what was asked."""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from urllib.parse import SplitResult, parse_qsl, urlsplit

from plugin.pull.queries import Query

_PATIENT = ("patient", "subject")
# What leaves matches out for certain, among what the resource types we ask for can be searched by (FHIR R4).
_DAYS = frozenset({"date", "started", "_lastUpdated"})
_CODES = frozenset({"code", "category"})
_NARROW = _DAYS | _CODES | {"status", "modality", "focus", "encounter", "_id"}
# Without what was entered in error the record is still whole: a server may say so of every search.
_HARMLESS = ("status:not", "entered-in-error")
MODIFIED = "modified"


def ignores_patient(self_url: str, query: Query, patient_id: str) -> bool:
    """Says whether a self link shows a search on the type that does not have our patient as a parameter.

    A link without parameters, or to the base itself (a paging token), shows nothing and is not judged.
    """
    if not shows_search(self_url, query):
        return False
    named = [value for name, value in parameters(self_url) if name.split(":")[0].split(".")[0] in _PATIENT]
    return not any(patient_id in (one, one.rsplit("/", 1)[-1]) for one in named)


def narrows(self_url: str, query: Query, ways: Iterable[str], patient_id: str) -> bool:
    """Says whether a self link shows for certain a search for less than each of the ways asks for.

    Only parameters that are known to leave matches out count: one that was not asked for, or codes and
    categories that lack an asked one. One left out by the server finds more, not less; codes are compared
    without their systems, which servers add and drop; the order means nothing.
    """
    if not shows_search(self_url, query):
        return False
    given = list(narrowing(self_url))
    return _other_patient(self_url, patient_id) or all(_narrower(given, way) for way in ways)


def as_wide(query: Query) -> tuple[str, ...]:
    """Returns the ways in which a client may ask that leave out none of the codes asked for."""
    wanted = codes_of(_asked(query.template).get("code", ""))
    others = ((way, _asked(way).get("code")) for way in query.alternatives)
    return (query.template, *(way for way, codes in others if codes is None or codes_of(codes) >= wanted))


def narrowing(self_url: str) -> Iterator[tuple[str, str]]:
    """Yields the parameters that leave matches out, a modifier told as such; chained ones are not judged."""
    for name, value in parameters(self_url):
        plain, _, modifier = name.partition(":")
        if plain in _NARROW and (name, value) != _HARMLESS:
            yield (f"{plain}:{MODIFIED}" if modifier else plain), value


def codes_of(value: str) -> frozenset[str]:
    """Returns the codes of a list of tokens, without their systems."""
    return frozenset(one.rpartition("|")[2].strip().lower() for one in value.split(","))


def shows_search(self_url: str, query: Query) -> bool:
    """Says whether a link is to the search of the query's resource type, with parameters."""
    parts = _parts(self_url)
    return bool(parts.query) and kind_of(self_url) == query.resource


def kind_of(self_url: str) -> str:
    """Returns the last part of the path, which is the resource type where a type is searched."""
    return _parts(self_url).path.rstrip("/").removesuffix("/_search").rsplit("/", 1)[-1]


def parameters(self_url: str) -> list[tuple[str, str]]:
    """Returns the parameters of a link, decoded, in their order; none of a link that cannot be read."""
    return parse_qsl(_parts(self_url).query)


def _parts(self_url: str) -> SplitResult:
    try:
        return urlsplit(self_url)
    except ValueError:
        # Such as a bracket without its pair: it shows nothing.
        return SplitResult("", "", "", "", "")


def _other_patient(self_url: str, patient_id: str) -> bool:
    """Says whether a further parameter names somebody else: what fits both is less than what fits ours."""
    return any(
        patient_id not in (one.rsplit("/", 1)[-1] for one in value.split(","))
        for name, value in parameters(self_url)
        if name in _PATIENT
    )


def _narrower(given: list[tuple[str, str]], way: str) -> bool:
    asked = _asked(way)
    names = {name for name, _ in given}
    return bool(names - set(asked)) or any(
        _lacks(codes_of(asked[name]), [codes_of(value) for one, value in given if one == name])
        for name in names & _CODES
    )


def _asked(way: str) -> dict[str, str]:
    return dict(parse_qsl(way.partition("?")[2]))


def _lacks(wanted: frozenset[str], given: list[frozenset[str]]) -> bool:
    """Says whether sets of codes let less through than those wanted.

    Repeated parameters must all fit (FHIR R4, search, 3.1.1.4.2), but some servers write a list that way:
    where none holds all that is wanted, they are taken together.
    """
    whole = [one for one in given if one >= wanted]
    return len(whole) < len(given) if whole else not frozenset().union(*given) >= wanted
