"""A client of a hub without a network in between: it reads until it is told to stop, or not at all."""

import asyncio
import re
from collections.abc import Callable
from contextlib import aclosing
from uuid import UUID

from starlette.types import Message

from service.api.hub import Hub
from service.api.stream import Stream
from tests.factories import OWNER

ID = re.compile(rb"^id: (\d+)$", re.MULTILINE)


class Follower:
    """Hears the log of one generation; `reads.clear()` and it reads no more until it is set again."""

    def __init__(self, generation_id: UUID, seq: int | None = 0, *, owner: str = OWNER) -> None:
        self.generation_id = generation_id
        self.seq = seq
        self.owner = owner
        self.blocks: list[bytes] = []
        self.reads = asyncio.Event()
        self.reads.set()
        self.is_aborted = False

    @property
    def heard(self) -> bytes:
        return b"".join(self.blocks)

    @property
    def ids(self) -> list[int]:
        return [int(number) for number in ID.findall(self.heard)]

    def has(self, *ids: int) -> Callable[[], bool]:
        return lambda: self.ids == list(ids)

    async def follow(self, hub: Hub) -> None:
        """Until the stream ends. Raises NotFound, Unavailable."""
        stream = Stream(self._send, logs=1, abort=self._abort)
        with hub.watching([self.generation_id]) as [feed]:
            await feed.begin(self.owner)
            async with aclosing(hub.told(stream, [(feed, self.seq)])) as told:
                async for blocks in told:
                    self.take(blocks)

    def take(self, blocks: bytes) -> None:
        self.blocks.append(blocks)

    async def _send(self, message: Message) -> None:
        await self.reads.wait()
        self.take(message["body"])

    def _abort(self) -> None:
        self.is_aborted = True
        self.reads.set()
