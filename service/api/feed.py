"""One generation's log and the streams that get what comes (DESIGN 4).

Pub/sub brings the newest events. What it did not bring is read from SQL, once for everyone.
"""

import asyncio
from collections.abc import AsyncGenerator, Sequence
from typing import Final
from uuid import UUID

import structlog

from schemas.events import Event
from schemas.plans import Wakeup
from service.api import frames
from service.api.flights import Flights
from service.api.stream import Stream
from service.api.tail import EVENTS_MAX, Blocks, Tail
from service.errors import NotFound, Unavailable
from service.store import events, generations
from service.store.database import Database

PAGE_EVENTS_MAX: Final = 500

log = structlog.get_logger()


class Feed:
    """`begin` it, then `replay`: what comes meanwhile is not overlooked."""

    def __init__(self, database: Database, generation_id: UUID) -> None:
        self.generation_id = generation_id
        self.users = 0
        self.is_ended = False
        self._database = database
        self._owner = ""
        self._told = 0
        self._tail: Tail | None = None
        self._unsent: list[bytes] = []
        self._live: dict[Stream, None] = {}
        self._beginning: Flights[Tail] = Flights()
        self._reading: Flights[None] = Flights()
        self._pages: Flights[Blocks | None] = Flights()
        self._states: Flights[Blocks] = Flights()

    @property
    def head(self) -> int | None:
        """The newest event that is known here; None: not begun."""
        return self._tail.head if self._tail else None

    async def begin(self, owner: str) -> None:
        """Find out how far the log goes. Raises NotFound, also for someone else's generation; Unavailable."""
        if self._tail is None:
            await self._beginning.join("begin", self._begin)
        if owner != self._owner:
            raise NotFound(f"there is no generation {self.generation_id}")

    async def has_ended_at(self, seq: int) -> bool:
        """Whoever has seen `seq` has seen all there will be, unless someone retries. Raises Unavailable."""
        if (await self._reached(seq)).head != seq or not self.is_ended:
            return False
        # A client that is told so never comes back, so memory is not enough: its call may be under way.
        async with self._database.read() as tx:
            [wakeup] = await events.heads(tx, [self.generation_id])
        self.hear(wakeup)
        return (await self._reached(wakeup.seq)).head == seq and self.is_ended

    async def replay(self, stream: Stream, seq: int | None) -> AsyncGenerator[bytes]:
        """What the log holds after `seq`, then the stream is live. Without a `seq`, or one it has not: its state first.

        Raises Unavailable.
        """
        if seq is None:
            blocks, seq = await self._state("snapshot")
            yield blocks
        while seq != (tail := await self._reached(seq)).head:
            page = await self._after(tail, seq)
            blocks, seq = page if page else await self._state("resync")
            yield blocks
        # The others get now what this one has just got; from here on all get the same.
        self._send()
        self._live[stream] = None
        stream.note(self.generation_id, is_ended=self.is_ended)

    def leave(self, stream: Stream) -> None:
        self._live.pop(stream, None)

    def hear(self, wakeup: Wakeup) -> None:
        """The log grew. Never waits: a slow database holds up only those who need it."""
        self._told = max(self._told, wakeup.seq)
        if self._tail is None:
            return
        self._take(self._tail, wakeup.events)
        if self._told > self._tail.head:
            self._reading.start("read", self._read_on)

    def restart(self) -> None:
        """The log is not the one that was read, as after a restored backup: all come back and ask anew."""
        log.warning("a log is not what it was", generation_id=str(self.generation_id))
        self._tail = None
        self._told = 0
        for stream in self._live:
            stream.is_over.set()
        self._live.clear()

    def close(self) -> None:
        for flights in (self._beginning, self._reading, self._pages, self._states):
            flights.close()

    async def _begin(self) -> Tail:
        async with self._database.read() as tx:
            owner, last_seq, state = await generations.watched(tx, self.generation_id)
            newest = await events.newest(tx, self.generation_id, limit=EVENTS_MAX)
        tail = Tail(newest[0].seq - 1 if newest else last_seq)
        self.is_ended = state.is_terminal
        self._take(tail, newest)
        self._unsent.clear()
        self._owner, self._tail = owner, tail
        if self._told > tail.head:
            self._reading.start("read", self._read_on)
        return tail

    async def _reached(self, seq: int) -> Tail:
        """The tail, once it goes as far as `seq` or as the log itself."""
        if self._tail and self._tail.head < seq:
            self._told = max(self._told, seq)
            await self._reading.join("read", self._read_on)
        if self._tail is None:
            raise Unavailable("the log was exchanged")
        return self._tail

    async def _read_on(self) -> None:
        while (tail := self._tail) and tail.head < self._told:
            told = self._told
            page = await self._read(tail.head)
            if page and page[0].seq > tail.head + 1:
                self.restart()
                return
            self._take(tail, page)
            if not page and self._told == told:
                self._told = tail.head  # whoever told of more was wrong

    def _take(self, tail: Tail, page: Sequence[Event]) -> None:
        """Those that come next; what was there already is passed over."""
        for event in page:
            if event.seq == tail.head + 1:
                block = frames.block(event)
                tail.append(block)
                self.is_ended = event.is_terminal
                # All that arrives in one turn of the loop goes out in one write.
                if not self._unsent:
                    asyncio.get_running_loop().call_soon(self._send)
                self._unsent.append(block)

    def _send(self) -> None:
        if not self._unsent:
            return
        blocks = b"".join(self._unsent)
        self._unsent.clear()
        for stream in self._live:
            stream.write(blocks)
            stream.note(self.generation_id, is_ended=self.is_ended)

    async def _after(self, tail: Tail, seq: int) -> Blocks | None:
        """None: the log does not hold them, or not any more."""
        if seq > tail.head:
            return None
        return tail.after(seq) or await self._pages.join(seq, lambda: self._page(seq))

    async def _page(self, seq: int) -> Blocks | None:
        page = await self._read(seq)
        if not page or page[0].seq != seq + 1:
            return None
        return Blocks(b"".join(map(frames.block, page)), page[-1].seq)

    async def _state(self, name: str) -> Blocks:
        return await self._states.join(name, lambda: self._load(name))

    async def _load(self, name: str) -> Blocks:
        async with self._database.read() as tx:
            generation = await generations.load(tx, self._owner, self.generation_id)
        return Blocks(frames.state(name, generation), generation.last_event_id)

    async def _read(self, seq: int) -> list[Event]:
        async with self._database.read() as tx:
            return await events.since(tx, self.generation_id, seq, limit=PAGE_EVENTS_MAX)
