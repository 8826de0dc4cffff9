"""What a pack that loads must have besides, so that a service can answer by it: catalogue, texts, facts."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

from cds_hooks.hooks import HOOKS
from plugin.advice.text import COMPLETE, faults_of
from plugin.errors import SettingsError
from rules.catalogue import catalogue_of
from rules.errors import PackError, Problem
from rules.language import Kind, Pack, Property, lint_hooks, lint_pack, load_pack
from rules.language.nodes import line_of
from rules.language.pack import PACKAGED
from rules.language.report import suggestion

FACTS = "facts.yaml"


def problems_of(folder: Path | None) -> tuple[str | None, tuple[Problem, ...]]:
    """Returns the revision of a pack (None: it cannot be used) and everything that is wrong or missing in it.

    Texts and facts are looked at where the pack has texts: without them it is no pack for a service.
    """
    try:
        pack = load_pack(folder)
        catalogue_of(pack)
    except PackError as error:
        return None, error.problems
    found = [*lint_pack(pack), *lint_hooks(pack, HOOKS)]
    if text_file(pack.folder, COMPLETE).is_file():
        found += [*text_problems(pack), *fact_problems(pack)]
    return pack.revision, tuple(found)


def text_file(folder: Path, language: str) -> Path:
    """Returns where a pack's folder has the texts of a language."""
    return folder / "text" / f"{language}.yaml"


def text_problems(pack: Pack) -> Iterator[Problem]:
    """Yields what is wrong with the texts of every language."""
    for file in sorted((pack.folder / "text").glob("*.yaml")):
        name = file.relative_to(pack.folder).as_posix()
        try:
            for path, message in faults_of(file):
                where = ".".join(map(str, path))
                yield Problem(name, line_of(file.read_bytes(), path), f"{where}: {message}")
        except SettingsError as error:
            yield Problem(name, 1, str(error))


def check_facts(pack: Pack) -> None:
    """Passes a pack that takes the facts Vestige makes; raises PackError, before a patient's are refused."""
    problems = tuple(fact_problems(pack))
    if problems:
        raise PackError(problems)


def fact_problems(pack: Pack) -> Iterator[Problem]:
    """Yields the inputs that the packaged rules declare and a pack does not, or declares otherwise.

    The facts are made for the packaged rules: a pack that refuses one of them can answer no call.
    """
    if pack.folder == PACKAGED:
        return
    for kind in load_pack().kinds.values():
        if not kind.input:
            continue
        own = pack.kinds.get(kind.name)
        if own is None:
            yield Problem(FACTS, 1, f"the kind '{kind.name}' is missing, an input that Vestige puts in")
            continue
        if not own.input:
            yield Problem(FACTS, own.line, f"the kind '{kind.name}' is not 'input: true'; Vestige puts it in")
        if own.unique not in (None, kind.unique):
            message = f"'{kind.name}' is unique by '{own.unique}'; Vestige may put in several"
            yield Problem(FACTS, own.line, message)
        yield from _properties(kind, own)


def _properties(kind: Kind, own: Kind) -> Iterator[Problem]:
    for prop in kind.properties.values():
        name = f"'{kind.name}.{prop.name}'"
        mine = own.properties.get(prop.name)
        if mine is None:
            near = suggestion(prop.name, set(own.properties) - set(kind.properties), listed=False)
            yield Problem(FACTS, own.line, f"{name} is missing, which Vestige puts in{near}")
        else:
            yield from (Problem(FACTS, own.line, f"{name} {message}") for message in _differs(prop, mine))
    for prop in own.properties.values():
        if prop.required and prop.name not in kind.properties:
            message = f"'{kind.name}.{prop.name}' is required, and Vestige does not know it"
            yield Problem(FACTS, own.line, message)


def _differs(prop: Property, mine: Property) -> Iterator[str]:
    if mine.type != prop.type:
        yield f"is {mine.type}, and Vestige puts in {prop.type}"
    elif missing := [value for value in prop.values if value not in mine.values]:
        yield f"lacks the codes {', '.join(missing)}, which Vestige may put in"
    if mine.unit != prop.unit:
        yield f"is in {mine.unit or 'no unit'}, and Vestige puts in {prop.unit or 'no unit'}"
    if mine.required and not prop.required:
        yield "is required, and Vestige does not always have it"
