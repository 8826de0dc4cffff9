"""The C library is told to keep memory, where there is one that can be told."""

from __future__ import annotations

import ctypes
from types import SimpleNamespace
from typing import Any

import pytest

from rules.engine.memory import KEPT, MAPPED, keep_heap


def told(monkeypatch: pytest.MonkeyPatch, library: Any) -> bool:
    def load(_name: None) -> Any:
        if isinstance(library, Exception):
            raise library
        return library

    monkeypatch.setattr(ctypes, "CDLL", load)
    return keep_heap.__wrapped__()


def test_the_thresholds_are_set(monkeypatch: pytest.MonkeyPatch) -> None:
    calls: list[tuple[int, int]] = []

    def mallopt(option: int, value: int) -> int:
        calls.append((option, value))
        return 1

    assert told(monkeypatch, SimpleNamespace(mallopt=mallopt))
    # The numbers of M_TRIM_THRESHOLD, M_TOP_PAD and M_MMAP_THRESHOLD in malloc.h.
    assert calls == [(-1, KEPT), (-2, 1024 * 1024), (-3, MAPPED)]


def test_a_library_that_refuses_one_is_not_called_fit(monkeypatch: pytest.MonkeyPatch) -> None:
    assert not told(monkeypatch, SimpleNamespace(mallopt=lambda option, _value: int(option != -3)))


@pytest.mark.parametrize("library", [SimpleNamespace(), OSError("none"), TypeError("no name")])
def test_another_library_is_left_alone(monkeypatch: pytest.MonkeyPatch, library: Any) -> None:
    assert not told(monkeypatch, library)
