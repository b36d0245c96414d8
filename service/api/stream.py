"""One client's stream: what is written goes out at once, or waits in a bounded backlog until the client reads."""

import asyncio
from collections.abc import Callable
from typing import Final, Protocol

import structlog
from starlette.types import Scope

from service.api import frames

BACKLOG_BYTES_MAX: Final = 256 * 1024
BLOCKED_SECONDS_MAX: Final = 20.0

log = structlog.get_logger()


class Connection(Protocol):
    """What a response is written to from outside of its request's own task (service/server.py).

    A task for each client of each event would cost several times as much as the writing.
    """

    on_room: Callable[[], None] | None
    """Called when it is not full any more."""
    on_lost: Callable[[], None] | None
    """Called when the client has gone."""

    @property
    def is_full(self) -> bool:
        """The client does not read as fast as it is written to."""

    def push(self, part: bytes) -> None:
        """The next part of the body, never an empty one. Never waits; nothing happens when the client has gone."""

    def abort(self) -> None:
        """Drop the connection, and with it what the client has not read."""


class Stream:
    """It is over when the last of its `logs` has ended, or when its client is too slow."""

    def __init__(self, connection: Connection, *, logs: int) -> None:
        self.is_over = asyncio.Event()
        self.is_whole = False
        self._connection = connection
        connection.on_lost = self._lost
        self._open_logs = logs
        self._is_new = True
        self._is_closed = False
        self._backlog: list[bytes] = []
        self._backlog_bytes = 0
        self._is_drained: asyncio.Event | None = None
        self._now = asyncio.get_running_loop().time
        self._blocked_since = 0.0
        self._next_beat = self._now() + frames.HEARTBEAT_SECONDS

    def opening(self, blocks: bytes) -> bytes:
        """The same, but for what a client gets first."""
        if self._is_new:
            self._is_new = False
            return frames.with_retry(blocks)
        return blocks

    def write(self, blocks: bytes) -> None:
        """Never waits: what does not go out now goes later, unless the client is too slow."""
        if self._is_closed:
            return
        blocks = self.opening(blocks) if self._is_new else blocks
        if not self._backlog and not self._connection.is_full:
            self._connection.push(blocks)
            return
        if not self._backlog:
            self._blocked_since = self._now()
            self._connection.on_room = self._go_on
        self._backlog.append(blocks)
        self._backlog_bytes += len(blocks)
        if self._backlog_bytes > BACKLOG_BYTES_MAX:
            self.cut("its client does not keep pace")

    def end_log(self) -> None:
        """One of its logs has ended, and it has heard so."""
        self._open_logs -= 1
        if not self._open_logs:
            self.is_whole = True
            self.is_over.set()

    def beat(self) -> None:
        """Every second: a heartbeat when it is due, and an end when the client has not read for too long."""
        now = self._now()
        if self._backlog and now - self._blocked_since > BLOCKED_SECONDS_MAX:
            self.cut("its client does not read")
        elif now >= self._next_beat:
            self._next_beat = now + frames.HEARTBEAT_SECONDS
            self.write(frames.HEARTBEAT)

    def cut(self, reason: str) -> None:
        """Give up on the client; it may come back and go on."""
        if self._is_closed:
            return
        log.warning("a stream is cut", reason=reason, unread_bytes=self._backlog_bytes)
        self.close()
        self._connection.abort()
        self.is_over.set()

    async def over(self) -> None:
        """Until it has ended and everything has gone out."""
        await self.is_over.wait()
        if self._backlog:
            self._is_drained = asyncio.Event()
            await self._is_drained.wait()

    def close(self) -> None:
        """Nothing is written any more."""
        self._is_closed = True
        self._connection.on_room = self._connection.on_lost = None
        self._forget()

    def _lost(self) -> None:
        self.close()
        self.is_over.set()

    def _go_on(self) -> None:
        # Only once: an empty part would end the response.
        self._connection.on_room = None
        blocks = b"".join(self._backlog)
        self._forget()
        self._connection.push(blocks)

    def _forget(self) -> None:
        self._backlog.clear()
        self._backlog_bytes = 0
        if self._is_drained:
            self._is_drained.set()


def connection_of(scope: Scope) -> Connection:
    """The connection that a request came on."""
    connection: Connection = scope["extensions"]["quizmill.connection"]["connection"]
    return connection
