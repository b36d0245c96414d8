"""What a process and all that it started have used, as Linux tells it."""

import os
from pathlib import Path

from tests.processes import children_of

TICKS_PER_SECOND = os.sysconf("SC_CLK_TCK")


class Tree:
    """The processes that there are now, and their processor time from now on."""

    def __init__(self, pid: int) -> None:
        self._pids = _family(pid)
        self._cpu_begun = sum(map(_cpu_seconds, self._pids))

    def cpu_seconds(self) -> float:
        return sum(map(_cpu_seconds, self._pids)) - self._cpu_begun

    def peak_rss_mb(self) -> float:
        """The sum of their peaks."""
        return sum(map(_peak_rss_mb, self._pids))


def _family(pid: int) -> list[int]:
    return [pid, *(member for child in children_of(pid) for member in _family(child))]


def _cpu_seconds(pid: int) -> float:
    fields = Path(f"/proc/{pid}/stat").read_text().rpartition(")")[2].split()
    return (int(fields[11]) + int(fields[12])) / TICKS_PER_SECOND


def _peak_rss_mb(pid: int) -> float:
    lines = Path(f"/proc/{pid}/status").read_text().splitlines()
    return next((int(line.split()[1]) / 1000 for line in lines if line.startswith("VmHWM:")), 0.0)
