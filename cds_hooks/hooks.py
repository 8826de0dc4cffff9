"""The hooks and what their context must hold (CDS Hooks Library 1.0.1 and after; one row a hook)."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from types import MappingProxyType

CLINICIANS = frozenset({"Practitioner", "PractitionerRole"})
ANYBODY = CLINICIANS | {"Patient", "RelatedPerson"}


@dataclass(frozen=True, kw_only=True)
class Hook:
    """One hook: its context fields by kind, and the resource types that `userId` may name.

    `identifiers` are plain ids; `references` and `reference_lists` hold `Type/id`; `bundles` are Bundles of
    drafts; `resource_lists` names, for each optional list of resources, their type. `users` is empty where
    the context has no `userId`. `former` gives the names of members in the hook's earlier version. `shown_as`
    is the hook whose advice a private one shows.
    """

    name: str
    version: str
    identifiers: tuple[str, ...] = ("patientId",)
    optional_identifiers: tuple[str, ...] = ("encounterId",)
    bundles: tuple[str, ...] = ()
    lists: tuple[str, ...] = ()
    references: tuple[str, ...] = ()
    reference_lists: tuple[str, ...] = ()
    resource_lists: Mapping[str, str] = field(default_factory=lambda: MappingProxyType({}))
    users: frozenset[str] = ANYBODY
    former: Mapping[str, str] = field(default_factory=lambda: MappingProxyType({}))
    shown_as: str = ""

    @property
    def required(self) -> tuple[str, ...]:
        """The members that every context of this hook holds."""
        user = ("userId",) if self.users else ()
        return (*user, *self.identifiers, *self.references, *self.reference_lists, *self.bundles, *self.lists)

    @property
    def tokens(self) -> frozenset[str]:
        """The required members that a prefetch template may name: primitive ones ("Prefetch tokens")."""
        user = ("userId",) if self.users else ()
        return frozenset((*user, *self.identifiers, *self.references))

    @property
    def advice(self) -> str:
        """The hook whose advice is shown."""
        return self.shown_as or self.name


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
        Hook(
            name="order-dispatch",
            version="1.1",
            optional_identifiers=(),
            references=("performer",),
            reference_lists=("dispatchedOrders",),
            resource_lists={"fulfillmentTasks": "Task"},
            users=frozenset(),
            former={"dispatchedOrders": "order", "fulfillmentTasks": "task"},
        ),
        Hook(name="appointment-book", version="1.0", bundles=("appointments",)),
        Hook(
            name="encounter-start",
            version="1.0",
            identifiers=("patientId", "encounterId"),
            optional_identifiers=(),
        ),
        Hook(
            name="encounter-discharge",
            version="1.0",
            identifiers=("patientId", "encounterId"),
            optional_identifiers=(),
        ),
    )
}


def result_review(name: str) -> Hook:
    """Returns a site's own hook for the review of a new result: as patient-view, under a reverse-domain name.

    No hook is published for the moment at which a scan is read; a name of one's own is what the specification
    offers ("Hooks": names without a dot are reserved).
    """
    return Hook(name=name, version="1.0", shown_as="patient-view")
