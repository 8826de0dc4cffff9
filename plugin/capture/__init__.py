"""Captures: one hook call with all that was read for it, saved so that it is decided again elsewhere."""
