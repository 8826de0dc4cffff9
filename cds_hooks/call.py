"""The body of a hook call: bytes in, a checked `HookCall` out (CDS Hooks 2.0.1, "Calling a CDS Service")."""

from __future__ import annotations

import re
from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any

from cds_hooks.hooks import Hook
from cds_hooks.services import Service
from cds_hooks.wire import parse
from plugin.errors import CallError

# An id of dots alone would climb in an address.
LOGICAL_ID = r"(?!\.+$)[A-Za-z0-9._-]{1,256}"
REFERENCE = r"[A-Za-z]+/[A-Za-z0-9._-]{1,256}"
_LOGICAL_ID = re.compile(LOGICAL_ID)
_USER = re.compile(r"([A-Za-z]+)/([A-Za-z0-9._-]{1,256})")
_REFERENCE = re.compile(REFERENCE)
_UUID = re.compile(r"[0-9a-fA-F]{8}-([0-9a-fA-F]{4}-){3}[0-9a-fA-F]{12}")


@dataclass(frozen=True, kw_only=True)
class HookCall:
    """One checked call; `authorization` holds a bearer token and is kept out of every text.

    `shown_as` is the hook whose advice is shown: the hook itself, unless it is a private one. `user_id` is
    None where the hook names no user. `seconds` is how long the record may be read for.
    """

    service: str
    hook: str
    shown_as: str
    hook_instance: str
    patient_id: str
    user_id: str | None = None
    context: Mapping[str, Any] = field(repr=False)
    prefetch: Mapping[str, Any] | None = field(default=None, repr=False)
    fhir_server: str | None = None
    authorization: Mapping[str, Any] | None = field(default=None, repr=False)
    instance_is_uuid: bool = True
    seconds: float | None = None


def read_call(body: bytes, service: Service) -> HookCall:
    """Returns the checked call, or raises CallError (400) naming the member at fault, never its value.

    Unknown members at every level are ignored, `extension` with them.
    """
    hook = service.hook
    request = parse(body)
    if not isinstance(request, dict):
        raise CallError("The request body must be a JSON object.", code="structure")
    _refuse_other_hook(request, hook)
    instance = _text(request, "hookInstance")
    context = _current(_object(request, "context"), hook)
    server = _optional_text(request, "fhirServer")
    authorization = _optional_object(request, "fhirAuthorization")
    if authorization is not None and server is None:
        raise _missing("fhirServer", "it is required beside fhirAuthorization")
    check_context(context, hook)
    return HookCall(
        service=service.id,
        hook=hook.name,
        shown_as=hook.advice,
        hook_instance=instance,
        patient_id=context["patientId"],
        user_id=context["userId"] if hook.users else None,
        context=context,
        prefetch=_optional_object(request, "prefetch"),
        fhir_server=server,
        authorization=authorization,
        instance_is_uuid=_UUID.fullmatch(instance) is not None,
    )


def check_context(context: Mapping[str, Any], hook: Hook) -> None:
    """Passes a context that has what its hook requires; else raises CallError (400) naming the members."""
    absent = [f"context.{name}" for name in hook.required if context.get(name) is None]
    if absent:
        raise _missing(", ".join(absent), f"{hook.name} requires it")
    if hook.users:
        _check_user(context["userId"], hook)
    for name in (*hook.identifiers, *hook.optional_identifiers):
        _check_identifier(context.get(name), name)
    for name in hook.references:
        _check_references([context[name]], name)
    for name in hook.reference_lists:
        _check_references(context[name], name)
    for name in hook.bundles:
        _check_bundle(context[name], name)
    for name in hook.lists:
        _check_tokens(context[name], name)
    for name, kind in hook.resource_lists.items():
        _check_resources(context.get(name), name, kind)


def _current(context: dict[str, Any], hook: Hook) -> dict[str, Any]:
    """Returns the context with members of the hook's earlier version under their present names, as lists."""
    found = {
        name: [context[former]]
        for name, former in hook.former.items()
        if context.get(name) is None and context.get(former) is not None
    }
    return {**context, **found}


def _refuse_other_hook(request: Mapping[str, Any], hook: Hook) -> None:
    if _text(request, "hook") != hook.name:
        raise CallError(f"hook must be {hook.name} at this service.", code="value")


def _check_user(value: Any, hook: Hook) -> None:
    found = _USER.fullmatch(value) if isinstance(value, str) else None
    if found is None or found[1] not in hook.users:
        allowed = ", ".join(sorted(hook.users))
        raise CallError(f"context.userId must have the form Type/id, Type one of {allowed}.", code="value")


def _check_identifier(value: Any, name: str) -> None:
    if value is None:
        return
    if not isinstance(value, str) or not _LOGICAL_ID.fullmatch(value):
        raise CallError(
            f"context.{name} must be a plain FHIR id: letters, digits, '-', '.', '_', no type and no slash.",
            code="value",
        )


def _check_references(value: Any, name: str) -> None:
    references = value if isinstance(value, list) else []
    if not references or not all(isinstance(one, str) and _REFERENCE.fullmatch(one) for one in references):
        raise CallError(f"context.{name} must name resources in the form Type/id.", code="value")


def _check_resources(value: Any, name: str, kind: str) -> None:
    if value is None:
        return
    resources = value if isinstance(value, list) else [None]
    if not all(isinstance(one, dict) and one.get("resourceType") == kind for one in resources):
        raise CallError(f"context.{name} must be a list of {kind} resources.", code="value")


def _check_bundle(value: Any, name: str) -> None:
    if not isinstance(value, dict) or value.get("resourceType", "Bundle") != "Bundle":
        raise CallError(f"context.{name} must be a FHIR Bundle.", code="value")
    if not isinstance(value.get("entry", []), list):
        raise CallError(f"context.{name}.entry must be a list.", code="value")


def _check_tokens(value: Any, name: str) -> None:
    if not isinstance(value, list) or not all(isinstance(item, str) for item in value):
        raise CallError(f"context.{name} must be a list of references in text form.", code="value")


def _text(request: Mapping[str, Any], name: str) -> str:
    value = request.get(name)
    if value is None or value == "":
        raise _missing(name, "every hook call requires it")
    if not isinstance(value, str):
        raise CallError(f"{name} must be text.", code="value")
    return value


def _optional_text(request: Mapping[str, Any], name: str) -> str | None:
    return None if request.get(name) in (None, "") else _text(request, name)


def _object(request: Mapping[str, Any], name: str) -> dict[str, Any]:
    value = request.get(name)
    if value is None:
        raise _missing(name, "every hook call requires it")
    if not isinstance(value, dict):
        raise CallError(f"{name} must be an object.", code="value")
    return value


def _optional_object(request: Mapping[str, Any], name: str) -> dict[str, Any] | None:
    return None if request.get(name) is None else _object(request, name)


def _missing(names: str, reason: str) -> CallError:
    return CallError(f"{names} is missing: {reason}.", code="required")
