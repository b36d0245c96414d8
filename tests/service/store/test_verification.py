"""Verification finds every damage, says where it is, and is silent about sound data."""

import json
from collections.abc import Awaitable, Callable
from pathlib import Path
from uuid import uuid4

import pytest
import sqlalchemy as sa
from sqlalchemy.ext.asyncio import create_async_engine

from schemas.reports import Verification
from schemas.states import BatchState, GenerationState, QuestionState
from service.store import schema, steps, tables, verification
from service.store.database import Database, Tx
from tests import factories
from tests.factories import OVERLOADED, SPENT, Ordered

COMPLETED, FAILED = 0, 1
"""Places of the two batches of a partial generation."""


def of_batch(table: sa.Table, ordered: Ordered, place: int) -> sa.Update:
    column = table.c.id if table is tables.batches else table.c.batch_id
    return sa.update(table).where(column == ordered.batch_ids[place])


def of_generation(ordered: Ordered) -> sa.Update:
    return sa.update(tables.generations).where(tables.generations.c.id == ordered.generation_id)


def event(ordered: Ordered, seq: int) -> sa.ColumnElement[bool]:
    return (tables.events.c.generation_id == ordered.generation_id) & (tables.events.c.seq == seq)


async def retell(tx: Tx, ordered: Ordered, seq: int, event_type: str, **changes: object) -> None:
    """Make an event tell something else."""
    found = sa.select(tables.events.c.data).where(event(ordered, seq))
    data = {**json.loads((await tx.execute(found)).scalar_one()), "type": event_type, **changes}
    changed = sa.update(tables.events).where(event(ordered, seq))
    await tx.execute(changed.values(type=event_type, data=json.dumps(data)))


async def count_too_few(tx: Tx, ordered: Ordered) -> None:
    await tx.execute(of_batch(tables.batches, ordered, FAILED).values(held_count=2))


async def lose_a_saved_question(tx: Tx, ordered: Ordered) -> None:
    lost = (tables.questions.c.batch_id == ordered.batch_ids[COMPLETED]) & (tables.questions.c.slot == 1)
    await tx.execute(sa.delete(tables.questions).where(lost))


async def save_in_an_open_batch(tx: Tx, ordered: Ordered) -> None:
    await tx.execute(of_batch(tables.questions, ordered, FAILED).values(state=QuestionState.SAVED))


async def leave_a_slot_out(tx: Tx, ordered: Ordered) -> None:
    last = of_batch(tables.questions, ordered, FAILED).where(tables.questions.c.slot == 2)
    await tx.execute(last.values(slot=4))


async def hold_under_a_fence_to_come(tx: Tx, ordered: Ordered) -> None:
    await tx.execute(of_batch(tables.questions, ordered, FAILED).values(fence=99))


async def try_under_a_fence_to_come(tx: Tx, ordered: Ordered) -> None:
    await tx.execute(of_batch(tables.attempts, ordered, COMPLETED).values(fence=99))


async def call_it_completed(tx: Tx, ordered: Ordered) -> None:
    await tx.execute(of_generation(ordered).values(state=GenerationState.COMPLETED))


async def forget_to_end_it(tx: Tx, ordered: Ordered) -> None:
    await tx.execute(of_generation(ordered).values(state=GenerationState.PROCESSING, completed_at=None))


async def leave_a_batch_open(tx: Tx, ordered: Ordered) -> None:
    await tx.execute(of_batch(tables.batches, ordered, FAILED).values(state=BatchState.PENDING, error_code=None))


async def cancel_only_the_generation(tx: Tx, ordered: Ordered) -> None:
    await leave_a_batch_open(tx, ordered)
    await tx.execute(of_generation(ordered).values(state=GenerationState.CANCELLED))


async def lose_an_event_in_the_middle(tx: Tx, ordered: Ordered) -> None:
    await tx.execute(sa.delete(tables.events).where(event(ordered, 6)))


async def lose_the_last_event(tx: Tx, ordered: Ordered) -> None:
    await tx.execute(sa.delete(tables.events).where(event(ordered, 11)))


async def count_one_event_too_many(tx: Tx, ordered: Ordered) -> None:
    await tx.execute(of_generation(ordered).values(last_seq=tables.generations.c.last_seq + 1))


async def end_with_another_event(tx: Tx, ordered: Ordered) -> None:
    await retell(tx, ordered, 11, "generation.completed")


async def end_without_a_terminal_event(tx: Tx, ordered: Ordered) -> None:
    await retell(tx, ordered, 11, "generation.resumed")


async def end_with_other_totals(tx: Tx, ordered: Ordered) -> None:
    await retell(tx, ordered, 11, "generation.partial", totals={})


async def complete_a_batch_twice(tx: Tx, ordered: Ordered) -> None:
    await retell(tx, ordered, 4, "batch.completed")


async def complete_a_batch_without_telling(tx: Tx, ordered: Ordered) -> None:
    await retell(tx, ordered, 5, "batch.started")


Damage = Callable[[Tx, Ordered], Awaitable[None]]
DAMAGES: list[tuple[Damage, str, str]] = [
    (count_too_few, "batch_counts", "counts 2 held and 0 saved, but has 3 and 0"),
    (lose_a_saved_question, "batch_counts", "counts 0 held and 2 saved, but has 0 and 1"),
    (save_in_an_open_batch, "batch_counts", "counts 3 held and 0 saved, but has 0 and 3"),
    (leave_a_slot_out, "slots", "has 3 questions up to slot 4"),
    (hold_under_a_fence_to_come, "fences", "but was worked on under 99"),
    (try_under_a_fence_to_come, "fences", "but was worked on under 99"),
    (call_it_completed, "state", "it is completed, but its batches say partial"),
    (forget_to_end_it, "state", "it is processing, but its batches say partial"),
    (leave_a_batch_open, "state", "it is partial, but its batches say not ended"),
    (cancel_only_the_generation, "state", "it is cancelled, but has open batches"),
    (lose_an_event_in_the_middle, "log_numbers", "its log holds 10 events from 1, but counts to 11"),
    (lose_the_last_event, "log_numbers", "its log holds 10 events from 1, but counts to 11"),
    (count_one_event_too_many, "log_numbers", "its log holds 11 events from 1, but counts to 12"),
    (end_with_another_event, "log_fold", "it ended as partial, but its log as generation.completed"),
    (end_without_a_terminal_event, "log_fold", "it is partial, but its last event is generation.resumed"),
    (end_with_other_totals, "log_fold", "its last event says {}, but the rows"),
    (complete_a_batch_twice, "log_fold", "completed 2 times"),
    (complete_a_batch_without_telling, "log_fold", "1 batches are completed, but the log tells of 0"),
]


async def report(database: Database, ordered: Ordered | None = None) -> Verification:
    async with database.read() as tx:
        return await verification.verify(tx, ordered.generation_id if ordered else None)


@pytest.mark.parametrize(("damage", "check", "message"), DAMAGES, ids=[damage.__name__ for damage, _, _ in DAMAGES])
async def test_damage_is_found_and_named(database: Database, damage: Damage, check: str, message: str) -> None:
    sound, ordered = await factories.make_partial(database), await factories.make_partial(database)
    async with database.write() as tx:
        await damage(tx, ordered)
    found = (await report(database)).findings
    assert any(finding.check == check and message in finding.message for finding in found), found
    assert {finding.subject for finding in found} == {f"generation {ordered.generation_id}"}
    assert (await report(database, ordered)).findings == found
    assert (await report(database, sound)).findings == (), "what is sound is not suspected"


def test_every_kind_of_check_finds_something() -> None:
    assert {check for _, check, _ in DAMAGES} == {
        "batch_counts",
        "slots",
        "fences",
        "state",
        "log_numbers",
        "log_fold",
    }


async def test_verification_is_silent_about_sound_data_of_every_kind(database: Database) -> None:
    await factories.make_quiz(database)
    await factories.make_order(database, 2)
    working = await factories.make_order(database, 3, 2)
    claimed = await factories.claim(database, working.batch_ids[0])
    await factories.hold(database, claimed, 2)
    delayed = await factories.claim(database, working.batch_ids[1])
    done = await factories.make_order(database, 1)
    await factories.complete(database, await factories.claim(database, done.batch_ids[0]))
    cancelled = await factories.make_order(database, 2)
    await factories.hold(database, await factories.claim(database, cancelled.batch_ids[0]), 1)
    retried, overdue = await factories.make_partial(database), await factories.make_order(database, 2, 3)
    async with database.write() as tx:
        await steps.delay(tx, delayed, OVERLOADED, SPENT, delay_seconds=5)
        await steps.cancel(tx, cancelled.generation_id)
        await steps.retry(tx, retried.generation_id, None, model=None, dry_run=False)
        await steps.expire(tx, overdue.generation_id, minutes=1)
    await factories.make_partial(database)
    assert await report(database) == Verification(generations=7, findings=())


async def test_verification_of_an_empty_database_and_of_an_unknown_generation_finds_nothing(database: Database) -> None:
    assert await report(database) == Verification(generations=0, findings=())
    async with database.read() as tx:
        assert await verification.verify(tx, uuid4()) == Verification(generations=0, findings=())


async def test_a_log_whose_oldest_entries_were_let_go_is_sound(database: Database) -> None:
    ordered = await factories.make_partial(database)
    async with database.write() as tx:
        await tx.execute(sa.delete(tables.events).where(tables.events.c.seq <= 7))
    assert (await report(database, ordered)).findings == ()
    async with database.write() as tx:
        await tx.execute(sa.delete(tables.events))
    assert (await report(database, ordered)).findings == ()


async def test_a_file_with_torn_references_is_found(tmp_path: Path) -> None:
    url = f"sqlite+aiosqlite:///{tmp_path / 'quizmill.db'}"
    database = Database(url)
    await schema.migrate(database)
    await factories.make_quiz(database)
    engine = create_async_engine(url)
    async with engine.begin() as tx:
        # A connection of nobody of ours: without references, SQLite's own default.
        await tx.execute(sa.delete(tables.quizzes))
    await engine.dispose()
    [finding] = (await report(database)).findings
    await database.close()
    assert (finding.check, finding.subject) == ("foreign_key_check", "database")
    assert "modules" in finding.message
