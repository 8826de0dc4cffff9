"""The words that a pseudonymised capture may keep: those of our own codes, of units, and of nobody's name."""

from __future__ import annotations

import re
from functools import cache
from importlib.resources import files

import yaml

from fhir_profiles import codes
from fhir_profiles.codes import CANONICAL, Coded

_WORD = re.compile(r"[^\W_]+(?:-[^\W_]+)*")
_LABEL = re.compile(r"[A-Za-z]{1,2}\d{1,2}|\d{1,2}[A-Za-z]?|[IVX]{1,4}[ab]?")
KNOWN_URLS = (
    CANONICAL,
    "http://hl7.org/",
    "http://terminology.hl7.org/",
    "http://snomed.info/sct",
    "http://loinc.org",
    "http://dicom.nema.org/resources/ontology/",
    "http://unitsofmeasure.org",
    "http://www.nlm.nih.gov/research/umls/rxnorm",
    "http://www.whocc.no/atc",
    "http://www.genenames.org",
    "http://radlex.org",
)


@cache
def _listed(name: str) -> frozenset[str]:
    """Returns one list of words.yaml."""
    text = (files("plugin") / "capture" / "words.yaml").read_text(encoding="utf-8")
    return frozenset(yaml.safe_load(text)[name].split())


@cache
def lexicon() -> frozenset[str]:
    """Returns the words of every display of our codes, in lower case."""
    enums = [one for one in vars(codes).values() if isinstance(one, type) and issubclass(one, Coded)]
    displays = [member.display for one in enums for member in one]
    return _listed("words") | {word.lower() for text in displays for word in _WORD.findall(text)}


@cache
def _own() -> frozenset[str]:
    enums = [one for one in vars(codes).values() if isinstance(one, type) and issubclass(one, Coded)]
    return frozenset(member.value.code for one in enums for member in one)


def own_code(text: str) -> bool:
    """Says whether a text is one of the codes that Vestige reads or writes."""
    return text in _own()


def harmless(text: str) -> bool:
    """Says whether a text consists of words that our own codes have, and of labels such as L1 and IVa."""
    words = _WORD.findall(text)
    return bool(words) and all(word.lower() in lexicon() or _LABEL.fullmatch(word) for word in words)


def known_url(text: str) -> bool:
    """Says whether an address or a system is one of a standard, or of ours."""
    plain = codes.SYSTEM_ALIASES.get(text, text)
    return any(plain == one or plain.startswith(one.rstrip("/") + "/") for one in KNOWN_URLS) or text in (
        codes.SYSTEM_ALIASES
    )


def harmless_code(text: str) -> bool:
    """Says whether a text is a code of FHIR itself, among those that are read."""
    return text in _listed("codes")


def known_unit(text: str) -> bool:
    """Says whether a text is a unit of measure, among those that are read."""
    return text in _listed("units")
