"""One client's connection: what is written goes out at once, or waits in a bounded backlog until the client reads."""

import asyncio
import types
from collections.abc import Awaitable, Callable, Generator
from typing import Any, Final

import structlog
from starlette.types import Scope, Send

from service.api import frames

BACKLOG_BYTES_MAX: Final = 256 * 1024
BLOCKED_SECONDS_MAX: Final = 20.0

log = structlog.get_logger()


class Stream:
    """Written to by the hub, from outside of the request's own task: a task for each would cost twice as much.

    It is over when the last of its `logs` has ended. `abort` drops the connection without waiting for what the client
    has not read.
    """

    def __init__(self, send: Send, *, logs: int, abort: Callable[[], None]) -> None:
        self.is_over = asyncio.Event()
        self.is_whole = False
        self.is_cut = False
        self._open_logs = logs
        self._loop = asyncio.get_running_loop()
        self._send = send
        self._abort = abort
        self._is_new = True
        self._backlog: list[bytes] = []
        self._backlog_bytes = 0
        self._sending: asyncio.Task[None] | None = None
        self._blocked_since = 0.0
        self._next_beat = self._loop.time() + frames.HEARTBEAT_SECONDS

    def opening(self, blocks: bytes) -> bytes:
        """The same, but for what a client gets first."""
        if self._is_new:
            self._is_new = False
            return frames.with_retry(blocks)
        return blocks

    def write(self, blocks: bytes) -> None:
        """Never waits and never fails: a client that is too slow or gone is cut."""
        blocks = self.opening(blocks)
        if self._sending:
            self._backlog.append(blocks)
            self._backlog_bytes += len(blocks)
            if self._backlog_bytes > BACKLOG_BYTES_MAX:
                self.cut("its client does not read")
            return
        try:
            rest = _begun(self._send(_body(blocks)))
        except Exception as error:  # noqa: BLE001 # one broken stream must not cost the others an event
            self._broke(error)
            return
        if rest is not None:
            self._blocked_since = self._loop.time()
            self._sending = asyncio.create_task(self._finish(rest))

    def end_log(self) -> None:
        """One of its logs has ended, and it has heard so."""
        self._open_logs -= 1
        if not self._open_logs:
            self.is_whole = True
            self.is_over.set()

    def beat(self, now: float) -> None:
        """Every second: a heartbeat when it is due, and an end when the client has not read for too long."""
        if self._sending and now - self._blocked_since > BLOCKED_SECONDS_MAX:
            self.cut("its client has not read for a while")
        elif now >= self._next_beat:
            self._next_beat = now + frames.HEARTBEAT_SECONDS
            self.write(frames.HEARTBEAT)

    def cut(self, reason: str) -> None:
        """Give up on the client; it may come back and go on."""
        if self.is_over.is_set():
            return
        log.warning("a stream is cut", reason=reason, unread_bytes=self._backlog_bytes)
        self._drop()

    async def over(self) -> None:
        """Until it has ended and its client has read it to the end, or was cut."""
        await self.is_over.wait()
        if self._sending and not self.is_cut:
            await self._sending

    def close(self) -> None:
        if self._sending:
            self._sending.cancel()
        self._backlog.clear()

    async def _finish(self, rest: Awaitable[None]) -> None:
        try:
            await rest
            while self._backlog:
                blocks = b"".join(self._backlog)
                self._backlog.clear()
                self._backlog_bytes = 0
                self._blocked_since = self._loop.time()
                await self._send(_body(blocks))
        except Exception as error:  # noqa: BLE001 # nobody else would hear of it
            self._broke(error)
        finally:
            self._sending = None

    def _broke(self, error: Exception) -> None:
        """ASGI: a send to a client that has gone raises an OSError."""
        if not isinstance(error, OSError):
            log.error("a stream broke", exc_info=error)
        self._drop()

    def _drop(self) -> None:
        self.is_cut = True
        self.is_over.set()
        self._abort()


def aborting(scope: Scope) -> Callable[[], None]:
    """What drops the connection of a request, where the server offers it."""
    connection = scope.get("extensions", {}).get("quizmill.connection", {})
    abort: Callable[[], None] = connection.get("abort", lambda: None)
    return abort


def _body(blocks: bytes) -> dict[str, object]:
    return {"type": "http.response.body", "body": blocks, "more_body": True}


def _begun(awaited: Awaitable[None]) -> Awaitable[None] | None:
    """Run it until it has to wait. None: it did not have to; else what is left of it."""
    sending = awaited.__await__()
    try:
        waits_for = next(sending)
    except StopIteration:
        return None
    return _rest(sending, waits_for)


@types.coroutine
def _rest(sending: Generator[Any, Any, None], waits_for: object) -> Generator[object, object, None]:
    """Go on with what has begun: what it waits for goes to the task around, the answer back to it."""
    try:
        while True:
            try:
                answer = yield waits_for
            except BaseException as error:  # noqa: BLE001 # also a cancellation ends its wait
                waits_for = sending.throw(error)
            else:
                waits_for = sending.send(answer)
    except StopIteration:
        return
