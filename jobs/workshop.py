"""What a worker process works with: settings, database, queue, broadcast, provider, and the batches in its hands."""

import asyncio
import os
import secrets
import socket
import time
from collections.abc import Awaitable, Callable, Iterable
from typing import TypeVar
from uuid import UUID

import structlog
from arq.connections import ArqRedis

from jobs.banks import Banks
from jobs.claims import Claims
from jobs.commitments import Commitments
from jobs.desk import Desk, Together, each
from jobs.governor.governor import Governor
from jobs.governor.shared import Rules, SharedState
from jobs.prefixes import Prefixes
from jobs.providers.base import Provider
from schemas.plans import Claim, Place
from service.broadcast import Broadcast
from service.canvas_tokens import CanvasTokens
from service.errors import Unavailable
from service.queue import Queue
from service.settings import Settings
from service.store.database import Database, Tx

Order = TypeVar("Order")
Outcome = TypeVar("Outcome")

READERS_MAX = 2
"""Files that one worker reads at a time: each may take a gigabyte."""

LOOKS_MAX = 1000
"""A look costs hardly more for many."""

PERSIST_SECONDS_MAX = 60.0
PERSIST_PAUSE_SECONDS_FIRST = 0.1
PERSIST_PAUSE_SECONDS_MAX = 2.0
STOPPING_PERSIST_SECONDS_MAX = 3.0
"""Who stops waits no longer for a database that is away: the lease runs out, and what is held stays held."""

log = structlog.get_logger()


class Workshop:
    """One per worker process. `worker` is its name in leases: a new one with every start."""

    def __init__(
        self,
        settings: Settings,
        *,
        database: Database,
        redis: ArqRedis,
        provider: Provider,
        name: str | None = None,
    ) -> None:
        self.settings = settings
        self.database = database
        self.queue = Queue(redis)
        self.broadcast = Broadcast(redis)
        self.canvas_tokens = CanvasTokens(redis)
        self.provider = provider
        self.commitments = Commitments()
        self.worker = name or f"{socket.gethostname()}:{os.getpid()}:{secrets.token_hex(4)}"
        rules = Rules(
            account=provider.account,
            calls_max=settings.llm_calls_max,
            limits=settings.rate_limits,
            lease_seconds=settings.lease_seconds,
        )
        self.governor = Governor(
            SharedState(redis, rules), worker=self.worker, wait_seconds_max=settings.provider_wait_seconds
        )
        self.readers = asyncio.Semaphore(READERS_MAX)
        self.prefixes = Prefixes()
        self.banks = Banks()
        self._writing = Desk(database.write)
        self._looking = Desk(database.read, group_max=LOOKS_MAX)
        self.claims = Claims(
            self.persist, self.queue, self.broadcast, worker=self.worker, lease_seconds=settings.lease_seconds
        )
        self._hands: dict[Place, tuple[Claim, asyncio.Task[None]]] = {}
        self._errands: set[asyncio.Task[None]] = set()
        self._stopping_since: float | None = None

    def take(self, claim: Claim, work: asyncio.Task[None]) -> None:
        """The batch is in this worker's hands until its work is done. A worker that stops lets go of it at once."""
        place = Place(claim.batch_id, claim.fence)
        self._hands[place] = (claim, work)
        work.add_done_callback(lambda _: self._hands.pop(place, None))
        if self._stopping_since is not None:
            # Behind the first step of the work: cancelled before it, the work could not release the batch.
            asyncio.get_running_loop().call_soon(work.cancel)

    def begin(self, errand: asyncio.Task[None]) -> None:
        """Work that is no batch and keeps its own lease: a worker that stops waits for it as for a batch."""
        self._errands.add(errand)
        errand.add_done_callback(self._errands.discard)

    @property
    def in_hand(self) -> tuple[Claim, ...]:
        """What is being worked on."""
        return tuple(claim for claim, _ in self._hands.values())

    def drop(self, claims: Iterable[Claim]) -> None:
        """Stop the work on these."""
        for claim in claims:
            if held := self._hands.get(Place(claim.batch_id, claim.fence)):
                held[1].cancel()

    async def stop(self, *, grace_seconds: float) -> None:
        """Let work end for a while, then stop it; returns when each batch is released with all that passed."""
        self._stopping_since = time.monotonic()
        works = [*(work for _, work in self._hands.values()), *self._errands]
        if works:
            await asyncio.wait(works, timeout=grace_seconds)
        for work in works:
            work.cancel()
        await asyncio.gather(*works, return_exceptions=True)

    async def look(self, step: Together[Order, Outcome], order: Order, *, about: UUID) -> Outcome:
        """Read, with others who look at the same quiz. Raises Unavailable."""
        return await self._looking.do(step, order, about=about)

    async def persist(self, step: Callable[[Tx], Awaitable[Outcome]], *, about: UUID | None = None) -> Outcome:
        """Run a step in a transaction, with others `about` the same generation. Raises as `persist_together`."""
        outcome: Outcome = await self.persist_together(each, step, about=about)
        return outcome

    async def persist_together(self, step: Together[Order, Outcome], order: Order, *, about: UUID | None) -> Outcome:
        """Run a step for all who wait for it and are `about` the same generation.

        A database that is away for a moment costs no work.

        A step whose commit got lost on the way may run twice: its fence or its checks make the second one harmless.
        Raises Unavailable when the database stays away.
        """
        began = time.monotonic()
        pause_seconds = PERSIST_PAUSE_SECONDS_FIRST
        while True:
            try:
                return await self._writing.do(step, order, about=about)
            except Unavailable as error:
                if self._has_waited_enough(began):
                    raise
                log.warning("database is away", error=str(error))
            # A database does not call when it is back; this is the wait before the next try.
            await asyncio.sleep(pause_seconds)
            pause_seconds = min(pause_seconds * 2, PERSIST_PAUSE_SECONDS_MAX)

    def _has_waited_enough(self, began: float) -> bool:
        now = time.monotonic()
        if self._stopping_since is not None and now - self._stopping_since > STOPPING_PERSIST_SECONDS_MAX:
            return True
        return now - began > PERSIST_SECONDS_MAX


async def outlasted(writing: asyncio.Task[Outcome]) -> Outcome:
    """The outcome of a task that must not be cut. The waiting may be cancelled often: that is raised at its end."""
    cancelled = None
    while not writing.done():
        try:
            await asyncio.wait({writing})
        except asyncio.CancelledError as error:
            cancelled = error
    if cancelled:
        if not writing.cancelled():
            writing.exception()  # looked at, or asyncio would report it as lost
        raise cancelled
    return writing.result()
