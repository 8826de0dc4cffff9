"""The groups of checks, in the order in which they are run; importing this registers every check."""

from __future__ import annotations

from cds_hooks.conformance import (  # noqa: F401 - each registers its checks
    calls,
    cards,
    cors,
    discovery,
    errors,
    feedback,
    fhir,
    links,
    prefetch,
    readiness,
    security,
    suggestions,
    templates,
    transport,
)

GROUPS = {
    "discovery": "Discovery",
    "templates": "Prefetch templates",
    "calls": "Hook calls",
    "fhir": "Access to FHIR",
    "transport": "Transport and JSON",
    "cards": "Cards",
    "suggestions": "Suggestions and actions",
    "links": "Links",
    "feedback": "Feedback",
    "security": "Trust",
    "cors": "Browser clients",
    "errors": "Errors",
    "readiness": "Readiness for 3.0",
}
