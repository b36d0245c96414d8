"""Pause, resume and accept: what users may do to a generation at work, or to what it left."""

import asyncio
from uuid import UUID, uuid4

import pytest
import sqlalchemy as sa

from schemas.generations import Batch
from schemas.states import AttemptOutcome, BatchState, GenerationState
from service.errors import LeaseLost, NotFound, StateConflict
from service.store import attempts, batches, control, generations, steps, tables, wanted
from service.store.database import Database, seconds_from_now
from tests import factories
from tests.factories import OVERLOADED, OWNER, SPENT, Ordered, batch_row

COMPLETED, FAILED = 0, 1
"""Places of the two batches of a partial generation."""


async def pause(database: Database, ordered: Ordered) -> bool:
    """False: it had been paused before."""
    async with database.write() as tx:
        return await control.pause(tx, ordered.generation_id) is not None


async def resume(database: Database, ordered: Ordered) -> None:
    async with database.write() as tx:
        await control.resume(tx, ordered.generation_id)


async def accept(database: Database, batch_id: UUID, *, owner: str = OWNER) -> Batch:
    async with database.write() as tx:
        batch, _ = await control.accept(tx, owner, batch_id)
    return batch


async def wanted_ids(database: Database) -> set[UUID]:
    async with database.read() as tx:
        return {found.batch_id for found in await wanted.find(tx, limit=100)}


async def test_no_batch_of_a_paused_generation_is_claimed_until_it_goes_on(database: Database) -> None:
    ordered = await factories.make_order(database, 2, 3)
    assert await pause(database, ordered)
    assert await wanted_ids(database) == set()
    assert await factories.try_to_claim(database, ordered.batch_ids[0], 0) is None

    await resume(database, ordered)

    assert (await factories.load(database, ordered)).status is GenerationState.PENDING
    assert await wanted_ids(database) == set(ordered.batch_ids)
    for batch_id in ordered.batch_ids:
        await factories.complete(database, await factories.claim(database, batch_id))
    found = await factories.types(database, ordered)
    assert found[:3] == ["generation.paused", "generation.resumed", "generation.started"]
    assert found[-1] == "generation.completed"
    assert await factories.findings(database) == ()


async def test_a_pause_loses_nothing_that_is_on_its_way(database: Database) -> None:
    ordered = await factories.make_order(database, 3, 2)
    claimed = await factories.claim(database, ordered.batch_ids[0])
    await pause(database, ordered)
    async with database.read() as tx:
        assert await batches.valid_claims(tx, claimed.worker) == set(), "its worker is to let go"
    await factories.hold(database, claimed, 2)
    async with database.write() as tx:
        await steps.release(tx, claimed, SPENT)
    assert (await batch_row(database, claimed.batch_id)).held_count == 2
    assert await wanted_ids(database) == set()

    await resume(database, ordered)

    assert (await factories.load(database, ordered)).status is GenerationState.PROCESSING
    again = await factories.claim(database, claimed.batch_id)
    assert (again.held_count, again.run_attempt) == (2, 1)
    assert await factories.findings(database) == ()


async def test_a_batch_completed_after_the_pause_may_be_the_end(database: Database) -> None:
    ordered = await factories.make_order(database, 2)
    claimed = await factories.claim(database, ordered.batch_ids[0])
    await pause(database, ordered)
    await factories.complete(database, claimed)
    assert (await factories.load(database, ordered)).status is GenerationState.COMPLETED
    assert (await factories.types(database, ordered))[-1] == "generation.completed"
    with pytest.raises(StateConflict, match="can't be resumed: it is completed"):
        await resume(database, ordered)
    assert await factories.findings(database) == ()


async def test_a_delayed_batch_is_still_not_due_after_a_pause(database: Database) -> None:
    ordered = await factories.make_order(database, 2)
    claimed = await factories.claim(database, ordered.batch_ids[0])
    async with database.write() as tx:
        await steps.delay(tx, claimed, OVERLOADED, SPENT, delay_seconds=3600)
    await pause(database, ordered)
    await resume(database, ordered)
    assert await wanted_ids(database) == set()
    row = await batch_row(database, claimed.batch_id)
    assert row.wanted_at == row.not_before


async def test_a_lost_worker_is_noticed_during_a_pause_too(database: Database) -> None:
    ordered = await factories.make_order(database, 2)
    claimed = await factories.claim(database, ordered.batch_ids[0], lease_seconds=-1)
    await pause(database, ordered)
    async with database.write() as tx:
        await steps.take_back(tx, claimed, only_expired=True)
    assert await wanted_ids(database) == set()
    await resume(database, ordered)
    assert await wanted_ids(database) == {claimed.batch_id}
    assert await factories.findings(database) == ()


async def test_a_paused_generation_does_not_run_out_of_time(database: Database) -> None:
    ordered = await factories.make_order(database, 2)
    await factories.backdate(database, ordered, 7200)
    await pause(database, ordered)
    async with database.write() as tx:
        assert await steps.expire(tx, ordered.generation_id, minutes=60) is None
    await resume(database, ordered)
    assert (await factories.load(database, ordered)).status is GenerationState.PENDING


async def test_pausing_twice_is_as_good_as_once(database: Database) -> None:
    ordered = await factories.make_order(database, 2)
    assert await pause(database, ordered)
    assert not await pause(database, ordered)
    assert (await factories.load(database, ordered)).can_resume
    assert await factories.types(database, ordered) == ["generation.paused"]


@pytest.mark.parametrize("state", [state for state in GenerationState if state.is_terminal])
async def test_what_has_ended_can_be_neither_paused_nor_resumed(database: Database, state: GenerationState) -> None:
    ordered = await factories.make_order(database, 2)
    await factories.change_generation(database, ordered, state=state)
    with pytest.raises(StateConflict, match=f"generation {ordered.generation_id} can't be paused: it is {state}"):
        await pause(database, ordered)
    with pytest.raises(StateConflict, match=f"generation {ordered.generation_id} can't be resumed: it is {state}"):
        await resume(database, ordered)


async def test_what_is_not_paused_cannot_be_resumed(database: Database) -> None:
    ordered = await factories.make_order(database, 2)
    with pytest.raises(StateConflict, match="can't be resumed: it is pending"):
        await resume(database, ordered)
    await factories.claim(database, ordered.batch_ids[0])
    with pytest.raises(StateConflict, match="can't be resumed: it is processing"):
        await resume(database, ordered)


async def test_an_accepted_batch_is_finished_with_what_it_holds(database: Database) -> None:
    ordered = await factories.make_partial(database, saved=2, target=5, held=3)
    before = await factories.saved_questions(database, ordered)

    batch = await accept(database, ordered.batch_ids[FAILED])

    assert (batch.status, batch.target_count, batch.saved_count, batch.held_count) == (BatchState.COMPLETED, 3, 3, 0)
    assert batch.batch_key.endswith("_multiple_choice_5"), "its key stays"
    assert batch.error is None
    generation = await factories.load(database, ordered)
    assert (generation.status, generation.requested_count, generation.generated_count) == ("completed", 5, 5)
    assert (generation.error, generation.can_resume) == (None, False)
    log = await factories.log(database, ordered)
    assert [event["type"] for event in log[-2:]] == ["batch.completed", "generation.completed"]
    assert (log[-2]["saved_count"], log[-2]["target_count"], log[-1]["requested_count"]) == (3, 3, 5)
    after = await factories.saved_questions(database, ordered)
    assert after[: len(before)] == before
    assert len(after) == 5
    async with database.read() as tx:
        [tries] = (await attempts.of_generation(tx, ordered.generation_id)).values()
    assert [(entry.outcome, entry.error) for entry in tries] == [(AttemptOutcome.COMPLETED, None)] * 2
    metadata = (await factories.load_quiz(database, ordered)).generation_metadata
    assert (metadata.failed_batches, metadata.total_questions_saved) == ((), 5)
    assert await factories.findings(database) == ()


async def test_accepting_one_of_several_failed_batches_leaves_the_others_failed(database: Database) -> None:
    ordered = await factories.make_order(database, 2, 3)
    for batch_id in ordered.batch_ids:
        claimed = await factories.claim(database, batch_id)
        await factories.hold(database, claimed, 1)
        await factories.fail(database, claimed)
    await accept(database, ordered.batch_ids[0])
    generation = await factories.load(database, ordered)
    assert (generation.status, generation.can_resume) == (GenerationState.PARTIAL, True)
    async with database.write() as tx:
        retried, _ = await steps.retry(tx, ordered.generation_id, None, model=None, dry_run=False)
    assert retried == [ordered.batch_ids[1]]
    assert await factories.findings(database) == ()


async def test_a_batch_can_be_accepted_while_others_are_retried(database: Database) -> None:
    ordered = await factories.make_order(database, 2, 3)
    for batch_id in ordered.batch_ids:
        claimed = await factories.claim(database, batch_id)
        await factories.hold(database, claimed, 1)
        await factories.fail(database, claimed)
    async with database.write() as tx:
        await steps.retry(tx, ordered.generation_id, [ordered.batch_ids[1]], model=None, dry_run=False)
    await accept(database, ordered.batch_ids[0])
    assert (await factories.load(database, ordered)).status is GenerationState.PROCESSING
    await factories.complete(database, await factories.claim(database, ordered.batch_ids[1]))
    assert (await factories.load(database, ordered)).status is GenerationState.COMPLETED
    assert await factories.findings(database) == ()


async def test_a_batch_is_accepted_once(database: Database, other_database: Database) -> None:
    ordered = await factories.make_partial(database)
    batch_id = ordered.batch_ids[FAILED]
    found = await asyncio.gather(
        *(accept(store, batch_id) for _ in range(5) for store in (database, other_database)), return_exceptions=True
    )
    assert sum(isinstance(result, Batch) for result in found) == 1
    assert sum(isinstance(result, StateConflict) for result in found) == 9
    assert await factories.findings(database) == ()


async def test_only_a_failed_batch_that_holds_something_can_be_accepted(database: Database) -> None:
    ordered = await factories.make_partial(database, held=0)
    with pytest.raises(StateConflict, match="can't be accepted: it is failed and holds 0"):
        await accept(database, ordered.batch_ids[FAILED])
    with pytest.raises(StateConflict, match="can't be accepted: it is completed and holds 0"):
        await accept(database, ordered.batch_ids[COMPLETED])
    working = await factories.make_order(database, 2)
    await factories.hold(database, await factories.claim(database, working.batch_ids[0]), 1)
    with pytest.raises(StateConflict, match="can't be accepted: it is processing and holds 1"):
        await accept(database, working.batch_ids[0])


async def test_nothing_of_a_cancelled_generation_can_be_accepted(database: Database) -> None:
    ordered = await factories.make_order(database, 2, 3)
    claimed = await factories.claim(database, ordered.batch_ids[0])
    await factories.hold(database, claimed, 1)
    await factories.fail(database, claimed)
    async with database.write() as tx:
        await steps.cancel(tx, ordered.generation_id)
    with pytest.raises(StateConflict, match=f"generation {ordered.generation_id} is cancelled"):
        await accept(database, claimed.batch_id)
    assert (await factories.load(database, ordered)).status is GenerationState.CANCELLED
    assert await factories.findings(database) == ()


async def test_someone_elses_batch_is_answered_like_an_unknown_one(database: Database) -> None:
    ordered = await factories.make_partial(database)
    for batch_id, owner in ((uuid4(), OWNER), (ordered.batch_ids[FAILED], "bob")):
        with pytest.raises(NotFound, match=f"^there is no batch {batch_id}$"):
            await accept(database, batch_id, owner=owner)
    assert (await batch_row(database, ordered.batch_ids[FAILED])).state == BatchState.FAILED


async def test_a_worker_that_was_too_late_cannot_add_to_an_accepted_batch(database: Database) -> None:
    ordered = await factories.make_order(database, 3)
    claimed = await factories.claim(database, ordered.batch_ids[0])
    await factories.hold(database, claimed, 1)
    await factories.fail(database, claimed)
    await accept(database, claimed.batch_id)
    with pytest.raises(LeaseLost, match="no more work"):
        await factories.hold(database, claimed, 1)
    assert len(await factories.saved_questions(database, ordered)) == 1


async def test_a_pause_neither_adds_to_the_time_worked_nor_forgives_it(database: Database) -> None:
    ordered = await factories.make_order(database, 1)
    async with database.write() as tx:
        worked = sa.update(tables.generations).values(active_since=seconds_from_now(-1000))
        await tx.execute(worked)
        await control.pause(tx, ordered.generation_id)
        await tx.execute(sa.update(tables.events).values(at=seconds_from_now(-600)))
        await control.resume(tx, ordered.generation_id)
        assert await generations.overdue(tx, after_seconds=390, limit=10) == [ordered.generation_id]
        assert await generations.overdue(tx, after_seconds=410, limit=10) == []


async def test_a_batch_is_accepted_only_under_its_own_generation(database: Database) -> None:
    ordered, other = await factories.make_partial(database), await factories.make_order(database, 1)
    async with database.write() as tx:
        plan = (await batches.of_generations(tx, [ordered.generation_id]))[ordered.generation_id]
        [failed] = [batch for batch in plan if batch.held_count]
        with pytest.raises(NotFound):
            await control.accept(tx, factories.OWNER, failed.id, generation_id=other.generation_id)
        batch, _ = await control.accept(tx, factories.OWNER, failed.id, generation_id=ordered.generation_id)
    assert batch.saved_count == failed.held_count
