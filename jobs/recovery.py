"""What keeps the promise when something dies: heartbeats, and the sweep that takes back, enqueues and announces."""

import asyncio
import time
from collections.abc import Sequence

import structlog
from redis import RedisError

from jobs.governor.shared import FREED_CHANNEL
from jobs.workshop import Workshop
from schemas.plans import Claim, Wakeup
from service import outbox
from service.broadcast import STOPPED_CHANNEL, Broadcast
from service.errors import LeaseLost, QuizmillError, Unavailable
from service.queue import Queue
from service.store import batches, chores, generations, steps
from service.store.database import Database

SWEEP_MAX = 1000
"""Rows of each kind that one sweep looks at; the next one goes on."""

log = structlog.get_logger()


async def keep_leases(workshop: Workshop) -> None:
    """The heartbeat: extend the leases of what is in hand for ever, and stop work that is not wanted any more.

    What is in nobody's hands must run out: a claim whose commit was not heard of, an end that could not be written.
    """
    settings = workshop.settings
    while True:
        try:
            if held := [claim.batch_id for claim in workshop.in_hand]:
                async with workshop.database.write() as tx:
                    await batches.renew_leases(tx, workshop.worker, held, lease_seconds=settings.lease_seconds)
            await drop_stopped(workshop)
        except Unavailable as error:
            log.warning("could not renew leases", error=str(error))
        await asyncio.sleep(settings.heartbeat_seconds)


async def keep_sweeping(workshop: Workshop) -> None:
    """Sweep for ever; of all workers one does it each time.

    After a database that was away, living workers get a lease's time to renew what they hold: their leases ran out
    without any fault of theirs.
    """
    settings = workshop.settings
    lenient_until = 0.0
    while True:
        try:
            async with workshop.database.write() as tx:
                is_ours = await chores.take(tx, "sweep", every_seconds=settings.sweep_seconds)
            if is_ours:
                await sweep(workshop, is_lenient=time.monotonic() < lenient_until)
        except Unavailable as error:
            lenient_until = time.monotonic() + settings.lease_seconds
            log.warning("sweep interrupted", error=str(error))
        except (RedisError, OSError) as error:
            log.warning("sweep interrupted", error=repr(error))
        await asyncio.sleep(settings.sweep_seconds / 4)


async def obey_stops(workshop: Workshop) -> None:
    """Stop work within moments of a cancellation; a lost message costs one heartbeat."""
    async for _ in workshop.broadcast.messages(STOPPED_CHANNEL):
        try:
            await drop_stopped(workshop)
        except Unavailable as error:
            log.warning("could not look for stopped work", error=str(error))


async def keep_turns(workshop: Workshop) -> None:
    """Say for ever that the calls of this worker are in flight: those of a dead one make room."""
    while True:
        try:
            await workshop.governor.renew()
        except (RedisError, OSError) as error:
            log.warning("could not renew calls in flight", error=repr(error))
        await asyncio.sleep(workshop.settings.heartbeat_seconds)


async def hear_of_ended_calls(workshop: Workshop) -> None:
    """A call of any worker that ends may make room for one of ours."""
    async for _ in workshop.broadcast.messages(FREED_CHANNEL):
        workshop.governor.wake()


async def drop_stopped(workshop: Workshop) -> None:
    """Stop work that is not wanted any more. What is claimed while this looks is left for the next look."""
    in_hand = workshop.in_hand
    if not in_hand:
        return
    async with workshop.database.read() as tx:
        valid = await batches.valid_claims(tx, workshop.worker)
    workshop.drop(claim for claim in in_hand if (claim.batch_id, claim.fence) not in valid)


async def sweep(workshop: Workshop, *, is_lenient: bool = False) -> None:
    """Everything that a crash, or a Redis that forgot, can have left behind. `is_lenient`: leases that ran out stay."""
    database = workshop.database
    async with database.read() as tx:
        expired = [] if is_lenient else await batches.expired(tx, limit=SWEEP_MAX)
    wakeups = await _take_back(database, expired, only_expired=True)
    await _carry(database, workshop.queue, wakeups)
    wakeups += await _end_overdue(database, minutes=workshop.settings.generation_timeout_minutes)
    await outbox.carry(database, workshop.queue)
    async with database.read() as tx:
        wakeups += await generations.growing(tx, limit=SWEEP_MAX)
    await workshop.broadcast.announce_all(wakeups)


async def release(database: Database, queue: Queue, broadcast: Broadcast, *, worker: str) -> bool:
    """A worker that was seen to die holds nothing any more: its batches are free at once, if it can be written.

    Returns whether it held any.
    """
    held: Sequence[Claim] = ()
    try:
        async with database.read() as tx:
            held = await batches.leased_by(tx, worker, limit=SWEEP_MAX)
        wakeups = await _take_back(database, held, only_expired=False)
        await _carry(database, queue, wakeups)
        await broadcast.announce_all(wakeups)
    except QuizmillError as error:
        log.warning("a dead worker's leases must run out", worker=worker, error=str(error))
    except (RedisError, OSError) as error:
        log.warning("could not enqueue; the next sweep will", error=repr(error))
    return bool(held)


async def _take_back(database: Database, claims: Sequence[Claim], *, only_expired: bool) -> list[Wakeup]:
    wakeups = []
    for claim in claims:
        try:
            async with database.write() as tx:
                wakeups.append(await steps.take_back(tx, claim, only_expired=only_expired))
        except LeaseLost as error:
            log.info("not taken back", reason=str(error))
        else:
            log.warning("took a batch back", batch_id=str(claim.batch_id), worker=claim.worker)
    return wakeups


async def _carry(database: Database, queue: Queue, taken_back: Sequence[Wakeup]) -> None:
    """Into the queue with them, before thousands that have waited for longer and were never begun."""
    for generation_id in {wakeup.generation_id for wakeup in taken_back}:
        await outbox.carry(database, queue, generation_id=generation_id)


async def _end_overdue(database: Database, *, minutes: float) -> list[Wakeup]:
    async with database.read() as tx:
        overdue = await generations.overdue(tx, after_seconds=minutes * 60, limit=SWEEP_MAX)
    wakeups = []
    for generation_id in overdue:
        async with database.write() as tx:
            wakeup = await steps.expire(tx, generation_id, minutes=minutes)
        if wakeup:
            wakeups.append(wakeup)
    return wakeups
