"""The services this site offers: one row each, read by discovery, by the routes and by the documentation."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass

from cds_hooks.hooks import HOOKS, Hook


@dataclass(frozen=True, kw_only=True)
class Service:
    """One CDS service: its id in the path, the hook it answers, and what it is for."""

    id: str
    hook: Hook
    title: str
    description: str


SERVICES: Mapping[str, Service] = {
    service.id: service
    for service in (
        Service(
            id="crlm-lesion-review",
            hook=HOOKS["patient-view"],
            title="Colorectal liver metastases: lesion review",
            description=(
                "Follows every liver metastasis over studies and modalities when the chart is opened, and "
                "says which have disappeared, which only seem to have, and what is missing to decide."
            ),
        ),
        Service(
            id="crlm-order-select",
            hook=HOOKS["order-select"],
            title="Colorectal liver metastases: order selected",
            description=(
                "Compares a selected order (surveillance, operation, systemic therapy, imaging) with the "
                "state of every known liver metastasis, before it is worked out further."
            ),
        ),
        Service(
            id="crlm-order-sign",
            hook=HOOKS["order-sign"],
            title="Colorectal liver metastases: order to be signed",
            description=(
                "Speaks up when an order about to be signed would leave a liver metastasis untreated that "
                "was not confirmed as gone, or would operate without intraoperative ultrasound."
            ),
        ),
        Service(
            id="crlm-appointment-book",
            hook=HOOKS["appointment-book"],
            title="Colorectal liver metastases: appointment booked",
            description=(
                "Checks, when surveillance or an operation is booked, whether the liver imaging will still "
                "answer the question on that day."
            ),
        ),
        Service(
            id="crlm-encounter-start",
            hook=HOOKS["encounter-start"],
            title="Colorectal liver metastases: encounter started",
            description=(
                "Lists at admission the sites that intraoperative ultrasound has to look for, because the "
                "last imaging no longer shows them."
            ),
        ),
    )
}
