"""The findings of a statement: `conclusion` and the keys that go with it."""

from __future__ import annotations

from dataclasses import replace

from rules.language.model import FindingSpec, Linear
from rules.language.nodes import Node, Scalar, Sequence
from rules.language.outputs import read_free, read_say
from rules.language.scalars import read_choice, read_name, read_text
from rules.language.scope import Scope

INDICATORS = ("info", "warning", "critical")
DISPLAYS = ("card", "row")
FAMILIES = tuple(f"F{number}" for number in range(1, 13))

STATEMENT_KEYS = (
    "subject", "conclusion", "indicator", "display", "family", "hooks", "advice", "must_not", "say",
)  # fmt: skip
CASE_KEYS = ("conclusion", "indicator", "display", "family", "advice", "must_not", "say")


def read_finding(scope: Scope, parts: dict[str, Node], title: str) -> FindingSpec | None:
    """Returns what the statement's findings have in common, or None where it names no finding."""
    if not any(key in parts for key in STATEMENT_KEYS):
        return None
    hooks = _hooks(scope, parts["hooks"]) if "hooks" in parts else ()
    subject = _subject(scope, parts["subject"]) if "subject" in parts else None
    spec = FindingSpec(title, "", "", "card", None, hooks, subject)
    return _amend(scope, spec, parts)


def case_finding(
    scope: Scope, shared: FindingSpec | None, parts: dict[str, Node], title: str
) -> FindingSpec | None:
    """Returns the finding of one case: what the statement says, with the case's own keys put over it."""
    if shared is None and not any(key in parts for key in CASE_KEYS):
        return None
    base = shared or FindingSpec(title, "", "", "card", None, (), None)
    return _amend(scope, replace(base, title=title), parts)


def check_complete(scope: Scope, spec: FindingSpec, what: str, at: Node) -> FindingSpec | None:
    """Returns the finding where it has all it needs; notes what is missing otherwise."""
    if not spec.conclusion:
        scope.report.add(at, f"{what} has keys of a finding but no 'conclusion'")
        return None
    if not spec.indicator:
        scope.report.add(at, f"{what} has a conclusion but no 'indicator' ({', '.join(INDICATORS)})")
    if not spec.hooks:
        scope.report.add(at, f"{what} has a conclusion but no 'hooks' (or '[all]')")
    return spec


def _amend(scope: Scope, spec: FindingSpec, parts: dict[str, Node]) -> FindingSpec:
    report = scope.report
    if "conclusion" in parts:
        spec = replace(spec, conclusion=read_name(report, parts["conclusion"], "'conclusion'") or "?")
    if "indicator" in parts:
        spec = replace(
            spec, indicator=read_choice(report, parts["indicator"], "'indicator'", INDICATORS) or "?"
        )
    if "display" in parts:
        spec = replace(spec, display=read_choice(report, parts["display"], "'display'", DISPLAYS) or "?")
    if "family" in parts:
        spec = replace(spec, family=read_choice(report, parts["family"], "'family'", FAMILIES))
    for key in ("advice", "must_not"):
        if key in parts:
            text = read_text(report, parts[key], f"'{key}'")
            spec = replace(spec, advice=text) if key == "advice" else replace(spec, must_not=text)
    if "say" in parts:
        own = read_say(scope, parts["say"])
        names = {name for name, _ in own}
        spec = replace(spec, say=tuple(pair for pair in spec.say if pair[0] not in names) + own)
    return spec


def _hooks(scope: Scope, node: Node) -> tuple[str, ...]:
    items = node.items if isinstance(node, Sequence) else (node,) if isinstance(node, Scalar) else ()
    if not items:
        scope.report.add(node, "'hooks' must be a list of hook names, or [all]")
    names = tuple(name for item in items if (name := read_name(scope.report, item, "a hook")) is not None)
    if "all" in names and len(names) > 1:
        scope.report.add(node, "'hooks' names 'all' beside others")
    return names


def _subject(scope: Scope, node: Node) -> Linear | None:
    subject = read_free(scope, node, "'subject'")
    if subject is None:
        return None
    if not subject.terms or subject.type != "id":
        scope.report.add(node, "'subject' must be '= Alias.property' of an id")
        return None
    if not scope.always(subject.terms[0][1]):
        scope.report.add(node, "'subject' may be absent; test that it is present, or declare it required")
    return subject
