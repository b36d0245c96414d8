"""Wakes the requests that wait for what workers do. A ring that gets lost costs them their own next look."""

import asyncio
from collections.abc import Iterator
from contextlib import aclosing, contextmanager

from service.broadcast import Broadcast
from service.errors import Unavailable


class Bell:
    """One per service process and channel."""

    def __init__(self, broadcast: Broadcast, channel: str) -> None:
        self._broadcast = broadcast
        self._channel = channel
        self._waiting: set[asyncio.Event] = set()
        self._is_closing = False
        self._listening: asyncio.Task[None] | None = None

    def start(self) -> None:
        self._listening = asyncio.create_task(self._listen())

    def close(self) -> None:
        """Let nobody wait any more."""
        self._is_closing = True
        self._ring()

    async def stop(self) -> None:
        self.close()
        if self._listening:
            self._listening.cancel()
            await asyncio.gather(self._listening, return_exceptions=True)

    @contextmanager
    def heard(self) -> Iterator[asyncio.Event]:
        """Set at every ring; whoever looks clears it first."""
        rung = asyncio.Event()
        self._waiting.add(rung)
        try:
            yield rung
        finally:
            self._waiting.discard(rung)

    async def wait(self, rung: asyncio.Event, *, seconds: float) -> None:
        """Until it is set, or for so long. Raises Unavailable when the service stops."""
        try:
            # Not wait_for: before Python 3.12 it swallows a cancellation that comes together with the ring.
            async with asyncio.timeout(seconds):
                await rung.wait()
        except TimeoutError:
            return
        if self._is_closing:
            raise Unavailable("the service is stopping: ask again in a moment")

    async def _listen(self) -> None:
        async with aclosing(self._broadcast.messages(self._channel)) as messages:
            async for _ in messages:
                self._ring()

    def _ring(self) -> None:
        for rung in self._waiting:
            rung.set()
