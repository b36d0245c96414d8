"""One HTTP request over a raw socket, whose answer is told in the pieces that come."""

import asyncio
from collections.abc import Mapping
from typing import NamedTuple, Protocol, Self

import httptools

Address = tuple[str, int]


class Answer(NamedTuple):
    status: int
    content_type: str


class Listener(Protocol):
    """`hear` returns whether it wants to hear more."""

    def answer(self, answer: Answer) -> None: ...
    def hear(self, data: bytes) -> bool: ...


class Connection(asyncio.Protocol):
    """`is_whole`: the answer came to its end."""

    def __init__(self, request: bytes, listener: Listener) -> None:
        self.is_whole = False
        self._loop = asyncio.get_running_loop()
        self._ended: asyncio.Future[None] = self._loop.create_future()
        self._heard_at = self._loop.time()
        self._request = request
        self._listener = listener
        self._content_type = ""
        self._parser = httptools.HttpResponseParser(self)

    @classmethod
    async def open(cls, address: Address, path: str, headers: Mapping[str, str], listener: Listener) -> Self:
        """Raises OSError."""
        host, port = address
        lines = [f"GET {path} HTTP/1.1", f"Host: {host}:{port}", "Accept: text/event-stream"]
        lines += [f"{name}: {value}" for name, value in headers.items()]
        request = "\r\n".join((*lines, "", "")).encode()
        _, connection = await asyncio.get_running_loop().create_connection(lambda: cls(request, listener), host, port)
        return connection

    async def over(self, *, silent_seconds: float) -> bool:
        """Returns when it has ended; False: it was, as nothing had come for so long. Raises what went wrong."""
        while not self._ended.done():
            left = self._heard_at + silent_seconds - self._loop.time()
            if left <= 0:
                self._transport.abort()
                return False
            await asyncio.wait([self._ended], timeout=left)
        self._ended.result()
        return True

    def connection_made(self, transport: asyncio.BaseTransport) -> None:
        assert isinstance(transport, asyncio.Transport), "a stream's"
        self._transport = transport
        transport.write(self._request)

    def data_received(self, data: bytes) -> None:
        self._heard_at = self._loop.time()
        try:
            self._parser.feed_data(data)
        except httptools.HttpParserError as error:
            self._ended.set_exception(error)
            self._transport.abort()

    def connection_lost(self, error: Exception | None) -> None:
        """Resets are part of this."""
        if not self._ended.done():
            self._ended.set_result(None)

    # What the parser calls.

    def on_header(self, name: bytes, value: bytes) -> None:
        if name.lower() == b"content-type":
            self._content_type = value.decode()

    def on_headers_complete(self) -> None:
        self._listener.answer(Answer(self._parser.get_status_code(), self._content_type))

    def on_body(self, body: bytes) -> None:
        if not self._transport.is_closing() and not self._listener.hear(body):
            self._transport.abort()

    def on_message_complete(self) -> None:
        self.is_whole = True
        self._transport.close()
