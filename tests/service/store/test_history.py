"""What became of a quiz's batches, run by run, read from the rows."""

from uuid import uuid4

from service.store import history, steps
from service.store.database import Database
from tests import factories
from tests.factories import OVERLOADED, SPENT


async def retry(database: Database, ordered: factories.Ordered) -> None:
    async with database.write() as tx:
        await steps.retry(tx, ordered.generation_id, None, model=None, dry_run=False)


async def test_a_quiz_without_an_ended_batch_has_no_history(database: Database) -> None:
    ordered = await factories.make_order(database, 2)
    claimed = await factories.claim(database, ordered.batch_ids[0])
    async with database.write() as tx:
        await steps.delay(tx, claimed, OVERLOADED, delay_seconds=0)
        assert await history.of_quizzes(tx, [ordered.quiz_id, uuid4()]) == {}


async def test_an_order_that_fell_short_says_which_batches_failed_and_why(database: Database) -> None:
    ordered = await factories.make_partial(database, saved=2, target=5, held=3)
    metadata = (await factories.load_quiz(database, ordered)).generation_metadata
    completed, failed = (f"{m}_multiple_choice_{n}" for m, n in zip(ordered.module_ids, (2, 5), strict=True))
    assert (metadata.successful_batches, metadata.failed_batches) == ((completed,), (failed,))
    assert (metadata.total_questions_saved, metadata.total_questions_target) == (2, 7)
    [first] = metadata.generation_attempts
    assert first.overall_status == "partial_success"
    result = first.batch_results[failed]
    assert (result.module_id, result.module_name) == (ordered.module_ids[1], "Module 2")
    assert (result.status, result.target_count, result.generated_count, result.questions_saved) == ("failed", 5, 3, 0)
    assert result.error == OVERLOADED.message
    assert first.batch_results[completed].questions_saved == 2
    assert metadata.last_updated == first.timestamp


async def test_a_retry_that_helps_changes_nothing_about_the_run_before(database: Database) -> None:
    ordered = await factories.make_partial(database, saved=2, target=5, held=3)
    [before] = (await factories.load_quiz(database, ordered)).generation_metadata.generation_attempts
    await retry(database, ordered)
    await factories.complete(database, await factories.claim(database, ordered.batch_ids[1]))
    metadata = (await factories.load_quiz(database, ordered)).generation_metadata
    first, second = metadata.generation_attempts
    assert first == before
    assert second.overall_status == "complete_success"
    [result] = second.batch_results.values()
    assert (result.generated_count, result.questions_saved) == (5, 5)
    assert metadata.failed_batches == ()
    assert metadata.total_questions_saved == 7


async def test_a_retry_that_fails_again_adds_to_what_is_held(database: Database) -> None:
    ordered = await factories.make_partial(database, saved=2, target=5, held=1)
    await retry(database, ordered)
    claimed = await factories.claim(database, ordered.batch_ids[1])
    await factories.hold(database, claimed, 2)
    await factories.fail(database, claimed, spent=SPENT)
    metadata = (await factories.load_quiz(database, ordered)).generation_metadata
    key = claimed.batch_key
    counts = [attempt.batch_results[key].generated_count for attempt in metadata.generation_attempts]
    assert counts == [1, 3]
    assert metadata.failed_batches == (key,)


async def test_orders_of_one_quiz_share_its_history(database: Database) -> None:
    ordered = await factories.make_partial(database)
    await factories.backdate(database, ordered, 60)
    again = await factories.make_order(database, 1, 2, on=ordered)
    for batch_id in again.batch_ids:
        await factories.complete(database, await factories.claim(database, batch_id))
    metadata = (await factories.load_quiz(database, ordered)).generation_metadata
    assert [(entry.attempt_number, entry.overall_status) for entry in metadata.generation_attempts] == [
        (1, "partial_success"),
        (2, "complete_success"),
    ]
    stranger = await factories.make_partial(database)
    async with database.read() as tx:
        found = await history.of_quizzes(tx, [ordered.quiz_id, stranger.quiz_id])
    assert found[ordered.quiz_id] == metadata
    assert len(found[stranger.quiz_id].generation_attempts) == 1
