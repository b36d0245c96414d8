"""What a process and all that it started have used."""

import os
from pathlib import Path

import psutil


class Tree:
    """Counts from its making on. Processes that end meanwhile are no longer counted."""

    def __init__(self, pid: int) -> None:
        root = psutil.Process(pid)
        self._processes = [root, *root.children(recursive=True)]
        self._cpu_begun = self._cpu_now()

    def cpu_seconds(self) -> float:
        return self._cpu_now() - self._cpu_begun

    def peak_rss_mb(self) -> float:
        """The sum of their peaks."""
        return sum(_peak_kb(process.pid) for process in self._processes) / 1000

    def _cpu_now(self) -> float:
        times = [process.cpu_times() for process in self._processes if process.is_running()]
        return sum(found.user + found.system for found in times)


def own_peak_rss_mb() -> float:
    return _peak_kb(os.getpid()) / 1000


def _peak_kb(pid: int) -> int:
    try:
        lines = Path(f"/proc/{pid}/status").read_text().splitlines()
    except OSError:
        return 0
    return next((int(line.split()[1]) for line in lines if line.startswith("VmHWM:")), 0)
