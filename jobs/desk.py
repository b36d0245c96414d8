"""Where a worker's steps in the database wait: those that wait together are done in one transaction."""

import asyncio
from collections.abc import Awaitable, Callable, Sequence
from contextlib import AbstractAsyncContextManager
from typing import Any, NamedTuple, TypeVar
from uuid import UUID

from service.errors import Unavailable
from service.store.database import Tx

Order = TypeVar("Order")
Outcome = TypeVar("Outcome")
Step = Callable[[Tx], Awaitable[Any]]  # each step has its own outcome
Together = Callable[[Tx, Sequence[Order]], Awaitable[Sequence[Outcome]]]
"""Does several orders about the same thing at once; an outcome for each, in their order."""

GROUP_MAX = 32
"""So that nobody waits for long behind others."""


async def each(tx: Tx, steps: Sequence[Step]) -> list[Any]:
    """One after the other, what can't be done at once."""
    return [await step(tx) for step in steps]


class Entry(NamedTuple):
    """An order that waits, what it is about, and who waits for it."""

    step: Together[Any, Any]
    order: Any
    about: UUID | None
    done: asyncio.Future[Any]


class Desk:
    """Only orders about the same are grouped: a quiz that they read, or a generation that they lock.

    Whoever locks two generations could wait for each other.

    Each is done as if it were alone: where one of a group fails, all of them are done again one by one.
    """

    def __init__(
        self, transaction: Callable[[], AbstractAsyncContextManager[Tx]], *, group_max: int = GROUP_MAX
    ) -> None:
        self._transaction = transaction
        self._group_max = group_max
        self._waiting: list[Entry] = []
        self._working: asyncio.Task[None] | None = None

    async def do(self, step: Together[Order, Outcome], order: Order, *, about: UUID | None) -> Outcome:
        """The outcome of the order, once it is committed. `about`: the only one that it locks, or reads of.

        Raises what the step raised, and Unavailable.

        Whoever is cancelled while its order waits takes it back; one that is being done may be committed.
        """
        done: asyncio.Future[Outcome] = asyncio.get_running_loop().create_future()
        self._waiting.append(Entry(step, order, about, done))
        if self._working is None or self._working.done():
            self._working = asyncio.create_task(self._do_all())
        return await done

    async def _do_all(self) -> None:
        while self._waiting:
            group = self._next()
            if wanted := [entry for entry in group if not entry.done.cancelled()]:
                await self._do(wanted)

    def _next(self) -> list[Entry]:
        """Takes out the one that has waited for longest, and those that can go with it."""
        about = self._waiting[0].about
        group: list[Entry] = []
        others: list[Entry] = []
        for place, entry in enumerate(self._waiting):
            is_with = entry.about == about is not None and len(group) < self._group_max
            (group if is_with or place == 0 else others).append(entry)
        self._waiting = others
        return group

    async def _do(self, group: list[Entry]) -> None:
        try:
            outcomes = await self._commit(group)
        except Unavailable as away:
            _fail(group, away)
        except (Exception, asyncio.CancelledError) as error:  # noqa: BLE001 # it belongs to whoever waits for the step
            if len(group) == 1:
                _fail(group, error)
                return
            for entry in group:
                await self._do([entry])
        else:
            _finish(outcomes)

    async def _commit(self, group: Sequence[Entry]) -> list[tuple[Entry, Any]]:
        outcomes: list[tuple[Entry, Any]] = []
        async with self._transaction() as tx:
            for step in dict.fromkeys(entry.step for entry in group):
                alike = [entry for entry in group if entry.step == step]
                found = await step(tx, [entry.order for entry in alike])
                outcomes += zip(alike, found, strict=True)
        return outcomes


def _finish(outcomes: Sequence[tuple[Entry, Any]]) -> None:
    for entry, outcome in outcomes:
        if not entry.done.done():
            entry.done.set_result(outcome)


def _fail(group: Sequence[Entry], error: BaseException) -> None:
    for entry in group:
        if not entry.done.done():
            entry.done.set_exception(error)
