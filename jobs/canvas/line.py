"""The connection to Canvas: only to an address that may be asked, and cut from outside when it takes too long."""

import ipaddress
import socket
import threading
from contextlib import suppress
from typing import Any

from requests.adapters import HTTPAdapter
from urllib3 import HTTPConnectionPool, HTTPSConnectionPool
from urllib3.connection import HTTPConnection, HTTPSConnection

from jobs.canvas.errors import CanvasBusy, CanvasError
from service.settings import is_loopback


class Line:
    """The sockets that a session opens. Whoever the host's name leads to, the address itself is what counts."""

    def __init__(self, host: str) -> None:
        self._host = host
        self._lock = threading.Lock()
        self._socket: socket.socket | None = None
        self._is_cut = False

    def take(self, opened: socket.socket) -> socket.socket:
        """Watch a connection that was just opened. Raises CanvasError where it leads to a private address."""
        if not self._may_be_asked(opened.getpeername()[0]):
            opened.close()
            raise CanvasError(f"{self._host} is a private address: only public ones are asked")
        with self._lock:
            if self._is_cut:
                opened.close()
                raise CanvasBusy("the call was stopped")
            self._close()
            # TLS takes the socket itself away; this one leads to the same connection.
            self._socket = opened.dup()
        return opened

    def cut(self) -> None:
        """End what goes on, from another thread: whoever waits for an answer gets an error at once. It stays cut."""
        with self._lock:
            self._is_cut = True
            if self._socket:
                with suppress(OSError):  # it has ended already
                    self._socket.shutdown(socket.SHUT_RDWR)
            self._close()

    def _close(self) -> None:
        if self._socket:
            self._socket.close()
            self._socket = None

    def _may_be_asked(self, address: str) -> bool:
        found = ipaddress.ip_address(address.partition("%")[0])
        if isinstance(found, ipaddress.IPv6Address) and found.ipv4_mapped:
            found = found.ipv4_mapped
        return found.is_loopback if is_loopback(self._host) else found.is_global


class LineAdapter(HTTPAdapter):
    """Opens connections that a line watches; nothing is sent twice by itself."""

    def __init__(self, line: Line) -> None:
        self._line = line
        super().__init__(max_retries=0)

    def init_poolmanager(self, connections: int, maxsize: int, block: bool = False, **options: Any) -> None:  # noqa: FBT001, FBT002 # as requests has it
        super().init_poolmanager(connections, maxsize, block=block, **options)
        self.poolmanager.pool_classes_by_scheme = _pools(self._line)


def _pools(line: Line) -> dict[str, type[HTTPConnectionPool]]:
    class Plain(HTTPConnection):
        def _new_conn(self) -> socket.socket:
            return line.take(super()._new_conn())

    class Secure(HTTPSConnection):
        def _new_conn(self) -> socket.socket:
            return line.take(super()._new_conn())

    class PlainPool(HTTPConnectionPool):
        ConnectionCls = Plain

    class SecurePool(HTTPSConnectionPool):
        ConnectionCls = Secure

    return {"http": PlainPool, "https": SecurePool}
