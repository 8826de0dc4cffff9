"""Looking at a FHIR server from outside: what it answers to our searches, and what its limits would cost."""
