"""Puts jobs into the arq queue, many in one round trip. What is put there twice runs once: job ids carry the fence."""

import asyncio
import json
from collections.abc import Sequence
from typing import Final
from uuid import UUID

from arq.connections import ArqRedis
from arq.constants import default_queue_name, in_progress_key_prefix, job_key_prefix, retry_key_prefix
from arq.jobs import serialize_job
from redis.asyncio import ConnectionPool
from redis.asyncio.connection import AbstractConnection

from schemas.plans import Place, WantedBatch
from schemas.publications import WantedPublication
from schemas.states import Priority
from schemas.topics import WantedIdentification

RUN_BATCH: Final = "run_batch"
EXTRACT: Final = "extract_materials"
IDENTIFY: Final = "identify_topics"
PUBLISH: Final = "publish_quiz"
WAKE_CHANNEL: Final = "quizmill:wake"
JOB_KEEP_MILLISECONDS: Final = 86_400_000
REDIS_SECONDS_MAX: Final = 2.0
"""A Redis that hangs is one that is away (TimeoutError is an OSError): nobody waits for it with work in hand."""

BOOST_SECONDS: Final = {Priority.LOW: 0, Priority.NORMAL: 3600, Priority.HIGH: 7200}
"""One queue, ordered by when a job was asked for: priority moves it by an hour, so that everything ages to its turn."""

PLACE_SECONDS: Final = 1
"""A long order is spread over time by this much a batch, so that another owner's need not wait for all of it."""

BEGUN_SECONDS: Final = 1800
"""What has begun goes before what has not: a batch is worth something only when it is whole."""

PAST_SECONDS: Final = 10 * 365 * 86_400
"""All jobs are dated back by ten years: arq leaves alone what a worker's own clock, however wrong, calls the future."""


def serialize(value: object) -> bytes:
    """JSON, not arq's pickle: a pickle in Redis would run code in the worker."""
    return json.dumps(value, default=str).encode()


def deserialize(line: bytes) -> dict[str, object]:
    value: dict[str, object] = json.loads(line)
    return value


class Pool(ConnectionPool):
    """Commands do not wait for each other's connections.

    That of redis 5.3 checks or opens one at a time, under a lock: in a busy event loop a hundred commands took seconds.
    """

    async def get_connection(self, *_: object, **__: object) -> AbstractConnection:
        connection: AbstractConnection = self.get_available_connection()  # type: ignore[no-untyped-call] # as redis
        try:
            await self.ensure_connection(connection)
        except BaseException:  # raised again: also whoever is cancelled gives the connection back first
            await self.release(connection)
            raise
        return connection


def connect(url: str) -> ArqRedis:
    """A client that connects when first used. The short timeout keeps requests going while Redis is away."""
    return client(Pool.from_url(url, socket_connect_timeout=2.0))


def client(pool: ConnectionPool) -> ArqRedis:
    return ArqRedis(pool, job_serializer=serialize, job_deserializer=deserialize)


class Queue:
    """The sending end of the queue. Methods raise redis.RedisError or OSError while Redis is away or hangs."""

    def __init__(self, redis: ArqRedis) -> None:
        self._redis = redis

    async def put_batches(self, wanted: Sequence[WantedBatch]) -> None:
        """Those already queued stay as they are; one that a dead worker had picked can be picked again."""
        await self._put(
            [
                (
                    f"{batch.batch_id}:{batch.fence}",
                    RUN_BATCH,
                    (str(batch.batch_id), batch.fence),
                    _score(batch),
                )
                for batch in wanted
            ]
        )

    async def put_extractions(self, quiz_ids: Sequence[UUID]) -> None:
        await self._put([(f"extract:{quiz_id}", EXTRACT, (str(quiz_id),), 1) for quiz_id in quiz_ids])

    async def put_identifications(self, wanted: Sequence[WantedIdentification]) -> None:
        """Before all batches: a request waits for each."""
        await self._put(
            [
                (f"topics:{one.identification_id}:{one.fence}", IDENTIFY, (str(one.identification_id), one.fence), 1)
                for one in wanted
            ]
        )

    async def put_publications(self, wanted: Sequence[WantedPublication]) -> None:
        """Before all batches: a user waits for each."""
        await self._put(
            [
                (f"publish:{one.publication_id}:{one.fence}", PUBLISH, (str(one.publication_id), one.fence), 1)
                for one in wanted
            ]
        )

    async def forget(self, places: Sequence[Place]) -> None:
        """Take jobs out of the queue that were picked: SQL knows them now, and they must not stand before others."""
        async with asyncio.timeout(REDIS_SECONDS_MAX):
            await self._redis.zrem(default_queue_name, *(f"{place.batch_id}:{place.fence}" for place in places))

    async def _put(self, jobs: Sequence[tuple[str, str, tuple[str | int, ...], int]]) -> None:
        if not jobs:
            return
        async with asyncio.timeout(REDIS_SECONDS_MAX), self._redis.pipeline(transaction=True) as pipe:
            for job_id, function, arguments, score in jobs:
                payload = serialize_job(function, arguments, {}, None, max(score, 1), serializer=serialize)
                pipe.set(job_key_prefix + job_id, payload, nx=True, px=JOB_KEEP_MILLISECONDS)
                pipe.zadd(default_queue_name, {job_id: score}, nx=True)
                # What is wanted was not claimed: whoever picked it is gone, and the claim settles it if not.
                pipe.delete(in_progress_key_prefix + job_id, retry_key_prefix + job_id)
            pipe.publish(WAKE_CHANNEL, "")
            await pipe.execute()


def _score(batch: WantedBatch) -> int:
    """Milliseconds; the lowest goes first."""
    boost_seconds = BOOST_SECONDS[batch.priority] + (BEGUN_SECONDS if batch.is_begun else 0)
    place_seconds = 0 if batch.is_begun else batch.place * PLACE_SECONDS
    return int((batch.requested_at.timestamp() + place_seconds - boost_seconds - PAST_SECONDS) * 1000)
