"""Validation of a resource against the FHIR R4B base definitions, with fhir.resources."""

from __future__ import annotations

from collections.abc import Mapping
from functools import lru_cache
from typing import Any

from fhir.resources.R4B import get_fhir_model_class
from fhir.resources.R4B.resource import Resource as FhirResource
from pydantic import ValidationError

_SHOWN = 10


def check(resource: Mapping[str, Any]) -> tuple[str, ...]:
    """The problems of one resource, as "element: what is wrong" without any value; empty when it is valid.

    R4 and R4B define every resource type used here alike. Base definitions only: terminology and our own
    profiles are checked when the profiles are built.
    """
    given: object = resource
    if not isinstance(given, Mapping):
        return ("resource: is not a JSON object",)
    kind = given.get("resourceType")
    model = _model(kind) if isinstance(kind, str) else None
    if model is None:
        return ("resourceType: is not a FHIR R4 resource type",)
    try:
        model.model_validate(dict(given))
    except ValidationError as failure:
        return tuple(
            _problem(error) for error in failure.errors(include_input=False, include_url=False)[:_SHOWN]
        )
    except (TypeError, ValueError, AttributeError, KeyError) as failure:
        # The models' own pre-validation stumbles on shapes that are not FHIR at all.
        return (f"resource: cannot be parsed as {kind} ({type(failure).__name__})",)
    return ()


@lru_cache(maxsize=64)
def _model(kind: str) -> Any:
    try:
        model = get_fhir_model_class(kind)
    except (ValueError, AttributeError, KeyError):
        return None
    return model if issubclass(model, FhirResource) else None


def _problem(error: Mapping[str, Any]) -> str:
    path = ".".join(str(part) for part in error["loc"]) or "resource"
    return f"{path}: {str(error['type']).replace('_', ' ')}"
