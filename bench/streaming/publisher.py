"""The process that makes things happen: `python -m bench.streaming.publisher ORDER`, an `Order` as JSON.

It says `ready`, begins when it reads `go`, and then reads how far the clients are. Each event is written to the log in
a transaction before anyone is told; at the end it prints when it began to tell, as [[last event, nanoseconds], ...].
"""

import asyncio
import json
import sys
import time
from collections.abc import AsyncIterator, Sequence
from contextlib import asynccontextmanager
from typing import Literal, Protocol

from redis.asyncio import Redis

from bench.streaming import bed
from bench.streaming.bed import Bed
from schemas.base import Frozen
from schemas.events import Event
from schemas.plans import Wakeup
from service import queue
from service.broadcast import Broadcast
from service.store.database import Database

Way = Literal["ours", "naive", "nchan"]


class Order(Frozen):
    """What to publish and how fast: with so many in flight at most or, with 0, so many a second."""

    bed: Bed
    way: Way
    port: int
    count: int
    in_flight: int
    per_second: float
    preview_characters: int


class Teller(Protocol):
    async def tell(self, wakeup: Wakeup, told: Sequence[Event]) -> None:
        """Tell the server under test about entries that are in the log now."""


class ThroughBroadcast:
    """The product's own way: there is something new, look at the log."""

    def __init__(self, redis: Redis) -> None:
        self._broadcast = Broadcast(redis)

    async def tell(self, wakeup: Wakeup, told: Sequence[Event]) -> None:
        await self._broadcast.announce(wakeup)


class ThroughChannel:
    """The whole event as a message, as a first design would do."""

    def __init__(self, redis: Redis) -> None:
        self._redis = redis

    async def tell(self, wakeup: Wakeup, told: Sequence[Event]) -> None:
        async with self._redis.pipeline(transaction=False) as pipe:
            for event in told:
                pipe.publish(f"naive:{event.generation_id}", event.data)
            await pipe.execute()


class ThroughHttp:
    """A POST for each event over one connection, all sent before the first answer is waited for."""

    def __init__(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        self._reader = reader
        self._writer = writer

    async def tell(self, wakeup: Wakeup, told: Sequence[Event]) -> None:
        self._writer.write(b"".join(_post(event) for event in told))
        for _ in told:
            head = await self._reader.readuntil(b"\r\n\r\n")
            assert head.split(b" ", 2)[1] in {b"201", b"202"}, head
            length = next(line for line in head.lower().splitlines() if line.startswith(b"content-length:"))
            await self._reader.readexactly(int(length.partition(b":")[2]))


def _post(event: Event) -> bytes:
    head = (
        f"POST /publish HTTP/1.1\r\nHost: 127.0.0.1\r\nX-EventSource-Event: {event.type}\r\n"
        f"Content-Length: {len(event.data)}\r\n\r\n"
    )
    return (head + event.data).encode("ascii")


class Progress:
    """How far the slowest client is."""

    def __init__(self, reader: asyncio.StreamReader) -> None:
        self._reader = reader
        self._floor = 0
        self._moved = asyncio.Event()

    async def begin(self) -> None:
        line = await self._reader.readline()
        assert line == b"go\n", line

    async def read(self) -> None:
        while line := await self._reader.readline():
            self._floor = int(line)
            self._moved.set()

    async def beyond(self, seq: int) -> int:
        """Returns the event that every client has, once that is at least `seq`."""
        while self._floor < seq:
            self._moved.clear()
            await self._moved.wait()
        return self._floor


async def publish(order: Order, progress: Progress) -> list[tuple[int, int]]:
    database = Database(order.bed.database_url)
    told_at: list[tuple[int, int]] = []
    async with teller_of(order) as teller:
        print("ready", flush=True)
        await progress.begin()
        reading = asyncio.create_task(progress.read())
        async for count in batches(order, progress):
            wakeup, told = await bed.append(database, order.bed, count, order.preview_characters)
            told_at.append((wakeup.seq, time.time_ns()))
            await teller.tell(wakeup, told)
        reading.cancel()
    await database.close()
    return told_at


async def batches(order: Order, progress: Progress) -> AsyncIterator[int]:
    """How many events to write next, when it is time for them. The log was empty before."""
    loop = asyncio.get_running_loop()
    begun, written = loop.time(), 0
    while written < order.count:
        count = 1
        if order.in_flight:
            floor = await progress.beyond(written - order.in_flight + 1)
            count = min(floor + order.in_flight, order.count) - written
        else:
            await asyncio.sleep(begun + written / order.per_second - loop.time())
        yield count
        written += count


@asynccontextmanager
async def teller_of(order: Order) -> AsyncIterator[Teller]:
    if order.way == "nchan":
        reader, writer = await asyncio.open_connection("127.0.0.1", order.port)
        yield ThroughHttp(reader, writer)
        writer.close()
        await writer.wait_closed()
        return
    redis = queue.connect(order.bed.redis_url)
    yield ThroughBroadcast(redis) if order.way == "ours" else ThroughChannel(redis)
    await redis.aclose(close_connection_pool=True)


async def main(order: Order) -> None:
    reader = asyncio.StreamReader()
    await asyncio.get_running_loop().connect_read_pipe(lambda: asyncio.StreamReaderProtocol(reader), sys.stdin)
    print(json.dumps(await publish(order, Progress(reader))))


if __name__ == "__main__":
    asyncio.run(main(Order.model_validate_json(sys.argv[1])))
