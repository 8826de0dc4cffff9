"""The second, independent evaluation."""

from rules.crosscheck.reference import Reference

__all__ = ["Reference"]
