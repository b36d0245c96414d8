"""Tokens for Canvas on their way to the worker: in Redis only, for an hour, and gone once they were used."""

import asyncio
from typing import Final
from uuid import UUID

from redis.asyncio import Redis

KEPT_SECONDS: Final = 3600
REDIS_SECONDS_MAX: Final = 2.0
"""A Redis that hangs is one that is away (TimeoutError is an OSError)."""


class CanvasTokens:
    """Methods raise redis.RedisError or OSError while Redis is away or hangs."""

    def __init__(self, redis: Redis) -> None:
        self._redis = redis

    async def keep(self, publication_id: UUID, token: str) -> None:
        async with asyncio.timeout(REDIS_SECONDS_MAX):
            await self._redis.set(_key(publication_id), token, ex=KEPT_SECONDS)

    async def find(self, publication_id: UUID) -> str | None:
        """None: its time is over, or Redis has lost it."""
        async with asyncio.timeout(REDIS_SECONDS_MAX):
            found: bytes | None = await self._redis.get(_key(publication_id))
        return None if found is None else found.decode()

    async def forget(self, publication_id: UUID) -> None:
        async with asyncio.timeout(REDIS_SECONDS_MAX):
            await self._redis.delete(_key(publication_id))


def _key(publication_id: UUID) -> str:
    return f"quizmill:canvas-token:{publication_id}"
