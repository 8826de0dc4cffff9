"""What msgspec knows of a type, made at import.

msgspec 0.22 makes it when a type is first decoded into, and keeps it before it is whole. A second thread that
comes at that moment reads half of it, and the process ends with a segmentation fault: the first calls after a
start may well come together.
"""

from __future__ import annotations

from typing import Any

import msgspec


def ready(*kinds: Any) -> None:
    """Makes what msgspec needs to decode into these types, and into all that they hold."""
    for kind in kinds:
        msgspec.json.Decoder(kind)
