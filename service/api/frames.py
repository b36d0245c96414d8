"""Events as the bytes of a `text/event-stream` (CONTRACT 5).

The id comes last: some clients adopt it as soon as its line arrives and would lose an event cut in the middle. `retry`
stands inside a block: alone it reads as an empty event in some clients.
"""

import json
from collections.abc import Sequence
from typing import Final

from sse_starlette import ServerSentEvent

from schemas.events import Event
from schemas.generations import Generation

RETRY_MILLISECONDS: Final = 1000
HEARTBEAT_SECONDS: Final = 15
AWAY_MILLISECONDS: Final = 5000


def encode(page: Sequence[Event], *, with_retry: bool) -> bytes:
    """One block an event, joined for one write; the first tells how soon to reconnect if asked to."""
    blocks = [_block(event.type, event.data, event.seq, with_retry=False) for event in page]
    if with_retry:
        blocks[0] = _block(page[0].type, page[0].data, page[0].seq, with_retry=True)
    return "".join(blocks).encode("ascii")


def state(name: str, generation: Generation) -> bytes:
    """A `snapshot` or `resync`: the whole generation, with the id to go on from."""
    data = json.dumps(generation.model_dump(mode="json"), ensure_ascii=True, separators=(",", ":"))
    return _block(name, data, generation.last_event_id, with_retry=True).encode("ascii")


def farewell(*, retry_milliseconds: int) -> bytes:
    """The server goes away: come back after a while, not all at once."""
    return f"event: bye\nretry: {retry_milliseconds}\ndata: {{}}\n\n".encode("ascii")


def heartbeat() -> ServerSentEvent:
    """A named event without id: a page can see it, a comment it could not."""
    return ServerSentEvent(event="heartbeat", data="{}", sep="\n")


def _block(name: str, data: str, seq: int, *, with_retry: bool) -> str:
    retry = f"retry: {RETRY_MILLISECONDS}\n" if with_retry else ""
    return f"event: {name}\n{retry}data: {data}\nid: {seq}\n\n"
