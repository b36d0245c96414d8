"""Reads server-sent events out of bytes that arrive in pieces of any size.

Source: HTML Standard, "Server-sent events", 9.2.6: a line ends with CR LF, LF or CR, an event with an empty line.
"""

import json
from typing import NamedTuple


class Event(NamedTuple):
    """Its bytes are decoded only when they are asked for: most events of an answer are of no interest."""

    name: bytes
    data: bytes

    def fields(self) -> object:
        """Its data as JSON. Raises ValueError, and RecursionError where it nests too deep."""
        return json.loads(self.data.decode())


class EventStream:
    """Of one answer. An event that never gets its empty line is none."""

    def __init__(self) -> None:
        self._rest = b""
        self._is_after_return = False
        self._name = b""
        self._data: list[bytes] = []

    def feed(self, piece: bytes) -> list[Event]:
        """The events that this piece completes, in order."""
        if not piece:
            return []
        # A CR ends its line at once, whatever follows; an LF right behind it, here or in the next piece, adds nothing.
        fresh = piece[1:] if self._is_after_return and piece.startswith(b"\n") else piece
        self._is_after_return = piece.endswith(b"\r")
        lines = (self._rest + fresh).splitlines() if fresh else []
        if fresh:
            self._rest = b"" if fresh.endswith((b"\r", b"\n")) else lines.pop()
        return [event for line in lines if (event := self._read(line))]

    def _read(self, line: bytes) -> Event | None:
        if not line:
            return self._complete()
        field, _, value = line.partition(b":")
        if field == b"data":
            self._data.append(value.removeprefix(b" "))
        elif field == b"event":
            self._name = value.removeprefix(b" ")
        return None

    def _complete(self) -> Event | None:
        event = Event(self._name, b"\n".join(self._data)) if self._name or self._data else None
        self._name = b""
        self._data = []
        return event
