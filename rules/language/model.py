"""The checked rule pack: what the loader hands to both evaluations."""

from __future__ import annotations

import builtins
import datetime
from collections.abc import Mapping
from dataclasses import dataclass, field
from decimal import Decimal
from pathlib import Path
from typing import Literal

from rules.facts import Value

Type = Literal["int", "decimal", "date", "id", "code", "yesno"]
Status = Literal["active", "shadow", "off"]
Operator = Literal["=", "!=", "<", "<=", ">", ">=", "in", "not in", "present", "absent"]

UNKNOWN = "unknown"
OWN = "own"
FINDING = "finding"
ALONE = "*"
"""The value of `Kind.unique` where at most one fact of the kind exists."""

NUMERIC: frozenset[str] = frozenset({"int", "decimal"})
TEXTUAL: frozenset[str] = frozenset({"id", "code", "yesno"})
CODED: frozenset[str] = frozenset({"code", "yesno"})


@dataclass(frozen=True, slots=True)
class Property:
    """Is a declared property of a kind; `values` lists the codes (with `unknown`) of a code or yesno."""

    name: str
    type: Type
    required: bool = False
    values: tuple[str, ...] = ()
    unit: str | None = None
    title: str | None = None


@dataclass(frozen=True, slots=True)
class Kind:
    """Is a declared kind of fact; a fact's values are kept in the order of `properties`."""

    name: str
    title: str
    properties: Mapping[str, Property]
    input: bool = False
    unique: str | None = None
    shown: bool = False
    line: int = 0

    def position(self, name: str) -> int:
        """Returns the place of a property in a fact's tuple of values."""
        return list(self.properties).index(name)


@dataclass(frozen=True, slots=True)
class Parameter:
    """Is a named number with its source; `read` says it was read in the source, `site` that a site set it.

    `shown` says that something outside the rules reads it: the facts are made with it.
    """

    value: int | Decimal
    unit: str
    valid_from: datetime.date
    source: str
    read: bool
    site: bool = False
    title: str | None = None
    line: int = 0
    shown: bool = False


@dataclass(frozen=True, slots=True)
class Evidence:
    """Is one entry of the register of sources.

    `reading` says how it was read (text, abstract, secondary, recalled); only a `printable` entry's
    `figures` may be shown. `fields` holds the other keys as they were written.
    """

    id: str
    citation: str
    read: bool
    reading: str | None
    printable: bool
    figures: tuple[str, ...]
    fields: Mapping[str, str]
    line: int = 0


@dataclass(frozen=True, slots=True)
class Ref:
    """Names a property of a bound fact; the alias `own` means the fact being tested."""

    alias: str
    property: str


@dataclass(frozen=True, slots=True)
class Linear:
    """Is a sum of multiples of properties and a constant; a constant date has no terms and a `date`.

    `type` is the type of the result; `parameters` are the names that were put in as numbers. `unit` is the
    unit of the result where one is declared, of a date the unit that may be added to it.
    """

    type: Type
    terms: tuple[tuple[int | Decimal, Ref], ...] = ()
    constant: int | Decimal = 0
    date: datetime.date | None = None
    text: str | None = None
    parameters: tuple[str, ...] = ()
    unit: str | None = None

    @builtins.property
    def literal(self) -> Value | None:
        """Returns the value where it depends on no fact."""
        if self.terms:
            return None
        if self.text is not None:
            return self.text
        return self.constant if self.date is None else self.date


@dataclass(frozen=True, slots=True)
class Test:
    """Is one comparison of a condition; `right` for comparisons, `choices` for `in` and `not in`."""

    property: str
    operator: Operator
    right: Linear | None = None
    choices: tuple[Value, ...] = ()
    written: str = ""
    line: int = 0

    __test__ = False

    @builtins.property
    def refs(self) -> tuple[Ref, ...]:
        """Returns the properties of facts on the right side."""
        return tuple(ref for _, ref in self.right.terms) if self.right else ()

    def other_aliases(self) -> set[str]:
        """Returns the aliases of the right side, without `own`."""
        return {ref.alias for ref in self.refs} - {OWN}


@dataclass(frozen=True, slots=True)
class Condition:
    """Is `kind Alias: {property: test}`; its tests hold together."""

    alias: str
    kind: str
    tests: tuple[Test, ...] = ()
    named: bool = True
    line: int = 0

    def joins(self) -> set[str]:
        """Returns the earlier aliases it compares with."""
        return {alias for test in self.tests for alias in test.other_aliases()}

    def join_keys(self) -> tuple[Test, ...]:
        """Returns the tests that make one property equal to one property of an earlier alias."""
        return tuple(
            test
            for test in self.tests
            if test.operator == "=" and test.right and len(test.refs) == 1 and test.other_aliases()
        )


@dataclass(frozen=True, slots=True)
class Aggregate:
    """Is `min S.p`, `max S.p`, `count` or `exists` over the facts of `from`."""

    function: Literal["min", "max", "count", "exists"]
    property: str | None
    type: Type


Expression = Linear | Aggregate


@dataclass(frozen=True, slots=True)
class Give:
    """Is a fact that a statement gives: one expression for each property it states."""

    kind: str
    values: tuple[tuple[str, Expression], ...]
    line: int = 0


@dataclass(frozen=True, slots=True)
class Preference:
    """Is one criterion of `pick`: `is` with a code, or `first`/`last` in ascending order."""

    property: str
    order: Literal["is", "ascending", "descending"]
    value: str | None = None


@dataclass(frozen=True, slots=True)
class FindingSpec:
    """Is what a finding says: constant, but for `subject` and `say`."""

    title: str
    conclusion: str
    indicator: str
    display: str
    family: str | None
    hooks: tuple[str, ...]
    subject: Linear | None
    say: tuple[tuple[str, Linear], ...] = ()
    advice: str | None = None
    must_not: str | None = None


@dataclass(frozen=True, slots=True)
class Case:
    """Is one way to conclude; a rule has exactly one, without conditions of its own."""

    id: str | None
    title: str | None
    when: tuple[Condition, ...]
    unless: tuple[Condition, ...]
    then: tuple[Give, ...]
    finding: FindingSpec | None
    line: int = 0


@dataclass(frozen=True, slots=True)
class TestCase:
    """Is one row of a statement's test table."""

    name: str
    given: tuple[tuple[str, Mapping[str, Value]], ...]
    case: str | None = None
    indicator: str | None = None
    facts: tuple[tuple[str, Mapping[str, Value]], ...] = ()
    line: int = 0

    __test__ = False


@dataclass(frozen=True, slots=True)
class Missing:
    """Is one entry of `missing`: a property (or a whole kind) taken away, and what is then expected."""

    kind: str
    property: str | None
    expects: Literal["silent", "fires"] | None
    case: str | None = None
    line: int = 0


@dataclass(frozen=True, slots=True)
class Tests:
    """Is a statement's test table."""

    positive: tuple[TestCase, ...] = ()
    negative: tuple[TestCase, ...] = ()
    missing: tuple[Missing, ...] = ()

    __test__ = False


@dataclass(frozen=True, slots=True)
class Statement:
    """Is a checked statement.

    `when` binds the facts (its first condition is `each` where `form` is not `rule`), `unless` forbids, then

    * rule: the only case speaks for every way the conditions hold;
    * decision: the first case that holds for an `each` fact speaks;
    * derivation: `source` is matched against every way, `pick` chooses one, `give` says what follows.
    """

    id: str
    title: str
    stratum: int
    status: Status
    form: Literal["rule", "decision", "derivation"]
    when: tuple[Condition, ...]
    unless: tuple[Condition, ...]
    cases: tuple[Case, ...] = ()
    source: Condition | None = None
    pick: tuple[Preference, ...] = ()
    give: tuple[Give, ...] = ()
    evidence_for: tuple[str, ...] = ()
    evidence_against: tuple[str, ...] = ()
    tests: Tests = field(default_factory=Tests)
    parameters: tuple[str, ...] = ()
    file: str = ""
    line: int = 0

    def conditions(self) -> tuple[Condition, ...]:
        """Returns every condition, of the statement and of its cases."""
        own = self.when + self.unless + ((self.source,) if self.source else ())
        return own + tuple(c for case in self.cases for c in case.when + case.unless)

    def given(self) -> tuple[Give, ...]:
        """Returns every fact it may give, but for findings."""
        return self.give + tuple(give for case in self.cases for give in case.then)

    def finding_specs(self) -> tuple[FindingSpec, ...]:
        """Returns the findings it may make."""
        return tuple(case.finding for case in self.cases if case.finding)


@dataclass(frozen=True, slots=True)
class Pack:
    """Is a checked rule pack."""

    id: str
    title: str
    version: str
    revision: str
    kinds: Mapping[str, Kind]
    parameters: Mapping[str, Parameter]
    evidence: Mapping[str, Evidence]
    tables: Mapping[str, tuple[Mapping[str, Value], ...]]
    statements: Mapping[str, Statement]
    folder: Path


def finding_kind() -> Kind:
    """Returns the built-in kind whose facts are the findings of active statements."""
    names = ("rule", "case", "subject", "family", "indicator", "conclusion")
    required = {"rule", "indicator", "conclusion"}
    properties = {name: Property(name, "id", name in required) for name in names}
    return Kind(FINDING, "A finding of a lower stratum", properties)
