"""Looks at a server while it has a client that does not read: its memory, and when that client is cut."""

import asyncio
import time
from pathlib import Path

from bench.streaming import usage
from bench.streaming.servers import Served

LOOK_SECONDS = 0.02
ESTABLISHED = "01"


class Watch:
    """`stalled_port`: the client's; 0: there is no such client."""

    def __init__(self, served: Served, stalled_port: int) -> None:
        self._served = served
        self._stalled_port = stalled_port
        self._rss_begun_kb = usage.rss_kb(served.pids)
        self._was_cut = asyncio.Event()
        self.rss_growth_kb = 0
        self.cut_nanoseconds = 0

    async def keep(self) -> None:
        """Until it is cancelled. Neither memory nor a connection at its other end tell when they change."""
        while True:
            self.rss_growth_kb = max(self.rss_growth_kb, usage.rss_kb(self._served.pids) - self._rss_begun_kb)
            if self._stalled_port and not self.cut_nanoseconds and not self._is_connected():
                self.cut_nanoseconds = time.time_ns()
                self._was_cut.set()
            await asyncio.sleep(LOOK_SECONDS)

    async def cut_within(self, seconds: float) -> bool:
        """Returns as soon as the client is cut, or after so long with False."""
        try:
            async with asyncio.timeout(seconds):
                await self._was_cut.wait()
        except TimeoutError:
            return False
        return True

    def _is_connected(self) -> bool:
        """The server's end of the connection, as the kernel knows it."""
        ours, theirs = f":{self._served.port:04X}", f":{self._stalled_port:04X}"
        for line in Path("/proc/net/tcp").read_text().splitlines()[1:]:
            _, local, remote, state, *_ = line.split()
            if local.endswith(ours) and remote.endswith(theirs):
                return state == ESTABLISHED
        return False
