"""Carries each generation's log to every client that watches it: one subscription and one reading per process.

Pub/sub may lose a message; that costs HEAL_SECONDS.
"""

import asyncio
import random
from collections.abc import AsyncGenerator, Callable, Coroutine, Iterator, Sequence
from contextlib import aclosing, contextmanager
from typing import Any, Final
from uuid import UUID

import structlog

from service.api import frames
from service.api.feed import Feed
from service.api.stream import Stream
from service.broadcast import Broadcast
from service.errors import Unavailable
from service.store import events
from service.store.database import Database

HEAL_SECONDS: Final = 2.0
SWEEP_SECONDS: Final = 1.0
RESTART_SECONDS: Final = 1.0
LOOKED_AT_MAX: Final = 1000

log = structlog.get_logger()


class Hub:
    """One per service process."""

    def __init__(self, database: Database, broadcast: Broadcast) -> None:
        self._database = database
        self._broadcast = broadcast
        self._feeds: dict[UUID, Feed] = {}
        self._streams: dict[Stream, None] = {}
        self._is_closing = False
        self._something_missed = asyncio.Event()
        self._routines: list[asyncio.Task[None]] = []
        self._fallen = 0

    def start(self) -> None:
        routines = (self._listen, self._heal, self._sweep)
        self._routines = [asyncio.create_task(self._supervised(routine)) for routine in routines]

    @property
    def is_alive(self) -> bool:
        return bool(self._routines) and not self._fallen and not any(routine.done() for routine in self._routines)

    def close(self) -> None:
        """End every stream; clients come back to whoever serves next."""
        self._is_closing = True
        for stream in self._streams:
            stream.is_over.set()

    async def stop(self) -> None:
        self.close()
        for routine in self._routines:
            routine.cancel()
        await asyncio.gather(*self._routines, return_exceptions=True)
        for feed in self._feeds.values():
            feed.close()

    @contextmanager
    def watching(self, generation_ids: Sequence[UUID]) -> Iterator[list[Feed]]:
        """Their feeds, which hear of everything from now on."""
        feeds = [self._enter(generation_id) for generation_id in generation_ids]
        try:
            yield feeds
        finally:
            for feed in feeds:
                self._leave(feed)

    async def told(self, stream: Stream, positions: Sequence[tuple[Feed, int | None]]) -> AsyncGenerator[bytes]:
        """What has happened after each position, to be sent by the caller; the rest is written to the stream.

        It ends when all the logs have ended; with a farewell when they have not.
        """
        try:
            self._streams[stream] = None
            for feed, seq in positions:
                async with aclosing(feed.replay(stream, seq)) as replay:
                    async for blocks in replay:
                        yield stream.opening(blocks)
                        if stream.is_over.is_set():
                            break
            if not self._is_closing:
                await stream.over()
        except Unavailable as error:
            log.warning("a stream ends: its client comes back", error=str(error))
        finally:
            del self._streams[stream]
            for feed, _ in positions:
                feed.leave(stream)
            stream.close()
        if not stream.is_whole:
            yield _farewell()

    def _enter(self, generation_id: UUID) -> Feed:
        feed = self._feeds.setdefault(generation_id, Feed(self._database, generation_id))
        feed.users += 1
        return feed

    def _leave(self, feed: Feed) -> None:
        feed.users -= 1
        if not feed.users:
            feed.close()
            del self._feeds[feed.generation_id]

    async def _supervised(self, routine: Callable[[], Coroutine[Any, Any, None]]) -> None:
        """For ever. While it is down, the service is not ready."""
        while True:
            try:
                await routine()
            except Exception:
                log.exception("a routine of the hub failed", routine=routine.__name__)
            self._fallen += 1
            # Not at once: what made it fail may still be there.
            await asyncio.sleep(RESTART_SECONDS)
            self._fallen -= 1

    async def _listen(self) -> None:
        async with aclosing(self._broadcast.grown()) as wakeups:
            async for wakeup in wakeups:
                if wakeup is None:
                    self._something_missed.set()
                elif feed := self._feeds.get(wakeup.generation_id):
                    feed.hear(wakeup)

    async def _heal(self) -> None:
        while True:
            try:
                async with asyncio.timeout(HEAL_SECONDS):
                    await self._something_missed.wait()
            except TimeoutError:
                pass  # it looks anyhow
            self._something_missed.clear()
            try:
                await self._look_at_all()
            except Unavailable as error:
                log.warning("could not look for new events", error=str(error))

    async def _look_at_all(self) -> None:
        known = {feed.generation_id: feed.head for feed in self._feeds.values() if feed.head is not None}
        watched = list(known)
        for first in range(0, len(watched), LOOKED_AT_MAX):
            async with self._database.read() as tx:
                heads = await events.heads(tx, watched[first : first + LOOKED_AT_MAX])
            for wakeup in heads:
                feed = self._feeds.get(wakeup.generation_id)
                if feed and wakeup.seq < known[wakeup.generation_id]:
                    feed.restart()
                elif feed:
                    feed.hear(wakeup)

    async def _sweep(self) -> None:
        while True:
            await asyncio.sleep(SWEEP_SECONDS)
            for stream in list(self._streams):
                stream.beat()


def _farewell() -> bytes:
    return frames.farewell(retry_milliseconds=random.randint(500, 5000))  # noqa: S311 # spreads reconnects
