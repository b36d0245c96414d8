"""What SQL wants done is carried into the queue, and carried again when it was lost on the way."""

import pytest
from redis import RedisError
from structlog.testing import capture_logs

from schemas.orders import OrderOptions
from schemas.states import Priority
from service import outbox
from service.errors import Unavailable
from service.outbox import LOOK_AGAIN_SECONDS
from service.queue import Queue
from service.store import materials, quizzes
from tests import factories
from tests.factories import OWNER
from tests.workbench import Workbench


async def test_what_is_wanted_is_queued_and_wanted_again_only_after_a_while(bench: Workbench) -> None:
    ordered = await bench.order(1, 1)
    await outbox.carry(bench.database, Queue(bench.redis))
    assert set(await bench.queued()) == {f"{batch_id}:0" for batch_id in ordered.batch_ids}
    row = await factories.batch_row(bench.database, ordered.batch_ids[0])
    assert 0 < (row.wanted_at - await bench.now()).total_seconds() <= LOOK_AGAIN_SECONDS
    await bench.redis.flushall()
    await outbox.carry(bench.database, Queue(bench.redis))
    assert await bench.queued() == []
    await bench.make_wanted(*ordered.batch_ids)
    await outbox.carry(bench.database, Queue(bench.redis))
    assert len(await bench.queued()) == 2


async def test_the_outbox_of_one_generation_leaves_others_alone(bench: Workbench) -> None:
    mine, other = await bench.order(1), await bench.order(1)
    await outbox.carry(bench.database, Queue(bench.redis), generation_id=mine.generation_id)
    assert await bench.queued() == [f"{mine.batch_ids[0]}:0"]
    await outbox.carry(bench.database, Queue(bench.redis))
    assert f"{other.batch_ids[0]}:0" in await bench.queued()


async def test_priority_is_carried_along(bench: Workbench) -> None:
    low = await bench.order(1, options=OrderOptions(priority=Priority.LOW))
    high = await bench.order(1, options=OrderOptions(priority=Priority.HIGH))
    await outbox.carry(bench.database, Queue(bench.redis))
    assert await bench.queued() == [f"{high.batch_ids[0]}:0", f"{low.batch_ids[0]}:0"]


async def test_what_is_claimed_done_or_cancelled_is_not_carried(bench: Workbench) -> None:
    claimed, cancelled, done = await bench.order(1), await bench.order(1), await bench.order(1)
    await factories.claim(bench.database, claimed.batch_ids[0])
    await bench.cancel(cancelled)
    await factories.fail(bench.database, await factories.claim(bench.database, done.batch_ids[0]))
    await outbox.carry(bench.database, Queue(bench.redis))
    assert await bench.queued() == []


async def test_files_that_wait_are_carried_until_they_are_read(bench: Workbench) -> None:
    async with bench.database.write() as tx:
        quiz_id = await quizzes.insert(tx, owner=OWNER, title="Plants", language="en")
        await materials.insert(tx, quiz_id, [("a.md", b"a"), ("b.md", b"b")])
    await outbox.carry(bench.database, Queue(bench.redis))
    assert await bench.queued() == [f"extract:{quiz_id}"]
    await bench.redis.flushall()
    async with bench.database.read() as tx:
        assert await materials.wanted(tx, limit=10) == [], "only after a while"


async def test_a_redis_that_is_away_leaves_everything_wanted(bench: Workbench) -> None:
    ordered = await bench.order(1)
    bench.redis_server.connected = False
    with pytest.raises((RedisError, OSError)):
        await outbox.carry(bench.database, Queue(bench.redis))
    with capture_logs() as logs:
        await outbox.try_to_carry(bench.database, Queue(bench.redis))
    assert [entry["event"] for entry in logs] == ["could not enqueue; the next sweep will"]
    bench.redis_server.connected = True
    await outbox.carry(bench.database, Queue(bench.redis))
    assert await bench.queued() == [f"{ordered.batch_ids[0]}:0"]


async def test_without_anything_wanted_redis_is_not_asked(bench: Workbench) -> None:
    bench.redis_server.connected = False
    await outbox.carry(bench.database, Queue(bench.redis))
    assert bench.database.writes == 0


async def test_a_database_that_is_away_is_told(bench: Workbench) -> None:
    database = bench.another_database()
    database.is_away = True
    with pytest.raises(Unavailable):
        await outbox.carry(database, Queue(bench.redis))
    await database.close()
