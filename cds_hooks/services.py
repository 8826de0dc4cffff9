"""The services this site offers: one row each, read by discovery, by the routes and by the documentation."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass

from cds_hooks.hooks import HOOKS, Hook, result_review
from plugin.settings import Settings

RESULT_REVIEW = "crlm-result-review"


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
            id="crlm-order-dispatch",
            hook=HOOKS["order-dispatch"],
            title="Colorectal liver metastases: order sent to its performer",
            description=(
                "Looks once more when a signed order (imaging, operation, therapy) is sent to its performer: "
                "whether it can still answer the question, and what it leaves out."
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
        Service(
            id="crlm-encounter-discharge",
            hook=HOOKS["encounter-discharge"],
            title="Colorectal liver metastases: discharge",
            description=(
                "Names at discharge every site that was left in place without a recorded surveillance plan, "
                "and every lesion that was seen at operation and not treated."
            ),
        ),
    )
}


def services_of(settings: Settings) -> Mapping[str, Service]:
    """Returns the services of a site by id: the published hooks, and its own hook for results, if any."""
    name = settings.service.result_review_hook
    if name is None:
        return SERVICES
    own = Service(
        id=RESULT_REVIEW,
        hook=result_review(name),
        title="Colorectal liver metastases: new result",
        description=(
            "Follows every liver metastasis over studies and modalities when a new imaging or laboratory "
            "result is looked at, as when the chart is opened."
        ),
    )
    return {**SERVICES, own.id: own}
