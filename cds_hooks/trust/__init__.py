"""Who calls, and whether to believe it (CDS Hooks 2.0.1, "Trusting CDS Clients")."""

from cds_hooks.trust.caller import ANYBODY, OPEN, Caller, Proof
from cds_hooks.trust.gate import Gate

__all__ = ["ANYBODY", "OPEN", "Caller", "Gate", "Proof"]
