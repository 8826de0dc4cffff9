"""Carcinoembryonic antigen."""

from __future__ import annotations

from fhir_profiles.codes import CEA_FAMILY, Cea
from fhir_profiles.read.common import Context, stated, when
from fhir_profiles.read.element import Json, members, number, obj, text, unit_of, upper_limit, values
from fhir_profiles.read.reference import tokens
from fhir_profiles.records import LabResult, Record

CODES = {(member.system, member.code) for member in Cea}
# ng/mL and ug/L are the same number. Both micro signs are in use, and upper case too.
_UNITS = {
    "mass": dict.fromkeys(("ng/ml", "ug/l", "\u00b5g/l", "\u03bcg/l", "mcg/l"), "ng/mL"),
    "arbitrary": dict.fromkeys(("u/ml", "ku/l", "[arb'u]/ml", "k[iu]/l", "[iu]/ml"), "U/mL"),
    "molar": {"pmol/l": "pmol/L"},
}
_COMPARATORS = {"<", "<=", ">", ">=", None}


def read_cea(resource: Json, ctx: Context) -> tuple[Record, ...]:
    """One value; without a usable number and unit it is kept with the reason it was refused.

    Reasons: "no-value" (none is given), "no-quantity" (given in another form), "no-number", "unit" (one
    that does not convert exactly to that of its family, or none), "comparator", "contradictory-codes".
    """
    kinds = members(resource.get("code"), Cea)
    families = {CEA_FAMILY[kind] for kind in kinds}
    family = families.pop() if len(families) == 1 else "mass"
    quantity = obj(resource.get("valueQuantity"))
    unit = _unit(quantity, family)
    value, comparator = number(quantity.get("value")), text(quantity.get("comparator"))
    refused = _refusal(resource, bool(families), value is None or value < 0, unit is None)
    if comparator not in _COMPARATORS:
        refused = refused or "comparator"
    day, flags = when(resource, ctx)
    performers = tokens(resource.get("performer"), ctx.base)
    record = LabResult(
        **stated(resource, ctx, day=day, flags=flags),
        code=kinds[0].code,
        family=family,
        value=None if refused else value,
        unit=unit,
        comparator=comparator,
        uln=upper_limit(resource, lambda high: unit_of(high) is None or _unit(high, family) == unit),
        performer=performers[0] if performers else None,
        rejected=refused,
    )
    return (record,)


def _unit(quantity: Json, family: str) -> str | None:
    written = unit_of(quantity)
    return _UNITS[family].get(written.lower()) if written is not None else None


def _refusal(resource: Json, contradictory: bool, no_number: bool, no_unit: bool) -> str | None:
    if contradictory:
        return "contradictory-codes"
    if "valueQuantity" not in resource:
        return "no-quantity" if values(resource) else "no-value"
    if no_number:
        return "no-number"
    return "unit" if no_unit else None
