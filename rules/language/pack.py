"""A folder of YAML becomes a checked pack, or is refused with everything that is wrong with it."""

from __future__ import annotations

import hashlib
import os
import stat
from collections.abc import Mapping
from dataclasses import replace
from decimal import Decimal
from pathlib import Path
from typing import get_args

from rules.errors import PackError, Problem
from rules.language.kinds import read_kinds
from rules.language.model import Pack, Parameter, Statement, Status
from rules.language.nodes import MAX_BYTES, Node, read_nodes
from rules.language.readers import held_back
from rules.language.registers import read_evidence, read_head, read_parameters, read_tables
from rules.language.report import Report, suggestion
from rules.language.statements import StatementReader
from rules.language.whole import check_whole
from rules.numbers import fits, tidy

PACKAGED = Path(__file__).resolve().parent.parent / "crlm"
MAX_FILES = 500
SITE = "(site settings)"
"""What stands in the place of a file where the fault is a site's own value."""

_REQUIRED = ("pack.yaml", "facts.yaml")
_OPTIONAL = ("parameters.yaml", "evidence.yaml", "tables.yaml", "catalogue.yaml")
_REGISTERS = (*_REQUIRED, "parameters.yaml", "evidence.yaml", "tables.yaml")


def load_pack(
    folder: Path | None = None,
    *,
    parameters: Mapping[str, int | Decimal] | None = None,
    states: Mapping[str, str] | None = None,
) -> Pack:
    """Returns the checked pack of a folder (the packaged one by default); raises PackError with all problems.

    `parameters` and `states` are a site's own values, by parameter name and by statement id.
    """
    return _Loader(folder or PACKAGED, parameters or {}, states or {}).load()


def _is_named(path: Path) -> bool:
    """Tells whether a path has the name of a file of a pack, or links to a folder that may hold one."""
    return path.suffix.lower() in (".yaml", ".yml") or (path.is_symlink() and path.is_dir())


class _Loader:
    def __init__(
        self, folder: Path, parameters: Mapping[str, int | Decimal], states: Mapping[str, str]
    ) -> None:
        self.folder, self.site_parameters, self.site_states = folder, parameters, states
        self.problems: list[Problem] = []
        self.files: dict[str, bytes] = {}

    def load(self) -> Pack:
        self.read_files()
        id_, title, version = read_head(*self.open("pack.yaml"))
        kinds = read_kinds(*self.open("facts.yaml"))
        parameters = read_parameters(*self.open("parameters.yaml")) if "parameters.yaml" in self.files else {}
        parameters = self.with_site(parameters)
        evidence = read_evidence(*self.open("evidence.yaml")) if "evidence.yaml" in self.files else {}
        tables = read_tables(*self.open("tables.yaml"), kinds) if "tables.yaml" in self.files else {}
        statements: list[Statement] = []
        for name in self.files:
            if name.startswith("statements/"):
                before = len(self.problems)
                report, root = self.open(name)
                reader = StatementReader(report, kinds, parameters, evidence, self.site_states)
                found = reader.read(root) if root is not None else []
                if not found and len(self.problems) == before:
                    report.add(1, "the file holds no statement")
                statements += found
            elif name not in _REGISTERS:
                # Read elsewhere, by a reader that takes the last of two keys and follows anchors.
                self.open(name)
        self.problems += check_whole(kinds, tables, statements, thorough=not self.problems)
        self.check_states(statements)
        if self.problems:
            raise PackError(tuple(self.problems))
        return Pack(
            id_,
            title,
            version,
            self.revision(),
            kinds,
            parameters,
            evidence,
            tables,
            {statement.id: statement for statement in sorted(statements, key=lambda s: (s.stratum, s.id))},
            self.folder,
        )

    def read_files(self) -> None:
        """Reads every YAML file of the folder, in the order of their paths."""
        if not self.folder.is_dir():
            raise PackError((Problem(str(self.folder), 1, "there is no such folder"),))
        paths = sorted(path for path in self.folder.rglob("*") if _is_named(path))
        if len(paths) > MAX_FILES:
            raise PackError((Problem(str(self.folder), 1, f"more than {MAX_FILES} files"),))
        for path in paths:
            # Of a name that is not UTF-8 every such byte is shown.
            name = os.fsencode(path.relative_to(self.folder).as_posix()).decode("utf-8", "backslashreplace")
            fault = self.unreadable(path, name)
            try:
                if fault is None:
                    self.files[name] = path.read_bytes()
                    self.check_place(name)
            except OSError as error:
                fault = f"the file cannot be read: {error.strerror}"
            if fault is not None:
                self.problems.append(Problem(name, 1, fault))
        # What was refused is there, and is named already.
        named = {*self.files, *(problem.file for problem in self.problems)}
        for name in _REQUIRED:
            if name not in named:
                self.problems.append(Problem(name, 1, "the file is missing"))
        if not any(name.startswith("statements/") for name in named):
            self.problems.append(Problem("statements", 1, "there is no file of statements"))

    def unreadable(self, path: Path, name: str) -> str | None:
        """Says why a file is not read; whatever has the name of one is never passed over."""
        if name != path.relative_to(self.folder).as_posix():
            return "the file's name is not UTF-8"
        if not Path(os.path.realpath(path)).is_relative_to(os.path.realpath(self.folder)):
            return "the file is a link out of the pack's folder"
        try:
            found = path.stat()
        except OSError as error:
            return f"the file cannot be read: {error.strerror}"
        if path.is_symlink() and stat.S_ISDIR(found.st_mode):
            return "a link to a folder is not followed; put the files here"
        if not stat.S_ISREG(found.st_mode):
            return "this is no regular file"
        return f"the file is larger than {MAX_BYTES} bytes" if found.st_size > MAX_BYTES else None

    def check_place(self, name: str) -> None:
        head, _, rest = name.partition("/")
        if name in _REQUIRED + _OPTIONAL or (
            head in ("statements", "text") and rest and name.endswith(".yaml")
        ):
            return
        known = (*_REQUIRED, *_OPTIONAL, "statements/NAME.yaml", "text/LANG.yaml")
        self.problems.append(Problem(name, 1, f"no file of a pack has this name{suggestion(name, known)}"))

    def open(self, name: str) -> tuple[Report, Node | None]:
        """Returns the nodes of a file and a report that notes its problems."""
        if name not in self.files:
            return Report(name, []), None
        before = len(self.problems)
        root = read_nodes(self.files[name], name, self.problems)
        if root is None and len(self.problems) > before:
            return Report(name, []), None
        return Report(name, self.problems), root

    def with_site(self, parameters: dict[str, Parameter]) -> dict[str, Parameter]:
        for name, value in self.site_parameters.items():
            known = parameters.get(name)
            if known is None:
                self.site(f"unknown parameter '{name}'{suggestion(name, parameters)}")
            elif isinstance(value, bool) or not isinstance(value, int | Decimal) or not fits(value):
                self.site(f"parameter '{name}' is not an exact number of at most six decimal places")
            elif isinstance(known.value, int) and value != int(value):
                self.site(f"parameter '{name}' is a whole number in the pack; {value} is not")
            else:
                exact = int(value) if isinstance(known.value, int) else tidy(Decimal(value))
                parameters[name] = replace(known, value=exact, site=True)
        return parameters

    def check_states(self, statements: list[Statement]) -> None:
        known = [statement.id for statement in statements]
        # Without a step of the status definition a lesion could falsely count as gone.
        helpers = {statement.id for statement in statements if not statement.finding_specs()}
        for id_, status in self.site_states.items():
            if id_ not in known:
                self.site(f"unknown rule '{id_}'{suggestion(id_, known)}")
            elif id_ in helpers:
                self.site(
                    f"'{id_}' concludes nothing by itself: other rules rest on it, and its state is fixed"
                )
            if status not in get_args(Status):
                self.site(f"the state of '{id_}' must be active, shadow or off, not '{status}'")
        by_id = {statement.id: statement for statement in statements}
        for id_, readers in held_back(statements).items():
            one = by_id[id_]
            message = (
                f"'{id_}' cannot be {one.status}: {', '.join(readers)} rest on what it concludes; set these "
                "to off or shadow too, or leave it active"
            )
            if id_ not in self.site_states:
                self.problems.append(Problem(one.file, one.line, message))
            elif id_ not in helpers:
                self.site(message)

    def site(self, message: str) -> None:
        self.problems.append(Problem(SITE, 1, message))

    def revision(self) -> str:
        """Returns the first twelve hexadecimal digits over all files, and eight over what the site
        changed."""
        digest = hashlib.sha256()
        for name, data in sorted(self.files.items()):
            digest.update(f"{len(name.encode())}:{name}:{len(data)}:".encode() + data)
        changes = [f"{name}={Decimal(value).normalize()}" for name, value in self.site_parameters.items()]
        changes += [f"{id_}:{status}" for id_, status in self.site_states.items()]
        if not changes:
            return digest.hexdigest()[:12]
        site = hashlib.sha256("\n".join(sorted(changes)).encode()).hexdigest()[:8]
        return f"{digest.hexdigest()[:12]}+site.{site}"
