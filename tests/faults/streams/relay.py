"""One address before several services, without sticky sessions; it cuts, stalls and half-closes what passes."""

import asyncio
import random
import socket
import struct
from collections import Counter
from collections.abc import Sequence
from dataclasses import dataclass
from enum import StrEnum
from typing import Self

HOST = "127.0.0.1"
HEADER_BYTES = 600
"""More than an answer's headers take, so that some cuts fall into them."""

LINGER_SECONDS_MAX = 8.0


class Fate(StrEnum):
    """What becomes of a connection once so many bytes of the answer have passed.

    `spared`: nothing. `closed`: its client sees an end. `reset`: and what it has not read yet is lost. `half-closed`:
    the service sees the end of the request; what it still says passes. `deserted`: the client sees an end, the service
    sees nobody read. `hanging`: the service sees an end, the client nothing for a while. `stalled`: nothing passes for
    a while, then all does.
    """

    SPARED = "spared"
    CLOSED = "closed"
    RESET = "reset"
    HALF_CLOSED = "half-closed"
    DESERTED = "deserted"
    HANGING = "hanging"
    STALLED = "stalled"


SHARES = {
    Fate.SPARED: 2,
    Fate.CLOSED: 5,
    Fate.RESET: 3,
    Fate.HALF_CLOSED: 2,
    Fate.DESERTED: 1,
    Fate.HANGING: 1,
    Fate.STALLED: 2,
}


@dataclass(frozen=True)
class Lot:
    """Drawn for one connection. `seconds`: how long its fate takes, where it takes time."""

    ports: Sequence[int]
    fate: Fate
    after_bytes: int
    seconds: float

    @classmethod
    def drawn(cls, chance: random.Random, ports: Sequence[int], bytes_max: int, seconds_max: float) -> Self:
        """Some cuts fall early, into the headers or the first blocks; others anywhere."""
        is_early = chance.random() < 0.3
        [fate] = chance.choices(list(SHARES), weights=list(SHARES.values()))
        return cls(
            ports=chance.sample(ports, len(ports)),
            fate=fate,
            after_bytes=chance.randint(1, 3 * HEADER_BYTES if is_early else bytes_max),
            seconds=chance.uniform(0, seconds_max),
        )


class Relay:
    """`met`: how many connections have met each fate; `lost`: how many a service broke off."""

    def __init__(
        self, ports: Sequence[int], *, seed: int, bytes_max: int, seconds_max: float = LINGER_SECONDS_MAX
    ) -> None:
        self.met: Counter[Fate] = Counter()
        self.lost = 0
        self.nobody = 0
        """Connections that no service took."""
        self._ports = tuple(ports)
        self._seed = seed
        self._bytes_max = bytes_max
        self._seconds_max = seconds_max
        self._number = 0
        self.dialling: set[asyncio.Task[None]] = set()
        self._open: set[asyncio.Transport] = set()

    async def __aenter__(self) -> Self:
        self._server = await asyncio.get_running_loop().create_server(lambda: _Client(self), HOST, 0, backlog=2048)
        self.address: tuple[str, int] = self._server.sockets[0].getsockname()
        return self

    async def __aexit__(self, *_: object) -> None:
        self._server.close()
        for transport in tuple(self._open):
            transport.abort()
        await asyncio.gather(*self.dialling, return_exceptions=True)
        await self._server.wait_closed()

    def lot(self) -> Lot:
        self._number += 1
        return Lot.drawn(random.Random(f"{self._seed} {self._number}"), self._ports, self._bytes_max, self._seconds_max)

    def opened(self, transport: asyncio.BaseTransport) -> asyncio.Transport:
        assert isinstance(transport, asyncio.Transport), "a stream's"
        self._open.add(transport)
        return transport

    def closed(self, transport: asyncio.Transport) -> None:
        self._open.discard(transport)


class _Client(asyncio.Protocol):
    """The side of the client."""

    def __init__(self, relay: Relay) -> None:
        self._relay = relay
        self._asked = b""
        self._service: _Service | None = None

    def connection_made(self, transport: asyncio.BaseTransport) -> None:
        self.transport = self._relay.opened(transport)
        task = asyncio.create_task(self._dial(self._relay.lot()))
        self._relay.dialling.add(task)
        task.add_done_callback(self._relay.dialling.discard)

    async def _dial(self, lot: Lot) -> None:
        loop = asyncio.get_running_loop()
        for port in lot.ports:
            try:
                _, service = await loop.create_connection(lambda: _Service(self._relay, self, lot), HOST, port)
            except OSError:
                continue
            self._service = service
            service.transport.write(self._asked)
            if self.transport.is_closing():
                service.transport.abort()
            return
        self._relay.nobody += 1
        self.reset()

    def data_received(self, data: bytes) -> None:
        if self._service:
            self._service.transport.write(data)
        else:
            self._asked += data

    def connection_lost(self, error: Exception | None) -> None:
        self._relay.closed(self.transport)
        if self._service:
            self._service.client_has_gone()

    def reset(self) -> None:
        """Destroys what the client has not read yet."""
        if not self.transport.is_closing():
            raw = self.transport.get_extra_info("socket")
            raw.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, struct.pack("ii", 1, 0))
            self.transport.abort()


class _Service(asyncio.Protocol):
    """The side of the service, where the fate is met."""

    def __init__(self, relay: Relay, client: _Client, lot: Lot) -> None:
        self._relay = relay
        self._client = client
        self._lot = lot
        self._left = None if lot.fate is Fate.SPARED else lot.after_bytes
        self._is_deserted = False
        self._is_hanging = False
        self._loop = asyncio.get_running_loop()

    def connection_made(self, transport: asyncio.BaseTransport) -> None:
        self.transport = self._relay.opened(transport)

    def data_received(self, data: bytes) -> None:
        if self._client.transport.is_closing():
            return
        if self._left is None or len(data) < self._left:
            self._client.transport.write(data)
            self._left = self._left and self._left - len(data)
            return
        self._client.transport.write(data[: self._left])
        rest, self._left = data[self._left :], None
        self._relay.met[self._lot.fate] += 1
        self._meet(rest)

    def _meet(self, rest: bytes) -> None:
        match self._lot.fate:
            case Fate.CLOSED:
                self._client.transport.close()
            case Fate.RESET:
                self._client.reset()
            case Fate.HALF_CLOSED:
                self._client.transport.write(rest)
                self.transport.write_eof()
            case Fate.DESERTED:
                self._is_deserted = True
                self._client.transport.close()
                self.transport.pause_reading()
                self._loop.call_later(self._lot.seconds, self.transport.abort)
            case Fate.HANGING:
                self._is_hanging = True
                self.transport.abort()
                self._loop.call_later(self._lot.seconds, self._client.transport.close)
            case Fate.STALLED:
                self.transport.pause_reading()
                self._loop.call_later(self._lot.seconds, self._go_on, rest)
            case Fate.SPARED:
                raise AssertionError("it has no end to its bytes")

    def _go_on(self, rest: bytes) -> None:
        if not self._client.transport.is_closing():
            self._client.transport.write(rest)
        if not self.transport.is_closing():
            self.transport.resume_reading()

    def connection_lost(self, error: Exception | None) -> None:
        self._relay.closed(self.transport)
        if self._is_hanging or self._client.transport.is_closing():
            return
        if self._lot.fate in {Fate.SPARED, Fate.STALLED} or self._left is not None:
            self._relay.lost += 1
        if error:
            self._client.reset()
        else:
            self._client.transport.close()

    def client_has_gone(self) -> None:
        if not self._is_deserted:
            self.transport.abort()
