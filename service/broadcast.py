"""Pub/sub: tells other processes that there is something to look at. It may be lost; SQL holds what it is about."""

import asyncio
from collections.abc import AsyncGenerator, Sequence
from contextlib import aclosing
from typing import Final
from uuid import UUID

import structlog
from redis import RedisError
from redis.asyncio import Redis

from schemas.plans import Wakeup
from service import failpoints
from service.failpoints import Place

GREW_CHANNEL: Final = "quizmill:grew"
STOPPED_CHANNEL: Final = "quizmill:stopped"
IDENTIFIED_CHANNEL: Final = "quizmill:identified"
RECONNECT_SECONDS_MAX: Final = 2.0
PUBLISH_SECONDS_MAX: Final = 2.0
CARRIED_BYTES_MAX: Final = 64 * 1024

log = structlog.get_logger()


class Broadcast:
    """Sends and receives wake-up calls. Sending never raises: what it announces is committed already."""

    def __init__(self, redis: Redis) -> None:
        self._redis = redis
        self._grown: dict[UUID, Wakeup] = {}
        self._is_announcing = False

    async def announce(self, wakeup: Wakeup | None) -> None:
        """A generation's log grew (None: nothing happened). What grows while a message is sent goes with the next."""
        if wakeup is None:
            return
        waiting = self._grown.get(wakeup.generation_id)
        self._grown[wakeup.generation_id] = waiting.merged(wakeup) if waiting else wakeup
        if self._is_announcing:
            return
        self._is_announcing = True
        try:
            while self._grown:
                grown, self._grown = self._grown, {}
                await self.announce_all(list(grown.values()))
        finally:
            self._is_announcing = False

    async def announce_all(self, wakeups: Sequence[Wakeup]) -> None:
        await self._publish(GREW_CHANNEL, [_message(wakeup) for wakeup in wakeups])

    async def announce_stopped(self, generation_id: UUID) -> None:
        """Workers must stop their calls for this generation."""
        await self._publish(STOPPED_CHANNEL, [str(generation_id)])

    async def announce_identified(self, module_id: UUID) -> None:
        """The topics of this module are there, or will not come."""
        await self._publish(IDENTIFIED_CHANNEL, [str(module_id)])

    async def grown(self) -> AsyncGenerator[Wakeup | None]:
        """Wake-up calls for ever, through lost connections. None: some may have been lost, look at everything."""
        async with aclosing(self.messages(GREW_CHANNEL)) as messages:
            async for message in messages:
                yield None if message is None else _parse(message)

    async def messages(self, channel: str) -> AsyncGenerator[bytes | None]:
        """Messages of a channel for ever. None: (re)connected, or unreadable, so something may have been missed."""
        delay_seconds = 0.1
        while True:
            try:
                async with self._redis.pubsub(ignore_subscribe_messages=True) as pubsub:
                    await pubsub.subscribe(channel)
                    yield None
                    delay_seconds = 0.1
                    while True:
                        message = await pubsub.get_message(timeout=None)
                        if message:
                            yield message["data"]
            except (RedisError, OSError) as error:
                log.warning("redis is away", channel=channel, error=repr(error))
            # Redis does not call when it is back; this is the wait before the next try.
            await asyncio.sleep(delay_seconds)
            delay_seconds = min(delay_seconds * 2, RECONNECT_SECONDS_MAX)

    async def _publish(self, channel: str, messages: Sequence[str]) -> None:
        if not messages:
            return
        failpoints.reach(Place.BEFORE_PUBLISH)
        try:
            async with asyncio.timeout(PUBLISH_SECONDS_MAX), self._redis.pipeline(transaction=False) as pipe:
                for message in messages:
                    pipe.publish(channel, message)
                await pipe.execute()
        except (RedisError, OSError) as error:
            log.warning("could not announce", channel=channel, error=repr(error))


def _message(wakeup: Wakeup) -> str:
    """With its events, unless they are many: whoever listens then reads them in pages."""
    is_small = sum(len(event.data) for event in wakeup.events) <= CARRIED_BYTES_MAX
    return wakeup.model_dump_json(exclude=None if is_small else {"events"})


def _parse(message: bytes) -> Wakeup | None:
    try:
        return Wakeup.model_validate_json(message)
    except ValueError:
        log.warning("unreadable wake-up call", message=message[:200])
        return None
