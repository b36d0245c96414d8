"""A service that answers what it was told to, and a client that asks it."""

import asyncio
from asyncio import StreamReader, StreamWriter
from collections.abc import AsyncIterator, Callable, Iterator
from contextlib import asynccontextmanager, contextmanager
from typing import TypeVar

from service.cli.client import Client

Outcome = TypeVar("Outcome")
HEAD = "HTTP/1.1 200 OK\r\nContent-Type: text/event-stream; charset=utf-8\r\nConnection: close\r\n\r\n"
NO_MORE = "HTTP/1.1 204 No Content\r\nConnection: close\r\n\r\n"


class Service:
    """Answers each request with the next of its canned answers, and closes the connection."""

    def __init__(self, *canned: str) -> None:
        self.requests: list[str] = []
        self._canned = list(canned)

    async def answer(self, reader: StreamReader, writer: StreamWriter) -> None:
        head = (await reader.readuntil(b"\r\n\r\n")).decode()
        length = next((int(line[16:]) for line in head.split("\r\n") if line.lower().startswith("content-length: ")), 0)
        self.requests.append(head + (await reader.readexactly(length)).decode(errors="replace"))
        writer.write(self._canned.pop(0).encode())
        await writer.drain()
        writer.close()
        await writer.wait_closed()

    def header(self, position: int, name: str) -> str | None:
        lines = self.requests[position].split("\r\n")
        return next((line.partition(": ")[2] for line in lines if line.lower().startswith(f"{name}: ")), None)


@asynccontextmanager
async def serving(*canned: str) -> AsyncIterator[tuple[Service, str]]:
    service = Service(*canned)
    server = await asyncio.start_server(service.answer, "127.0.0.1", 0)
    port = server.sockets[0].getsockname()[1]
    async with server:
        yield service, f"http://127.0.0.1:{port}"


@contextmanager
def closing(url: str, patience_seconds: float) -> Iterator[Client]:
    """A command ends with its process; a test closes its client."""
    client = Client(url, patience_seconds=patience_seconds)
    yield client
    client._http.close()


async def ask(url: str, work: Callable[[Client], Outcome], *, patience_seconds: float = 0) -> Outcome:
    def asked() -> Outcome:
        with closing(url, patience_seconds) as client:
            return work(client)

    return await asyncio.wait_for(asyncio.to_thread(asked), 20)


def response(status: str, body: str, media_type: str = "application/json") -> str:
    headers = f"Content-Type: {media_type}\r\nContent-Length: {len(body.encode())}\r\nConnection: close"
    return f"HTTP/1.1 {status}\r\n{headers}\r\n\r\n{body}"
