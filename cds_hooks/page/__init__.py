"""The demo EHR: a page, and a FHIR R4 endpoint over synthetic patients; no part of the service itself."""
