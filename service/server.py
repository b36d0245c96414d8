"""uvicorn, with streams that end in good order."""

import asyncio
import signal
import socket
from collections.abc import Callable, Iterator
from contextlib import contextmanager

import uvicorn
from httptools import HttpParserError
from starlette.applications import Starlette
from uvicorn.protocols.http.httptools_impl import HttpToolsProtocol

from service.errors import SettingsInvalid
from service.settings import Settings

GRACE_SECONDS = 5
UNREAD_SECONDS_MAX = 30
HEADERS_SECONDS_MAX = 10
HEADERS_BYTES_MAX = 64 * 1024
PIPELINED_MAX = 100
SEND_BUFFER_BYTES = 64 * 1024


class Protocol(HttpToolsProtocol):
    """Cuts connections that do not get on with their headers, and lets streams be written to by whoever has news."""

    on_room: Callable[[], None] | None = None
    on_lost: Callable[[], None] | None = None
    _patience: asyncio.TimerHandle | None = None
    _headers_bytes = 0

    @property
    def is_full(self) -> bool:
        return self.flow.write_paused

    def push(self, part: bytes) -> None:
        """The next part of the body of the response that has begun, as a chunk."""
        assert part, "an empty chunk ends the response"
        if not self.transport.is_closing():
            self.transport.write(b"%x\r\n%b\r\n" % (len(part), part))

    def abort(self) -> None:
        self.transport.abort()

    def resume_writing(self) -> None:
        super().resume_writing()
        if self.on_room:
            self.on_room()

    def connection_made(self, transport: asyncio.Transport) -> None:  # type: ignore[override] # as in uvicorn
        super().connection_made(transport)
        self._wait_for_headers()

    def data_received(self, data: bytes) -> None:
        # Whatever comes on an idle connection is the beginning of headers, or nothing that it is kept for.
        if self.timeout_keep_alive_task and self._patience is None:
            self._wait_for_headers()
        super().data_received(data)
        self._headers_bytes = self._headers_bytes + len(data) if self._patience else 0
        if self._headers_bytes > HEADERS_BYTES_MAX and not self.transport.is_closing():
            self.send_400_response(f"The headers are larger than {HEADERS_BYTES_MAX // 1024} KB.")

    def send_400_response(self, msg: str) -> None:
        """In the middle of another response it would be read as a part of that."""
        if self._is_answering:
            self.transport.abort()
        else:
            super().send_400_response(msg)

    def on_message_begin(self) -> None:
        super().on_message_begin()
        if self._patience is None:
            self._wait_for_headers()

    def on_headers_complete(self) -> None:
        self._stop_waiting()
        if len(self.pipeline) >= PIPELINED_MAX:
            # Each answer lets in more, so that they would take memory without bound.
            raise HttpParserError("too many requests wait for their turn")
        self.scope["extensions"] = {"quizmill.connection": {"connection": self}}
        super().on_headers_complete()

    def connection_lost(self, exc: Exception | None) -> None:
        self._stop_waiting()
        super().connection_lost(exc)
        if self.on_lost:
            self.on_lost()

    @property
    def _is_answering(self) -> bool:
        cycle = self.cycle
        return bool(self.pipeline) or (cycle is not None and cycle.response_started and not cycle.response_complete)

    def _wait_for_headers(self) -> None:
        self._patience = self.loop.call_later(HEADERS_SECONDS_MAX, self.transport.abort)

    def _stop_waiting(self) -> None:
        if self._patience:
            self._patience.cancel()
            self._patience = None


class Server(uvicorn.Server):
    """Tells the backend first when it stops, so that every stream ends whole instead of being cut.

    Its signals are those of `stop_on_signals`: uvicorn's own would end the process before it has cleaned up.
    """

    def __init__(self, app: Starlette, *, on_ready: Callable[[], None]) -> None:
        self._backend = app.state.backend
        self._on_ready = on_ready
        super().__init__(
            uvicorn.Config(
                app,
                http=Protocol,
                log_config=None,
                access_log=False,
                server_header=False,
                timeout_graceful_shutdown=GRACE_SECONDS,
            )
        )

    @contextmanager
    def capture_signals(self) -> Iterator[None]:
        yield

    async def startup(self, sockets: list[socket.socket] | None = None) -> None:
        await super().startup(sockets)
        self._on_ready()

    async def shutdown(self, sockets: list[socket.socket] | None = None) -> None:
        self._backend.close()
        await super().shutdown(sockets)

    def stop(self) -> None:
        """Once: end in good order; twice: at once."""
        self.force_exit = self.should_exit
        self.should_exit = True


def stop_on_signals(stop: Callable[[], None]) -> None:
    """Call `stop` at every SIGTERM and Ctrl-C."""
    for number in (signal.SIGTERM, signal.SIGINT):
        asyncio.get_running_loop().add_signal_handler(number, stop)


def listen(settings: Settings) -> socket.socket:
    """The listening socket. Raises SettingsInvalid when the address can't be had."""
    settings.require_safe_host(settings.host)
    family = socket.AF_INET6 if ":" in settings.host else socket.AF_INET
    try:
        listening = socket.create_server((settings.host, settings.port), family=family, backlog=2048)
    except OSError as error:
        raise SettingsInvalid(
            f"can't listen on {settings.host} port {settings.port}: {error.strerror}. Choose another with --port."
        ) from None
    # What a client has not read waits here, up to megabytes of it, before anyone notices that it does not read.
    listening.setsockopt(socket.SOL_SOCKET, socket.SO_SNDBUF, SEND_BUFFER_BYTES)
    if hasattr(socket, "TCP_USER_TIMEOUT"):
        # A peer that takes nothing for so long is gone: closing waits for its buffer, which may be for ever.
        listening.setsockopt(socket.IPPROTO_TCP, socket.TCP_USER_TIMEOUT, UNREAD_SECONDS_MAX * 1000)
    return listening


def address(listening: socket.socket) -> str:
    host, port = listening.getsockname()[:2]
    return f"http://[{host}]:{port}" if ":" in host else f"http://{host}:{port}"
