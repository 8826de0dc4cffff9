"""The interoperability run: patients loaded into a FHIR server, hooks fired, answers checked, all removed."""
