"""Pseudonyms for a whole capture: what is not known to be harmless is replaced, and the same always alike.

Kept are codes of known systems, numbers, units, flags and the shape; dates all move by the same number of
days, which is in no file. Ids, identifiers, references, addresses and free text become names of ours.
"""

from __future__ import annotations

import re
import secrets
from collections.abc import Callable, Mapping
from datetime import date, timedelta
from typing import Any
from urllib.parse import parse_qsl, urlencode

from plugin.capture.words import harmless, harmless_code, known_unit, known_url, own_code
from plugin.pull.queries import PATIENT_ID, QUERIES, path
from plugin.pull.self_link import codes_of, kind_of, narrowing, parameters

BASE = "https://fhir.example/pseudonymised"
_DATE = re.compile(r"(\d{4})(?:-(\d\d)(?:-(\d\d)(T.*)?)?)?")
_CLOCK = re.compile(r"T\d\d:\d\d(:\d\d(\.\d+)?)?(Z|[+-]\d\d:\d\d)?")
_TOKEN = re.compile(
    r"(?:(?P<base>https?://.+)/)?(?P<kind>[A-Z][A-Za-z]+)/(?P<id>[A-Za-z0-9._-]{1,256})(?P<tail>/_history/.*)?"
)
# As the standard systems write them: with a digit at the front or behind a few letters, never a date.
_CODE = re.compile(r"(?!\d{4}-\d\d(-|$))[A-Za-z]{0,5}:?\d[A-Za-z0-9.-]{0,18}")
_WORD = re.compile(r"[a-z][a-z-]{0,40}")
# Primitive elements whose values are codes of FHIR itself.
_CODED = frozenset(
    {"status", "intent", "priority", "use", "comparator", "severity", "mode", "relation", "type", "category"}
    | {"gender", "visibility", "required"}
)
_DROPPED = frozenset(
    {"name", "telecom", "address", "photo", "contact", "communication", "generalPractitioner", "text.div"}
    | {"managingOrganization", "div", "data", "presentedForm", "implementation", "publisher", "software"}
    | {"implicitRules", "security", "source", "_id"}
)
_RESOURCE_TYPE = re.compile(r"[A-Z][A-Za-z]{2,40}")
_COUNT = re.compile(r"(&_count=\d{1,4})?")
_UID = re.compile(r"(?:urn:oid:)?[0-9.]{9,}")
_VERSION = re.compile(r"\d{1,4}")
_PARAMETER = re.compile(r"[a-z_][a-z-]{0,40}")
_LONGEST_LABEL = 6
_BACK = (200, 3000)
_BY_PATIENT, _BY_SUBJECT = f"patient={PATIENT_ID}", f"subject=Patient/{PATIENT_ID}"
_WAYS = tuple(
    way
    for query in QUERIES
    for template in (query.template, *query.alternatives)
    for way in (template, template.replace(_BY_PATIENT, _BY_SUBJECT))
)
_ASKED = frozenset(
    code
    for way in _WAYS
    for name, value in parse_qsl(way.partition("?")[2])
    if name in ("code", "category")
    for code in codes_of(value)
)


class Pseudonyms:
    """The names given in one capture, and the days by which it is moved; neither is ever written down."""

    def __init__(self, base: str | None, patient: str, days: int | None = None) -> None:
        low, high = _BACK
        self._shift = timedelta(days=-(low + secrets.randbelow(high - low)) if days is None else days)
        self._base = None if base is None else base.rstrip("/")
        self._patient = patient
        self._names: dict[tuple[str, str], str] = {}
        self._systems: frozenset[str] = frozenset()

    def keep_systems(self, systems: frozenset[str]) -> None:
        """Lets codes of these systems stand: the ones that the settings of the site name."""
        self._systems = systems

    # ------------------------------------------------------------------------------------ values

    def named(self, kind: str, text: str) -> str:
        """Returns the name that stands for a text, one and the same in the whole capture."""
        key = (kind, text)
        if key not in self._names:
            count = sum(1 for one, _ in self._names if one == kind)
            self._names[key] = f"{kind}-{count + 1}"
        return self._names[key]

    def own(self, text: str) -> str:
        """Returns the id that stands for an id."""
        return self.named("id", text)

    def day(self, when: date) -> date:
        """Returns a moved day; the first day there is where it would lie before it."""
        try:
            return when + self._shift
        except OverflowError:
            return date.min

    def moment(self, text: str) -> str | None:
        """Returns a moved date or time of any precision, or None where the text is none."""
        found = _DATE.fullmatch(text)
        if found is None or (found[4] and not _CLOCK.fullmatch(found[4])):
            return None
        try:
            moved = self.day(date(int(found[1]), int(found[2] or 1), int(found[3] or 1)))
        except ValueError:
            return None
        precise = moved.isoformat()
        return (
            precise[:4]
            if found[2] is None
            else precise[:7]
            if found[3] is None
            else precise + (found[4] or "")
        )

    def text(self, text: str) -> str:
        """Returns free text where it holds nothing but harmless words, else a name for it."""
        return text if harmless(text) else self.named("text", " ".join(text.casefold().split()))

    def reference(self, text: str) -> str:
        """Returns a reference under the ids of this capture; one to elsewhere loses its address."""
        if text.startswith("#"):
            return f"#{self.own(text[1:])}"
        if text.lower().startswith("urn:"):
            return f"urn:uuid:{self.own(text)}"
        found = _TOKEN.fullmatch(text)
        if found is None:
            return self.named("reference", text)
        name = f"{found['kind']}/{self.own(found['id'])}{'/_history/1' if found['tail'] else ''}"
        if found["base"] is None:
            return name
        return f"{BASE}/{name}" if found["base"] == self._base else f"https://elsewhere.example/{name}"

    def link(self, text: str) -> str:
        """Returns a link to a page: those of our own queries with the new id, all others as a bare name."""
        for way in _WAYS:
            begun = path(way, self._patient)
            if text.startswith(begun) and _COUNT.fullmatch(text[len(begun) :]):
                return path(way, self.own(self._patient)) + text[len(begun) :]
        if text == "metadata":
            return text
        found = _TOKEN.fullmatch(text)
        if found is not None and found["base"] is None:
            return self.reference(text)
        return f"{BASE}/{self.named('page', text)}"

    def self_link(self, text: str) -> str:
        """Returns a self link that says which type was searched, whether for our patient, how narrowly."""
        kind, given = kind_of(text), parameters(text)
        if not _RESOURCE_TYPE.fullmatch(kind) or not given:
            return BASE
        named = any(
            self._patient in (value, value.rsplit("/", 1)[-1])
            for name, value in given
            if name.split(":")[0].split(".")[0] in ("patient", "subject")
        )
        # Their names are of a closed list, and of their values only the codes that we ask for are kept.
        less = [(name, ",".join(sorted(codes_of(value) & _ASKED)) or "x") for name, value in narrowing(text)]
        whose = ("patient", self.own(self._patient)) if named else ("_count", "1")
        return f"{BASE}/{kind}?{urlencode([whose, *less], safe=',:')}"

    # ------------------------------------------------------------------------------------ structures

    def value(self, value: Any, key: str = "", inside: Mapping[str, Any] | None = None) -> Any:
        """Returns any JSON value without what could name somebody; `inside` is the object it stands in."""
        if isinstance(value, Mapping):
            return self._object(value, key)
        if isinstance(value, list):
            return [self.value(item, key, inside) for item in value]
        if isinstance(value, str):
            return self._string(value, key, inside or {})
        return value

    def _object(self, value: Mapping[str, Any], key: str) -> dict[str, Any]:
        if value.get("resourceType") == "CapabilityStatement":
            return _bare_statement(value)
        if key == "link" and isinstance(value.get("url"), str):
            return self._bundle_link(value)
        if key == "identifier":
            return self._identifier(value)
        return {
            str(name): self.value(item, str(name), value)
            for name, item in value.items()
            if name not in _DROPPED and _KEY.fullmatch(str(name))
        }

    def _bundle_link(self, value: Mapping[str, Any]) -> dict[str, Any]:
        relation, url = value.get("relation"), str(value["url"])
        if relation == "self":
            return {"relation": "self", "url": self.self_link(url)}
        if relation == "next":
            return {"relation": "next", "url": self.link(url)}
        if not isinstance(relation, str):
            return {"relation": None, "url": BASE}
        return {"relation": "other", "url": BASE}

    def _identifier(self, value: Mapping[str, Any]) -> dict[str, Any]:
        found: dict[str, Any] = {}
        for name in ("use", "type", "system"):
            if name in value:
                found[name] = self.value(value[name], name, value)
        given = value.get("value")
        if isinstance(given, str):
            found["value"] = self._identifying(given)
        return found

    def _identifying(self, text: str) -> str:
        """Labels such as L1 tell lesions apart and nobody who has them; UIDs stay UIDs."""
        if harmless(text) and len(text) <= _LONGEST_LABEL:
            return text
        if _UID.fullmatch(text):
            number = self.named("uid", text.removeprefix("urn:oid:")).rpartition("-")[2]
            return f"2.25.{1000 + int(number)}"
        return self.named("identifier", text)

    def _string(self, text: str, key: str, inside: Mapping[str, Any]) -> str:
        for rule in (self._by_key, self._by_shape):
            found = rule(text, key, inside)
            if found is not None:
                return found
        return self.text(text)

    def _by_key(self, text: str, key: str, inside: Mapping[str, Any]) -> str | None:
        if key in _BY_KEY:
            return _BY_KEY[key](self, text)
        if key == "code":
            return self._code(text, inside)
        if key in _CODED and _WORD.fullmatch(text) and harmless_code(text):
            return text
        if key.endswith("Id"):
            return self.reference(text) if "/" in text else self.own(text)
        return None

    def _by_shape(self, text: str, _key: str, _inside: Mapping[str, Any]) -> str | None:
        moved = self.moment(text)
        if moved is not None:
            return moved
        found = _TOKEN.fullmatch(text)
        return self.reference(text) if found is not None else None

    def _code(self, text: str, inside: Mapping[str, Any]) -> str:
        system = inside.get("system")
        known = isinstance(system, str) and (known_url(system) or system in self._systems)
        if known and (_CODE.fullmatch(text) or own_code(text) or system in self._systems):
            return text
        if known_unit(text) or harmless_code(text):
            return text
        return self.named("code", text)

    def _system(self, text: str) -> str:
        kept = known_url(text) or text in self._systems
        return text if kept else f"urn:vestige:{self.named('system', text)}"


_KEY = re.compile(r"_?[a-z][A-Za-z0-9]{0,60}")
_BY_KEY: Mapping[str, Callable[[Pseudonyms, str], str]] = {
    "id": Pseudonyms.own,
    "reference": Pseudonyms.reference,
    "fullUrl": Pseudonyms.reference,
    "system": Pseudonyms._system,
    "url": Pseudonyms._system,
    "profile": Pseudonyms._system,
    "resourceType": lambda self, text: text if _RESOURCE_TYPE.fullmatch(text) else self.text(text),
    "unit": lambda self, text: text if known_unit(text) else self.text(text),
    "versionId": lambda _self, text: text if _VERSION.fullmatch(text) else "1",
}


def _bare_statement(statement: Mapping[str, Any]) -> dict[str, Any]:
    """A CapabilityStatement with nothing but what can be searched."""
    kinds = []
    rests = statement.get("rest")
    for rest in rests if isinstance(rests, list) else []:
        for one in rest.get("resource", []) if isinstance(rest, Mapping) else []:
            kind = one.get("type") if isinstance(one, Mapping) else None
            if isinstance(kind, str) and _RESOURCE_TYPE.fullmatch(kind):
                kinds.append({"type": kind, **_searching(one)})
    return {"resourceType": "CapabilityStatement", "rest": [{"mode": "server", "resource": kinds}]}


def _searching(one: Mapping[str, Any]) -> dict[str, Any]:
    found: dict[str, Any] = {}
    for member, name in (("interaction", "code"), ("searchParam", "name")):
        items = one.get(member)
        if isinstance(items, list):
            values = [str(item.get(name)) for item in items if isinstance(item, Mapping)]
            found[member] = [{name: each} for each in values if _PARAMETER.fullmatch(each)]
    return found
