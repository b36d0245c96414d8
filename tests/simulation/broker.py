"""A fakeredis whose connections break, whose messages get lost, and which keeps the order of its subscribers."""

import weakref
from collections import defaultdict
from collections.abc import Awaitable, Callable, Iterator
from random import Random
from typing import Any

import fakeredis
import redis.exceptions
from arq.connections import ArqRedis
from fakeredis.aioredis import FakeAsyncRedisConnection
from redis.asyncio import ConnectionPool

from service import queue
from tests.simulation import processes
from tests.simulation.processes import Process


class _Subscribers:
    """Walked to deliver a message: in the order of their coming, and leaving out whom the message does not reach."""

    def __init__(self, is_lost: Callable[[], bool]) -> None:
        self._sockets: weakref.WeakKeyDictionary[Any, None] = weakref.WeakKeyDictionary()
        self._is_lost = is_lost

    def add(self, socket: object) -> None:
        self._sockets[socket] = None

    def discard(self, socket: object) -> None:
        self._sockets.pop(socket, None)

    remove = discard

    def __contains__(self, socket: object) -> bool:
        return socket in self._sockets

    def __len__(self) -> int:
        return len(self._sockets)

    def __iter__(self) -> Iterator[Any]:
        return iter([socket for socket in self._sockets if not self._is_lost()])


class Broker:
    """One server and its clients."""

    def __init__(self, chance: Random, pause: Callable[[str], Awaitable[None]]) -> None:
        self.server = fakeredis.FakeServer()
        subscribers: Any = defaultdict(lambda: _Subscribers(self._is_lost))
        self.server.subscribers = subscribers
        self.lost_share = 0.0
        self._chance = chance
        self._pause = pause
        self._sockets: list[tuple[Process, weakref.ref[Any]]] = []

    def client(self) -> ArqRedis:
        """A client of the current process."""
        return queue.client(ConnectionPool(connection_class=_Connection, server=self.server, broker=self))

    def break_off(self) -> None:
        """Nobody is connected, and nobody can connect."""
        self.server.connected = False
        for _, reference in self._sockets:
            if socket := reference():
                socket._response_available.set()

    def come_back(self) -> None:
        self.server.connected = True

    def forget_all(self) -> None:
        """FLUSHALL."""
        with self.server.lock:
            for database in self.server.dbs.values():
                database.clear()

    def hang_up(self, process: Process) -> None:
        """The process is dead: its connections are closed."""
        for owner, reference in self._sockets:
            if owner is process and (socket := reference()):
                for subscribers in self.server.subscribers.values():
                    subscribers.discard(socket)

    def enter(self, socket: object) -> None:
        self._sockets.append((processes.current(), weakref.ref(socket)))

    async def pause(self) -> None:
        await self._pause("redis")

    def _is_lost(self) -> bool:
        return self.lost_share > 0 and self._chance.random() < self.lost_share


class _Connection(FakeAsyncRedisConnection):
    def __init__(self, *args: Any, broker: Broker, **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        self._broker = broker

    async def _connect(self) -> None:
        await super()._connect()
        self._broker.enter(self._sock)

    async def can_read(self, timeout: float | None = 0) -> bool:
        """A connection that breaks is noticed by who waits on it: fakeredis would wait on."""
        if timeout is not None or self._sock is None:
            return await super().can_read(timeout)
        socket = self._sock
        while socket.responses.empty():
            if not self._broker.server.connected:
                raise redis.exceptions.ConnectionError("the connection broke")
            socket._response_available.clear()
            await socket._response_available.wait()
        return True

    async def send_packed_command(self, command: Any, check_health: bool = True) -> None:
        await self._broker.pause()
        await super().send_packed_command(command, check_health)
