"""Mutation testing: `python -m tests.rules.mutation --package rules/language --sample 240 --seed 1`.

A mutant lives in the memory of one forked process and is never written to a file. A process imports the mutant
in place of the module, runs the tests chosen for the package, and stops at the first that fails. A mutant that
no test notices has survived; the survivors are printed for a person to judge.
"""

from __future__ import annotations

import argparse
import ast
import importlib.abc
import importlib.machinery
import importlib.util
import os
import random
import resource
import signal
import sys
import time
from collections import Counter
from collections.abc import Callable, Sequence
from itertools import islice
from pathlib import Path
from types import CodeType, FunctionType, ModuleType

import hypothesis  # noqa: F401  # imported before the fork, so that no mutant pays for it
import pytest
import yaml  # noqa: F401

from tests.rules.mutants import Mutant, mutants

MEMORY = 6_000_000_000
NO_TESTS_FAILED, TESTS_FAILED, INTERNAL = 0, 1, 3

_LANGUAGE = (
    "test_loader_errors", "test_hostile", "test_refusals", "test_reading", "test_whole", "test_limits", "test_lint",
    "test_readers", "test_tables", "test_describe", "test_admission", "test_loader", "test_semantics",
)  # fmt: skip
_ENGINE = (
    "test_encode", "test_durable", "test_sift", "test_levels", "test_tables", "test_semantics", "test_evaluate",
    "test_known_faults", "test_fuzz",
)  # fmt: skip
_CROSSCHECK = ("test_crosscheck", "test_tables", "test_semantics", "test_evaluate", "test_fuzz")
# Of the random programs the first sixty, and none of the tests that take seconds.
_SLOW = (
    "is_found", "fresh", "part-two", "part-three", "part-four", "part-five", "neither_facts", "a_doubled_fact",
    "equal_hashes_of_joined", "limit_that_both", "600_distinct", "more_than_255",
)  # fmt: skip
_QUICK = " and ".join(f"not {word}" for word in _SLOW)
# The files of each package, quick ones first, and what of them another package's code would answer.
SUITES: dict[str, tuple[tuple[str, ...], str]] = {
    "rules/language": (_LANGUAGE, "not durable"),
    "rules/engine": (_ENGINE, f"not reference and {_QUICK}"),
    "rules/crosscheck": (_CROSSCHECK, f"not durable and {_QUICK}"),
}


class _Mutated(importlib.machinery.SourceFileLoader):
    def __init__(self, name: str, path: str, tree: ast.Module) -> None:
        super().__init__(name, path)
        self.tree = tree

    def get_code(self, fullname: str) -> CodeType:
        return compile(self.tree, self.path, "exec")


class _Finder(importlib.abc.MetaPathFinder):
    """Finds one module: the mutant."""

    def __init__(self, mutant: Mutant) -> None:
        self.mutant = mutant
        self.name = ".".join(mutant.path.with_suffix("").parts)

    def find_spec(
        self, fullname: str, path: Sequence[str] | None, target: ModuleType | None = None
    ) -> importlib.machinery.ModuleSpec | None:
        if fullname != self.name:
            return None
        file = str(self.mutant.path.resolve())
        return importlib.util.spec_from_file_location(
            fullname, file, loader=_Mutated(fullname, file, self.mutant.tree())
        )


def run_tests(package: str, mutant: Mutant | None) -> int:
    """Returns pytest's exit code for the package's tests, with the mutant in place of its module."""
    if mutant is not None:
        sys.meta_path.insert(0, _Finder(mutant))
    return int(pytest.main(["-x", *arguments(package)]))


def arguments(package: str) -> list[str]:
    """Returns what pytest is told for the tests of a package."""
    names, chosen = SUITES[package]
    files = [f"tests/rules/{name}.py" for name in names]
    return [
        "-q",
        "--assert=plain",
        "-p",
        "no:xdist",
        "-p",
        "no:cacheprovider",
        "--capture=sys",
        "-k",
        chosen,
        *files,
    ]


def forked(work: Callable[[], int], limit: float, *, fresh: bool = False) -> tuple[int | None, float]:
    """Returns the exit code of work done in a process of its own, None where time ran out, and the seconds.

    `fresh` lets the process forget the modules of this project first.
    """
    start = time.monotonic()
    pid = os.fork()
    if pid == 0:
        os.setsid()
        resource.setrlimit(resource.RLIMIT_AS, (MEMORY, MEMORY))
        resource.setrlimit(resource.RLIMIT_CORE, (0, 0))
        quiet = os.open(os.devnull, os.O_WRONLY)
        os.dup2(quiet, 1)
        os.dup2(quiet, 2)
        code = INTERNAL
        try:
            if fresh:
                for name in [one for one in sys.modules if one.split(".")[0] in ("rules", "tests")]:
                    del sys.modules[name]
            code = work()
        finally:
            os._exit(code)
    while time.monotonic() - start < limit:
        done, status = os.waitpid(pid, os.WNOHANG)
        if done:
            return os.waitstatus_to_exitcode(status), time.monotonic() - start
        time.sleep(0.01)
    os.killpg(pid, signal.SIGKILL)
    os.waitpid(pid, 0)
    return None, limit


class _Loop:
    """Takes the place of pytest's loop over the tests: for each mutant a fork runs them until one fails.

    All is imported and collected once, and the fork puts the code of the mutant into the functions that are
    there. A change outside every function is made by a process that imports the mutant afresh.
    """

    def __init__(self, package: str, chosen: Sequence[Mutant]) -> None:
        self.package, self.chosen = package, chosen
        self.outcomes: Counter[str] = Counter()

    def pytest_runtestloop(self, session: pytest.Session) -> bool:
        code, plain = forked(lambda: _first_failure(session), 1200)
        again, _ = forked(lambda: run_tests(self.package, None), 1200, fresh=True)
        if code != NO_TESTS_FAILED or again != NO_TESTS_FAILED:
            sys.exit(f"the tests do not pass without a mutant (exit codes {code}, {again})")
        limit = 30 + 5 * plain
        say(f"{len(self.chosen)} mutants; {len(session.items)} tests take {plain:.0f} s")
        for mutant in self.chosen:
            word = self.judge(session, mutant, limit)
            self.outcomes[word] += 1
            if word != "killed":
                say(f"{word}: {mutant}")
        return True

    def judge(self, session: pytest.Session, mutant: Mutant, limit: float) -> str:
        def quick() -> int:
            put_in_place(mutant)
            return _first_failure(session)

        if mutant.in_function:
            code, _ = forked(quick, limit)
        else:
            code, _ = forked(lambda: run_tests(self.package, mutant), limit, fresh=True)
        return "timeout" if code is None else "survived" if code == NO_TESTS_FAILED else "killed"


def _first_failure(session: pytest.Session) -> int:
    failed: list[str] = []

    class Watch:
        def pytest_runtest_logreport(self, report: pytest.TestReport) -> None:
            if report.failed:
                failed.append(report.nodeid)

    session.config.pluginmanager.register(Watch())
    for item, following in zip(session.items, [*session.items[1:], None], strict=True):
        item.config.hook.pytest_runtest_protocol(item=item, nextitem=following)
        if failed:
            return TESTS_FAILED
    return NO_TESTS_FAILED


def put_in_place(mutant: Mutant) -> None:
    """Puts a mutant's code into the functions of its module and into the methods of its classes."""
    name = ".".join(mutant.path.with_suffix("").parts)
    made: dict[str, object] = {"__name__": name, "__file__": str(mutant.path.resolve())}
    exec(compile(mutant.tree(), str(mutant.path), "exec"), made)
    for key, new in made.items():
        old = vars(sys.modules[name]).get(key)
        if isinstance(new, FunctionType) and isinstance(old, FunctionType) and new.__module__ == name:
            _recode(old, new)
        elif isinstance(new, type) and isinstance(old, type) and new.__module__ == name:
            _reclass(old, new)


def _recode(old: FunctionType, new: FunctionType) -> None:
    old.__code__ = new.__code__
    old.__defaults__ = new.__defaults__
    old.__kwdefaults__ = new.__kwdefaults__


def _reclass(old: type, new: type) -> None:
    for key, value in vars(new).items():
        known = vars(old).get(key)
        if isinstance(value, property) and isinstance(known, property):
            value, known = value.fget, known.fget
        if isinstance(value, staticmethod | classmethod) and isinstance(known, staticmethod | classmethod):
            value, known = value.__func__, known.__func__
        if isinstance(value, FunctionType) and isinstance(known, FunctionType):
            _recode(known, value)


def say(text: str) -> None:
    """Prints past pytest's capture."""
    print(text, file=sys.__stderr__, flush=True)


def choose(package: str, sample: int, seed: int, modules: Sequence[str] = ()) -> tuple[list[Mutant], int]:
    """Returns a random sample of the package's mutants in the order of files and lines, and how many there are."""
    found: list[Mutant] = []
    for path in sorted(Path(package).rglob("*.py")):
        if path.name != "__init__.py" and (not modules or path.stem in modules):
            found += mutants(path, path.read_text("utf-8"))
    picked = random.Random(seed).sample(range(len(found)), min(sample, len(found)))
    return [found[number] for number in sorted(picked)], len(found)


def again(package: str, log: Path) -> list[Mutant]:
    """Returns the survivors of an earlier run that are still there, by their words and then by their lines."""
    every = [
        mutant
        for path in sorted(Path(package).rglob("*.py"))
        for mutant in mutants(path, path.read_text("utf-8"))
    ]
    found: list[Mutant] = []
    for line in log.read_text("utf-8").splitlines():
        if line.startswith("survived: "):
            told = line.removeprefix("survived: ")
            file, number, operator = (part.strip() for part in told.split(":", 3)[:3])
            near = sorted(
                (one for one in every if one.operator == operator),
                key=lambda one: (str(one.path) != file, abs(one.line - int(number))),
            )
            same = (one for one in near if _said(str(one)) == _said(told))
            found += islice(same, 1)
    return found


def _said(text: str) -> str:
    """Returns what a survivor's line says after the file and the line number."""
    return text.split(":", 2)[2].strip()


def main() -> None:
    parser = argparse.ArgumentParser(description="Mutation testing of one package of rules/")
    parser.add_argument("--package", choices=SUITES, default="rules/language")
    parser.add_argument("--sample", type=int, default=200)
    parser.add_argument("--seed", type=int, default=1)
    parser.add_argument("--module", action="append", default=[], help="only this module (may be repeated)")
    parser.add_argument("--again", type=Path, help="the output of an earlier run: judge its survivors anew")
    args = parser.parse_args()
    chosen, total = choose(args.package, args.sample, args.seed, args.module)
    if args.again:
        chosen = again(args.package, args.again)
    say(f"{len(chosen)} of {total} mutants of {args.package}, seed {args.seed}")
    loop = _Loop(args.package, chosen)
    pytest.main(arguments(args.package), plugins=[loop])
    share = loop.outcomes["survived"] / max(1, len(chosen))
    say(f"{dict(loop.outcomes)}; {share:.1%} survived")


if __name__ == "__main__":
    main()
