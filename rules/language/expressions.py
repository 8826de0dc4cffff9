"""Sums such as `A.day - B.day`, `2 * B.mm + $x` and `0.7 * T.baseline`."""

from __future__ import annotations

import re
from collections import deque
from dataclasses import dataclass
from decimal import Decimal, Inexact

from rules.language.model import NUMERIC, TEXTUAL, Linear, Ref, Type
from rules.language.nodes import Node
from rules.language.scalars import number_fault, parse_date, parse_number
from rules.language.scope import Scope
from rules.language.units import CLASH, DAYS, joined, multiplied
from rules.numbers import EXACT, fits, tidy

_TOKEN = re.compile(
    r"\s*(?:(?P<date>\d{4}-\d{2}-\d{2})|(?P<number>\d+(?:\.\d+)?(?:[eE][+-]?\d+)?)|\$(?P<parameter>\w+)"
    r"|(?P<ref>[A-Za-z_]\w*\.\w+)|(?P<sign>[-+*]))",
    re.ASCII,
)
REF = re.compile(r"([A-Za-z_]\w*)\.(\w+)\Z")
Number = int | Decimal


@dataclass(slots=True)
class _Product:
    factor: Number = 1
    ref: Ref | None = None
    type: Type = "int"
    unit: str | None = None


def read_sum(scope: Scope, node: Node, text: str) -> Linear | None:
    """Returns the checked sum a text says; notes what is wrong with it."""
    return _Reader(scope, node, text).read()


class _Reader:
    def __init__(self, scope: Scope, node: Node, text: str) -> None:
        self.scope, self.node, self.text = scope, node, text
        self.tokens: list[tuple[str, str]] = []
        self.parameters: list[str] = []
        self.failed = False

    def fail(self, message: str) -> None:
        self.failed = True
        self.scope.report.add(self.node, message)

    def read(self) -> Linear | None:
        if not self.split():
            return None
        if len(self.tokens) == 1 and self.tokens[0][0] == "date":
            day = parse_date(self.tokens[0][1])
            if day is None:
                self.fail(f"'{self.text}' is not a calendar date")
                return None
            return Linear("date", date=day)
        products = self.products()
        return None if self.failed else self.combine(products)

    def split(self) -> bool:
        place = 0
        text = self.text.rstrip()
        while place < len(text):
            match = _TOKEN.match(text, place)
            if match is None:
                self.fail(f"cannot read '{text[place:].strip()}' in '{text}'")
                return False
            place = match.end()
            self.tokens.append((match.lastgroup or "", match.group(match.lastgroup or 0)))
        if not self.tokens:
            self.fail("a value is missing after the operator")
        return bool(self.tokens)

    def products(self) -> list[_Product]:
        products: list[_Product] = []
        tokens = deque(self.tokens)
        factor = 1
        if tokens[0] == ("sign", "-"):
            tokens.popleft()
            factor = -1
        while True:
            product = _Product(factor)
            products.append(product)
            while True:
                if not tokens or tokens[0][0] == "sign":
                    return self.broken()
                self.multiply(product, *tokens.popleft())
                if not tokens:
                    return products
                group, word = tokens.popleft()
                if word != "*":
                    break
            if group != "sign":
                return self.broken()
            factor = -1 if word == "-" else 1

    def broken(self) -> list[_Product]:
        self.fail(f"cannot read '{self.text}' as a sum such as '2 * A.mm + $x'")
        return []

    def multiply(self, product: _Product, group: str, word: str) -> None:
        if group == "ref":
            alias, name = word.split(".")
            prop = self.scope.resolve(self.node, alias, name)
            if prop is None:
                self.failed = True
            elif product.ref is not None:
                self.fail(
                    f"'{self.text}' multiplies two properties; only a number times a property is allowed"
                )
            else:
                product.ref = Ref(alias, name)
                product.unit = multiplied(product.unit, DAYS if prop.type == "date" else prop.unit)
                if product.type == "int" or prop.type not in NUMERIC:
                    product.type = prop.type
            return
        number = self.number(group, word)
        if number is None:
            self.failed = True
            return
        if group == "parameter":
            product.unit = multiplied(product.unit, self.scope.parameters[word].unit)
        try:
            factor = EXACT.multiply(Decimal(product.factor), Decimal(number))
        except Inexact:
            self.too_long()
            return
        both = isinstance(product.factor, int) and isinstance(number, int)
        product.factor = int(factor) if both else tidy(factor)
        if not both and product.type == "int":
            product.type = "decimal"

    def number(self, group: str, word: str) -> Number | None:
        if group == "parameter":
            parameter = self.scope.parameter(self.node, word)
            if parameter is None:
                return None
            self.parameters.append(word)
            return parameter.value
        number = parse_number(word)
        if group == "date":
            self.fail(f"a date can only stand alone, not in '{self.text}'")
            return None
        if number is None:
            self.fail(number_fault(word))
        return number

    def combine(self, products: list[_Product]) -> Linear | None:
        terms = tuple((p.factor, p.ref) for p in products if p.ref is not None)
        numbers = [p for p in products if p.ref is None]
        total = Decimal(0)
        try:
            for product in numbers:
                total = EXACT.add(total, Decimal(product.factor))
        except Inexact:
            self.too_long()
            return None
        whole = all(isinstance(p.factor, int) for p in numbers)
        constant: Number = int(total) if whole else tidy(total)
        if not fits(constant) or not all(fits(factor) for factor, _ in terms):
            self.too_long()
            return None
        type_ = self.type_of(products)
        if type_ is None:
            return None
        unit = joined(product.unit for product in products)
        if unit is CLASH:
            self.fail(f"'{self.text}' adds {' to '.join(self.units(products))}")
            return None
        return Linear(type_, terms, constant, parameters=tuple(sorted(set(self.parameters))), unit=unit)

    def too_long(self) -> None:
        self.fail(f"a number in '{self.text}' is too large or has too many decimal places")

    def units(self, products: list[_Product]) -> list[str]:
        return list(dict.fromkeys(p.unit for p in products if p.unit))

    def type_of(self, products: list[_Product]) -> Type | None:
        types = [p.type for p in products]
        texts = [t for t in types if t in TEXTUAL]
        if texts:
            if len(products) == 1 and products[0].factor == 1:
                return texts[0]
            self.fail(f"'{self.text}' calculates with a text")
            return None
        if "date" not in types:
            return "decimal" if "decimal" in types else "int"
        return self.type_of_days(products)

    def type_of_days(self, products: list[_Product]) -> Type | None:
        days = [p.factor for p in products if p.type == "date"]
        rest = [p for p in products if p.type != "date"]
        if any(p.type == "decimal" for p in rest):
            hint = "days are whole, and written without a point"
            self.fail(f"'{self.text}' adds a part of a day to a date; {hint}")
            return None
        if days == [1]:
            return "date"
        if sorted(days) == [-1, 1]:
            return "int"
        self.fail(f"'{self.text}' is neither a date and days nor a date minus a date")
        return None
