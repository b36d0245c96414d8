"""The sockets: HTTP/1.1 with keep-alive on a bare asyncio protocol, as cheap as can be beside what it measures."""

import asyncio
import json
import socket
import struct
from typing import cast

import httptools

from bench.simulator import wire
from bench.simulator.course import Course
from bench.simulator.provider import Provider


class Connection(asyncio.Protocol):
    """One connection: one request at a time, as the clients of this API send them."""

    def __init__(self, provider: Provider) -> None:
        self._provider = provider
        self._transport: asyncio.Transport | None = None
        self._course: Course | None = None
        self._parser = httptools.HttpRequestParser(self)
        self._clear()

    def _clear(self) -> None:
        self._path = b""
        self._body: list[bytes] = []
        self._sdk_retry_count = 0

    def connection_made(self, transport: asyncio.BaseTransport) -> None:
        self._transport = cast(asyncio.Transport, transport)

    def connection_lost(self, error: Exception | None) -> None:
        self._transport = None
        if self._course:
            course, self._course = self._course, None
            course.leave()

    def data_received(self, data: bytes) -> None:
        try:
            self._parser.feed_data(data)
        except httptools.HttpParserError:
            self.reset()

    def on_url(self, url: bytes) -> None:
        self._path += url

    def on_header(self, name: bytes, value: bytes) -> None:
        if name.lower() == b"x-stainless-retry-count":
            self._sdk_retry_count = int(value)

    def on_body(self, body: bytes) -> None:
        self._body.append(body)

    def on_message_complete(self) -> None:
        method, path = self._parser.get_method(), self._path.partition(b"?")[0]
        body, sdk_retry_count = b"".join(self._body), self._sdk_retry_count
        self._clear()
        match method, path:
            case b"POST", b"/v1/messages":
                self._course = self._provider.take(self, _parsed(body), sdk_retry_count)
            case b"GET", b"/stats":
                self.send(wire.answer(200, self._provider.account.tally.stats().model_dump()))
            case b"POST", b"/reset":
                self._provider.restart()
                self.send(wire.answer(200, {}))
            case _:
                self.send(wire.error(404, "not_found_error", "only /v1/messages, /stats and /reset"))

    def send(self, data: bytes) -> None:
        if self._transport:
            self._transport.write(data)

    def finish(self) -> None:
        self._course = None

    def reset(self) -> None:
        self._course = None
        if self._transport:
            raw = self._transport.get_extra_info("socket")
            raw.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, struct.pack("ii", 1, 0))
            self._transport.abort()

    def close(self) -> None:
        self._course = None
        if self._transport:
            self._transport.close()


def _parsed(body: bytes) -> object:
    try:
        return json.loads(body)
    except ValueError:
        return None


async def serve(provider: Provider, port: int) -> asyncio.Server:
    """Listens on loopback; 0 takes a free port."""
    loop = asyncio.get_running_loop()
    return await loop.create_server(lambda: Connection(provider), "127.0.0.1", port, backlog=1024)
