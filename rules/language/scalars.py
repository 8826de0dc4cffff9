"""Single values: text, numbers, dates and flags, with the traps of YAML 1.1 refused."""

from __future__ import annotations

import datetime
import re
from decimal import Decimal

from rules.facts import Value
from rules.language.model import CODED, UNKNOWN, Property, Type
from rules.language.nodes import Node, Scalar
from rules.language.report import Report, suggestion
from rules.numbers import MAGNITUDE, PLACES, fits, tidy

NUMBER = re.compile(r"[+-]?(0|[1-9][0-9]*)(\.[0-9]+)?\Z")
DATE = re.compile(r"[0-9]{4}-[0-9]{2}-[0-9]{2}\Z")
NAME = re.compile(r"[A-Za-z_][A-Za-z0-9_-]*\Z")

_BOOLEANS = {"y", "n", "yes", "no", "on", "off", "true", "false"}
_NULLS = {"", "~", "null"}
_NUMBER_LIKE = re.compile(
    r"[+-]?(\d[\d_]*(\.[\d_]*)?|\.\d[\d_]*)([eE][+-]?\d+)?\Z|[+-]?0[xob][0-9a-fA-F_]+\Z"
    r"|[+-]?\d+(:\d+)+(\.\d*)?\Z|[+-]?\.inf\Z|\.nan\Z",
    re.IGNORECASE,
)
_TIME_LIKE = re.compile(r"\d{4}-\d{1,2}-\d{1,2}([Tt\s].*)?\Z")


def trap(scalar: Scalar) -> str | None:
    """Returns what YAML makes of an unquoted text that is not meant as one, or None."""
    text = scalar.text
    if scalar.quoted:
        return None
    if text.lower() in _NULLS:
        return "nothing (null)"
    if text.lower() in _BOOLEANS:
        return "a truth value"
    if _TIME_LIKE.match(text):
        return "a date"
    return "a number" if _NUMBER_LIKE.match(text) else None


def read_text(report: Report, node: Node | None, what: str, at: Node | int = 1) -> str | None:
    """Returns a non-empty text; refuses what YAML would take for something else."""
    if not isinstance(node, Scalar):
        report.add(node if node is not None else at, f"{what} must be a text")
        return None
    taken = trap(node)
    if taken:
        report.add(node, f"{what}: '{node.text}' unquoted is {taken} in YAML; quote it: \"{node.text}\"")
        return None
    if not node.text.strip():
        report.add(node, f"{what} is empty")
        return None
    return node.text.strip()


def read_name(report: Report, node: Node | None, what: str, at: Node | int = 1) -> str | None:
    """Returns a name made of letters, digits, '-' and '_'."""
    text = read_text(report, node, what, at)
    if text is not None and not NAME.match(text):
        report.add(node or at, f"{what} '{text}' must be letters, digits, '-' and '_', a letter first")
        return None
    return text


def read_flag(report: Report, node: Node, what: str) -> bool:
    """Returns true or false, which must be written so."""
    if isinstance(node, Scalar) and not node.quoted and node.text in ("true", "false"):
        return node.text == "true"
    word = f"'{node.text}'" if isinstance(node, Scalar) else "a collection"
    report.add(node, f"{what} must be true or false, not {word}")
    return False


def read_choice(report: Report, node: Node | None, what: str, known: tuple[str, ...]) -> str | None:
    """Returns one of the known words."""
    if isinstance(node, Scalar) and node.text.strip() and node.text.strip() not in known:
        # Before anything is said on quotes: quoted it would not be one of them either.
        meant = suggestion(node.text, known, listed=False)
        report.add(node, f"{what} '{node.text}' is not one of {', '.join(known)}{meant}")
        return None
    return read_text(report, node, what)


def parse_number(text: str) -> int | Decimal | None:
    """Returns the number a text says, an int without a decimal point, or None."""
    if not NUMBER.match(text) or len(text) > 40:
        return None
    number = tidy(Decimal(text)) if "." in text else int(text)
    return number if fits(number) else None


def parse_date(text: str) -> datetime.date | None:
    """Returns the calendar date a text says, or None."""
    if not DATE.match(text):
        return None
    try:
        return datetime.date.fromisoformat(text)
    except ValueError:
        return None


def number_fault(text: str) -> str:
    """Says why a text is not a number of this language."""
    if re.fullmatch(r"[+-]?[\d.]+[eE][+-]?\d+", text):
        return f"'{text}': write the number without an exponent"
    if re.fullmatch(r"[+-]?0[0-9]+(\.[0-9]+)?", text):
        return f"'{text}': write the number without a leading 0"
    if NUMBER.match(text):
        return f"'{text}' has more than {PLACES} decimal places or is not below {MAGNITUDE}"
    return f"'{text}' is not a number"


def read_number(report: Report, node: Node | None, what: str, at: Node | int = 1) -> int | Decimal | None:
    """Returns an exact number."""
    if not isinstance(node, Scalar):
        report.add(node if node is not None else at, f"{what} must be a number")
        return None
    number = parse_number(node.text)
    if number is None:
        report.add(node, f"{what}: {number_fault(node.text)}")
    elif node.quoted:
        report.add(node, f"{what}: '{node.text}' is quoted; write the number without quotes")
    return number


def read_day(report: Report, node: Node | None, what: str, at: Node | int = 1) -> datetime.date | None:
    """Returns a calendar date, YYYY-MM-DD, quoted or not."""
    if not isinstance(node, Scalar):
        report.add(node if node is not None else at, f"{what} must be a date")
        return None
    day = parse_date(node.text)
    if day is None:
        report.add(node, f"{what}: '{node.text}' is not a calendar date (YYYY-MM-DD)")
    return day


def code_fault(prop: Property, text: str) -> str:
    """Says that a text is not one of a property's codes."""
    shown = ", ".join(prop.values)
    return f"'{text}' is not a value of '{prop.name}' ({shown}){suggestion(text, prop.values, listed=False)}"


def read_value(report: Report, node: Node, prop: Property, where: str) -> Value | None:
    """Returns a value of the property's type; notes what does not fit."""
    what = f"{where}.{prop.name}"
    if prop.type in ("int", "decimal"):
        number = read_number(report, node, what)
        if number is not None and prop.type == "int" and not isinstance(number, int):
            said = (
                f"write '{int(number)}' without a point"
                if number == int(number)
                else f"'{number}' is not whole"
            )
            report.add(node, f"{what} is an int; {said}")
            return None
        return Decimal(number) if number is not None and prop.type == "decimal" else number
    if prop.type == "date":
        return read_day(report, node, what)
    if prop.type == "yesno" and isinstance(node, Scalar) and node.text in ("yes", "no"):
        return node.text
    text = read_text(report, node, what)
    if text is None or prop.type not in CODED or text in prop.values:
        return text
    report.add(node, code_fault(prop, text))
    return None


def a_type(type_: str) -> str:
    """Returns the type with its article."""
    return f"an {type_}" if type_ in ("int", "id") else f"a {type_}"


def with_unknown(values: tuple[str, ...]) -> tuple[str, ...]:
    """Returns the codes with `unknown` at the end."""
    return values if UNKNOWN in values else (*values, UNKNOWN)


def is_type(text: str) -> Type | None:
    """Returns the text if it names a type."""
    match text:
        case "int" | "decimal" | "date" | "id" | "code" | "yesno":
            return text
    return None
