"""Batches change state by compare-and-set, under their fence, by the database's clock."""

import time
from collections.abc import Iterator
from contextlib import contextmanager
from datetime import UTC, datetime
from uuid import UUID, uuid4

import pytest
import sqlalchemy as sa

from schemas.generations import BatchError
from schemas.plans import Claim, Place, Tally, WantedBatch
from schemas.states import BatchState, ErrorCode, GenerationState, Priority, QuestionType
from service.errors import LeaseLost
from service.store import batches, steps, tables, wanted
from service.store.database import Database, Tx, db_now
from tests import factories
from tests.factories import LEASE_SECONDS, OVERLOADED, WORKER, batch_row, change_batch

EXPIRED = -1.0
"""A lease that has run out when it is written."""


async def take(database: Database, batch_id: UUID, fence: int) -> bool:
    async with database.write() as tx:
        place = Place(batch_id, fence)
        return await batches.claim(tx, [place], worker=WORKER, lease_seconds=LEASE_SECONDS) == [batch_id]


async def lease_left(database: Database, batch_id: UUID) -> float:
    """Seconds until the lease ends, by the database's clock."""
    column = tables.batches.c.lease_until
    left: sa.ColumnElement[float] = sa.type_coerce(column, sa.Double()) - sa.type_coerce(db_now(), sa.Double())
    async with database.read() as tx:
        return float((await tx.execute(sa.select(left).where(tables.batches.c.id == batch_id))).scalar_one())


async def queued(tx: Tx, batch_id: UUID) -> WantedBatch:
    """The batch as it was when it was put into the queue just now."""
    fence = (await tx.execute(sa.select(tables.batches.c.fence).where(tables.batches.c.id == batch_id))).scalar_one()
    return WantedBatch(batch_id=batch_id, fence=fence, priority=Priority.NORMAL, requested_at=datetime.now(UTC))


async def wanted_ids(database: Database, *, limit: int = 100, generation_id: UUID | None = None) -> list[UUID]:
    async with database.read() as tx:
        return [found.batch_id for found in await wanted.find(tx, limit=limit, generation_id=generation_id)]


@contextmanager
def parameters(database: Database) -> Iterator[list[object]]:
    """Every value that is sent to the database meanwhile."""
    sent: list[object] = []

    def listen(_connection: object, _cursor: object, _sql: str, values: object, *_rest: object) -> None:
        assert isinstance(values, (tuple, list)), "both drivers bind by position"
        sent.extend(values)

    engine = database._writer.sync_engine
    sa.event.listen(engine, "before_cursor_execute", listen)
    yield sent
    sa.event.remove(engine, "before_cursor_execute", listen)


async def test_a_new_batch_is_pending_and_wanted_in_the_queue_at_once(database: Database) -> None:
    ordered = await factories.make_order(database, 3, 5)
    row = await batch_row(database, ordered.batch_ids[0])
    assert (row.state, row.fence, row.held_count, row.saved_count, row.attempts) == (BatchState.PENDING, 0, 0, 0, 0)
    assert await wanted_ids(database) == list(ordered.batch_ids)


async def test_a_claim_raises_the_fence_and_starts_a_lease(database: Database) -> None:
    [batch_id] = (await factories.make_order(database, 3)).batch_ids
    assert await take(database, batch_id, 0)
    row = await batch_row(database, batch_id)
    assert (row.state, row.fence, row.lease_owner) == (BatchState.PROCESSING, 1, WORKER)
    assert (row.attempts, row.run_attempts) == (1, 1)
    assert await wanted_ids(database) == []
    assert LEASE_SECONDS - 10 < await lease_left(database, batch_id) <= LEASE_SECONDS


@pytest.mark.parametrize("fence", [-1, 1, 7])
async def test_a_claim_needs_the_current_fence(database: Database, fence: int) -> None:
    [batch_id] = (await factories.make_order(database, 3)).batch_ids
    assert not await take(database, batch_id, fence)
    assert (await batch_row(database, batch_id)).state == BatchState.PENDING


async def test_a_batch_in_work_cannot_be_claimed_even_under_its_new_fence(database: Database) -> None:
    [batch_id] = (await factories.make_order(database, 3)).batch_ids
    assert await take(database, batch_id, 0)
    assert not await take(database, batch_id, 0)
    assert not await take(database, batch_id, 1)


async def test_a_batch_cannot_be_claimed_before_it_is_due(database: Database) -> None:
    [batch_id] = (await factories.make_order(database, 3)).batch_ids
    claimed = await factories.claim(database, batch_id)
    async with database.write() as tx:
        await batches.put_back(tx, claimed, delay_seconds=3600, counts=True)
    fence = (await batch_row(database, batch_id)).fence
    assert fence == claimed.fence + 1
    assert not await take(database, batch_id, fence)
    assert await wanted_ids(database) == [], "what is not due need not be in the queue"

    await change_batch(database, batch_id, not_before=db_now(), wanted_at=db_now())

    assert await wanted_ids(database) == [batch_id]
    assert await take(database, batch_id, fence)
    assert (await batch_row(database, batch_id)).not_before is None


async def test_a_batch_given_back_without_delay_is_due_at_once(database: Database) -> None:
    [batch_id] = (await factories.make_order(database, 3)).batch_ids
    claimed = await factories.claim(database, batch_id)
    async with database.write() as tx:
        await batches.put_back(tx, claimed, delay_seconds=0, counts=False)
    row = await batch_row(database, batch_id)
    assert (row.attempts, row.run_attempts) == (1, 0), "a try that does not count is still numbered"
    assert await wanted_ids(database) == [batch_id]
    assert await take(database, batch_id, row.fence)


async def test_a_claim_tells_its_worker_all_it_needs(database: Database) -> None:
    ordered = await factories.make_order(database, 3, 5)
    claimed = await factories.claim(database, ordered.batch_ids[1])
    assert claimed == Claim(
        batch_id=ordered.batch_ids[1],
        generation_id=ordered.generation_id,
        quiz_id=ordered.quiz_id,
        module_id=ordered.module_ids[1],
        owner=factories.OWNER,
        priority=Priority.NORMAL,
        batch_key=f"{ordered.module_ids[1]}_multiple_choice_5",
        question_type=QuestionType.MULTIPLE_CHOICE,
        difficulty=None,
        language="en",
        instructions="",
        model=None,
        target_count=5,
        held_count=0,
        fence=1,
        worker=WORKER,
        run=1,
        number=1,
        run_attempt=1,
        lane=0,
        lanes=1,
    )


async def test_batches_of_one_module_and_type_get_a_lane_each(database: Database) -> None:
    ordered = await factories.make_order(database, 2, 3, 4)
    first_module = ordered.module_ids[0]
    await change_batch(database, ordered.batch_ids[1], question_type=QuestionType.FLASHCARD, module_id=first_module)
    await change_batch(database, ordered.batch_ids[2], module_id=first_module)
    claims = [await factories.claim(database, batch_id) for batch_id in ordered.batch_ids]
    assert [(claimed.lane, claimed.lanes) for claimed in claims] == [(0, 2), (0, 1), (1, 2)]


async def test_a_heartbeat_extends_only_the_leases_of_its_worker(database: Database) -> None:
    ordered = await factories.make_order(database, 2, 3)
    mine = await factories.claim(database, ordered.batch_ids[0], worker="mine", lease_seconds=EXPIRED)
    other = await factories.claim(database, ordered.batch_ids[1], worker="other", lease_seconds=EXPIRED)
    async with database.write() as tx:
        assert await batches.renew_leases(tx, "mine", ordered.batch_ids, lease_seconds=LEASE_SECONDS) == 1
    assert await lease_left(database, mine.batch_id) > 0
    assert await lease_left(database, other.batch_id) < 0


async def test_a_heartbeat_extends_only_what_is_in_hand(database: Database) -> None:
    ordered = await factories.make_order(database, 2, 3)
    for batch_id in ordered.batch_ids:
        await factories.claim(database, batch_id, lease_seconds=EXPIRED)
    async with database.write() as tx:
        assert await batches.renew_leases(tx, WORKER, ordered.batch_ids[:1], lease_seconds=LEASE_SECONDS) == 1
    assert await lease_left(database, ordered.batch_ids[0]) > 0
    assert await lease_left(database, ordered.batch_ids[1]) < 0


async def test_a_hold_counts_up_and_extends_the_lease(database: Database) -> None:
    [batch_id] = (await factories.make_order(database, 3)).batch_ids
    claimed = await factories.claim(database, batch_id, lease_seconds=EXPIRED)
    async with database.write() as tx:
        assert await batches.hold(tx, [(claimed, 1)], lease_seconds=LEASE_SECONDS) == [0]
        assert await batches.hold(tx, [(claimed, 2)], lease_seconds=LEASE_SECONDS) == [1]
    assert await lease_left(database, batch_id) > 0


async def test_a_batch_is_not_completed_until_it_holds_its_target(database: Database) -> None:
    [batch_id] = (await factories.make_order(database, 3)).batch_ids
    claimed = await factories.claim(database, batch_id)
    async with database.write() as tx:
        await batches.hold(tx, [(claimed, 2)], lease_seconds=LEASE_SECONDS)
    async with database.write() as tx:
        with pytest.raises(LeaseLost):
            await batches.complete(tx, [claimed])
        await batches.hold(tx, [(claimed, 1)], lease_seconds=LEASE_SECONDS)
        await batches.complete(tx, [claimed])
    row = await batch_row(database, batch_id)
    assert (row.state, row.saved_count, row.held_count) == (BatchState.COMPLETED, 3, 0)
    assert row.lease_owner is None


async def test_a_failed_batch_keeps_what_it_holds_and_says_why(database: Database) -> None:
    [batch_id] = (await factories.make_order(database, 3)).batch_ids
    claimed = await factories.claim(database, batch_id)
    async with database.write() as tx:
        await batches.hold(tx, [(claimed, 2)], lease_seconds=LEASE_SECONDS)
        await batches.fail(tx, claimed, OVERLOADED)
    row = await batch_row(database, batch_id)
    assert (row.state, row.held_count, row.fence) == (BatchState.FAILED, 2, claimed.fence + 1)
    assert (row.error_code, row.error_message) == (OVERLOADED.code, OVERLOADED.message)


async def test_another_worker_cannot_use_a_claim(database: Database) -> None:
    [batch_id] = (await factories.make_order(database, 3)).batch_ids
    claimed = await factories.claim(database, batch_id)
    stolen = claimed.model_copy(update={"worker": "someone else"})
    async with database.write() as tx:
        with pytest.raises(LeaseLost, match=f"batch {batch_id} is no longer held by someone else under fence 1"):
            await batches.hold(tx, [(stolen, 1)], lease_seconds=LEASE_SECONDS)


async def test_only_batches_whose_lease_ran_out_are_expired_the_longest_first(database: Database) -> None:
    ordered = await factories.make_order(database, 2, 3, 4)
    for batch_id, lease_seconds in zip(ordered.batch_ids, (-5, LEASE_SECONDS, -50), strict=True):
        await factories.claim(database, batch_id, lease_seconds=lease_seconds)
    async with database.read() as tx:
        assert [found.batch_id for found in await batches.expired(tx, limit=10)] == [
            ordered.batch_ids[2],
            ordered.batch_ids[0],
        ]
        assert len(await batches.expired(tx, limit=1)) == 1


async def test_a_dead_workers_batches_are_found_whether_expired_or_not(database: Database) -> None:
    ordered = await factories.make_order(database, 2, 3, 4)
    dead = [await factories.claim(database, batch_id, worker="dead") for batch_id in ordered.batch_ids[:2]]
    await factories.claim(database, ordered.batch_ids[2], worker="alive")
    async with database.read() as tx:
        found = await batches.leased_by(tx, "dead", limit=10)
    assert {claimed.batch_id for claimed in found} == {claimed.batch_id for claimed in dead}
    assert all(claimed in dead for claimed in found), "what is found is the claim that the worker had"


async def test_a_batch_whose_worker_came_back_in_time_is_not_taken_back(database: Database) -> None:
    [batch_id] = (await factories.make_order(database, 3)).batch_ids
    await factories.claim(database, batch_id, lease_seconds=EXPIRED)
    async with database.write() as tx:
        [seen] = await batches.expired(tx, limit=1)
        await batches.renew_leases(tx, WORKER, [batch_id], lease_seconds=LEASE_SECONDS)
    async with database.write() as tx:
        with pytest.raises(LeaseLost):
            await batches.take_back(tx, seen, only_expired=True)
    assert (await batch_row(database, batch_id)).lease_owner == WORKER


async def test_a_lost_worker_costs_no_attempt_but_is_counted(database: Database) -> None:
    [batch_id] = (await factories.make_order(database, 3)).batch_ids
    claimed = await factories.claim(database, batch_id, lease_seconds=EXPIRED)
    async with database.write() as tx:
        assert await batches.take_back(tx, claimed, only_expired=True) == 1
    row = await batch_row(database, batch_id)
    assert (row.state, row.fence, row.run_attempts, row.losses) == (BatchState.PENDING, 2, 0, 1)
    assert await wanted_ids(database) == [batch_id]


async def test_the_outbox_gives_the_longest_wanted_first_and_no_more_than_asked_for(database: Database) -> None:
    ordered = await factories.make_order(database, 2, 3, 4)
    await change_batch(database, ordered.batch_ids[2], wanted_at=sa.literal(1.0, sa.Double()))
    expected = [ordered.batch_ids[2], ordered.batch_ids[0], ordered.batch_ids[1]]
    assert await wanted_ids(database) == expected
    assert await wanted_ids(database, limit=2) == expected[:2]


async def test_the_outbox_can_be_asked_for_one_generation(database: Database) -> None:
    first = await factories.make_order(database, 2, priority=Priority.HIGH)
    second = await factories.make_order(database, 3)
    assert await wanted_ids(database, generation_id=second.generation_id) == list(second.batch_ids)
    async with database.read() as tx:
        [found] = await wanted.find(tx, limit=10, generation_id=first.generation_id)
    assert (found.fence, found.priority) == (0, Priority.HIGH)
    assert found.requested_at == (await factories.load(database, first)).requested_at


@pytest.mark.parametrize("state", [GenerationState.PAUSED, GenerationState.CANCELLED])
async def test_a_generation_that_wants_no_work_has_nothing_in_the_outbox(
    database: Database, state: GenerationState
) -> None:
    ordered = await factories.make_order(database, 2)
    await factories.change_generation(database, ordered, state=state)
    assert await wanted_ids(database) == []


async def test_a_wanted_batch_knows_how_many_its_owner_has_before_it(database: Database) -> None:
    first, second = await factories.make_order(database, 3, 2), await factories.make_order(database, 1)
    other = await factories.make_order(database, 1, owner="other")
    await factories.claim(database, first.batch_ids[0])
    async with database.read() as tx:
        found = {batch.batch_id: batch.place for batch in await wanted.find(tx, limit=10)}
    assert found == {first.batch_ids[1]: 1, second.batch_ids[0]: 1, other.batch_ids[0]: 0}


async def test_what_was_enqueued_is_wanted_again_only_after_a_while(database: Database) -> None:
    ordered = await factories.make_order(database, 2, 3)
    async with database.write() as tx:
        await wanted.look_again(tx, [await queued(tx, ordered.batch_ids[0])], in_seconds=3600)
    assert await wanted_ids(database) == [ordered.batch_ids[1]]
    async with database.write() as tx:
        await wanted.look_again(tx, [await queued(tx, ordered.batch_ids[0])], in_seconds=0)
    assert set(await wanted_ids(database)) == set(ordered.batch_ids)


async def test_looking_again_leaves_a_batch_alone_that_was_claimed_meanwhile(database: Database) -> None:
    [batch_id] = (await factories.make_order(database, 2)).batch_ids
    await factories.claim(database, batch_id)
    async with database.write() as tx:
        await wanted.look_again(tx, [await queued(tx, batch_id)], in_seconds=0)
    assert (await batch_row(database, batch_id)).wanted_at is None


async def test_a_worker_may_go_on_only_with_its_own_batches_of_generations_that_want_work(database: Database) -> None:
    ordered = await factories.make_order(database, 2, 3)
    mine = await factories.claim(database, ordered.batch_ids[0], worker="mine")
    await factories.claim(database, ordered.batch_ids[1], worker="other")
    stopped = await factories.make_order(database, 2)
    await factories.claim(database, stopped.batch_ids[0], worker="mine")
    async with database.write() as tx:
        await steps.cancel(tx, stopped.generation_id)
    async with database.read() as tx:
        assert await batches.valid_claims(tx, "mine") == {(mine.batch_id, mine.fence)}


async def test_tallies_come_in_the_order_of_the_batches(database: Database) -> None:
    ordered = await factories.make_partial(database, saved=2, target=5, held=3)
    keys = [f"{module_id}_multiple_choice_{n}" for module_id, n in zip(ordered.module_ids, (2, 5), strict=True)]
    async with database.read() as tx:
        found = await batches.tallies(tx, ordered.generation_id)
    assert found == [
        Tally(batch_key=keys[0], state=BatchState.COMPLETED, target_count=2, saved_count=2, held_count=0),
        Tally(batch_key=keys[1], state=BatchState.FAILED, target_count=5, saved_count=0, held_count=3),
    ]


async def test_batches_are_read_with_their_modules_and_errors(database: Database) -> None:
    ordered = await factories.make_partial(database)
    absent = uuid4()
    async with database.read() as tx:
        found = await batches.of_generations(tx, [ordered.generation_id, absent])
    assert found[absent] == []
    completed, failed = found[ordered.generation_id]
    assert (completed.module_name, completed.status, completed.error) == ("Module 1", BatchState.COMPLETED, None)
    assert (failed.module_name, failed.status, failed.error) == ("Module 2", BatchState.FAILED, OVERLOADED)
    assert (failed.held_count, failed.saved_count, failed.attempts) == (3, 0, 1)


async def test_ending_open_batches_voids_their_workers_fences(database: Database) -> None:
    ordered = await factories.make_order(database, 1, 2, 3)
    await factories.complete(database, await factories.claim(database, ordered.batch_ids[0]))
    claimed = await factories.claim(database, ordered.batch_ids[1])
    error = BatchError(code=ErrorCode.TIMEOUT, message="too long")
    async with database.write() as tx:
        ended = await batches.end_open(tx, ordered.generation_id, BatchState.FAILED, error=error)
    assert set(ended) == set(ordered.batch_ids[1:])
    row = await batch_row(database, claimed.batch_id)
    assert (row.state, row.error_code, row.fence) == (BatchState.FAILED, ErrorCode.TIMEOUT, claimed.fence + 1)


async def test_no_lease_and_no_delay_is_reckoned_by_the_clock_of_a_worker(database: Database) -> None:
    [batch_id] = (await factories.make_order(database, 3)).batch_ids
    with parameters(database) as sent:
        claimed = await factories.claim(database, batch_id)
        async with database.write() as tx:
            await batches.hold(tx, [(claimed, 1)], lease_seconds=LEASE_SECONDS)
            await batches.renew_leases(tx, WORKER, [batch_id], lease_seconds=LEASE_SECONDS)
            assert await batches.expired(tx, limit=1) == []
            await batches.put_back(tx, claimed, delay_seconds=5, counts=True)
            assert await wanted.find(tx, limit=1) == []
            await wanted.look_again(tx, [await queued(tx, batch_id)], in_seconds=5)
    numbers = [value for value in sent if isinstance(value, (int, float))]
    assert LEASE_SECONDS in numbers, "durations are sent"
    assert all(number < time.time() / 2 for number in numbers), "moments are not"
