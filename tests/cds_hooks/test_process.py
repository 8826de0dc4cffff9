"""The memory of a process: the collector waits and comes back, the heaps are few, and nothing else changes."""

import gc
import subprocess
import sys
from pathlib import Path

import pytest

from cds_hooks import process

THREADS = """
import threading
from cds_hooks.process import few_heaps
assert few_heaps() is True
gate = threading.Barrier(17)
def work():
    kept = [bytes(3000) for _ in range(300)]
    gate.wait()
for _ in range(16):
    threading.Thread(target=work).start()
gate.wait()
lines = open("/proc/self/maps").read().splitlines()
sizes = [[int(end, 16) for end in line.split()[0].split("-")] for line in lines]
# A heap of its own for a thread lies at a multiple of 64 MB.
print(sum(first % (64 << 20) == 0 and "rw-p" in line for (first, _), line in zip(sizes, lines)))
"""


def test_the_collector_waits_and_comes_back() -> None:
    assert gc.isenabled()
    before = gc.get_freeze_count()
    try:
        with process.uncollected():
            assert not gc.isenabled()
            kept = [[number] for number in range(100)]
        assert gc.isenabled()
        assert gc.get_freeze_count() >= before + len(kept)
    finally:
        gc.unfreeze()


def test_the_collector_comes_back_after_a_fault_too() -> None:
    try:
        with pytest.raises(ValueError, match="no"), process.uncollected():
            raise ValueError("no")
        assert gc.isenabled()
    finally:
        gc.unfreeze()


def test_the_collector_looks_seldom() -> None:
    before = gc.get_threshold()
    try:
        process.collect_seldom()
        assert gc.get_threshold() == process.SELDOM > before
        assert gc.isenabled()
    finally:
        gc.set_threshold(*before)


@pytest.mark.skipif(not hasattr(process._library(), "malloc_trim"), reason="not the C library of GNU")
def test_threads_share_two_heaps() -> None:
    root = Path(process.__file__).parent.parent
    done = subprocess.run(
        [sys.executable, "-c", THREADS], cwd=root, capture_output=True, text=True, check=True, timeout=120
    )
    # One heap is that of the process itself, which lies elsewhere.
    assert int(done.stdout) <= process.ARENAS


def test_where_the_library_cannot_be_asked_nothing_is_done(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(process, "_library", lambda: None)
    assert process.few_heaps() is False
    assert process.give_back() is False
