"""The service as an OpenAPI 3.1 document, made of the registry of services and the types of the protocol."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from typing import Annotated, Any, Literal

import msgspec
from msgspec import Meta

from cds_hooks.call import LOGICAL_ID, REFERENCE
from cds_hooks.feedback import MAX_ITEMS, MAX_TEXT
from cds_hooks.hooks import Hook
from cds_hooks.model import DiscoveryResponse, HookResponse, OperationOutcome
from cds_hooks.services import Service
from plugin.pull import PREFETCH
from plugin.version import VERSION

REFS = "#/components/schemas/{name}"
_PLAIN = r"^[^\x00-\x08\x0b\x0c\x0e-\x1f\x7f]+$"
Identifier = Annotated[str, Meta(pattern=f"^{LOGICAL_ID}$")]
Reference = Annotated[str, Meta(pattern=f"^{REFERENCE}$")]
Id = Annotated[str, Meta(pattern=_PLAIN, max_length=MAX_TEXT)]
Text = Annotated[str, Meta(min_length=1)]
Moment = Annotated[str, Meta(extra_json_schema={"format": "date-time"})]


class Bundle(msgspec.Struct, kw_only=True, rename="camel"):
    """A FHIR Bundle of resources that are not on record yet."""

    resource_type: Literal["Bundle"] = "Bundle"
    entry: list[Any] = []


class AcceptedSuggestion(msgspec.Struct, kw_only=True):
    """A suggestion by its uuid."""

    id: Annotated[str, Meta(pattern=_PLAIN)]


class Override(msgspec.Struct, kw_only=True, rename="camel"):
    """Why a card was not followed."""

    reason: dict[str, Any] | None = None
    user_comment: str | None = None


class _Feedback(msgspec.Struct, kw_only=True, rename="camel", tag_field="outcome"):
    card: Id
    outcome_timestamp: Moment
    override_reason: Override | None = None


class Accepted(_Feedback, kw_only=True, rename="camel", tag="accepted"):
    """A card of which suggestions were accepted."""

    accepted_suggestions: Annotated[list[AcceptedSuggestion], Meta(min_length=1)]


class Overridden(_Feedback, kw_only=True, rename="camel", tag="overridden"):
    """A card that was not followed."""


class FeedbackRequest(msgspec.Struct, kw_only=True):
    """What users did with cards."""

    feedback: Annotated[list[Accepted | Overridden], Meta(min_length=1, max_length=MAX_ITEMS)]


def openapi(services: Iterable[Service], *, base: str, authenticated: bool) -> dict[str, Any]:
    """Returns the document for the services at `base`; with `authenticated`, calls are signed with a JWT."""
    services = tuple(services)
    calls = {service.id: call_type(service.hook) for service in services}
    kinds = (DiscoveryResponse, HookResponse, OperationOutcome, FeedbackRequest, *calls.values())
    _, components = msgspec.json.schema_components(kinds, ref_template=REFS)
    for kind in calls.values():
        # CDS Hooks 2.0.1, "Calling a CDS Service": fhirServer is required beside fhirAuthorization.
        components[kind.__name__]["anyOf"] = [
            {"properties": {"fhirAuthorization": {"type": "null"}}},
            {"properties": {"fhirServer": {"type": "string", "minLength": 1}}, "required": ["fhirServer"]},
        ]
    signed: dict[str, Any] = {"security": [{"client": []}]} if authenticated else {}
    document: dict[str, Any] = {
        "openapi": "3.1.0",
        "info": {
            "title": "Vestige",
            "version": VERSION,
            "description": "A CDS Hooks 2.0.1 service for colorectal liver metastases.",
        },
        "servers": [{"url": base}],
        "paths": {"/cds-services": {"get": _discovery()}, **_paths(services, calls)},
        "components": {"schemas": components, **_schemes(authenticated)},
        **signed,
    }
    return document


def example(hook: Hook) -> dict[str, Any]:
    """Returns a call in which the client has looked for everything and found nothing: it is answered."""
    order = {"resourceType": "ServiceRequest", "id": "example", "status": "draft", "intent": "proposal"}
    draft = {**order, "subject": {"reference": "Patient/example"}}
    context: dict[str, Any] = dict.fromkeys(hook.identifiers, "example")
    context |= dict.fromkeys(hook.references, "Organization/example")
    context |= {name: ["ServiceRequest/example"] for name in (*hook.reference_lists, *hook.lists)}
    context |= {name: {"resourceType": "Bundle", "entry": [{"resource": draft}]} for name in hook.bundles}
    return {
        "hook": hook.name,
        "hookInstance": "d1577c69-dfbe-44ad-ba6d-3e05e953b2ea",
        "context": {**({"userId": "Practitioner/example"} if hook.users else {}), **context},
        "prefetch": dict.fromkeys(PREFETCH),
    }


def call_type(hook: Hook) -> type[msgspec.Struct]:
    """Returns the type of a call of this hook, its context with it."""
    name = "".join(part.capitalize() for part in hook.name.replace(".", "-").split("-"))
    context = msgspec.defstruct(f"{name}Context", _members(hook), kw_only=True)
    return msgspec.defstruct(
        f"{name}Call",
        [
            ("hook", Literal[hook.name]),
            ("hookInstance", Text),
            ("context", context),
            ("fhirServer", str | None, None),
            ("fhirAuthorization", dict[str, Any] | None, None),
            ("prefetch", dict[str, Any] | None, None),
        ],
        kw_only=True,
    )


def _members(hook: Hook) -> list[tuple[str, Any] | tuple[str, Any, Any]]:
    users = "|".join(sorted(hook.users))
    user = Annotated[str, Meta(pattern=f"^({users})/[A-Za-z0-9._-]{{1,256}}$")]
    required: list[tuple[str, Any]] = [("userId", user)] if hook.users else []
    required += [(name, Identifier) for name in hook.identifiers]
    required += [(name, Reference) for name in hook.references]
    required += [(name, Annotated[list[Reference], Meta(min_length=1)]) for name in hook.reference_lists]
    required += [(name, Bundle) for name in hook.bundles]
    required += [(name, list[str]) for name in hook.lists]
    optional: list[tuple[str, Any, Any]] = [
        (name, Identifier | None, None) for name in hook.optional_identifiers
    ]
    optional += [
        (name, list[_resource(kind)] | None, None)  # type: ignore[misc]
        for name, kind in hook.resource_lists.items()
    ]
    return [*required, *optional]


def _resource(kind: str) -> type[msgspec.Struct]:
    return msgspec.defstruct(f"{kind}Resource", [("resourceType", Literal[kind])], kw_only=True)


def _paths(
    services: Sequence[Service], calls: Mapping[str, type[msgspec.Struct]]
) -> dict[str, dict[str, Any]]:
    paths: dict[str, dict[str, Any]] = {}
    for service in services:
        kind = calls[service.id].__name__
        paths[f"/cds-services/{service.id}"] = {"post": _call(service, kind)}
        paths[f"/cds-services/{service.id}/feedback"] = {"post": _feedback(service)}
    return paths


def _discovery() -> dict[str, Any]:
    return {
        "operationId": "discovery",
        "summary": "The services, their hooks and their prefetch",
        "responses": {
            "200": _answer("The services.", DiscoveryResponse),
            "304": {"description": "Nothing has changed since the ETag sent."},
            "401": _refusal("Without a token that is believed."),
        },
    }


def _call(service: Service, kind: str) -> dict[str, Any]:
    return {
        "operationId": service.id,
        "summary": service.title,
        "description": service.description,
        "requestBody": {
            "required": True,
            "content": _json({"$ref": REFS.format(name=kind)}, example=example(service.hook)),
        },
        "responses": {
            "200": _answer("The cards; an empty list where there is nothing to say.", HookResponse),
            **_refusals(),
            "412": _refusal("Nothing decisive can be read: neither usable prefetch nor FHIR access."),
        },
    }


def _feedback(service: Service) -> dict[str, Any]:
    kind = REFS.format(name=FeedbackRequest.__name__)
    return {
        "operationId": f"{service.id}-feedback",
        "summary": f"Feedback on cards of {service.id}",
        "requestBody": {"required": True, "content": _json({"$ref": kind})},
        "responses": {
            "200": {"description": "Every item is kept; the answer has no body."},
            **_refusals(),
        },
    }


def _refusals() -> dict[str, Any]:
    return {
        "400": _refusal("The body is not as the protocol wants it; the member at fault is named."),
        "401": _refusal("Without a token that is believed."),
        "408": _refusal("The body did not arrive in time."),
        "413": _refusal("The body is too large."),
        "415": _refusal("The body is no JSON in UTF-8, or compressed."),
        "500": _refusal("A fault; the error id finds it in the log."),
        "503": {
            **_refusal("Too many calls at the moment, or what was sent cannot be kept; send it again later."),
            "headers": {
                "Retry-After": {
                    "description": "Seconds; where there are too many calls.",
                    "schema": {"type": "integer"},
                }
            },
        },
    }


def _answer(text: str, kind: type[msgspec.Struct]) -> dict[str, Any]:
    return {"description": text, "content": _json({"$ref": REFS.format(name=kind.__name__)})}


def _refusal(text: str) -> dict[str, Any]:
    return _answer(text, OperationOutcome)


def _json(schema: dict[str, Any], **more: Any) -> dict[str, Any]:
    return {"application/json": {"schema": schema, **more}}


def _schemes(authenticated: bool) -> dict[str, Any]:
    if not authenticated:
        return {}
    said = "Signed by the CDS client; aud is the address called (CDS Hooks 2.0.1, Trusting CDS Clients)."
    scheme = {"type": "http", "scheme": "bearer", "bearerFormat": "JWT", "description": said}
    return {"securitySchemes": {"client": scheme}}
