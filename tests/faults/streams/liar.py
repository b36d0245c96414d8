"""A tiny service with a finished log, which keeps to CONTRACT 5 but for one lie: those who look must see it."""

import asyncio
import json
import re
from collections.abc import Callable, Sequence
from types import TracebackType
from typing import Self
from urllib.parse import parse_qs, urlsplit

from tests.faults.streams.logs import Entry

GENERATION_ID = "5f1d7a52-90d5-4a0b-8a0e-6f6f5b1d7c11"
EVENTS = 12
_SEEN = re.compile(rb"^Last-Event-ID: (\d+)\r$", re.MULTILINE)

Blocks = list[bytes]
Lie = Callable[[int | None, Blocks], Blocks]
"""Is given the id that a client has seen and the blocks that it should get, and returns those that it gets."""


def entry(seq: int) -> Entry:
    name = "generation.completed" if seq == EVENTS else "batch.started"
    told = {"type": name, "generation_id": GENERATION_ID, "seq": seq}
    return Entry(name.encode(), json.dumps(told).encode())


def block(seq: int, *, is_first: bool = False) -> bytes:
    it = entry(seq)
    retry = b"retry: 1000\n" if is_first else b""
    return b"event: %s\n%sdata: %s\nid: %d\n\n" % (it.type, retry, it.data, seq)


def state(name: str, seq: int) -> bytes:
    status = "completed" if seq == EVENTS else "processing"
    data = json.dumps({"id": GENERATION_ID, "last_event_id": seq, "status": status, "batches": []})
    return f"event: {name}\nretry: 1000\ndata: {data}\nid: {seq}\n\n".encode()


class Liar:
    """A snapshot always shows the log's fifth event. `statuses`: what the first answers have instead of theirs."""

    def __init__(self, lie: Lie = lambda _, blocks: blocks, *, statuses: Sequence[int] = ()) -> None:
        self._lie = lie
        self._statuses = list(statuses)

    async def __aenter__(self) -> Self:
        self._server = await asyncio.start_server(self._answer, "127.0.0.1", 0)
        self.port: int = self._server.sockets[0].getsockname()[1]
        return self

    async def __aexit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self._server.close()
        await self._server.wait_closed()

    async def _answer(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        try:
            seen = _seen(await reader.readuntil(b"\r\n\r\n"))
            status = self._statuses.pop(0) if self._statuses else 204 if seen == EVENTS else 200
            writer.write(b"HTTP/1.1 %d Told\r\nContent-Type: text/event-stream; charset=utf-8\r\n" % status)
            if status == 204:
                writer.write(b"\r\n")
            else:
                writer.write(b"Transfer-Encoding: chunked\r\n\r\n")
                for chunk in self._lie(seen, _blocks(seen)):
                    writer.write(b"%x\r\n%s\r\n" % (len(chunk), chunk))
                writer.write(b"0\r\n\r\n")
            await writer.drain()
        except (ConnectionError, asyncio.IncompleteReadError):
            pass  # those who cut are the other half of what is tested
        finally:
            writer.close()


def _seen(request: bytes) -> int | None:
    header = _SEEN.search(request)
    if header:
        return int(header[1])
    query = parse_qs(urlsplit(request.split(b" ")[1].decode()).query)
    given = query.get("last_event_id") or query.get("from")
    return int(given[0]) if given else None


def _blocks(seen: int | None) -> Blocks:
    if seen is None:
        return [state("snapshot", 5), *(block(seq) for seq in range(6, EVENTS + 1))]
    return [block(seq, is_first=seq == seen + 1) for seq in range(seen + 1, EVENTS + 1)]
