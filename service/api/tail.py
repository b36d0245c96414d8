"""The newest events of a log as bytes, as many as memory may hold."""

from collections import deque
from itertools import islice
from typing import Final, NamedTuple

EVENTS_MAX: Final = 512
BYTES_MAX: Final = 512 * 1024


class Blocks(NamedTuple):
    """Blocks of events, joined for one write, and the number of the last of them."""

    joined: bytes
    last_seq: int


class Tail:
    """Ends at `head`; what is older falls out."""

    def __init__(self, head: int) -> None:
        self.head = head
        self._blocks: deque[bytes] = deque()
        self._bytes = 0
        # Many clients come back from the same place at once.
        self._asked: tuple[int, Blocks] | None = None

    def append(self, block: bytes) -> None:
        """The block of event head + 1."""
        self.head += 1
        self._asked = None
        self._blocks.append(block)
        self._bytes += len(block)
        while len(self._blocks) > EVENTS_MAX or self._bytes > BYTES_MAX:
            self._bytes -= len(self._blocks.popleft())

    def after(self, seq: int) -> Blocks | None:
        """All events after `seq`, which is before the head; None: some of them are not here."""
        first = self.head - len(self._blocks) + 1
        if seq + 1 < first:
            return None
        if self._asked is None or self._asked[0] != seq:
            joined = b"".join(islice(self._blocks, seq + 1 - first, None))
            self._asked = (seq, Blocks(joined, self.head))
        return self._asked[1]
