"""Builds one synthetic patient in the shape of our profiles, resource by resource."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import date, timedelta
from typing import Any

from fhir_profiles.codes import (
    Attribute,
    Coded,
    Disposition,
    Operation,
    Reason,
    Topic,
)
from fhir_profiles.samples.imaging import Imaged
from fhir_profiles.samples.person import PROFILE, TARGET, Resource, component, ref


class Story(Imaged):
    """A patient with plans and operations."""

    def disposition(
        self, lesion: Resource, day: str, value: Disposition, reason: Reason | None = None
    ) -> Resource:
        """What was decided for one lesion."""
        parts = [component(Attribute.REASON, valueCodeableConcept=reason.concept)] if reason else []
        extra: Resource = {"component": parts} if parts else {}
        return self._observation(
            "disposition",
            Topic.DISPOSITION,
            day,
            category="procedure",
            profile="crlm-lesion-disposition",
            focus=lesion,
            valueCodeableConcept=value.concept,
            **extra,
        )

    def membership(self, lesion: Resource, day: str, *, inside: bool) -> Resource:
        """Whether the planned specimen holds the site."""
        return self._observation(
            "membership",
            Topic.MEMBERSHIP,
            day,
            category="procedure",
            profile="crlm-lesion-plan-membership",
            focus=lesion,
            component=[component(Attribute.IN_SPECIMEN, valueBoolean=inside)],
        )

    def order(
        self, *codes: Coded, lesions: Sequence[Resource] = (), draft: bool = False, **fields: Any
    ) -> Resource:
        """A ServiceRequest; a draft is returned and not added to the record."""
        name = "draft-order" if draft else self._name("order", "ServiceRequest")
        targeted = [{"url": TARGET, "valueReference": ref(lesion)} for lesion in lesions]
        resource: Resource = {
            "resourceType": "ServiceRequest",
            "id": f"{self._prefix}-{name}",
            "extension": [*targeted, *fields.pop("extension", [])],
            "status": "draft" if draft else "active",
            "intent": "order",
            "code": {"coding": [code.coding for code in codes]},
            "subject": self._subject,
        } | fields
        if not resource["extension"]:
            del resource["extension"]
        if not draft:
            self.resources.append(resource)
        return resource

    def revoked(self, order: Resource, day: str) -> None:
        """Marks an order as revoked on a day."""
        order["status"] = "revoked"
        order.setdefault("extension", []).append({"url": f"{PROFILE}/crlm-ended", "valueDate": day})

    def appointment(self, order: Resource, day: str, text: str) -> Resource:
        """A booked appointment for an order."""
        return self._add(
            "Appointment",
            self._name("appointment", "Appointment"),
            status="booked",
            serviceType=[order["code"]],
            description=text,
            basedOn=[ref(order)],
            start=f"{day}T08:00:00+01:00",
            end=f"{day}T14:00:00+01:00",
            created=order["authoredOn"],
            participant=[{"actor": self._subject, "status": "accepted"}],
        )

    def operation(self, day: str, text: str, code: Operation, lesions: Sequence[Resource]) -> Resource:
        """A completed liver operation with its target lesions."""
        return self._add(
            "Procedure",
            self._name("operation", "Procedure"),
            meta={"profile": [f"{PROFILE}/crlm-operation"]},
            extension=[{"url": TARGET, "valueReference": ref(lesion)} for lesion in lesions],
            status="completed",
            code=code.concept | {"text": text},
            subject=self._subject,
            performedDateTime=day,
        )


def every(days: int, first: str, count: int) -> list[str]:
    """Dates at a fixed interval."""
    start = date.fromisoformat(first)
    return [(start + timedelta(days=days * index)).isoformat() for index in range(count)]
