"""What a case gives and says for the bindings that hold."""

from __future__ import annotations

from collections.abc import Callable, Sequence

from rules.engine.encode import Row
from rules.engine.integers import Integers
from rules.engine.outputs import Decimals, Outputs
from rules.language.model import Case, Condition
from rules.trace import Gifts, Way, Ways

Numbers = tuple[int, ...]
Conclude = Callable[[Sequence[Numbers], Sequence[Row], Sequence[str], Decimals, Ways, Gifts], None]
"""Bindings (in the engine's numbers), rows by these numbers, texts, decimals; fills ways and gifts."""


def conclusion(number: int, case: Case, bound: tuple[Condition, ...], integers: Integers) -> Conclude:
    """Returns how a case concludes."""
    outputs = Outputs(integers, bound)
    numbers = "".join(f"i{slot}, " for slot in range(len(bound)))
    lines = [f"for {numbers} in bindings:"]
    lines += [f"    r{slot} = rows[i{slot}]" for slot in range(len(bound))]
    support = f"{{{', '.join(f'r{slot}[0]' for slot in range(len(bound)))}}}"
    for give in case.then:
        values = "".join(f"{value}, " for value in outputs.fact(give))
        lines += [
            f"    at = ({outputs.constant(give.kind)}, ({values})), {number}",
            f"    used = {support}",
            "    known = gifts.setdefault(at, used)",
            "    if known is not used: known |= used",
        ]
    if case.finding is not None:
        subject = outputs.value(case.finding.subject, "id") if case.finding.subject else "None"
        said = outputs.said(case.finding.say)
        lines += [
            f"    at = {number}, {subject}",
            "    way = ways.get(at)",
            f"    if way is None: ways[at] = Way({{{said}}}, {support})",
            "    else:",
            f"        way.says.add({said})",
            f"        way.support.update({support})",
        ]
    outputs.scope["Way"] = Way
    return outputs.function("conclude", "bindings, rows, T, D, ways, gifts", lines)
