"""Reads `text/event-stream` as it arrives, cut anywhere, and tells each block's lines as they came."""

from collections.abc import Iterator
from typing import NamedTuple


class Block(NamedTuple):
    """The lines up to an empty one, in their order."""

    lines: tuple[bytes, ...]

    @property
    def names(self) -> tuple[bytes, ...]:
        return tuple(line.partition(b":")[0] for line in self.lines)

    def value(self, name: bytes) -> bytes | None:
        """Of the last line with this name."""
        for line in reversed(self.lines):
            found, _, value = line.partition(b":")
            if found == name:
                return value.removeprefix(b" ")
        return None


class Reader:
    """One connection's; a new connection begins with a new reader."""

    def __init__(self) -> None:
        self._rest = b""
        self._lines: list[bytes] = []

    @property
    def unfinished(self) -> Block:
        """The lines of a block whose empty line has not come; half a line does not count."""
        return Block(tuple(self._lines))

    @property
    def is_between_blocks(self) -> bool:
        return not self._lines and not self._rest

    def feed(self, data: bytes) -> Iterator[Block]:
        *lines, self._rest = (self._rest + data).split(b"\n")
        for line in lines:
            if line.rstrip(b"\r"):
                self._lines.append(line.rstrip(b"\r"))
                continue
            block, self._lines = Block(tuple(self._lines)), []
            yield block
