"""The hooks and what their context must hold (CDS Hooks Library 1.0.1; one row a hook)."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass

CLINICIANS = frozenset({"Practitioner", "PractitionerRole"})
ANYBODY = CLINICIANS | {"Patient", "RelatedPerson"}


@dataclass(frozen=True, kw_only=True)
class Hook:
    """One published hook: its context fields by kind, and the resource types that `userId` may name."""

    name: str
    version: str
    identifiers: tuple[str, ...] = ("patientId",)
    optional_identifiers: tuple[str, ...] = ("encounterId",)
    bundles: tuple[str, ...] = ()
    lists: tuple[str, ...] = ()
    users: frozenset[str] = ANYBODY


HOOKS: Mapping[str, Hook] = {
    hook.name: hook
    for hook in (
        Hook(name="patient-view", version="1.0"),
        Hook(
            name="order-select",
            version="1.0",
            bundles=("draftOrders",),
            lists=("selections",),
            users=CLINICIANS,
        ),
        Hook(name="order-sign", version="1.0", bundles=("draftOrders",), users=CLINICIANS),
        Hook(name="appointment-book", version="1.0", bundles=("appointments",)),
        Hook(
            name="encounter-start",
            version="1.0",
            identifiers=("patientId", "encounterId"),
            optional_identifiers=(),
        ),
    )
}
