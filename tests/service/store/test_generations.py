"""Generations as their owners read them, and the few states they pass through."""

import asyncio
from uuid import UUID, uuid4

import pytest
import sqlalchemy as sa

from schemas.calls import Usage
from schemas.plans import Wakeup
from schemas.states import EntityType, GenerationState, Priority, QuestionType
from service.errors import BadRequest, NotFound
from service.store import generations, steps, tables
from service.store.database import Database
from service.store.generations import Filter
from tests import factories
from tests.factories import OWNER, SPENT


async def pages(database: Database, wanted: Filter, *, limit: int, owner: str = OWNER) -> list[list[UUID]]:
    """Every page of the list, by following its cursors."""
    found, cursor = [], None
    for _ in range(100):
        async with database.read() as tx:
            page = await generations.page(tx, owner, wanted, limit=limit, cursor=cursor)
        found.append([generation.id for generation in page.items])
        cursor = page.next_cursor
        if cursor is None:
            return found
    raise AssertionError("the list does not end")


async def listed(database: Database, wanted: Filter) -> set[UUID]:
    [found] = await pages(database, wanted, limit=100)
    return set(found)


async def test_a_new_generation_says_what_was_ordered(database: Database) -> None:
    ordered = await factories.make_order(database, 20, 15, priority=Priority.HIGH)
    generation = await factories.load(database, ordered)
    assert (generation.status, generation.priority, generation.entity_type) == ("pending", "high", "question")
    assert (generation.requested_count, generation.generated_count, generation.failed_count) == (35, 0, 0)
    assert generation.message == "Generating... usually under 1 minute. 0 of 35 questions created"
    assert (generation.started_at, generation.completed_at, generation.error) == (None, None, None)
    assert (generation.can_resume, generation.last_event_id, generation.usage) == (False, 0, Usage())
    assert [batch.target_count for batch in generation.batches] == [20, 15]
    assert generation.links.events == f"/api/generations/{ordered.generation_id}/events"
    assert generation.links.questions == f"/api/generations/{ordered.generation_id}/questions"
    assert generation.links.retry == f"/api/generations/{ordered.generation_id}/retry"


async def test_a_partial_generation_says_what_is_there_and_what_can_be_done(database: Database) -> None:
    ordered = await factories.make_partial(database, saved=2, target=5, held=3)
    generation = await factories.load(database, ordered)
    assert generation.status is GenerationState.PARTIAL
    assert (generation.requested_count, generation.generated_count) == (7, 2)
    assert (generation.failed_count, generation.held_count) == (5, 3), "held ones included"
    assert generation.message == "2 of 7 questions created"
    assert generation.error == factories.OVERLOADED
    assert generation.can_resume
    assert generation.usage.llm_calls == 2 * len(SPENT)
    assert generation.completed_at is not None
    assert generation.started_at is not None
    assert generation.requested_at <= generation.started_at <= generation.completed_at


async def test_someone_elses_generation_is_answered_like_an_unknown_one(database: Database) -> None:
    ordered = await factories.make_order(database, 2, owner="bob")
    async with database.read() as tx:
        for generation_id in (ordered.generation_id, uuid4()):
            for ask in (generations.load, generations.require):
                with pytest.raises(NotFound, match=f"^there is no generation {generation_id}$"):
                    await ask(tx, OWNER, generation_id)
        await generations.require(tx, "bob", ordered.generation_id)


async def test_a_list_shows_only_what_is_the_owners(database: Database) -> None:
    mine = await factories.make_order(database, 2)
    await factories.make_order(database, 2, owner="bob")
    assert await listed(database, Filter()) == {mine.generation_id}


@pytest.mark.parametrize("limit", [1, 2, 3, 6, 7, 100])
async def test_following_the_cursors_shows_everything_once_newest_first(database: Database, limit: int) -> None:
    ordered = [await factories.make_order(database, 1) for _ in range(7)]
    # Three of one moment: then the id decides.
    for age, entry in zip((60, 50, 40, 40, 40, 30, 20), ordered, strict=True):
        await factories.backdate(database, entry, age)
    moment = sa.select(sa.func.max(tables.generations.c.requested_at)).where(
        tables.generations.c.id.in_([entry.generation_id for entry in ordered[2:5]])
    )
    async with database.write() as tx:
        same = sa.update(tables.generations).where(
            tables.generations.c.id.in_([entry.generation_id for entry in ordered[2:5]])
        )
        await tx.execute(same.values(requested_at=(await tx.execute(moment)).scalar_one()))
    tied = sorted((entry.generation_id for entry in ordered[2:5]), reverse=True)
    expected = [ordered[6].generation_id, ordered[5].generation_id, *tied, *(o.generation_id for o in ordered[1::-1])]

    found = await pages(database, Filter(), limit=limit)

    assert [generation_id for page in found for generation_id in page] == expected
    assert all(len(page) == limit for page in found[:-1])


async def test_what_is_ordered_while_someone_pages_is_not_shown_in_between(database: Database) -> None:
    for age in (30, 20, 10):
        await factories.backdate(database, await factories.make_order(database, 1), age)
    async with database.read() as tx:
        first = await generations.page(tx, OWNER, Filter(), limit=2, cursor=None)
    await factories.make_order(database, 1)
    async with database.read() as tx:
        second = await generations.page(tx, OWNER, Filter(), limit=2, cursor=first.next_cursor)
    assert len({generation.id for generation in (*first.items, *second.items)}) == 3
    assert second.next_cursor is None


async def test_a_forged_cursor_is_refused(database: Database) -> None:
    async with database.read() as tx:
        with pytest.raises(BadRequest):
            await generations.page(tx, OWNER, Filter(), limit=2, cursor="forged")


async def test_a_list_can_be_narrowed_by_state_type_and_quiz(database: Database) -> None:
    partial = await factories.make_partial(database)
    again = await factories.make_order(database, 3, 4, on=partial, question_type=QuestionType.FLASHCARD)
    other = await factories.make_order(database, 1)
    assert await listed(database, Filter(status=GenerationState.PARTIAL)) == {partial.generation_id}
    assert await listed(database, Filter(entity_type=EntityType.FLASHCARD)) == {again.generation_id}
    assert await listed(database, Filter(quiz_id=partial.quiz_id)) == {partial.generation_id, again.generation_id}
    assert await listed(database, Filter(quiz_id=other.quiz_id, status=GenerationState.PARTIAL)) == set()


async def test_a_list_can_show_what_a_retry_or_resume_would_move(database: Database) -> None:
    partial = await factories.make_partial(database)
    paused = await factories.make_order(database, 1)
    await factories.change_generation(database, paused, state=GenerationState.PAUSED)
    running = await factories.make_order(database, 1)
    done = await factories.make_order(database, 1)
    await factories.complete(database, await factories.claim(database, done.batch_ids[0]))
    resumable = {partial.generation_id, paused.generation_id}
    assert await listed(database, Filter(resumable=True)) == resumable
    assert await listed(database, Filter(resumable=False)) == {running.generation_id, done.generation_id}
    for ordered in (partial, paused, running, done):
        can_resume = (await factories.load(database, ordered)).can_resume
        assert can_resume is (ordered.generation_id in resumable), "list and generation agree"


async def test_the_lock_makes_a_second_change_wait_for_the_first(database: Database, other_database: Database) -> None:
    ordered = await factories.make_order(database, 1)
    order_of_ends: list[str] = []

    async def change_later() -> None:
        async with other_database.write() as tx:
            state = await generations.lock(tx, ordered.generation_id)
            order_of_ends.append(state)

    async with database.write() as tx:
        assert await generations.lock(tx, ordered.generation_id) is GenerationState.PENDING
        second = asyncio.create_task(change_later())
        await generations.start(tx, ordered.generation_id)
        order_of_ends.append("first")
    await second
    assert order_of_ends == ["first", GenerationState.PROCESSING], "the second sees what the first has made of it"


async def test_a_generation_starts_and_ends_once(database: Database) -> None:
    ordered = await factories.make_order(database, 1)
    async with database.write() as tx:
        assert await generations.start(tx, ordered.generation_id)
        assert not await generations.start(tx, ordered.generation_id)
        assert await generations.end(tx, ordered.generation_id, GenerationState.FAILED)
        assert not await generations.end(tx, ordered.generation_id, GenerationState.FAILED)
        assert not await generations.end(tx, ordered.generation_id, GenerationState.CANCELLED)
        assert await generations.lock(tx, ordered.generation_id) is GenerationState.FAILED


async def test_only_what_fell_short_runs_again(database: Database) -> None:
    ordered = await factories.make_order(database, 1)
    async with database.write() as tx:
        assert not await generations.run_again(tx, ordered.generation_id)
    await factories.fail(database, await factories.claim(database, ordered.batch_ids[0]))
    async with database.write() as tx:
        assert await generations.run_again(tx, ordered.generation_id)
    generation = await factories.load(database, ordered)
    assert (generation.status, generation.completed_at) == (GenerationState.PROCESSING, None)


async def test_a_generation_is_overdue_when_its_run_has_worked_for_too_long(database: Database) -> None:
    old, fresh, ended = [await factories.make_order(database, 1) for _ in range(3)]
    await factories.backdate(database, old, 7200)
    await factories.backdate(database, ended, 7200)
    await factories.fail(database, await factories.claim(database, ended.batch_ids[0]))
    async with database.read() as tx:
        assert await generations.overdue(tx, after_seconds=3600, limit=10) == [old.generation_id]
        assert await generations.overdue(tx, after_seconds=3600, limit=0) == []
        assert len(await generations.overdue(tx, after_seconds=-60, limit=10)) == 2
    async with database.write() as tx:
        await steps.retry(tx, ended.generation_id, None, model=None, dry_run=False)
    async with database.read() as tx:
        found = await generations.overdue(tx, after_seconds=3600, limit=10)
    assert found == [old.generation_id], "a retry has all its time again"
    assert fresh.generation_id not in found


async def test_growing_are_the_generations_that_want_work(database: Database) -> None:
    working = await factories.make_order(database, 1)
    await factories.claim(database, working.batch_ids[0])
    waiting = await factories.make_order(database, 1)
    await factories.make_partial(database)
    async with database.read() as tx:
        found = await generations.growing(tx, limit=10)
    assert {(wakeup.generation_id, wakeup.seq) for wakeup in found} == {
        (working.generation_id, 2),
        (waiting.generation_id, 0),
    }
    assert all(isinstance(wakeup, Wakeup) for wakeup in found)
