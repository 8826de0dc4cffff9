"""The site's rule pack and its evaluator, as the settings ask for them."""

from __future__ import annotations

import re
import shutil
import subprocess
import sys
import tempfile
from collections.abc import Mapping
from decimal import Decimal, InvalidOperation
from pathlib import Path

import msgspec

from cds_hooks.packcheck import check_facts
from plugin.advice.signs import table_of
from plugin.advice.text import texts_of
from plugin.errors import SettingsError
from plugin.settings import Settings
from rules.catalogue import catalogue_of
from rules.errors import PackError
from rules.evaluate import Evaluator
from rules.language import Pack, load_pack
from rules.language.pack import SITE
from rules.numbers import fits

TABLES_SECONDS = 300.0
MOST_LINES = 5
_MAIN = "from cds_hooks.cli import main; main()"


def pack_of(settings: Settings) -> Pack:
    """Returns the checked pack with the site's parameters and states; raises PackError or SettingsError."""
    rules = settings.rules
    parameters = {name: _number(name, value) for name, value in rules.parameters.items()}
    try:
        pack = load_pack(rules.pack, parameters=parameters, states=rules.states)
    except PackError as error:
        # Where the pack itself is sound the fault is the site's, and so is the key.
        if all(one.file == SITE for one in error.problems):
            raise SettingsError(
                "; ".join(_of_site(one.message, settings) for one in error.problems)
            ) from error
        if not parameters or not _loads(rules.pack, {}):
            raise
        named = [name for name, value in parameters.items() if not _loads(rules.pack, {name: value})]
        keys = ", ".join(f"rules.parameters.{name}" for name in named or parameters)
        raise SettingsError(f"{keys}: {'; '.join(map(str, error.problems))}") from error
    # What the pack promises is part of it: a file of statements that was lost is found here.
    catalogue_of(pack)
    return pack


def _loads(pack: Path | None, parameters: Mapping[str, int | Decimal]) -> bool:
    try:
        load_pack(pack, parameters=parameters)
    except PackError:
        return False
    return True


def _of_site(message: str, settings: Settings) -> str:
    quoted = next(iter(re.findall(r"'([^']+)'", message)), "")
    section = "parameters" if quoted in settings.rules.parameters else "states"
    return f"rules.{section}.{quoted}: {message}"


class Rulebook:
    """The rules as a service answers by them, and their evaluator; nobody who edits files changes them.

    A site's own pack is copied to a temporary folder and read there: the texts of cards are read from the
    files when a card is written, and must be those of the revision that decided.
    """

    def __init__(self, settings: Settings) -> None:
        self._folder: tempfile.TemporaryDirectory[str] | None = None
        if settings.rules.pack is not None:
            # First where the site wrote it: its faults are those of the files that the site knows.
            pack_of(settings)
            self._folder = _temporary()
            settings = in_folder(settings, _copied(settings.rules.pack, Path(self._folder.name)))
        try:
            # Before the evaluator, which starts processes.
            pack = pack_of(settings)
            check_texts(pack, settings)
            check_facts(pack)
            self.evaluator = _evaluator(pack, settings)
        except BaseException:
            self._remove()
            raise

    def close(self) -> None:
        """Ends the evaluator and removes the copy."""
        self.evaluator.close()
        self._remove()

    def _remove(self) -> None:
        if self._folder is not None:
            self._folder.cleanup()


def evaluator_of(settings: Settings) -> Evaluator:
    """Returns an evaluator for the site's pack, as a service runs it; close it when done."""
    return _evaluator(pack_of(settings), settings)


def _evaluator(pack: Pack, settings: Settings) -> Evaluator:
    return Evaluator(pack, mode=settings.rules.engine, workers=settings.rules.engine_workers)


def check_texts(pack: Pack, settings: Settings) -> None:
    """Passes a pack that has the site's language; raises SettingsError, before a card is to be written."""
    texts = texts_of(pack.folder, settings.cards.language)
    table_of(pack.folder, texts.language)


def check_tables(settings: Settings, known: str = "") -> None:
    """Passes a site's own pack whose test tables are as expected; raises SettingsError at a row that is not.

    They run in a process of their own, as the site wrote the pack: without its parameters and states, and
    without a chance that a fault of the engine ends this process. A pack of the revision `known` passes.
    """
    if settings.rules.pack is None or revision_of(pack_of(settings)) == known:
        return
    command = [sys.executable, "-c", _MAIN, "rules", "test", "--pack", str(settings.rules.pack)]
    try:
        done = subprocess.run(  # noqa: S603 - our own command; the folder is one argument and no shell reads it
            command,
            stdin=subprocess.DEVNULL,
            capture_output=True,
            text=True,
            timeout=TABLES_SECONDS,
            check=False,
        )
    except subprocess.TimeoutExpired as error:
        text = f"rules.pack: its test tables took longer than {TABLES_SECONDS:.0f} seconds"
        raise SettingsError(text) from error
    if done.returncode != 0:
        lines = (done.stdout if done.returncode == 1 else done.stderr).strip().splitlines()
        raise SettingsError(f"rules.pack: its test tables fail: {'; '.join(lines[:MOST_LINES])}")


def revision_of(pack: Pack) -> str:
    """Returns the revision of a pack's files, without what the site changes in it by its settings."""
    return pack.revision.partition("+")[0]


def in_folder(settings: Settings, folder: Path) -> Settings:
    """Returns the settings with the rule pack of another folder."""
    return msgspec.structs.replace(settings, rules=msgspec.structs.replace(settings.rules, pack=folder))


def _temporary() -> tempfile.TemporaryDirectory[str]:
    try:
        return tempfile.TemporaryDirectory(prefix="vestige-rules-")
    except OSError as error:
        raise SettingsError(
            f"rules.pack: there is no folder to copy it to ({error.strerror}); name one in TMPDIR"
        ) from error


def _copied(pack: Path, folder: Path) -> Path:
    """Returns the copy of a pack; a file that cannot be read is named."""
    try:
        return Path(shutil.copytree(pack, folder / "pack", symlinks=True))
    except (OSError, shutil.Error) as error:
        raise SettingsError(f"rules.pack: {pack} cannot be copied: {error}") from error


def evaluator_here(settings: Settings, *, timeout: float = 2.0) -> Evaluator:
    """Returns an evaluator without worker processes, for commands that end after one answer.

    `timeout` is in seconds, for each of the two evaluations.
    """
    mode = settings.rules.engine
    return Evaluator(pack_of(settings), mode="in-process" if mode == "pool" else mode, timeout=timeout)


def _number(name: str, value: int | float | str) -> int | Decimal:
    """TOML and the environment give numbers in several shapes; the rules know exact ones only."""
    if isinstance(value, int):
        return value
    try:
        exact = Decimal(str(value))
    except InvalidOperation:
        raise SettingsError(f"rules.parameters.{name}: {value!r:.60} is no number") from None
    if not fits(exact):
        # Before it is made whole: 1e999999999 is short to write and has no end as an integer.
        raise SettingsError(f"rules.parameters.{name}: {value!r:.60} is not below 10**9 with six decimals")
    return int(exact) if exact == exact.to_integral_value() else exact
