"""The answer to a client that watches: a stream, or why there is none for it."""

import asyncio
from collections.abc import AsyncGenerator, Sequence
from typing import Final
from uuid import UUID

from sse_starlette import EventSourceResponse
from sse_starlette.sse import SendTimeoutError
from starlette.responses import Response
from starlette.types import Receive, Scope, Send

from service.api import frames
from service.api.backend import Backend
from service.api.feed import Feed
from service.api.stream import BLOCKED_SECONDS_MAX, Stream, connection_of
from service.errors import Unavailable

MEDIA_TYPE: Final = "text/event-stream; charset=utf-8"
NO_MORE: Final = 204
BEGIN_SECONDS_MAX: Final = 3.0

Position = tuple[UUID, int | None]
"""A generation, and the last event of it that the client has seen; None: it is new to it."""


class Told(EventSourceResponse):
    """Without tasks of its own: its connection tells when the client has gone, and the hub when the service stops."""

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        if scope["method"] == "HEAD":
            await super().__call__(scope, receive, send)
        else:
            await self._stream_response(send)


class Watching(Response):
    """Raises NotFound before it starts."""

    def __init__(self, backend: Backend, owner: str, positions: Sequence[Position]) -> None:
        super().__init__(media_type=MEDIA_TYPE)
        self._backend = backend
        self._owner = owner
        self._positions = positions

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        with (
            self._backend.seats.taken(self._owner) as is_free,
            self._backend.hub.watching([generation_id for generation_id, _ in self._positions]) as feeds,
        ):
            positions = [(feed, seq) for feed, (_, seq) in zip(feeds, self._positions, strict=True)]
            answer: Response
            try:
                if await self._has_seen_all(positions):
                    answer = Response(status_code=NO_MORE)
                elif is_free:
                    await self._stream(positions, scope, receive, send)
                    return
                else:
                    answer = come_back(frames.CROWDED_MILLISECONDS)
            except Unavailable:
                answer = come_back(frames.AWAY_MILLISECONDS)
            await answer(scope, receive, send)

    async def _stream(
        self, positions: Sequence[tuple[Feed, int | None]], scope: Scope, receive: Receive, send: Send
    ) -> None:
        stream = Stream(connection_of(scope), logs=len(positions))
        told: AsyncGenerator[bytes] = self._backend.hub.told(stream, positions)
        response = Told(told, media_type=MEDIA_TYPE, ping=0, send_timeout=BLOCKED_SECONDS_MAX, sep="\n")
        try:
            await response(scope, receive, send)
        except SendTimeoutError:
            stream.cut("its client does not read what it has missed")

    async def _has_seen_all(self, positions: Sequence[tuple[Feed, int | None]]) -> bool:
        """Bounded, or whoever waits for the database would be answered with an error when the service stops."""
        try:
            async with asyncio.timeout(BEGIN_SECONDS_MAX):
                for feed, _ in positions:
                    await feed.begin(self._owner)
                return all([seq is not None and await feed.has_ended_at(seq) for feed, seq in positions])
        except TimeoutError:
            raise Unavailable(f"the database did not answer for {BEGIN_SECONDS_MAX:g} seconds") from None


def come_back(retry_milliseconds: int) -> Response:
    """Browsers give up for ever on a 503, so overload is a stream that ends at once."""
    return Response(frames.farewell(retry_milliseconds=retry_milliseconds), media_type=MEDIA_TYPE)
