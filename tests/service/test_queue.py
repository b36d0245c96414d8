"""What is put into the queue: once, in order, in one go, and never as a pickle."""

import asyncio
import json
import pickle
import time
from datetime import UTC, datetime, timedelta
from typing import Any
from uuid import UUID, uuid4

import fakeredis
import pytest
from arq.connections import ArqRedis
from arq.constants import default_queue_name, in_progress_key_prefix, job_key_prefix, retry_key_prefix
from arq.jobs import deserialize_job
from fakeredis.aioredis import FakeAsyncRedisConnection
from redis import RedisError
from redis.asyncio import ConnectionPool

from schemas.plans import Place, WantedBatch
from schemas.states import Priority
from service import queue
from service.queue import BOOST_SECONDS, EXTRACT, RUN_BATCH, WAKE_CHANNEL, Queue
from tests.scripted import Gate
from tests.workbench import Workbench, eventually

NOON = datetime(2026, 3, 5, 12, 0, tzinfo=UTC)


class CountingConnection(FakeAsyncRedisConnection):
    """Counts the packets that are sent after it was opened."""

    sent = 0

    async def send_packed_command(self, *arguments: Any, **options: Any) -> None:
        CountingConnection.sent += 1
        await super().send_packed_command(*arguments, **options)


def wanted(number: int = 0, *, fence: int = 0, priority: Priority = Priority.NORMAL, minutes: float = 0) -> WantedBatch:
    requested_at = NOON + timedelta(minutes=minutes)
    return WantedBatch(batch_id=UUID(int=number), fence=fence, priority=priority, requested_at=requested_at)


async def numbers_queued(bench: Workbench) -> list[int]:
    """The batches in the queue, the next one first."""
    return [UUID(job_id.partition(":")[0]).int for job_id in await bench.queued()]


async def job(redis: ArqRedis, job_id: str) -> tuple[str, tuple[Any, ...]]:
    """What a worker would read: the function and its arguments."""
    line = await redis.get(job_key_prefix + job_id)
    assert line is not None
    read = deserialize_job(line, deserializer=queue.deserialize)
    return read.function, tuple(read.args)


async def test_a_batch_is_a_job_under_its_id_and_fence(bench: Workbench) -> None:
    await Queue(bench.redis).put_batches([wanted(7, fence=3)])
    job_id = f"{UUID(int=7)}:3"
    assert await bench.queued() == [job_id]
    assert await job(bench.redis, job_id) == (RUN_BATCH, (str(UUID(int=7)), 3))


async def test_an_extraction_is_a_job_under_its_quiz_and_comes_first(bench: Workbench) -> None:
    quiz_id = uuid4()
    jobs = Queue(bench.redis)
    await jobs.put_batches([wanted(1, priority=Priority.HIGH)])
    await jobs.put_extractions([quiz_id])
    assert (await bench.queued())[0] == f"extract:{quiz_id}"
    assert await job(bench.redis, f"extract:{quiz_id}") == (EXTRACT, (str(quiz_id),))


async def test_what_is_put_twice_is_there_once(bench: Workbench) -> None:
    jobs = Queue(bench.redis)
    await jobs.put_batches([wanted(1)])
    before = await bench.redis.zrange(default_queue_name, 0, -1, withscores=True)
    await jobs.put_batches([wanted(1), wanted(1, minutes=-30, priority=Priority.HIGH)])
    assert await bench.redis.zrange(default_queue_name, 0, -1, withscores=True) == before
    await jobs.put_batches([wanted(1, fence=1)])
    assert len(await bench.queued()) == 2, "another fence is another job"


async def test_what_a_dead_worker_had_picked_can_be_picked_again(bench: Workbench) -> None:
    jobs = Queue(bench.redis)
    await jobs.put_batches([wanted(1)])
    job_id = f"{UUID(int=1)}:0"
    await bench.redis.set(in_progress_key_prefix + job_id, "1")
    await bench.redis.set(retry_key_prefix + job_id, "1")
    await jobs.put_batches([wanted(1)])
    assert not await bench.redis.exists(in_progress_key_prefix + job_id, retry_key_prefix + job_id)


async def test_priority_moves_a_job_by_an_hour_so_that_everything_ages_to_its_turn(bench: Workbench) -> None:
    await Queue(bench.redis).put_batches(
        [
            wanted(1, priority=Priority.LOW),
            wanted(2, priority=Priority.NORMAL),
            wanted(3, priority=Priority.HIGH),
            wanted(4, priority=Priority.NORMAL, minutes=-1),
            wanted(5, priority=Priority.NORMAL, minutes=-61),
            wanted(6, priority=Priority.LOW, minutes=-122),
        ]
    )
    assert await numbers_queued(bench) == [6, 5, 3, 4, 2, 1]
    assert BOOST_SECONDS[Priority.HIGH] - BOOST_SECONDS[Priority.NORMAL] == 3600
    assert BOOST_SECONDS[Priority.NORMAL] - BOOST_SECONDS[Priority.LOW] == 3600


async def test_a_long_order_does_not_make_another_owner_wait_for_all_of_it(bench: Workbench) -> None:
    jobs = Queue(bench.redis)
    await jobs.put_batches([wanted(number).model_copy(update={"place": number}) for number in range(1, 6)])
    of_another = [wanted(10 + number, minutes=2.5 / 60).model_copy(update={"place": number}) for number in range(3)]
    await jobs.put_batches(of_another)
    assert await numbers_queued(bench) == [1, 2, 10, 3, 11, 4, 12, 5]


async def test_what_has_begun_goes_before_what_has_not(bench: Workbench) -> None:
    begun = wanted(3, minutes=20).model_copy(update={"place": 500, "is_begun": True})
    urgent = wanted(1, minutes=20, priority=Priority.HIGH)
    await Queue(bench.redis).put_batches([wanted(2), begun, urgent])
    assert await numbers_queued(bench) == [1, 3, 2]


@pytest.mark.parametrize("priority", Priority)
async def test_no_priority_makes_a_job_wait_for_its_time(bench: Workbench, priority: Priority) -> None:
    """arq picks only what is due."""
    now = datetime.now(UTC)
    just_asked_for = WantedBatch(batch_id=UUID(int=1), fence=0, priority=priority, requested_at=now)
    await Queue(bench.redis).put_batches([just_asked_for])
    [(_, due_milliseconds)] = await bench.redis.zrange(default_queue_name, 0, -1, withscores=True)
    assert due_milliseconds <= now.timestamp() * 1000


async def test_a_thousand_batches_are_put_in_one_round_trip() -> None:
    pool = ConnectionPool(connection_class=CountingConnection, server=fakeredis.FakeServer())
    redis = queue.client(pool)
    await redis.ping()
    CountingConnection.sent = 0
    await Queue(redis).put_batches([wanted(number) for number in range(1000)])
    assert CountingConnection.sent == 1
    assert await redis.zcard(default_queue_name) == 1000
    await redis.aclose(close_connection_pool=True)


async def test_putting_calls_the_workers_once(bench: Workbench) -> None:
    async with bench.redis.pubsub(ignore_subscribe_messages=True) as pubsub:
        await pubsub.subscribe(WAKE_CHANNEL)
        await eventually(lambda: bench.subscribers(WAKE_CHANNEL) == 1)
        await Queue(bench.redis).put_batches([wanted(number) for number in range(10)])
        await bench.redis.publish(WAKE_CHANNEL, "end")
        heard: list[bytes] = []
        while not heard or heard[-1] != b"end":
            message = await pubsub.get_message(timeout=5)
            if message:
                heard.append(message["data"])
    assert heard == [b"", b"end"]


async def test_putting_nothing_says_nothing(bench: Workbench) -> None:
    bench.redis_server.connected = False
    await Queue(bench.redis).put_batches([])
    await Queue(bench.redis).put_extractions([])


async def test_a_redis_that_is_away_is_told(bench: Workbench) -> None:
    bench.redis_server.connected = False
    with pytest.raises((RedisError, OSError)):
        await Queue(bench.redis).put_batches([wanted(1)])
    with pytest.raises((RedisError, OSError)):
        await Queue(bench.redis).forget([Place(UUID(int=1), 0)])


async def test_a_job_can_be_taken_out(bench: Workbench) -> None:
    jobs = Queue(bench.redis)
    await jobs.put_batches([wanted(1), wanted(2)])
    await jobs.forget([Place(UUID(int=1), 0), Place(UUID(int=3), 0)])
    assert await bench.queued() == [f"{UUID(int=2)}:0"]


def test_what_travels_is_json() -> None:
    value = {"f": RUN_BATCH, "a": ("b", 1), "id": UUID(int=1), "at": NOON}
    line = queue.serialize(value)
    assert json.loads(line) == {"f": RUN_BATCH, "a": ["b", 1], "id": str(UUID(int=1)), "at": str(NOON)}
    assert queue.deserialize(line)["f"] == RUN_BATCH


def test_a_pickle_is_not_read() -> None:
    with pytest.raises(ValueError, match=r"codec|Expecting"):
        queue.deserialize(pickle.dumps({"f": RUN_BATCH}))


async def test_a_client_connects_only_when_it_is_used() -> None:
    redis = queue.connect("redis://127.0.0.1:9")
    with pytest.raises((RedisError, OSError)):
        await redis.ping()
    await redis.aclose(close_connection_pool=True)


async def test_a_worker_whose_clock_is_years_behind_picks_jobs_all_the_same(bench: Workbench) -> None:
    await Queue(bench.redis).put_batches([wanted(1, priority=Priority.LOW)])
    five_years_ago = (time.time() - 5 * 365 * 86_400) * 1000
    assert len(await bench.redis.zrangebyscore(default_queue_name, "-inf", five_years_ago)) == 1


async def test_no_command_waits_until_the_connection_of_another_is_open() -> None:
    gate, opened = Gate(), asyncio.Event()

    class SlowToOpen(queue.Pool):
        async def ensure_connection(self, _: object) -> None:
            if gate.reached.is_set():
                opened.set()
            else:
                await gate.passed()

    pool = SlowToOpen()
    first = asyncio.create_task(pool.get_connection())
    await gate.reached.wait()
    assert await pool.get_connection() is not None
    assert opened.is_set()
    assert not first.done()
    gate.opened.set()
    await first


async def test_a_connection_that_can_not_be_opened_is_given_back() -> None:
    class Closed(queue.Pool):
        async def ensure_connection(self, _: object) -> None:
            raise ConnectionRefusedError

    pool = Closed()
    with pytest.raises(ConnectionRefusedError):
        await pool.get_connection()
    assert not pool._in_use_connections
