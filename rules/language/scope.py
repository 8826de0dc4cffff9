"""What names mean at one place of a statement."""

from __future__ import annotations

import re
from collections.abc import Mapping
from dataclasses import dataclass, field

from rules.language.model import OWN, Condition, Kind, Parameter, Property, Ref
from rules.language.nodes import Node
from rules.language.report import Report

_UNMARKED = re.compile(r"(?<![\w.])(?:([A-Za-z_]\w*)\.(\w+)|\$(\w+))", re.ASCII)


@dataclass(slots=True)
class Scope:
    """Knows the kinds, parameters and the aliases bound so far; notes unknown names."""

    report: Report
    kinds: Mapping[str, Kind]
    parameters: Mapping[str, Parameter]
    bound: dict[str, Condition] = field(default_factory=dict)
    used: set[str] = field(default_factory=set)

    def inner(self) -> Scope:
        """Returns a scope whose new aliases are not seen outside."""
        return Scope(self.report, self.kinds, self.parameters, dict(self.bound), self.used)

    def with_own(self, condition: Condition) -> Scope:
        """Returns a scope in which `own` is the condition's fact."""
        scope = self.inner()
        scope.bound[OWN] = condition
        return scope

    def prop(self, ref: Ref) -> Property:
        """Returns the declaration behind a name that was resolved before."""
        return self.kinds[self.bound[ref.alias].kind].properties[ref.property]

    def resolve(self, at: Node, alias: str, name: str) -> Property | None:
        """Returns the declaration behind `alias.name`; notes an unknown alias or property."""
        condition = self.bound.get(alias)
        if condition is None:
            self.report.unknown(at, "alias", alias, self.bound)
            return None
        kind = self.kinds[condition.kind]
        prop = kind.properties.get(name)
        if prop is None:
            self.report.unknown(at, f"property of '{kind.name}'", name, kind.properties)
        return prop

    def unmarked(self, text: str) -> str | None:
        """Returns the property or parameter that a constant text names, so that its `=` was forgotten."""
        for match in _UNMARKED.finditer(text):
            alias, name, parameter = match.groups()
            known = self.bound.get(alias) if alias else None
            if parameter in self.parameters or (known and name in self.kinds[known.kind].properties):
                return match.group()
        return None

    def parameter(self, at: Node, name: str) -> Parameter | None:
        """Returns a parameter and remembers that it is used; notes an unknown one."""
        found = self.parameters.get(name)
        if found is None:
            self.report.unknown(at, "parameter", name, self.parameters)
        else:
            self.used.add(name)
        return found

    def always(self, ref: Ref) -> bool:
        """Tells whether the property is certainly stated where the bound conditions hold."""
        if self.prop(ref).required or self.prop(ref).values:
            return True
        return any(
            (condition.alias == ref.alias and test.property == ref.property and test.operator != "absent")
            or ref in test.refs
            or (condition.alias == ref.alias and Ref(OWN, ref.property) in test.refs)
            for condition in self.bound.values()
            for test in condition.tests
        )
