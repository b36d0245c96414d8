"""Where a worker's writing steps wait: those that wait together are written in one transaction."""

import asyncio
from collections.abc import Awaitable, Callable, Sequence
from typing import Any, NamedTuple, TypeVar
from uuid import UUID

from service.errors import Unavailable
from service.store.database import Database, Tx

Outcome = TypeVar("Outcome")
Step = Callable[[Tx], Awaitable[Any]]  # each step has its own outcome

GROUP_MAX = 32


class Entry(NamedTuple):
    """A step that waits, the generation that it changes, and who waits for it."""

    step: Step
    about: UUID | None
    done: asyncio.Future[Any]


class Desk:
    """Only steps about one generation are grouped: each locks it, and whoever locks two could wait for each other.

    Each step is done as if it were alone: where one of a group fails, all of them are done again one by one.
    """

    def __init__(self, database: Database) -> None:
        self._database = database
        self._waiting: list[Entry] = []
        self._writing: asyncio.Task[None] | None = None

    async def write(self, step: Callable[[Tx], Awaitable[Outcome]], *, about: UUID | None) -> Outcome:
        """The outcome of the step, once it is committed. `about`: the only generation that it changes.

        Raises what the step raised, and Unavailable.

        Whoever is cancelled while its step waits takes it back; one that is being written may be committed.
        """
        done: asyncio.Future[Outcome] = asyncio.get_running_loop().create_future()
        self._waiting.append(Entry(step, about, done))
        if self._writing is None or self._writing.done():
            self._writing = asyncio.create_task(self._write_all())
        return await done

    async def _write_all(self) -> None:
        while self._waiting:
            group = self._next()
            self._waiting = [entry for entry in self._waiting if entry not in group]
            if wanted := [entry for entry in group if not entry.done.cancelled()]:
                await self._write(wanted)

    def _next(self) -> list[Entry]:
        """The one that has waited for longest, and those that can go with it."""
        about = self._waiting[0].about
        if about is None:
            return self._waiting[:1]
        return [entry for entry in self._waiting if entry.about == about][:GROUP_MAX]

    async def _write(self, group: list[Entry]) -> None:
        try:
            outcomes = await self._commit(group)
        except Unavailable as away:
            _fail(group, away)
        except (Exception, asyncio.CancelledError) as error:  # noqa: BLE001 # it belongs to whoever waits for the step
            if len(group) == 1:
                _fail(group, error)
                return
            for entry in group:
                await self._write([entry])
        else:
            _finish(group, outcomes)

    async def _commit(self, group: Sequence[Entry]) -> list[Any]:
        async with self._database.write() as tx:
            return [await entry.step(tx) for entry in group]


def _finish(group: Sequence[Entry], outcomes: Sequence[Any]) -> None:
    for entry, outcome in zip(group, outcomes, strict=True):
        if not entry.done.done():
            entry.done.set_result(outcome)


def _fail(group: Sequence[Entry], error: BaseException) -> None:
    for entry in group:
        if not entry.done.done():
            entry.done.set_exception(error)
