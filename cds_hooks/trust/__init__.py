"""Who calls, and whether to believe it (CDS Hooks 2.0.1, "Trusting CDS Clients")."""

from cds_hooks.trust.caller import ANYBODY, Caller
from cds_hooks.trust.gate import Gate

__all__ = ["ANYBODY", "Caller", "Gate"]
