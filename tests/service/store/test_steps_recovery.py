"""Lost workers and generations that take too long: nothing held is lost, and everything ends."""

import asyncio

import pytest

from schemas.plans import Claim, Wakeup
from schemas.states import AttemptOutcome, BatchState, ErrorCode, GenerationState
from service.errors import LeaseLost
from service.rules import history
from service.store import attempts, batches, steps
from service.store.database import Database
from tests import factories
from tests.factories import LEASE_SECONDS, OVERLOADED, SPENT, WORKER, Ordered, batch_row

EXPIRED = -1.0
MINUTES = 240


async def take_back(database: Database, claimed: Claim, *, only_expired: bool = True) -> Wakeup:
    async with database.write() as tx:
        return await steps.take_back(tx, claimed, only_expired=only_expired)


async def lose(database: Database, ordered: Ordered) -> None:
    """A worker claims the first batch and is never heard of again."""
    await take_back(database, await factories.claim(database, ordered.batch_ids[0], lease_seconds=EXPIRED))


async def expire(database: Database, ordered: Ordered) -> Wakeup | None:
    async with database.write() as tx:
        return await steps.expire(tx, ordered.generation_id, minutes=MINUTES)


async def outcome_of_run(database: Database, ordered: Ordered) -> str:
    """What GET .../attempts says about the last run."""
    async with database.read() as tx:
        runs = await attempts.of_generation(tx, ordered.generation_id)
    return history.generation_attempts(runs, is_cancelled=False)[-1].outcome


async def failed_batches(database: Database, ordered: Ordered) -> tuple[str, ...]:
    """What the quiz's metadata says."""
    return (await factories.load_quiz(database, ordered)).generation_metadata.failed_batches


async def test_a_lost_workers_batch_goes_back_with_all_it_holds(database: Database) -> None:
    ordered = await factories.make_order(database, 4)
    claimed = await factories.claim(database, ordered.batch_ids[0])
    await factories.hold(database, claimed, 3)
    await take_back(database, claimed, only_expired=False)

    again = await factories.claim(database, claimed.batch_id, worker="worker-2")

    assert (again.held_count, again.number, again.run_attempt) == (3, 2, 1)
    requeued = (await factories.log(database, ordered))[-2]
    assert (requeued["type"], requeued["reason"]) == ("batch.requeued", "worker_lost")
    assert requeued["batch_key"] == claimed.batch_key
    async with database.read() as tx:
        [tries] = (await attempts.of_generation(tx, ordered.generation_id)).values()
    assert [entry.outcome for entry in tries] == [AttemptOutcome.WORKER_LOST, AttemptOutcome.RUNNING]
    await factories.complete(database, again)
    assert await factories.findings(database) == ()


async def test_a_worker_that_renewed_its_lease_in_time_keeps_its_batch(database: Database) -> None:
    ordered = await factories.make_order(database, 4)
    claimed = await factories.claim(database, ordered.batch_ids[0], lease_seconds=EXPIRED)
    async with database.write() as tx:
        await batches.renew_leases(tx, WORKER, ordered.batch_ids, lease_seconds=LEASE_SECONDS)
    async with database.write() as tx:
        with pytest.raises(LeaseLost):
            await steps.take_back(tx, claimed, only_expired=True)
    await factories.complete(database, claimed)
    assert "batch.requeued" not in await factories.types(database, ordered)


async def test_a_worker_seen_to_die_loses_its_batch_before_the_lease_ends(database: Database) -> None:
    ordered = await factories.make_order(database, 4)
    claimed = await factories.claim(database, ordered.batch_ids[0])
    await take_back(database, claimed, only_expired=False)
    assert (await batch_row(database, claimed.batch_id)).state == BatchState.PENDING


async def test_of_twenty_sweepers_exactly_one_takes_a_batch_back(database: Database, other_database: Database) -> None:
    ordered = await factories.make_order(database, 4)
    claimed = await factories.claim(database, ordered.batch_ids[0], lease_seconds=EXPIRED)
    found = await asyncio.gather(
        *(take_back(store, claimed) for _ in range(10) for store in (database, other_database)), return_exceptions=True
    )
    assert sum(isinstance(result, Wakeup) for result in found) == 1
    assert sum(isinstance(result, LeaseLost) for result in found) == 19
    assert (await factories.types(database, ordered)).count("batch.requeued") == 1
    assert (await batch_row(database, claimed.batch_id)).losses == 1


async def test_a_batch_over_which_five_workers_died_in_a_row_is_poisoned(database: Database) -> None:
    ordered = await factories.make_order(database, 4)
    for losses in range(1, steps.LOSSES_MAX):
        await lose(database, ordered)
        assert (await batch_row(database, ordered.batch_ids[0])).losses == losses
    await lose(database, ordered)

    generation = await factories.load(database, ordered)
    [batch] = generation.batches
    assert (generation.status, batch.status) == (GenerationState.FAILED, BatchState.FAILED)
    assert batch.error is not None
    assert batch.error.code is ErrorCode.POISONED
    assert (await factories.types(database, ordered))[-2:] == ["batch.failed", "generation.failed"]
    assert await factories.findings(database) == ()


async def test_a_poisoned_batch_counts_as_failed_in_the_history(database: Database) -> None:
    ordered = await factories.make_order(database, 4)
    for _ in range(steps.LOSSES_MAX):
        await lose(database, ordered)
    assert await outcome_of_run(database, ordered) == "failed"
    [batch] = (await factories.load(database, ordered)).batches
    assert await failed_batches(database, ordered) == (batch.batch_key,)


async def test_progress_forgives_the_losses_before_it(database: Database) -> None:
    ordered = await factories.make_order(database, 4)
    for _ in range(steps.LOSSES_MAX - 1):
        await lose(database, ordered)
    claimed = await factories.claim(database, ordered.batch_ids[0])
    await factories.hold(database, claimed, 0)
    assert (await batch_row(database, claimed.batch_id)).losses == steps.LOSSES_MAX - 1, "nothing held is no progress"
    await factories.hold(database, claimed, 1)
    assert (await batch_row(database, claimed.batch_id)).losses == 0
    await take_back(database, claimed, only_expired=False)
    assert (await factories.load(database, ordered)).status is GenerationState.PROCESSING


async def test_a_worker_that_gave_the_batch_back_alive_breaks_the_row_of_losses(database: Database) -> None:
    ordered = await factories.make_order(database, 4)
    for _ in range(steps.LOSSES_MAX - 1):
        await lose(database, ordered)
    alive = await factories.claim(database, ordered.batch_ids[0])
    async with database.write() as tx:
        await steps.delay(tx, alive, OVERLOADED, SPENT, delay_seconds=0)
    await lose(database, ordered)
    assert (await factories.load(database, ordered)).status is GenerationState.PROCESSING


async def test_a_batch_that_has_ended_cannot_be_taken_back(database: Database) -> None:
    ordered = await factories.make_order(database, 2, 3)
    claimed = await factories.claim(database, ordered.batch_ids[0])
    await factories.complete(database, claimed)
    async with database.write() as tx:
        with pytest.raises(LeaseLost):
            await steps.take_back(tx, claimed, only_expired=False)
    assert len(await factories.saved_questions(database, ordered)) == 2


async def test_an_overdue_generation_ends_with_what_it_has(database: Database) -> None:
    ordered = await factories.make_order(database, 1, 2, 3)
    await factories.complete(database, await factories.claim(database, ordered.batch_ids[0]))
    working = await factories.claim(database, ordered.batch_ids[1])
    await factories.hold(database, working, 1)
    assert await expire(database, ordered) is not None

    generation = await factories.load(database, ordered)
    assert generation.status is GenerationState.PARTIAL
    assert (generation.generated_count, generation.held_count, generation.failed_count) == (1, 1, 5)
    assert [batch.error.code for batch in generation.batches if batch.error] == [ErrorCode.TIMEOUT] * 2
    assert generation.error is not None
    assert "was not done after 240 minutes" in generation.error.message
    assert (await factories.types(database, ordered))[-3:] == ["batch.failed", "batch.failed", "generation.partial"]
    assert await expire(database, ordered) is None, "it has ended"
    assert await factories.findings(database) == ()


async def test_an_overdue_generation_that_nobody_worked_on_fails(database: Database) -> None:
    ordered = await factories.make_order(database, 2)
    assert await expire(database, ordered) is not None
    assert (await factories.load(database, ordered)).status is GenerationState.FAILED
    assert await factories.types(database, ordered) == ["batch.failed", "generation.failed"]
    assert await factories.findings(database) == ()


async def test_a_batch_that_ran_out_of_time_between_two_tries_counts_as_failed_in_the_history(
    database: Database,
) -> None:
    ordered = await factories.make_order(database, 2)
    claimed = await factories.claim(database, ordered.batch_ids[0])
    async with database.write() as tx:
        await steps.delay(tx, claimed, OVERLOADED, SPENT, delay_seconds=3600)
    await expire(database, ordered)
    assert await outcome_of_run(database, ordered) == "failed"
    assert await failed_batches(database, ordered) == (claimed.batch_key,)
    async with database.read() as tx:
        [[entry]] = (await attempts.of_generation(tx, ordered.generation_id)).values()
    assert entry.error is not None
    assert entry.error.code is ErrorCode.TIMEOUT
