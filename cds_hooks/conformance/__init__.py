"""The checker: any CDS Hooks service looked at from outside, over HTTP, against numbered requirements."""
