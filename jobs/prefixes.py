"""Holds calls about one module back until the provider has its text in the cache, so that only one pays for it."""

import asyncio
import time
from collections.abc import AsyncIterator, Callable
from contextlib import asynccontextmanager
from uuid import UUID

from jobs.providers.base import Source

CHARACTERS_MIN = 16_000
"""About the 4,096 tokens below which some models cache nothing (Anthropic's API reference, "Prompt caching")."""

CACHED_SECONDS = 240.0
"""The provider keeps a text for five minutes after its last use."""

Key = tuple[UUID, str]


class Prefixes:
    """One per worker. A text is cached from the moment at which the first answer about it begins."""

    def __init__(self) -> None:
        self._cached_until: dict[Key, float] = {}
        self._firsts: dict[Key, asyncio.Event] = {}

    @asynccontextmanager
    async def turn(self, source: Source, model: str) -> AsyncIterator[Callable[[], None]]:
        """Wait while another call is the first about this module; what it yields is to be called when answered."""
        if len(source.text) < CHARACTERS_MIN:
            yield lambda: None
            return
        key = (source.module_id, model)
        while not self._is_cached(key) and (first := self._firsts.get(key)):
            await first.wait()
        if self._is_cached(key):
            yield lambda: self._keep(key)
            return
        self._firsts[key] = asyncio.Event()
        try:
            yield lambda: self._keep(key)
        finally:
            self._let_others_go(key)

    def _is_cached(self, key: Key) -> bool:
        return self._cached_until.get(key, 0.0) > time.monotonic()

    def _keep(self, key: Key) -> None:
        now = time.monotonic()
        self._cached_until = {known: until for known, until in self._cached_until.items() if until > now}
        self._cached_until[key] = now + CACHED_SECONDS
        self._let_others_go(key)

    def _let_others_go(self, key: Key) -> None:
        if first := self._firsts.pop(key, None):
            first.set()
