"""Events as the bytes of a `text/event-stream` (CONTRACT 5).

The id comes last: some clients adopt it as soon as its line arrives and would lose an event cut in the middle. `retry`
stands inside a block: alone it reads as an empty event in some clients.
"""

import json
from functools import lru_cache
from typing import Final

from schemas.events import Event
from schemas.generations import Generation

RETRY_MILLISECONDS: Final = 1000
HEARTBEAT_SECONDS: Final = 15
AWAY_MILLISECONDS: Final = 5000
CROWDED_MILLISECONDS: Final = 30_000

HEARTBEAT: Final = b"event: heartbeat\ndata: {}\n\n"
"""A named event without id: a page can see it, a comment it could not."""


def block(event: Event) -> bytes:
    return f"event: {event.type}\ndata: {event.data}\nid: {event.seq}\n\n".encode("ascii")


@lru_cache(maxsize=8)
def with_retry(blocks: bytes) -> bytes:
    """The first block also tells how soon to reconnect. Those who come back together to the same blocks share them."""
    name, _, rest = blocks.partition(b"\n")
    return b"%b\nretry: %d\n%b" % (name, RETRY_MILLISECONDS, rest)


def state(name: str, generation: Generation) -> bytes:
    """A `snapshot` or `resync`: the whole generation, with the id to go on from."""
    data = json.dumps(generation.model_dump(mode="json"), ensure_ascii=True, separators=(",", ":"))
    return f"event: {name}\ndata: {data}\nid: {generation.last_event_id}\n\n".encode("ascii")


def farewell(*, retry_milliseconds: int) -> bytes:
    """The stream ends before the log does: come back after a while, not all at once."""
    return f"event: bye\nretry: {retry_milliseconds}\ndata: {{}}\n\n".encode("ascii")
