"""facts.yaml: the declared kinds of facts."""

from __future__ import annotations

import re

from rules.language.model import ALONE, FINDING, OWN, Kind, Property, finding_kind
from rules.language.nodes import Mapping, Node, Scalar
from rules.language.report import Report, suggestion
from rules.language.scalars import is_type, read_flag, read_text, with_unknown

IDENTIFIER = re.compile(r"[A-Za-z][A-Za-z0-9_]*\Z")
RESERVED = {OWN, "min", "max", "count", "exists", "and", "in", "not", "present", "absent", FINDING}
MAX_PROPERTIES = 60
# Other readers of YAML take these for a truth value or for nothing; `unique: true` is a word of ours.
GUESSED = {"yes", "no", "on", "off", "true", "false", "null"}

_TYPES = ("int", "decimal", "date", "id", "code", "yesno")
_KIND_KEYS = ("title", "input", "unique", "shown", "properties")
_PROPERTY_KEYS = ("type", "required", "values", "unit", "title")


IDENTIFIER_SAID = "a name is letters, digits and '_', a letter first, and no word such as 'on' or 'null'"


def is_identifier(text: str) -> bool:
    """Tells whether a text may name a kind, a property or a parameter."""
    return IDENTIFIER.match(text) is not None and text.lower() not in GUESSED


def read_kinds(report: Report, root: Node | None) -> dict[str, Kind]:
    """Returns the kinds by name, the built-in `finding` among them."""
    kinds = {FINDING: finding_kind()}
    top = report.mapping(root, "facts.yaml")
    if top is None:
        return kinds
    body = report.keys(top, "facts.yaml", ("kinds",), ("kinds",)).get("kinds")
    declared = report.mapping(body, "'kinds'") if body is not None else None
    for key, node in declared.entries if declared else ():
        if not is_identifier(key.text) or key.text in RESERVED:
            report.add(
                key, f"'{key.text}' cannot be the name of a kind (letters, digits, '_'; not a reserved word)"
            )
        elif (mapping := report.mapping(node, f"kind '{key.text}'")) is not None:
            kinds[key.text] = _kind(report, key, mapping)
    return kinds


def _kind(report: Report, key: Scalar, node: Mapping) -> Kind:
    name = key.text
    what = f"kind '{name}'"
    parts = report.keys(node, what, _KIND_KEYS, ("title", "properties"))
    properties: dict[str, Property] = {}
    body = report.mapping(parts["properties"], f"'properties' of {what}") if "properties" in parts else None
    for entry, child in body.entries if body else ():
        prop = _property(report, entry, child, what)
        if prop:
            properties[prop.name] = prop
    if len(properties) > MAX_PROPERTIES:
        report.add(key, f"{what} has more than {MAX_PROPERTIES} properties")
    title = read_text(report, parts["title"], f"title of {what}") if "title" in parts else None
    return Kind(
        name,
        title or name,
        properties,
        input=read_flag(report, parts["input"], f"'input' of {what}") if "input" in parts else False,
        unique=_unique(report, parts["unique"], what, properties) if "unique" in parts else None,
        shown=read_flag(report, parts["shown"], f"'shown' of {what}") if "shown" in parts else False,
        line=key.line,
    )


def _unique(report: Report, node: Node, what: str, properties: dict[str, Property]) -> str | None:
    if isinstance(node, Scalar) and node.text == "true":
        return ALONE
    text = node.text if isinstance(node, Scalar) else "a collection"
    if text not in properties:
        report.add(
            node, f"'unique' of {what} must be true or a property, not '{text}'{suggestion(text, properties)}"
        )
        return None
    return text


def _property(report: Report, key: Scalar, node: Node, owner: str) -> Property | None:
    what = f"property '{key.text}' of {owner}"
    if not is_identifier(key.text):
        report.add(key, f"{what}: {IDENTIFIER_SAID}")
        return None
    mapping = report.mapping(node, what)
    if mapping is None:
        return None
    parts = report.keys(mapping, what, _PROPERTY_KEYS, ("type",))
    word = read_text(report, parts["type"], f"type of {what}") if "type" in parts else None
    if word is None:
        return None
    type_ = is_type(word)
    if type_ is None:
        report.unknown(parts["type"], f"type of {what}", word, _TYPES)
        return None
    values: tuple[str, ...] = ("yes", "no", "unknown") if type_ == "yesno" else ()
    if type_ == "code":
        values = _codes(report, parts.get("values"), what, mapping)
    elif "values" in parts:
        report.add(parts["values"], f"{what}: only a code has 'values'")
    return Property(
        key.text,
        type_,
        read_flag(report, parts["required"], f"'required' of {what}") if "required" in parts else False,
        values,
        read_text(report, parts["unit"], f"unit of {what}") if "unit" in parts else None,
        read_text(report, parts["title"], f"title of {what}") if "title" in parts else None,
    )


def _codes(report: Report, node: Node | None, what: str, at: Node) -> tuple[str, ...]:
    if node is None:
        report.add(at, f"{what}: a code needs 'values'")
        return with_unknown(())
    codes: list[str] = []
    for item in report.sequence(node, f"values of {what}"):
        text = read_text(report, item, f"a value of {what}")
        if text is not None and text in codes:
            report.add(item, f"{what}: the value '{text}' occurs twice")
        elif text is not None:
            codes.append(text)
            if not text.isascii():
                report.add(
                    item, f"{what}: the value '{text}' must be ASCII, where no letter looks like another"
                )
    return with_unknown(tuple(codes))
