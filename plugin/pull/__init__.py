"""The pull: a hook call in, a chart out."""

from plugin.pull.call import HookInput
from plugin.pull.gather import SessionFactory, pull
from plugin.pull.queries import BY_KEY, PREFETCH, QUERIES, Query
from plugin.pull.transport import Sessions

__all__ = ["BY_KEY", "PREFETCH", "QUERIES", "HookInput", "Query", "SessionFactory", "Sessions", "pull"]
