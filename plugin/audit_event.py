"""Decision records as FHIR AuditEvent resources (R4), as pseudonymous as the records."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

from fhir_profiles.check import check
from plugin.errors import StoreError
from plugin.record import SETTINGS, Record

_EVENT = "http://terminology.hl7.org/CodeSystem/audit-event-type"
_DICOM = "http://dicom.nema.org/resources/ontology/DCM"
_INTERACTION = "http://hl7.org/fhir/restful-interaction"
_ENTITY = "http://terminology.hl7.org/CodeSystem/audit-entity-type"
_ROLE = "http://terminology.hl7.org/CodeSystem/object-role"
_PARTICIPATION = "http://terminology.hl7.org/CodeSystem/extra-security-role-type"
PSEUDONYMS = "https://vestige.example/fhir/NamingSystem/pseudonym"

# A card was shown as it was meant to be; the call was too late for it (4: a minor failure).
_OUTCOMES = {"answered": "0", "late": "4", "reloaded": "0", "reload-refused": "4"}


def audit_event(record: Record) -> dict[str, Any]:
    """Returns the AuditEvent of one decision record; raises StoreError where it would be no valid one."""
    event = {
        "resourceType": "AuditEvent",
        "id": record.id,
        **(_change(record) if record.service == SETTINGS else _decision(record)),
        "recorded": record.made.isoformat(timespec="milliseconds"),
        "outcome": _OUTCOMES.get(record.outcome, "8"),
        "source": {"observer": {"display": f"Vestige {record.code_version}"}},
    }
    problems = check(event)
    if problems:
        raise StoreError(f"decision record {record.id} makes no valid AuditEvent: {problems[0]}")
    return event


def _decision(record: Record) -> dict[str, Any]:
    return {
        "type": {"system": _EVENT, "code": "rest", "display": "RESTful Operation"},
        "subtype": [{"system": _INTERACTION, "code": "operation", "display": "operation"}],
        "action": "E",
        "outcomeDesc": f"{record.outcome}: {len(record.cards)} cards, {len(record.gaps)} gaps",
        "purposeOfEvent": [{"text": f"clinical decision support: {record.service}"}],
        "agent": [_client(record), _service(record)],
        "entity": list(_entities(record)),
    }


def _change(record: Record) -> dict[str, Any]:
    """What is said of a change of settings or rules: its keys, and no patient."""
    keys = ", ".join(record.changed) or "no key"
    return {
        "type": {"system": _DICOM, "code": "110113", "display": "Security Alert"},
        "subtype": [{"system": _DICOM, "code": "110131", "display": "Software Configuration"}],
        "action": "U",
        "outcomeDesc": f"{record.outcome}: {keys}; {'; '.join(record.alarms) or 'no alarm'}",
        "agent": [{"who": {"display": "who runs the service"}, "requestor": True}, _service(record)],
    }


def _client(record: Record) -> dict[str, Any]:
    return {"who": {"display": record.client or "a client without authentication"}, "requestor": True}


def _service(record: Record) -> dict[str, Any]:
    kind = {"system": _PARTICIPATION, "code": "dataprocessor", "display": "data processor"}
    return {
        "type": {"coding": [kind]},
        "who": {"display": f"Vestige {record.code_version}, rules {record.pack_revision}"},
        "requestor": False,
    }


def _entities(record: Record) -> Iterator[dict[str, Any]]:
    yield {
        "what": _what("Patient", record.patient),
        "type": {"system": _ENTITY, "code": "1", "display": "Person"},
        "role": {"system": _ROLE, "code": "1", "display": "Patient"},
    }
    for one in record.resources:
        details = {"digest": one.digest, "versionId": one.version}
        yield {
            "what": _what(one.type, one.pseudonym),
            "type": {"system": _ENTITY, "code": "2", "display": "System Object"},
            "role": {"system": _ROLE, "code": "4", "display": "Domain Resource"},
            "detail": [{"type": name, "valueString": value} for name, value in details.items() if value],
        }


def _what(kind: str, pseudonym: str) -> dict[str, Any]:
    return {"type": kind, "identifier": {"system": PSEUDONYMS, "value": pseudonym}}
