"""The first evaluation, on durable_rules; nothing else imports that engine."""

from rules.engine.durable import DurableEngine

__all__ = ["DurableEngine"]
