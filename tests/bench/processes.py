"""What a process and its children take: memory and processor time, from /proc."""

from __future__ import annotations

import os
from contextlib import suppress
from pathlib import Path


def family(pid: int) -> list[int]:
    """Returns a process and its children."""
    found = [pid]
    for folder in Path("/proc").glob("[0-9]*"):
        with suppress(OSError, ValueError):
            if int(_fields(int(folder.name))[1]) == pid:
                found.append(int(folder.name))
    return found


def resident(pid: int) -> float:
    """Returns a process's resident memory in MB; 0 where it is gone."""
    with suppress(OSError):
        for line in Path(f"/proc/{pid}/status").read_text().splitlines():
            if line.startswith("VmRSS:"):
                return int(line.split()[1]) / 1024
    return 0.0


def processor_seconds(pid: int) -> float:
    """Returns the processor time that a process and its children that live have taken so far."""
    ticks = 0
    for one in family(pid):
        with suppress(OSError):
            # proc(5): utime and stime are the fields 14 and 15.
            ticks += sum(map(int, _fields(one)[11:13]))
    return ticks / os.sysconf("SC_CLK_TCK")


def _fields(pid: int) -> list[str]:
    """Returns the fields of /proc/PID/stat from the third on: the name before them may hold blanks."""
    return Path(f"/proc/{pid}/stat").read_text().rpartition(")")[2].split()
