"""The smallest list of scopes with which a server gives all that it has for us."""

from __future__ import annotations

from collections.abc import Iterable

from plugin.probe.examination import Searched, Smart, Verdict

_OF_NO_USE = (Verdict.LACKING,)


def smallest(searches: Iterable[Searched], smart: Smart) -> tuple[str, ...]:
    """Returns the scopes for the types that the server can give, in the spelling it knows; none to write.

    A type that was forbidden is in the list: with the scope it might be given. One that the server lacks, or
    whose search it refuses and which cannot be read by its id either, is not.
    """
    letters = ".read" if smart.scopes_v1 and not smart.scopes_v2 else ".rs"
    kinds = {
        one.resource for one in searches if one.verdict not in (*_OF_NO_USE, Verdict.REFUSED) or one.readable
    }
    if kinds & {"MedicationAdministration", "MedicationRequest", "MedicationStatement"}:
        kinds.add("Medication")  # a drug may stand in a resource of its own
    return tuple(f"system/{kind}{letters}" for kind in sorted(kinds))
