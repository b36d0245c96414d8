"""One row a try: what it cost, how it ended."""

from datetime import timedelta
from uuid import uuid4

from schemas.generations import BatchError
from schemas.states import AttemptOutcome, ErrorCode
from service.store import attempts, steps
from service.store.database import Database
from tests import factories
from tests.factories import OVERLOADED, SPENT, WORKER


async def test_a_try_runs_without_an_end_until_its_batch_ends(database: Database) -> None:
    ordered = await factories.make_order(database, 2)
    claimed = await factories.claim(database, ordered.batch_ids[0])
    async with database.read() as tx:
        [[running]] = (await attempts.of_generation(tx, ordered.generation_id)).values()
    assert (running.number, running.outcome, running.seconds) == (1, AttemptOutcome.RUNNING, None)
    assert (running.worker, running.ended_at) == (WORKER, None)
    assert running.batch_key == claimed.batch_key

    await factories.complete(database, claimed)

    async with database.read() as tx:
        [[ended]] = (await attempts.of_generation(tx, ordered.generation_id)).values()
    assert ended.outcome is AttemptOutcome.COMPLETED
    assert ended.seconds is not None
    assert ended.seconds >= 0
    assert ended.ended_at == ended.started_at + timedelta(seconds=ended.seconds)
    assert ended.error is None
    assert (ended.llm_calls, ended.input_tokens, ended.output_tokens, ended.cost_usd) == (3, 900, 80, 0.25)


async def test_only_running_tries_are_ended(database: Database) -> None:
    ordered = await factories.make_order(database, 2, 3)
    first = await factories.claim(database, ordered.batch_ids[0])
    async with database.write() as tx:
        await steps.delay(tx, first, OVERLOADED, SPENT, delay_seconds=0)
    await factories.claim(database, ordered.batch_ids[0])
    await factories.claim(database, ordered.batch_ids[1])
    async with database.write() as tx:
        await attempts.end(tx, [ordered.batch_ids[0]], AttemptOutcome.CANCELLED)
        [tries] = (await attempts.of_generation(tx, ordered.generation_id)).values()
    assert [(entry.batch_id, entry.number, entry.outcome) for entry in tries] == [
        (ordered.batch_ids[0], 1, AttemptOutcome.RETRYING),
        (ordered.batch_ids[0], 2, AttemptOutcome.CANCELLED),
        (ordered.batch_ids[1], 1, AttemptOutcome.RUNNING),
    ]
    assert tries[0].error == OVERLOADED


async def test_a_batch_that_fails_between_two_tries_fails_with_the_last_of_them(database: Database) -> None:
    ordered = await factories.make_order(database, 2)
    error = BatchError(code=ErrorCode.TIMEOUT, message="too long")
    for _ in range(2):
        claimed = await factories.claim(database, ordered.batch_ids[0])
        async with database.write() as tx:
            await steps.delay(tx, claimed, OVERLOADED, SPENT, delay_seconds=0)
    async with database.write() as tx:
        await attempts.fail_last(tx, ordered.batch_ids, error)
        await attempts.fail_last(tx, ordered.batch_ids, OVERLOADED)
        [tries] = (await attempts.of_generation(tx, ordered.generation_id)).values()
    assert [(entry.outcome, entry.error) for entry in tries] == [
        (AttemptOutcome.RETRYING, OVERLOADED),
        (AttemptOutcome.FAILED, error),
    ], "what has failed before is not told anew"


async def test_tries_are_told_run_by_run(database: Database) -> None:
    ordered = await factories.make_partial(database)
    async with database.write() as tx:
        await steps.retry(tx, ordered.generation_id, None, model=None, dry_run=False)
    await factories.complete(database, await factories.claim(database, ordered.batch_ids[1]))
    async with database.read() as tx:
        found = await attempts.of_generation(tx, ordered.generation_id)
        assert await attempts.of_generation(tx, uuid4()) == {}
    assert {run: [(entry.batch_id, entry.number) for entry in tries] for run, tries in found.items()} == {
        1: [(ordered.batch_ids[0], 1), (ordered.batch_ids[1], 1)],
        2: [(ordered.batch_ids[1], 2)],
    }
