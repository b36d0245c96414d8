"""A client of a hub without a network in between."""

import re
from collections.abc import Callable
from contextlib import aclosing
from uuid import UUID

from service.api.hub import Hub
from service.api.stream import Stream
from tests.factories import OWNER

ID = re.compile(rb"^id: (\d+)$", re.MULTILINE)


class Follower:
    """Hears the log of one generation. It is its own connection: while `is_full` it reads nothing."""

    def __init__(self, generation_id: UUID, seq: int | None = 0, *, owner: str = OWNER) -> None:
        self.generation_id = generation_id
        self.seq = seq
        self.owner = owner
        self.blocks: list[bytes] = []
        self.is_full = False
        self.on_room: Callable[[], None] | None = None
        self.on_lost: Callable[[], None] | None = None
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
        stream = Stream(self, logs=1)
        with hub.watching([self.generation_id]) as [feed]:
            await feed.begin(self.owner)
            async with aclosing(hub.told(stream, [(feed, self.seq)])) as told:
                async for blocks in told:
                    self.take(blocks)

    def take(self, blocks: bytes) -> None:
        self.blocks.append(blocks)

    def push(self, part: bytes) -> None:
        self.take(part)

    def abort(self) -> None:
        self.is_aborted = True

    def read_again(self) -> None:
        self.is_full = False
        if self.on_room:
            self.on_room()
