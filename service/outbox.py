"""Carries what SQL wants done into the queue. Whatever is lost on the way is carried again by the next sweep."""

from uuid import UUID

import structlog
from redis import RedisError

from service import failpoints
from service.errors import Unavailable
from service.failpoints import Place
from service.queue import Queue
from service.store import materials, publications, topics, wanted
from service.store.database import Database

CARRY_MAX = 1000
"""Rows of each kind carried at a time; the next sweep goes on."""

LOOK_AGAIN_SECONDS = 5.0
"""How long after enqueueing a batch that nobody claimed is enqueued again."""

log = structlog.get_logger()


async def carry(database: Database, queue: Queue, *, generation_id: UUID | None = None) -> None:
    """Enqueue what is wanted, of one generation or of all. Raises redis.RedisError, OSError: the outbox keeps it."""
    async with database.read() as tx:
        batches = await wanted.find(tx, limit=CARRY_MAX, generation_id=generation_id)
        quiz_ids = [] if generation_id else await materials.wanted(tx, limit=CARRY_MAX)
        identifications = [] if generation_id else await topics.wanted(tx, limit=CARRY_MAX)
        quizzes = [] if generation_id else await publications.wanted(tx, limit=CARRY_MAX)
    if not batches and not quiz_ids and not identifications and not quizzes:
        return
    failpoints.reach(Place.BEFORE_ENQUEUE)
    await queue.put_batches(batches)
    await queue.put_extractions(quiz_ids)
    await queue.put_identifications(identifications)
    await queue.put_publications(quizzes)
    failpoints.reach(Place.AFTER_ENQUEUE)
    async with database.write() as tx:
        await wanted.look_again(tx, batches, in_seconds=LOOK_AGAIN_SECONDS)
        await materials.look_again(tx, quiz_ids, in_seconds=LOOK_AGAIN_SECONDS)
        await topics.look_again(tx, identifications, in_seconds=LOOK_AGAIN_SECONDS)
        await publications.look_again(tx, quizzes, in_seconds=LOOK_AGAIN_SECONDS)


async def try_to_carry(database: Database, queue: Queue, *, generation_id: UUID | None = None) -> None:
    """Like `carry` for callers whose answer does not depend on it: what is away is only logged."""
    try:
        await carry(database, queue, generation_id=generation_id)
    except (RedisError, OSError, Unavailable) as error:
        log.warning("could not enqueue; the next sweep will", error=repr(error))
