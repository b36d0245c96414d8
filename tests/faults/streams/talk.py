"""What one connection of a client says, block by block."""

from typing import Protocol

from tests.faults.streams.connection import Answer
from tests.faults.streams.findings import Wrong
from tests.faults.streams.reader import Block, Reader

OK = 200


class Hearer(Protocol):
    """Whoever the connection is for."""

    is_early: bool
    is_done: bool

    def found(self, wrong: Wrong, words: str) -> None: ...
    def hear_answer(self, answer: Answer) -> None: ...
    def hear(self, block: Block, *, is_first: bool) -> None: ...
    def hear_heartbeat(self, block: Block, *, is_first: bool) -> None: ...
    def hear_farewell(self, block: Block) -> None: ...
    def adopt(self, seq: int) -> None: ...


class Talk:
    def __init__(self, hearer: Hearer) -> None:
        self._hearer = hearer
        self._reader = Reader()
        self._is_first = True
        self.has_begun = False
        self.has_farewell = False

    def answer(self, answer: Answer) -> None:
        self.has_begun = answer.status == OK
        self._hearer.hear_answer(answer)

    def hear(self, data: bytes) -> bool:
        """Returns whether more is wanted."""
        if not self.has_begun:
            return False
        if b"\r" in data:
            self._hearer.found(Wrong.FORM, f"CR in {data!r}")
        for block in self._reader.feed(data):
            self._tell(block)
        if self._hearer.is_early and (seq := self._reader.unfinished.value(b"id")):
            self._hearer.adopt(int(seq))
        return not self._hearer.is_done

    def end(self, *, is_whole: bool) -> bool:
        """It is over; returns whether an early client was left with all of an event but its empty line."""
        if is_whole and not self._reader.is_between_blocks:
            self._hearer.found(Wrong.FORM, f"an answer ends with {self._reader.unfinished}")
        last = self._reader.unfinished
        is_all_but_told = self._hearer.is_early and last.value(b"id") is not None
        if is_all_but_told:
            self._tell(last)
        return is_all_but_told

    def _tell(self, block: Block) -> None:
        match block.value(b"event"):
            case b"heartbeat":
                self._hearer.hear_heartbeat(block, is_first=self._is_first)
            case b"bye":
                self.has_farewell = True
                self._hearer.hear_farewell(block)
            case _:
                self._hearer.hear(block, is_first=self._is_first)
        self._is_first = False
