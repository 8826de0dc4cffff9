"""The site's rule pack and its evaluator, as the settings ask for them."""

from __future__ import annotations

from decimal import Decimal, InvalidOperation

from plugin.errors import SettingsError
from plugin.settings import Settings
from rules.evaluate import Evaluator
from rules.language import Pack, load_pack


def pack_of(settings: Settings) -> Pack:
    """Returns the checked pack with the site's parameters and states; raises PackError or SettingsError."""
    rules = settings.rules
    parameters = {name: _number(name, value) for name, value in rules.parameters.items()}
    return load_pack(rules.pack, parameters=parameters, states=rules.states)


def evaluator_of(settings: Settings) -> Evaluator:
    """Returns an evaluator for the site's pack, as a service runs it; close it when done."""
    return Evaluator(pack_of(settings), mode=settings.rules.engine, workers=settings.rules.engine_workers)


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
        raise SettingsError(f"rules.parameters.{name}: {value!r} is no number") from None
    return int(exact) if exact == exact.to_integral_value() else exact
