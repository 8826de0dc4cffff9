"""YAML of our own as data, read by the C library where PyYAML has it: ten times as fast."""

from __future__ import annotations

from typing import Any

import yaml

_LOADER: type[yaml.SafeLoader] = getattr(yaml, "CSafeLoader", yaml.SafeLoader)


def read_yaml(text: str) -> Any:
    """Returns the document in a text, plain data only; raises yaml.YAMLError where it is none."""
    loader = _LOADER(text)
    try:
        return loader.get_single_data()
    finally:
        loader.dispose()
