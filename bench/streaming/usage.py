"""What processes have used, as Linux tells it to the nanosecond: a run may be over in a few ticks."""

from collections.abc import Sequence
from pathlib import Path
from typing import NamedTuple


class Used(NamedTuple):
    cpu_seconds: float
    waited_seconds: float
    """Ready to run, while the core was another's."""

    def since(self, before: "Used") -> "Used":
        return Used(self.cpu_seconds - before.cpu_seconds, self.waited_seconds - before.waited_seconds)


def of(pids: Sequence[int]) -> Used:
    """All their threads that are alive."""
    ran = waited = 0
    for pid in pids:
        for thread in Path(f"/proc/{pid}/task").iterdir():
            fields = (thread / "schedstat").read_text().split()
            ran += int(fields[0])
            waited += int(fields[1])
    return Used(ran / 1e9, waited / 1e9)


def rss_kb(pids: Sequence[int]) -> int:
    return sum(_rss_kb(pid) for pid in pids)


def _rss_kb(pid: int) -> int:
    lines = Path(f"/proc/{pid}/status").read_text().splitlines()
    found = [int(line.split()[1]) for line in lines if line.startswith("VmRSS:")]
    assert found, f"the process {pid} has ended"
    return found[0]
