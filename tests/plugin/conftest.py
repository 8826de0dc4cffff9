"""The FHIR servers that the tests of the use case run against."""

from tests.servers.sekmet import sekmet, sekmet_bearer

__all__ = ["sekmet", "sekmet_bearer"]
