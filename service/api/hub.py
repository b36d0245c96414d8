"""Carries each generation's log from SQL to every client that watches it, read once per process.

Pub/sub only says that a log grew. A wake-up call that gets lost costs HEAL_SECONDS.
"""

import asyncio
import random
from collections import deque
from collections.abc import AsyncGenerator, Sequence
from contextlib import aclosing
from itertools import islice
from typing import Final
from uuid import UUID

import structlog

from schemas.events import Event
from service.api import frames
from service.broadcast import Broadcast
from service.errors import Unavailable
from service.store import events
from service.store.database import Database

HEAL_SECONDS: Final = 2.0
RING_EVENTS_MAX: Final = 512
PAGE_EVENTS_MAX: Final = 500
NOT_BEGUN: Final = -1

log = structlog.get_logger()


class Feed:
    """The end of one generation's log, and who waits for more of it."""

    def __init__(self, database: Database, generation_id: UUID) -> None:
        self.head = NOT_BEGUN
        self.waiting: set[asyncio.Event] = set()
        self._database = database
        self._generation_id = generation_id
        self._ring: deque[Event] = deque(maxlen=RING_EVENTS_MAX)
        self._pulling = asyncio.Lock()

    async def begin(self) -> None:
        """Find out where the log ends now. Whoever calls is registered already: what comes later wakes it."""
        async with self._pulling:
            if self.head == NOT_BEGUN:
                async with self._database.read() as tx:
                    [wakeup] = await events.heads(tx, [self._generation_id])
                self.head = wakeup.seq

    async def pull(self) -> None:
        """Read what the log has grown by, and wake who waits. One reads for all."""
        await self.begin()
        async with self._pulling:
            is_behind = True
            while is_behind and (page := await self._read(self.head)):
                self._ring.extend(page)
                self.head = page[-1].seq
                is_behind = len(page) == PAGE_EVENTS_MAX
                self.wake()

    async def after(self, seq: int) -> Sequence[Event]:
        """The next events after `seq`, from memory or, for those who are far behind, from SQL."""
        if seq >= self.head:
            return ()
        if self._ring and self._ring[0].seq <= seq + 1:
            return tuple(islice(self._ring, seq + 1 - self._ring[0].seq, None))
        return await self._read(seq)

    def wake(self) -> None:
        for waiter in self.waiting:
            waiter.set()

    async def _read(self, seq: int) -> list[Event]:
        async with self._database.read() as tx:
            return await events.since(tx, self._generation_id, seq, limit=PAGE_EVENTS_MAX)


class Hub:
    """One per service process."""

    def __init__(self, database: Database, broadcast: Broadcast) -> None:
        self._database = database
        self._broadcast = broadcast
        self._feeds: dict[UUID, Feed] = {}
        self._is_closing = False
        self._routines: list[asyncio.Task[None]] = []

    def start(self) -> None:
        self._routines = [asyncio.create_task(self._listen()), asyncio.create_task(self._heal())]

    @property
    def is_alive(self) -> bool:
        return bool(self._routines) and not any(routine.done() for routine in self._routines)

    def close(self) -> None:
        """End every stream; clients come back to whoever serves next."""
        self._is_closing = True
        for feed in self._feeds.values():
            feed.wake()

    async def stop(self) -> None:
        self.close()
        for routine in self._routines:
            routine.cancel()
        await asyncio.gather(*self._routines, return_exceptions=True)

    async def follow(self, generation_id: UUID, seq: int, *, is_first: bool) -> AsyncGenerator[bytes]:
        """Every event after `seq` as it comes, ready to be sent, until a terminal event ends the log.

        `is_first`: nothing was sent to this client yet.
        """
        waiter = asyncio.Event()
        feed = self._enter(generation_id, waiter)
        try:
            await feed.begin()
            while not self._is_closing:
                waiter.clear()
                page = await feed.after(seq)
                if not page:
                    await waiter.wait()
                    continue
                yield frames.encode(page, with_retry=is_first)
                is_first = False
                seq = page[-1].seq
                if page[-1].is_terminal and seq >= feed.head:
                    return
            yield _farewell()
        except Unavailable as error:
            log.warning("a stream ends: its client comes back", error=str(error))
            yield _farewell()
        finally:
            self._leave(generation_id, waiter)

    def _enter(self, generation_id: UUID, waiter: asyncio.Event) -> Feed:
        feed = self._feeds.setdefault(generation_id, Feed(self._database, generation_id))
        feed.waiting.add(waiter)
        return feed

    def _leave(self, generation_id: UUID, waiter: asyncio.Event) -> None:
        feed = self._feeds.get(generation_id)
        if feed is None:
            return
        feed.waiting.discard(waiter)
        if not feed.waiting:
            del self._feeds[generation_id]

    async def _listen(self) -> None:
        async with aclosing(self._broadcast.grown()) as wakeups:
            async for wakeup in wakeups:
                if wakeup is None:
                    await self._look_at_all()
                elif feed := self._feeds.get(wakeup.generation_id):
                    await self._pull(feed)

    async def _heal(self) -> None:
        while True:
            await asyncio.sleep(HEAL_SECONDS)
            await self._look_at_all()

    async def _look_at_all(self) -> None:
        watched = list(self._feeds)
        if not watched:
            return
        try:
            async with self._database.read() as tx:
                heads = await events.heads(tx, watched)
        except Unavailable as error:
            log.warning("could not look for new events", error=str(error))
            return
        for wakeup in heads:
            feed = self._feeds.get(wakeup.generation_id)
            if feed and feed.head < wakeup.seq:
                await self._pull(feed)

    async def _pull(self, feed: Feed) -> None:
        try:
            await feed.pull()
        except Unavailable as error:
            log.warning("could not read new events", error=str(error))


def _farewell() -> bytes:
    return frames.farewell(retry_milliseconds=random.randint(500, 5000))  # noqa: S311 # spreads reconnects
