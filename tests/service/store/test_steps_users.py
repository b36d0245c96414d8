"""What users may do to a generation: retry what failed, and cancel."""

import asyncio
from uuid import UUID, uuid4

import pytest

from schemas.states import AttemptOutcome, BatchState, GenerationState
from service.errors import Invalid, StateConflict
from service.store import attempts, steps
from service.store.database import Database
from tests import factories
from tests.factories import Ordered, batch_row

TASKS = 20


async def retry(
    database: Database,
    ordered: Ordered,
    batch_ids: list[UUID] | None = None,
    *,
    model: str | None = None,
    dry_run: bool = False,
) -> list[UUID]:
    async with database.write() as tx:
        retried, _ = await steps.retry(tx, ordered.generation_id, batch_ids, model=model, dry_run=dry_run)
    return retried


async def cancel(database: Database, ordered: Ordered) -> bool:
    """False: it had been cancelled before."""
    async with database.write() as tx:
        return await steps.cancel(tx, ordered.generation_id) is not None


async def test_a_retry_puts_back_only_what_failed_and_keeps_what_it_holds(database: Database) -> None:
    ordered = await factories.make_partial(database, saved=2, target=5, held=3)
    completed, failed = ordered.batch_ids
    saved = await factories.saved_questions(database, ordered)
    untouched, before = await batch_row(database, completed), await batch_row(database, failed)

    assert await retry(database, ordered) == [failed]

    assert await batch_row(database, completed) == untouched
    assert await factories.saved_questions(database, ordered) == saved
    after = await batch_row(database, failed)
    assert (after.state, after.held_count, after.fence) == (BatchState.PENDING, 3, before.fence + 1)
    assert (after.error_code, after.error_message, after.run_attempts) == (None, None, 0)
    assert after.wanted_at is not None
    generation = await factories.load(database, ordered)
    assert (generation.status, generation.completed_at) == (GenerationState.PROCESSING, None)
    requeued = (await factories.log(database, ordered))[-1]
    assert (requeued["type"], requeued["reason"]) == ("batch.requeued", "retry")
    assert await factories.findings(database) == ()


async def test_a_retried_batch_is_completed_with_what_it_held_and_what_was_missing(database: Database) -> None:
    ordered = await factories.make_partial(database, saved=2, target=5, held=3)
    await retry(database, ordered)
    claimed = await factories.claim(database, ordered.batch_ids[1])
    assert (claimed.run, claimed.number, claimed.run_attempt, claimed.held_count) == (2, 2, 1, 3)
    await factories.complete(database, claimed)
    assert (await factories.load(database, ordered)).status is GenerationState.COMPLETED
    assert len(await factories.saved_questions(database, ordered)) == 7
    assert (await factories.types(database, ordered))[-1] == "generation.completed"
    assert await factories.findings(database) == ()


async def test_a_retry_may_ask_for_another_model(database: Database) -> None:
    ordered = await factories.make_partial(database)
    await retry(database, ordered, model="claude-other")
    assert (await factories.claim(database, ordered.batch_ids[1])).model == "claude-other"


async def test_a_retry_may_name_the_batches_it_is_about(database: Database) -> None:
    ordered = await factories.make_order(database, 2, 3)
    for batch_id in ordered.batch_ids:
        await factories.fail(database, await factories.claim(database, batch_id))
    assert await retry(database, ordered, [ordered.batch_ids[1]]) == [ordered.batch_ids[1]]
    assert (await batch_row(database, ordered.batch_ids[0])).state == BatchState.FAILED
    await factories.complete(database, await factories.claim(database, ordered.batch_ids[1]))
    assert (await factories.load(database, ordered)).status is GenerationState.PARTIAL
    assert await factories.findings(database) == ()


async def test_a_dry_run_tells_what_would_be_retried_and_changes_nothing(database: Database) -> None:
    ordered = await factories.make_partial(database)
    before = await factories.load(database, ordered)
    assert await retry(database, ordered, dry_run=True) == [ordered.batch_ids[1]]
    assert await factories.load(database, ordered) == before


async def test_of_twenty_retries_at_once_one_counts(database: Database, other_database: Database) -> None:
    ordered = await factories.make_partial(database)
    before = await batch_row(database, ordered.batch_ids[1])
    found = await asyncio.gather(
        *(retry(store, ordered) for _ in range(TASKS // 2) for store in (database, other_database)),
        return_exceptions=True,
    )
    assert [result for result in found if isinstance(result, list)] == [[ordered.batch_ids[1]]]
    assert sum(isinstance(result, StateConflict) for result in found) == TASKS - 1
    assert (await batch_row(database, ordered.batch_ids[1])).fence == before.fence + 1
    assert (await factories.types(database, ordered)).count("batch.requeued") == 1
    assert (await factories.claim(database, ordered.batch_ids[1])).run == 2
    assert await factories.findings(database) == ()


async def test_a_named_batch_that_has_not_failed_cannot_be_retried(database: Database) -> None:
    ordered = await factories.make_partial(database)
    completed, failed = ordered.batch_ids
    with pytest.raises(StateConflict, match=f"batch {completed} can't be retried: it is completed"):
        await retry(database, ordered, [failed, completed])
    assert (await batch_row(database, failed)).state == BatchState.FAILED


async def test_a_named_batch_of_another_generation_is_refused_by_its_place(database: Database) -> None:
    ordered = await factories.make_partial(database)
    with pytest.raises(Invalid, match=r"batch_ids\.1: .* is no batch of this generation"):
        await retry(database, ordered, [ordered.batch_ids[1], uuid4()])


@pytest.mark.parametrize(
    "state", [GenerationState.PENDING, GenerationState.PROCESSING, GenerationState.COMPLETED, GenerationState.CANCELLED]
)
async def test_a_generation_that_did_not_fall_short_cannot_be_retried(
    database: Database, state: GenerationState
) -> None:
    ordered = await factories.make_order(database, 2)
    await factories.change_generation(database, ordered, state=state)
    with pytest.raises(StateConflict, match=f"generation {ordered.generation_id} can't be retried: it is {state}"):
        await retry(database, ordered)


async def test_a_cancellation_keeps_finished_batches_and_held_questions(database: Database) -> None:
    ordered = await factories.make_order(database, 2, 5, 3)
    await factories.complete(database, await factories.claim(database, ordered.batch_ids[0]))
    working = await factories.claim(database, ordered.batch_ids[1])
    await factories.hold(database, working, 4)

    assert await cancel(database, ordered)

    generation = await factories.load(database, ordered)
    assert generation.status is GenerationState.CANCELLED
    assert generation.completed_at is not None
    assert [batch.status for batch in generation.batches] == [
        BatchState.COMPLETED,
        BatchState.CANCELLED,
        BatchState.CANCELLED,
    ]
    assert (generation.generated_count, generation.held_count, generation.can_resume) == (2, 4, False)
    assert len(await factories.saved_questions(database, ordered)) == 2
    last = (await factories.log(database, ordered))[-1]
    assert (last["type"], last["generated_count"], last["requested_count"]) == ("generation.cancelled", 2, 10)
    assert last["failed_batches"] == []
    async with database.read() as tx:
        [tries] = (await attempts.of_generation(tx, ordered.generation_id)).values()
    assert [entry.outcome for entry in tries] == [AttemptOutcome.COMPLETED, AttemptOutcome.CANCELLED]
    assert await factories.findings(database) == ()


async def test_cancelling_twice_is_as_good_as_once(database: Database) -> None:
    ordered = await factories.make_order(database, 2)
    assert await cancel(database, ordered)
    before = await factories.load(database, ordered)
    assert not await cancel(database, ordered)
    assert await factories.load(database, ordered) == before
    assert await factories.types(database, ordered) == ["generation.cancelled"]


async def test_a_completed_generation_cannot_be_cancelled(database: Database) -> None:
    ordered = await factories.make_order(database, 2)
    await factories.complete(database, await factories.claim(database, ordered.batch_ids[0]))
    with pytest.raises(StateConflict, match=f"generation {ordered.generation_id} can't be cancelled: it is completed"):
        await cancel(database, ordered)
    assert (await factories.types(database, ordered))[-1] == "generation.completed"


async def test_a_paused_generation_can_be_cancelled(database: Database) -> None:
    ordered = await factories.make_order(database, 2)
    await factories.change_generation(database, ordered, state=GenerationState.PAUSED)
    assert await cancel(database, ordered)
    assert await factories.findings(database) == ()


async def test_a_cancellation_and_the_last_completion_at_once_give_one_end(
    database: Database, other_database: Database
) -> None:
    ordered = await factories.make_order(database, 1)
    claimed = await factories.claim(database, ordered.batch_ids[0])
    await asyncio.gather(factories.complete(database, claimed), cancel(other_database, ordered), return_exceptions=True)
    found = await factories.types(database, ordered)
    assert found[-1] in {"generation.completed", "generation.cancelled"}
    assert sum(entry.startswith("generation.") for entry in found) == 2, "started, and one end"
    assert await factories.findings(database) == ()
