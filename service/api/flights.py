"""One does it for all who want the same at the same time."""

import asyncio
from collections.abc import Callable, Coroutine, Hashable
from typing import Any, Generic, TypeVar

import structlog

log = structlog.get_logger()

Found = TypeVar("Found")


class Flights(Generic[Found]):
    """What is under way, by what it is for."""

    def __init__(self) -> None:
        self._flying: dict[Hashable, asyncio.Task[Found]] = {}

    async def join(self, key: Hashable, begin: Callable[[], Coroutine[Any, Any, Found]]) -> Found:
        """The result for `key`, begun now or by someone before; its error goes to everyone who waits."""
        # Whoever leaves must not end it for the others.
        return await asyncio.shield(self._fly(key, begin))

    def start(self, key: Hashable, begin: Callable[[], Coroutine[Any, Any, Found]]) -> None:
        """Nobody waits for it: its failure is logged, once."""
        flying = self._flying.get(key)
        if flying is None or flying.done():
            self._fly(key, begin).add_done_callback(_log_failure)

    def close(self) -> None:
        for flying in self._flying.values():
            flying.cancel()

    def _fly(self, key: Hashable, begin: Callable[[], Coroutine[Any, Any, Found]]) -> "asyncio.Task[Found]":
        flying = self._flying.get(key)
        # One that has just ended, and has not landed yet, knows nothing of what came since.
        if flying is None or flying.done():
            flying = self._flying[key] = asyncio.create_task(begin())
            flying.add_done_callback(lambda task: self._land(key, task))
        return flying

    def _land(self, key: Hashable, task: "asyncio.Task[Found]") -> None:
        if self._flying.get(key) is task:
            del self._flying[key]
        if not task.cancelled():
            task.exception()  # those who waited for it may all have left


def _log_failure(task: "asyncio.Task[Any]") -> None:
    if not task.cancelled() and (error := task.exception()):
        log.warning("could not read what comes next", error=repr(error))
