"""Decides when the next LLM call may start, for all batches of this worker."""

import asyncio
import time
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager


class Governor:
    """At most `calls_max` calls in flight; a rate limit that one call met stops all of them for a while."""

    def __init__(self, calls_max: int) -> None:
        self._slots = asyncio.Semaphore(calls_max)
        self._blocked_until = 0.0

    @asynccontextmanager
    async def turn(self) -> AsyncIterator[None]:
        """Wait for a slot and for the end of every block."""
        async with self._slots:
            while (left_seconds := self._blocked_until - time.monotonic()) > 0:  # noqa: ASYNC110 # time is what is waited for
                await asyncio.sleep(left_seconds)
            yield

    def block(self, seconds: float) -> None:
        """Start no call for the next `seconds`."""
        self._blocked_until = max(self._blocked_until, time.monotonic() + seconds)
