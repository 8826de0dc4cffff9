"""Carcinoembryonic antigen."""

from __future__ import annotations

from fhir_profiles.codes import CEA_FAMILY, Cea
from fhir_profiles.read.common import Context, stated, when
from fhir_profiles.read.element import Json, members, number, obj, text, unit_of, upper_limit
from fhir_profiles.read.reference import tokens
from fhir_profiles.records import LabResult, Record

CODES = {(member.system, member.code) for member in Cea}
# ng/mL and ug/L are the same number.
_UNITS = {
    "mass": {"ng/mL": "ng/mL", "ug/L": "ng/mL", "ng/ml": "ng/mL", "µg/L": "ng/mL", "mcg/L": "ng/mL"},
    "arbitrary": {"U/mL": "U/mL", "[arb'U]/mL": "U/mL", "k[IU]/L": "U/mL", "[IU]/mL": "U/mL"},
    "molar": {"pmol/L": "pmol/L"},
}
_COMPARATORS = {"<", "<=", ">", ">=", None}


def read_cea(resource: Json, ctx: Context) -> tuple[Record, ...]:
    """One value; without a usable number and unit it is kept with the reason it was refused."""
    kinds = members(resource.get("code"), Cea)
    families = {CEA_FAMILY[kind] for kind in kinds}
    family = families.pop() if len(families) == 1 else "mass"
    quantity = obj(resource.get("valueQuantity"))
    written = unit_of(quantity)
    unit = _UNITS[family].get(written) if written is not None else None
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
        uln=upper_limit(resource, written),
        performer=performers[0] if performers else None,
        rejected=refused,
    )
    return (record,)


def _refusal(resource: Json, contradictory: bool, no_number: bool, no_unit: bool) -> str | None:
    if contradictory:
        return "contradictory-codes"
    if "valueQuantity" not in resource:
        return "no-value"
    if no_number:
        return "no-number"
    return "unit" if no_unit else None
