"""A line between a client and a service that breaks at random places, as real ones do."""

import asyncio
from asyncio import IncompleteReadError, StreamReader, StreamWriter
from collections import Counter
from collections.abc import AsyncIterator, Iterator
from contextlib import asynccontextmanager, contextmanager
from enum import StrEnum
from random import Random
from urllib.parse import urlsplit

AWAY = b"HTTP/1.1 502 Bad Gateway\r\nContent-Type: text/html\r\nContent-Length: 4\r\nConnection: close\r\n\r\naway"
BYTES_MAX = 4000
ENDS_MAX = 5


class End(StrEnum):
    RESET = "reset"
    CLOSED = "closed"
    FROZEN = "frozen"


class Line:
    """Carries connections to the service at `target`; the first ENDS_MAX break after a random number of answered bytes.

    The first of them goes silent. While the service is away it answers 502, as reverse proxies do.
    """

    def __init__(self, target: str, random: Random) -> None:
        self.ends: Counter[End] = Counter()
        self.refusals = 0
        self.is_calm = False
        """Nothing breaks meanwhile."""
        self._target = urlsplit(target)
        self._random = random
        self._open: set[asyncio.Task[None]] = set()
        self._writers: set[StreamWriter] = set()

    @asynccontextmanager
    async def carrying(self) -> AsyncIterator[str]:
        """The address for clients."""
        server = await asyncio.start_server(self._accept, "127.0.0.1", 0)
        try:
            yield f"http://127.0.0.1:{server.sockets[0].getsockname()[1]}"
        finally:
            server.close()
            for writer in self._writers:
                writer.transport.abort()
            await asyncio.gather(*self._open)

    async def _accept(self, reader: StreamReader, writer: StreamWriter) -> None:
        task = asyncio.current_task()
        assert task is not None, "a server handles each connection in a task"
        self._open.add(task)
        try:
            with self._kept(writer):
                await self._carry(reader, writer)
        except ConnectionError:
            pass  # One of the two has gone: that is what lines do.
        finally:
            self._open.discard(task)

    @contextmanager
    def _kept(self, writer: StreamWriter) -> Iterator[None]:
        self._writers.add(writer)
        try:
            yield
        finally:
            self._writers.discard(writer)
            writer.close()

    async def _carry(self, reader: StreamReader, writer: StreamWriter) -> None:
        try:
            up_reader, up_writer = await asyncio.open_connection(self._target.hostname, self._target.port)
        except ConnectionError:
            await self._refuse(reader, writer)
            return
        with self._kept(up_writer):
            asking = asyncio.create_task(_pump(reader, up_writer))
            try:
                await self._answer(up_reader, writer, asking)
            finally:
                asking.cancel()
                await asyncio.gather(asking, return_exceptions=True)

    async def _refuse(self, reader: StreamReader, writer: StreamWriter) -> None:
        try:
            await reader.readuntil(b"\r\n\r\n")
        except IncompleteReadError:
            return
        self.refusals += 1
        writer.write(AWAY)
        await writer.drain()

    async def _answer(self, up_reader: StreamReader, writer: StreamWriter, asking: asyncio.Task[None]) -> None:
        left = self._random.randint(1, BYTES_MAX)
        while left and (part := await up_reader.read(left)):
            writer.write(part)
            await writer.drain()
            if not self.is_calm and self.ends.total() < ENDS_MAX:
                left -= len(part)
        if left:
            return
        end = self._random.choice((End.RESET, End.CLOSED)) if self.ends else End.FROZEN
        self.ends[end] += 1
        if end is End.RESET:
            writer.transport.abort()
        elif end is End.FROZEN:
            await asking  # Until the client gives up.


async def _pump(reader: StreamReader, writer: StreamWriter) -> None:
    while part := await reader.read(65_536):
        writer.write(part)
        await writer.drain()
