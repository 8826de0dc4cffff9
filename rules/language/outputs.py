"""What a statement gives: facts (`then`, `give`), the values of a finding (`say`), and the choice among
facts (`pick`)."""

from __future__ import annotations

import re

from rules.language.comparisons import constant
from rules.language.expressions import REF, read_sum
from rules.language.model import (
    CODED,
    FINDING,
    NUMERIC,
    TEXTUAL,
    Aggregate,
    Condition,
    Expression,
    Give,
    Kind,
    Linear,
    Preference,
    Property,
    Ref,
)
from rules.language.nodes import Mapping, Node, Scalar
from rules.language.scalars import a_type, parse_date, parse_number, read_value
from rules.language.scope import Scope
from rules.language.units import DAYS, differ

_EXTREME = re.compile(r"(min|max)\s+([A-Za-z]\w*)\.(\w+)\Z")
_ORDERS = {"latest": "descending", "largest": "descending", "earliest": "ascending", "smallest": "ascending"}


def read_gives(scope: Scope, node: Node, what: str, source: Condition | None = None) -> tuple[Give, ...]:
    """Returns the facts of `then` or `give`; `source` is the condition whose facts may be aggregated."""
    mapping = scope.report.mapping(node, f"'{what}'")
    gives: list[Give] = []
    for key, body in mapping.entries if mapping else ():
        kind = scope.kinds.get(key.text)
        if kind is None:
            scope.report.unknown(key, "kind", key.text, [name for name in scope.kinds if name != FINDING])
        elif kind.name == FINDING:
            scope.report.add(key, "a finding is not given by 'then'; write 'conclusion:'")
        elif kind.input:
            scope.report.add(key, f"kind '{kind.name}' is an input; a statement cannot give it")
        elif (values := scope.report.mapping(body, f"'{key.text}' of '{what}'")) is not None:
            gives.append(_give(scope, key, kind, values, source))
    return tuple(gives)


def _give(scope: Scope, key: Scalar, kind: Kind, body: Mapping, source: Condition | None) -> Give:
    found: list[tuple[str, Expression]] = []
    for name, node in body.entries:
        prop = kind.properties.get(name.text)
        if prop is None:
            scope.report.unknown(name, f"property of '{kind.name}'", name.text, kind.properties)
            continue
        expression = _value(scope, node, prop, kind, source)
        if expression is not None:
            _check_stated(scope, name, node, kind, expression, source)
            found.append((prop.name, expression))
    _check_counted(scope, key, found, source)
    stated = {name.text for name, _ in body.entries}
    for prop in kind.properties.values():
        if prop.required and prop.name not in stated:
            scope.report.add(key, f"'{kind.name}' is given without its required property '{prop.name}'")
    if kind.unique not in (None, "*") and kind.unique not in stated:
        scope.report.add(key, f"'{kind.name}' is given without '{kind.unique}', by which it is unique")
    return Give(kind.name, tuple(found), key.line)


def _check_counted(
    scope: Scope, key: Scalar, found: list[tuple[str, Expression]], source: Condition | None
) -> None:
    """Refuses a count beside a value of the chosen fact: where the count is nought there is no such fact."""
    counts = any(isinstance(v, Aggregate) and v.function in ("count", "exists") for _, v in found)
    aliases = {ref.alias for _, value in found if isinstance(value, Linear) for _, ref in value.terms}
    extremes = [n for n, v in found if isinstance(v, Aggregate) and v.function in ("min", "max")]
    for name in extremes:
        if counts and scope.kinds[key.text].properties[name].required:
            scope.report.add(
                key, f"'{key.text}.{name}' is required, and where the count is nought it has no value"
            )
    if counts and source is not None and source.alias in aliases:
        both = f"'count' or 'exists' and a value of '{source.alias}'"
        scope.report.add(key, f"'{key.text}' takes {both}; give them in two facts")


def _check_stated(
    scope: Scope, name: Scalar, node: Node, kind: Kind, value: Expression, source: Condition | None
) -> None:
    """Refuses a required value that may come from a property nobody stated."""
    if isinstance(value, Linear):
        refs = [ref for _, ref in value.terms]
    else:
        refs = [Ref(source.alias, value.property)] if source and value.property else []
    for ref in refs:
        if kind.properties[name.text].required and not scope.always(ref):
            what = f"'{kind.name}.{name.text}' is required, and {ref.alias}.{ref.property} may be absent"
            scope.report.add(node, f"{what}; test '{ref.property}: present' first")


def _value(
    scope: Scope, node: Node, prop: Property, kind: Kind, source: Condition | None
) -> Expression | None:
    if not isinstance(node, Scalar):
        scope.report.add(node, f"'{kind.name}.{prop.name}' must be one value")
        return None
    text = node.text.strip()
    if source is not None and (counted := _counted(text, prop)) is not None:
        return counted
    extreme = _EXTREME.match(text)
    if extreme and source is not None and extreme.group(2) == source.alias:
        return _extreme(scope, node, extreme, prop, source)
    if text.startswith(("=", "$")):
        found = _sum(scope, node, text)
        return found if found is not None and _fits(scope, node, prop, kind, found) else None
    if extreme and prop.type in ("int", "decimal", "date"):
        scope.report.add(node, f"'{text}' needs a 'from' with that alias")
        return None
    value = read_value(scope.report, node, prop, kind.name)
    if value is None or _forgotten(scope, node, text, f"'{kind.name}.{prop.name}'"):
        return None
    return constant(value)


def _forgotten(scope: Scope, node: Node, text: str, what: str) -> bool:
    """Refuses a constant text that names a property: it would be told as it is written."""
    found = scope.unmarked(text)
    if found:
        scope.report.add(node, f"{what} would be the text '{text}'; did you mean '= {found}'?")
    return found is not None


def _sum(scope: Scope, node: Scalar, text: str) -> Linear | None:
    return read_sum(scope, node, text.removeprefix("=").strip())


def _fits(scope: Scope, node: Node, prop: Property, kind: Kind, found: Linear) -> bool:
    if prop.type in CODED and found.terms:
        source = scope.prop(found.terms[0][1])
        extra = [value for value in source.values if value not in prop.values]
        if not source.values or extra:
            what = f"may be '{extra[0]}'" if extra else "may be any text"
            scope.report.add(
                node,
                f"{found.terms[0][1].alias}.{source.name} {what}, which '{kind.name}.{prop.name}' cannot",
            )
            return False
        return True
    wanted = {"int": {"int"}, "decimal": set(NUMERIC), "date": {"date"}, "id": set(TEXTUAL)}.get(
        prop.type, set()
    )
    if found.type not in wanted:
        scope.report.add(
            node, f"'{kind.name}.{prop.name}' is {a_type(prop.type)}, the value is {a_type(found.type)}"
        )
        return False
    unit = DAYS if prop.type == "date" else prop.unit
    if differ(unit, found.unit):
        scope.report.add(node, f"'{kind.name}.{prop.name}' is in {unit}, the value is in {found.unit}")
        return False
    return True


def _counted(text: str, prop: Property) -> Aggregate | None:
    if text == "count" and prop.type == "int":
        return Aggregate("count", None, "int")
    if text == "exists" and prop.type == "yesno":
        return Aggregate("exists", None, "yesno")
    return None


def _extreme(
    scope: Scope, node: Node, match: re.Match[str], prop: Property, source: Condition
) -> Aggregate | None:
    kind = scope.kinds[source.kind]
    found = kind.properties.get(match.group(3))
    if found is None:
        scope.report.unknown(node, f"property of '{kind.name}'", match.group(3), kind.properties)
        return None
    text = match.group()
    if found.type in TEXTUAL or (found.type != prop.type and (found.type, prop.type) != ("int", "decimal")):
        scope.report.add(node, f"'{text}' is {a_type(found.type)}; '{prop.name}' is {a_type(prop.type)}")
        return None
    if differ(found.unit, prop.unit):
        scope.report.add(node, f"'{text}' is in {found.unit}; '{prop.name}' is in {prop.unit}")
        return None
    return Aggregate("min" if match.group(1) == "min" else "max", found.name, prop.type)


def read_say(scope: Scope, node: Node) -> tuple[tuple[str, Linear], ...]:
    """Returns the values shown with a finding, by name."""
    mapping = scope.report.mapping(node, "'say'")
    found: list[tuple[str, Linear]] = []
    for name, child in mapping.entries if mapping else ():
        value = read_free(scope, child, f"'say' {name.text}")
        if value is not None:
            found.append((name.text, value))
    return tuple(found)


def read_free(scope: Scope, node: Node, what: str) -> Linear | None:
    """Returns a value whose type is what was written: `= A.p`, `$parameter`, a number, a date or a text."""
    if not isinstance(node, Scalar):
        scope.report.add(node, f"{what} must be one value")
        return None
    text = node.text.strip()
    if text.startswith(("=", "$")):
        return _sum(scope, node, text)
    if not node.quoted:
        number = parse_number(text)
        day = parse_date(text)
        if number is not None or day is not None:
            return constant(number if number is not None else day or "")
    return None if _forgotten(scope, node, text, what) else constant(text)


def read_pick(scope: Scope, node: Node, source: Condition) -> tuple[Preference, ...]:
    """Returns the criteria by which one fact of `from` is chosen, the first being the strongest."""
    kind = scope.kinds[source.kind]
    found = [_preference(scope, item, source, kind) for item in scope.report.sequence(node, "'pick'")]
    if not found:
        scope.report.add(node, "'pick' is empty")
    return tuple(preference for preference in found if preference is not None)


def _preference(scope: Scope, node: Node, source: Condition, kind: Kind) -> Preference | None:
    words = node.text.split() if isinstance(node, Scalar) else []
    ref = REF.match(words[0]) if words else None
    if ref is None or ref.group(1) != source.alias or len(words) < 2:
        scope.report.add(
            node,
            f"a criterion of 'pick' is '{source.alias}.property latest' or '{source.alias}.property is code'",
        )
        return None
    prop = kind.properties.get(ref.group(2))
    if prop is None:
        scope.report.unknown(node, f"property of '{kind.name}'", ref.group(2), kind.properties)
        return None
    if words[1] == "is" and len(words) > 2:
        value = " ".join(words[2:])
        if prop.type not in CODED or value not in prop.values:
            scope.report.add(node, f"'{value}' is not a value of '{prop.name}' ({', '.join(prop.values)})")
            return None
        return Preference(prop.name, "is", value)
    order = _ORDERS.get(words[1])
    if order is None or len(words) != 2:
        scope.report.unknown(node, "criterion", " ".join(words[1:]), [*_ORDERS, "is"])
        return None
    if prop.type in TEXTUAL:
        scope.report.add(node, f"'{prop.name}' is {a_type(prop.type)}; '{words[1]}' is for numbers and dates")
        return None
    return Preference(prop.name, "descending" if order == "descending" else "ascending")
