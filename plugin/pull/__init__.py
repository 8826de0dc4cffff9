"""The pull: a hook call in, a chart out."""

from plugin.pull.call import HookInput
from plugin.pull.gather import pull
from plugin.pull.queries import BY_KEY, PREFETCH, QUERIES, Query
from plugin.pull.server import Sessions

__all__ = ["BY_KEY", "PREFETCH", "QUERIES", "HookInput", "Query", "Sessions", "pull"]
