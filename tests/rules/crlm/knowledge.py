"""The knowledge linter: what no text of the pack and no card may say. Every function returns what is wrong with a text."""

from __future__ import annotations

import re
from collections.abc import Iterable, Iterator
from typing import Any

from rules.language import Pack, Statement

DRUGS = (
    r"chemotherapy|systemic therapy|immune therapy|antibod\w*|regimen|drug|cycles?|doublet|triplet|bevacizumab|cetuximab|panitumumab"
    r"|aflibercept|ramucirumab|regorafenib|oxaliplatin|irinotecan|fluorouracil|capecitabine|pembrolizumab|nivolumab"
)
REGIMENS = re.compile(r"\b(FOLF\w+|m?FOLFOX\w*|XELOX|CAPOX|CAPIRI|XELIRI|TAS-102)\b", re.IGNORECASE)
STEERS = re.compile(
    rf"\b(stop|start|switch|continue|resume|give|add|prefer|intensif\w+|escalat\w+|chang(?:e|ing)|more|further|another)\b(?:\s+\w+){{0,3}}\s+(?:{DRUGS})\b",
    re.IGNORECASE,
)
STATED = re.compile(
    r"\bfurther cycle (?:is )?ordered\b|\banother targeted drug\b|\bmore cycles brought more toxicity\b|\bmore than (?:\{cycle_alarm\}|\d+) cycles\b",
    re.IGNORECASE,
)
BANNED = re.compile(
    r"\b(cured?|cures|sterile|safe to leave|must resect|gone|clear of disease|disease-free)\b", re.IGNORECASE
)
VANISHED = re.compile(r"(?<!recorded as )\bdisappeared\b", re.IGNORECASE)
QUOTED = re.compile(r"[\"“][^\"”]*[\"”]")
COMPLETE = re.compile(r"(?<!true )\bcomplete response\b(?! at pathology| \(residual cells\))", re.IGNORECASE)
SHARE = r"(?:\d[\d.]*\s*(?:%|percent\b)|\bin 100\b|\bout of 100\b|\bchances?\b|\bodds\b|\brisk of\b|\bprobab\w*|\blikelihood\b)"
ONE = r"(?:\bthis (?:patient|lesion|site|woman|man)\b|\byour?s?\b|\bthe patient(?:'s)? \w+ is\b)"
PERSONAL = re.compile(
    rf"{ONE}[^.]{{0,60}}{SHARE}|{SHARE}[^.]{{0,60}}{ONE}|{ONE}[^.]{{0,40}}\d+(?:\.\d+)? %", re.IGNORECASE
)
COMPOSITE = re.compile(
    r"\b83\b.{0,80}(?:patholog|histolog|microscop)|(?:patholog|histolog|microscop).{0,80}\b83\b",
    re.IGNORECASE | re.DOTALL,
)
CUT_OFF = re.compile(
    r"(?:\bADC\b|diffusion coefficient)[^.]{0,60}(?:\d|cut-?off|threshold|above|below)|(?:cut-?off|threshold)[^.]{0,40}\bADC\b",
    re.IGNORECASE,
)
NO_CUT_OFF = re.compile(r"there is no cut-off|no cut-off could be found", re.IGNORECASE)
WEAK = ("S004-29", "S004-34", "S004-35", "S004-36", "S003-04")
"""Statements that may not carry a rule: too few patients, chosen patients, or a difference of means (PT-06)."""
ARGUMENTS = re.compile(
    r"\b(?:more|longer|further) (?:cycles?|chemotherapy|treatment)\b[^.]{0,40}(?<!no )\b(?:more|better|higher|improves?)\b[^.]{0,20}\brespon"
    r"|\bcycles?\b[^.]{0,20}\bimproves?\b|\b(?:TACE|chemo-?embolisation)\b",
    re.IGNORECASE,
)
RATIOS = {"28.52", "28.5", "29.14", "29.1", "21.62", "21.6", "134", "134.04", "133"}
"""Products of the odds ratios 4.7, 4.6 and 6.2, as somebody might print them."""
NUMBER = re.compile(r"(?<![\w.-])\d+(?:\.\d+)?(?: %)?")
NAMES = re.compile(
    r"RECIST 1\.1|\bT2\b|\(R-[^)]*\)|\b(?:CT|MRI|PET) (?:19|20)\d\d-\d\d-\d\d|\{[^}]*\}|\b(?:R|DQ|LS|DA|DC|RC|PT|HN|E|S\d{3})-?\d+\w?\b|\b(?:19|20)\d\d\b"
)


def banned(text: str) -> list[str]:
    """Words that say more than anybody knows, and a disappearance without modality and date."""
    unquoted = QUOTED.sub("", text)
    return [found[0] for pattern in (BANNED, VANISHED) for found in pattern.finditer(unquoted)]


def complete(text: str) -> list[str]:
    """A complete response that is neither a category of RECIST nor one at pathology."""
    return [found[0] for found in COMPLETE.finditer(QUOTED.sub("", text))]


def personal(text: str) -> list[str]:
    """A probability for one person or one lesion (HN-02)."""
    return [found[0] for found in PERSONAL.finditer(text)]


def pathology(text: str) -> list[str]:
    """The composite of the CT era as if it were a finding of microscopy."""
    return [found[0] for found in COMPOSITE.finditer(text)]


def cut_off(text: str) -> list[str]:
    """A limit for the diffusion coefficient."""
    return [found[0] for found in CUT_OFF.finditer(NO_CUT_OFF.sub("", text))]


def regimen(text: str) -> list[str]:
    """Advice for or against a drug, and the name of a regimen."""
    said = STATED.sub("", text)
    return [found[0] for pattern in (REGIMENS, STEERS) for found in pattern.finditer(said)]


def multiplied(text: str) -> list[str]:
    """A product of odds ratios, or a sign of multiplication between figures."""
    products = [number for number in NUMBER.findall(text) if number in RATIOS]
    return products + [found[0] for found in re.finditer(r"\d\s*[x×*]\s*\d", text)]


def argued(text: str) -> list[str]:
    """An argument that rests on statements too weak for any (PT-06)."""
    return [found[0] for found in ARGUMENTS.finditer(text)]


def unsourced(text: str, known: Iterable[str]) -> list[str]:
    """Figures that are neither of the known ones nor part of a name, a date or a slot."""
    allowed = {"0", *known}
    return [
        number
        for number in NUMBER.findall(NAMES.sub("", text))
        if number not in allowed and number.removesuffix(" %") not in allowed
    ]


def weak_sources(cited: Iterable[str]) -> list[str]:
    """Sources that may not carry a rule."""
    return sorted({id_ for id_ in cited if id_ in WEAK})


def strings(node: Any, path: str = "") -> Iterator[tuple[str, str]]:
    """Yields every text of a YAML document with its path."""
    if isinstance(node, dict):
        for key, value in node.items():
            yield from strings(value, f"{path}/{key}")
    elif isinstance(node, list):
        for place, value in enumerate(node):
            yield from strings(value, f"{path}/{place}")
    elif isinstance(node, str):
        yield path, node


def said(statement: Statement) -> Iterator[tuple[str, str]]:
    """Yields what a statement says to people: its titles and its advice, not what it forbids."""
    if not statement.finding_specs():
        return
    yield f"{statement.id}/title", statement.title
    for case in statement.cases:
        if case.title:
            yield f"{statement.id}/{case.id}/title", case.title
        if case.finding and case.finding.advice:
            yield f"{statement.id}/{case.id}/advice", case.finding.advice


def figures(pack: Pack) -> set[str]:
    """Returns the figures that may be printed: of the register, and the values of parameters."""
    printed = {figure for entry in pack.evidence.values() if entry.printable for figure in entry.figures}
    return printed | {f"{parameter.value}" for parameter in pack.parameters.values()}
