"""The rule language: YAML in, a checked pack out."""

from rules.language.lint import lint_hooks, lint_pack
from rules.language.model import Evidence, Kind, Pack, Parameter, Property, Statement
from rules.language.pack import load_pack

__all__ = [
    "Evidence",
    "Kind",
    "Pack",
    "Parameter",
    "Property",
    "Statement",
    "lint_hooks",
    "lint_pack",
    "load_pack",
]
