"""Takes batches for the jobs of a worker: all that ask while one claim is written are claimed together by the next."""

import asyncio
from collections.abc import Awaitable, Callable, Sequence
from functools import partial
from typing import Protocol, TypeVar

import structlog
from redis import RedisError

from schemas.plans import Claim, Place
from service.broadcast import Broadcast
from service.queue import Queue
from service.store import steps
from service.store.database import Tx

Outcome = TypeVar("Outcome")
Asked = tuple[Place, asyncio.Future[Claim | None]]

CLAIMED_MAX = 100

log = structlog.get_logger()


class Persist(Protocol):
    """The worker's way to the database."""

    async def __call__(self, step: Callable[[Tx], Awaitable[Outcome]]) -> Outcome: ...


class Claims:
    """A job that is cancelled while its batch is claimed leaves it to nobody: it is released."""

    def __init__(
        self,
        persist: Persist,
        queue: Queue,
        broadcast: Broadcast,
        *,
        worker: str,
        lease_seconds: float,
    ) -> None:
        self._persist = persist
        self._queue = queue
        self._broadcast = broadcast
        self._worker = worker
        self._lease_seconds = lease_seconds
        self._asked: list[Asked] = []
        self._claiming: asyncio.Task[None] | None = None

    async def take(self, place: Place) -> Claim | None:
        """None: someone else has it, or had it. Raises Unavailable."""
        done: asyncio.Future[Claim | None] = asyncio.get_running_loop().create_future()
        self._asked.append((place, done))
        if self._claiming is None or self._claiming.done():
            self._claiming = asyncio.create_task(self._take_all())
        return await done

    async def _take_all(self) -> None:
        while self._asked:
            asked, self._asked = self._asked[:CLAIMED_MAX], self._asked[CLAIMED_MAX:]
            await self._take_some([(place, done) for place, done in asked if not done.cancelled()])

    async def _take_some(self, asked: list[Asked]) -> None:
        places = [place for place, _ in asked]
        step = partial(steps.claim, places=places, worker=self._worker, lease_seconds=self._lease_seconds)
        try:
            claims, wakeups = await self._persist(step)
        except Exception as error:  # noqa: BLE001 # whatever it is, it belongs to the jobs that wait for it
            for _, done in asked:
                if not done.done():
                    done.set_exception(error)
            return
        taken = {Place(claim.batch_id, claim.fence - 1): claim for claim in claims}
        orphans = [taken[place] for place, done in asked if done.cancelled() and place in taken]
        for place, done in asked:
            if not done.done():
                done.set_result(taken.get(place))
        await self._leave_queue(places)
        await self._broadcast.announce_all(wakeups)
        for claim in orphans:
            await self._broadcast.announce(await self._persist(partial(steps.release, claim=claim, ended=())))

    async def _leave_queue(self, places: Sequence[Place]) -> None:
        try:
            await self._queue.forget(places)
        except (RedisError, OSError) as error:
            log.warning("could not take running jobs out of the queue", error=repr(error))
