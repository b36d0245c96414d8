"""Verification finds every damage, says where it is, and is silent about sound data."""

import asyncio
import json
from collections.abc import AsyncIterator, Awaitable, Callable
from pathlib import Path
from uuid import uuid4

import pytest
import sqlalchemy as sa
from sqlalchemy.ext.asyncio import create_async_engine

from schemas.events import BatchRetrying, GenerationPaused, Happening
from schemas.plans import Claim, Place
from schemas.reports import Verification
from schemas.states import AttemptOutcome, BatchState, ErrorCode, GenerationState, QuestionState
from service.store import control, events, row_checks, schema, steps, tables, verification
from service.store.database import Database, Tx, db_now
from tests import factories
from tests.factories import OVERLOADED, OWNER, SPENT, Ordered

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
    await retell(tx, ordered, 11, "generation.partial", totals={**await totals_of(tx, ordered, 11), "held": 4})


async def complete_a_batch_twice(tx: Tx, ordered: Ordered) -> None:
    await retell(tx, ordered, 4, "batch.completed")


async def complete_a_batch_without_telling(tx: Tx, ordered: Ordered) -> None:
    await retell(tx, ordered, 5, "batch.started")


async def shift_a_quote(tx: Tx, ordered: Ordered) -> None:
    shifted = of_batch(tables.questions, ordered, COMPLETED).where(tables.questions.c.slot == 1)
    await tx.execute(shifted.values(evidence_start=1, evidence_end=30))


async def quote_beyond_the_end(tx: Tx, ordered: Ordered) -> None:
    await tx.execute(of_batch(tables.questions, ordered, COMPLETED).values(evidence_end=10_000))


async def rewrite_the_module(tx: Tx, ordered: Ordered) -> None:
    module = tables.modules.c.id == ordered.module_ids[COMPLETED]
    await tx.execute(sa.update(tables.modules).where(module).values(text="Something else."))


async def hold_under_older_fences_later(tx: Tx, ordered: Ordered) -> None:
    await tx.execute(of_batch(tables.batches, ordered, FAILED).values(fence=9))
    first = of_batch(tables.questions, ordered, FAILED).where(tables.questions.c.slot == 0)
    await tx.execute(first.values(fence=7))


async def forget_an_attempt(tx: Tx, ordered: Ordered) -> None:
    await tx.execute(of_batch(tables.batches, ordered, FAILED).values(attempts=2))


async def leave_an_attempt_running(tx: Tx, ordered: Ordered) -> None:
    await tx.execute(of_batch(tables.attempts, ordered, FAILED).values(outcome=AttemptOutcome.RUNNING, ended_at=None))


async def end_an_attempt_otherwise(tx: Tx, ordered: Ordered) -> None:
    await tx.execute(of_batch(tables.attempts, ordered, COMPLETED).values(outcome=AttemptOutcome.CANCELLED))


async def end_an_attempt_at_no_time(tx: Tx, ordered: Ordered) -> None:
    await tx.execute(of_batch(tables.attempts, ordered, COMPLETED).values(ended_at=None))


async def lease_to_someone_else(tx: Tx, ordered: Ordered) -> None:
    await work_on(tx, ordered)
    await tx.execute(of_batch(tables.batches, ordered, FAILED).values(lease_owner="worker-2"))


async def want_nobody_to_come(tx: Tx, ordered: Ordered) -> None:
    await steps.retry(tx, ordered.generation_id, None, model=None, dry_run=False)
    await tx.execute(of_batch(tables.batches, ordered, FAILED).values(wanted_at=None))


async def delay_what_has_ended(tx: Tx, ordered: Ordered) -> None:
    await tx.execute(of_batch(tables.batches, ordered, FAILED).values(not_before=db_now()))


async def fail_without_a_word(tx: Tx, ordered: Ordered) -> None:
    await tx.execute(of_batch(tables.batches, ordered, FAILED).values(error_message=None))


async def ask_about_another_module(tx: Tx, ordered: Ordered) -> None:
    other = ordered.module_ids[COMPLETED]
    await tx.execute(of_batch(tables.questions, ordered, FAILED).values(module_id=other))


async def lend_a_module_of_another_quiz(tx: Tx, ordered: Ordered) -> None:
    other = sa.select(tables.modules.c.id).where(tables.modules.c.quiz_id != ordered.quiz_id).limit(1)
    await tx.execute(of_batch(tables.batches, ordered, FAILED).values(module_id=other.scalar_subquery()))


async def give_an_attempt_away(tx: Tx, ordered: Ordered) -> None:
    other = sa.select(tables.generations.c.id).where(tables.generations.c.id != ordered.generation_id).limit(1)
    await tx.execute(of_batch(tables.attempts, ordered, FAILED).values(generation_id=other.scalar_subquery()))


async def give_a_call_away(tx: Tx, ordered: Ordered) -> None:
    other = sa.select(tables.generations.c.id).where(tables.generations.c.id != ordered.generation_id).limit(1)
    await tx.execute(of_batch(tables.calls, ordered, COMPLETED).values(generation_id=other.scalar_subquery()))


async def lose_a_call(tx: Tx, ordered: Ordered) -> None:
    lost = (tables.calls.c.batch_id == ordered.batch_ids[FAILED]) & (tables.calls.c.number == 2)
    await tx.execute(sa.delete(tables.calls).where(lost))


async def ask_under_a_fence_of_nobody(tx: Tx, ordered: Ordered) -> None:
    await tx.execute(of_batch(tables.calls, ordered, FAILED).values(fence=77))


async def work_without_a_start(tx: Tx, ordered: Ordered) -> None:
    await work_on(tx, ordered)
    await tx.execute(of_generation(ordered).values(started_at=None))


async def cancel_only_a_batch(tx: Tx, ordered: Ordered) -> None:
    await tx.execute(of_batch(tables.batches, ordered, FAILED).values(state=BatchState.CANCELLED, error_code=None))


async def tell_of_a_wrong_sum_in_the_middle(tx: Tx, ordered: Ordered) -> None:
    await retell(tx, ordered, 8, "question.accepted", totals={**await totals_of(tx, ordered, 8), "held": 9})


async def tell_of_a_wrong_count(tx: Tx, ordered: Ordered) -> None:
    await retell(tx, ordered, 8, "question.accepted", held_count=1)


async def tell_of_a_wrong_attempt(tx: Tx, ordered: Ordered) -> None:
    await retell(tx, ordered, 6, "batch.started", attempt=2)


async def tell_of_an_unknown_batch(tx: Tx, ordered: Ordered) -> None:
    await retell(tx, ordered, 7, "question.accepted", batch_id=str(uuid4()))


async def tell_of_something_unheard_of(tx: Tx, ordered: Ordered) -> None:
    await retell(tx, ordered, 7, "question.forgotten")


async def end_in_the_middle(tx: Tx, ordered: Ordered) -> None:
    await retell(
        tx, ordered, 6, "generation.partial", generated_count=2, requested_count=7, failed_batches=[], batch_id=None
    )


async def end_twice(tx: Tx, ordered: Ordered) -> None:
    await retell(
        tx, ordered, 10, "generation.partial", generated_count=2, requested_count=7, failed_batches=[], batch_id=None
    )


async def end_with_other_counts(tx: Tx, ordered: Ordered) -> None:
    await retell(tx, ordered, 11, "generation.partial", generated_count=7)


async def retry_without_telling(tx: Tx, ordered: Ordered) -> None:
    await steps.retry(tx, ordered.generation_id, None, model=None, dry_run=False)
    await retell(tx, ordered, 12, "batch.requeued", reason="worker_lost")


async def complete_what_is_not_whole(tx: Tx, ordered: Ordered) -> None:
    await retell(tx, ordered, 10, "batch.completed", saved_count=5)


async def start_twice(tx: Tx, ordered: Ordered) -> None:
    await retell(tx, ordered, 6, "generation.started", batch_id=None)


async def pause_after_the_end(tx: Tx, ordered: Ordered) -> None:
    await control_append(tx, ordered, GenerationPaused())


async def garble_an_event(tx: Tx, ordered: Ordered) -> None:
    await tx.execute(sa.update(tables.events).where(event(ordered, 7)).values(data='{"type": "question.acc'))


async def swap_an_event(tx: Tx, ordered: Ordered) -> None:
    await tx.execute(sa.update(tables.events).where(event(ordered, 7)).values(type="question.rejected"))


async def totals_of(tx: Tx, ordered: Ordered, seq: int) -> dict[str, int]:
    found = sa.select(tables.events.c.data).where(event(ordered, seq))
    totals: dict[str, int] = json.loads((await tx.execute(found)).scalar_one())["totals"]
    return totals


async def work_on(tx: Tx, ordered: Ordered) -> None:
    """The failed batch is being worked on again."""
    await steps.retry(tx, ordered.generation_id, None, model=None, dry_run=False)
    batch_id = ordered.batch_ids[FAILED]
    found = sa.select(tables.batches.c.fence).where(tables.batches.c.id == batch_id)
    fence = (await tx.execute(found)).scalar_one()
    taken, _ = await steps.claim(tx, [Place(batch_id, fence)], worker="worker-1", lease_seconds=60)
    assert taken


async def control_append(tx: Tx, ordered: Ordered, happening: Happening) -> None:
    await events.append(tx, ordered.generation_id, [happening])


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
    (give_an_attempt_away, "belonging", "says that it is another generation's"),
    (give_a_call_away, "calls", "says that it is another generation's"),
    (lose_a_call, "calls", "under fence 1 in calls numbered [1, 3]"),
    (ask_under_a_fence_of_nobody, "calls", "under fence 77, which no attempt had"),
    (end_with_another_event, "log_fold", "it ended as partial, but its log as generation.completed"),
    (end_without_a_terminal_event, "log_fold", "it is partial, but its last event is generation.resumed"),
    (end_with_other_totals, "log_fold", "its last event says {'target': 7, 'saved': 2, 'held': 4,"),
    (complete_a_batch_twice, "log_fold", "event 5 (batch.completed): the batch was completed"),
    (shift_a_quote, "evidence", "quotes what its module does not say at 1 to 30"),
    (quote_beyond_the_end, "evidence", "quotes what its module does not say at 0 to 10000"),
    (rewrite_the_module, "evidence", "quotes what its module does not say at 0 to 29"),
    (hold_under_older_fences_later, "fences", "was filled under the fences [7, 1, 1]"),
    (hold_under_a_fence_to_come, "fences", "was filled under the fences [99], which no attempt had"),
    (forget_an_attempt, "attempts", "counts 2 attempts, but has the numbers [1]"),
    (leave_an_attempt_running, "attempts", "is failed, but attempt 1 is running"),
    (end_an_attempt_otherwise, "attempts", "is completed, but attempt 1 is cancelled"),
    (end_an_attempt_at_no_time, "attempts", "is completed, ended None"),
    (lease_to_someone_else, "attempts", "is leased to worker-2, but the last attempt is not that one's"),
    (want_nobody_to_come, "leases", "is pending, but nobody wants it in the queue"),
    (delay_what_has_ended, "leases", "is failed, but wanted at None, not before 20"),
    (fail_without_a_word, "leases", "is failed with the error provider_overloaded: None"),
    (ask_about_another_module, "belonging", "says otherwise than its batch"),
    (lend_a_module_of_another_quiz, "belonging", "is about a module of another quiz"),
    (work_without_a_start, "state", "it is processing, but has not started"),
    (cancel_only_a_batch, "state", "it is partial, but has cancelled batches"),
    (
        tell_of_a_wrong_sum_in_the_middle,
        "log_fold",
        "event 8 (question.accepted): it says {'target': 7, 'saved': 2, 'held': 9",
    ),
    (
        tell_of_a_wrong_count,
        "log_fold",
        "event 8 (question.accepted): it says 1 of 5, but it is target 5, 0 saved, 2 held",
    ),
    (tell_of_a_wrong_attempt, "log_fold", "it says attempt 2, but it is attempt 1"),
    (tell_of_an_unknown_batch, "log_fold", "event 7 (question.accepted): there is no batch"),
    (tell_of_something_unheard_of, "log_fold", "event 7 (question.forgotten): there is no such event"),
    (end_in_the_middle, "log_fold", "event 6 (generation.partial): its batches lead to no end"),
    (end_in_the_middle, "log_fold", "event 7 (question.accepted): the generation had ended as partial"),
    (end_twice, "log_fold", "event 11 (generation.partial): the generation had ended before, and nothing was retried"),
    (end_with_other_counts, "log_fold", "event 11 (generation.partial): 2 of 7 are saved and 1 batches failed"),
    (retry_without_telling, "log_fold", "event 12 (batch.requeued): the generation had ended as partial"),
    (complete_what_is_not_whole, "log_fold", "event 10 (batch.completed): it says 5 of 5, but it is target 5, 3 saved"),
    (start_twice, "log_fold", "event 6 (generation.started): the generation was processing"),
    (pause_after_the_end, "log_fold", "event 12 (generation.paused): the generation was partial"),
    (garble_an_event, "log_fold", "event 7 (question.accepted) can't be read: Invalid JSON"),
    (swap_an_event, "log_fold", "event 7 (question.rejected) tells of event 7 (question.accepted)"),
    (complete_a_batch_without_telling, "log_fold", "event 5 (batch.started): the batch was processing"),
]


def waiting(claimed: Claim) -> BatchRetrying:
    return BatchRetrying(batch_id=claimed.batch_id, code=ErrorCode.PROVIDER_RATE_LIMITED, delay_seconds=1)


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


@pytest.fixture
async def loose(database_url: str) -> AsyncIterator[Database]:
    """A database of tables without any constraint, with a partial generation in it."""
    database = Database(database_url)
    await schema.migrate(database)
    await factories.make_partial(database)
    await database.close()
    engine = create_async_engine(database_url)
    async with engine.begin() as tx:
        for name in (table.name for table in reversed(tables.metadata.sorted_tables)):
            await tx.execute(sa.text(f"CREATE TABLE copy AS SELECT * FROM {name}"))
            await tx.execute(sa.text(f"DROP TABLE {name}"))
            await tx.execute(sa.text(f"ALTER TABLE copy RENAME TO {name}"))
    await engine.dispose()
    yield database
    await database.close()


BATCH, QUESTION, ATTEMPT = tables.batches, tables.questions, tables.attempts
AT_WORK = BATCH.c.state == BatchState.FAILED
REFUSED: list[tuple[sa.Update | sa.Insert, str, str]] = [
    (sa.update(QUESTION).values(fingerprint_hash="abc"), "uniqueness", "with the hash abc is there 5 times"),
    (sa.update(QUESTION).where(QUESTION.c.slot == 1).values(slot=0), "slots", "has 3 questions up to slot 2"),
    (sa.update(BATCH).where(AT_WORK).values(lease_owner="worker-1"), "leases", "leased to worker-1 until None"),
    (sa.update(BATCH).where(AT_WORK).values(wanted_at=db_now()), "leases", "is failed, but wanted at 20"),
    (sa.update(BATCH).where(AT_WORK).values(error_code=None), "leases", "is failed with the error None"),
    (sa.update(BATCH).where(AT_WORK).values(state=BatchState.COMPLETED), "batch_counts", "completed with 0 of 5 saved"),
    (sa.update(BATCH).where(AT_WORK).values(target_count=2), "batch_counts", "has 3 questions for 2 slots"),
    (sa.update(BATCH).where(AT_WORK).values(state=BatchState.PROCESSING), "attempts", "is leased to None, but"),
    (sa.insert(ATTEMPT).from_select(ATTEMPT.c.keys(), sa.select(ATTEMPT)), "fences", "tried under the fences [1, 1]"),
]  # fmt: skip


@pytest.mark.parametrize(("damage", "check", "message"), REFUSED)
async def test_what_the_database_would_refuse_is_found_too(
    loose: Database, damage: sa.Update | sa.Insert, check: str, message: str
) -> None:
    assert (await report(loose)).findings == ()
    async with loose.write() as tx:
        await tx.execute(damage)
    found = (await report(loose)).findings
    assert any(finding.check == check and message in finding.message for finding in found), found


def test_every_kind_of_check_finds_something() -> None:
    found = {check for _, check, _ in DAMAGES} | {check for _, check, _ in REFUSED}
    assert found == {*row_checks.CHECKS, "log_numbers", "log_fold"}


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


async def test_verification_is_silent_about_generations_with_a_long_story(database: Database) -> None:
    paused, poisoned = await factories.make_order(database, 2, 2), await factories.make_order(database, 3)
    at_work = await factories.claim(database, paused.batch_ids[0])
    accepted, again = await factories.make_partial(database), await factories.make_partial(database)
    refused = await factories.make_order(database, 2, 2)
    early = await factories.make_order(database, 1)
    async with database.write() as tx:
        await control.pause(tx, early.generation_id)
        await control.resume(tx, early.generation_id)
        await control.pause(tx, paused.generation_id)
    await factories.hold(database, at_work, 1)
    async with database.write() as tx:
        await steps.wait(tx, at_work, waiting(at_work), lease_seconds=60)
        await steps.release(tx, at_work, SPENT)
        await control.resume(tx, paused.generation_id)
    async with database.write() as tx:
        await control.accept(tx, OWNER, accepted.batch_ids[FAILED])
        await steps.retry(tx, again.generation_id, None, model="other", dry_run=False)
    await factories.complete(database, await factories.claim(database, again.batch_ids[FAILED]))
    for _ in range(steps.LOSSES_MAX):
        claimed = await factories.claim(database, poisoned.batch_ids[0])
        async with database.write() as tx:
            await steps.take_back(tx, claimed, only_expired=False)
    for batch_id in refused.batch_ids:
        claimed = await factories.claim(database, batch_id)
        await factories.hold(database, claimed, 1)
        await factories.fail(database, claimed)
    async with database.write() as tx:
        for batch_id in refused.batch_ids:
            await control.accept(tx, OWNER, batch_id)
    assert await report(database) == Verification(generations=6, findings=())


async def test_both_batches_of_a_retry_and_their_timeout_are_told_one_after_the_other(database: Database) -> None:
    ordered = await factories.make_order(database, 2, 3)
    async with database.write() as tx:
        await steps.expire(tx, ordered.generation_id, minutes=1)
        await steps.retry(tx, ordered.generation_id, None, model=None, dry_run=False)
    told = [(event["type"], event["totals"]["batches_failed"]) for event in await factories.log(database, ordered)]
    assert told == [
        ("batch.failed", 1),
        ("batch.failed", 2),
        ("generation.failed", 2),
        ("batch.requeued", 1),
        ("batch.requeued", 0),
    ]
    assert (await report(database)).findings == ()


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


async def test_torn_references_are_found(database_url: str) -> None:
    database = Database(database_url)
    await schema.migrate(database)
    await factories.make_quiz(database)
    engine = create_async_engine(database_url)
    async with engine.begin() as tx:
        if not database.is_sqlite:
            # SQLite's own default, for a connection of nobody of ours.
            await tx.execute(sa.text("SET LOCAL session_replication_role = replica"))
        await tx.execute(sa.delete(tables.quizzes))
    await engine.dispose()
    [finding] = (await report(database)).findings
    await database.close()
    assert (finding.check, finding.subject) == ("foreign_key_check", "database")
    assert "modules" in finding.message


async def test_of_a_damaged_file_the_rows_are_not_looked_at(sqlite_url: str) -> None:
    database = Database(sqlite_url)
    await schema.migrate(database)
    await factories.make_partial(database)
    async with database.write() as tx:
        index = "SELECT rootpage FROM sqlite_master WHERE name = 'ix_questions_quiz_id_number'"
        page = (await tx.execute(sa.text(index))).scalar_one()
    await database.close()
    overwrite(Path(sqlite_url.removeprefix("sqlite+aiosqlite:///")), page)
    found = await report(database)
    await database.close()
    assert {finding.check for finding in found.findings} == {"integrity_check"}
    assert found.generations == 0


def overwrite(path: Path, page: int) -> None:
    with path.open("r+b") as file:
        file.seek(4096 * (page - 1))
        file.write(b"\xff" * 4096)


async def test_verification_sees_one_moment_while_everything_works(
    database: Database, other_database: Database
) -> None:
    ordered = await factories.make_order(database, 50)
    claimed = await factories.claim(database, ordered.batch_ids[0])

    async def keep_holding() -> None:
        for _ in range(50):
            await factories.hold(other_database, claimed, 1)

    holding = asyncio.create_task(keep_holding())
    while not holding.done():
        assert (await report(database)).findings == ()
    await holding


async def test_a_big_database_is_verified_in_portions(database: Database, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(verification, "EVENTS_PER_PORTION", 12)
    made = [await factories.make_partial(database) for _ in range(3)]
    async with database.write() as tx:
        await count_too_few(tx, made[2])
    found = await report(database)
    assert found.generations == 3
    assert {finding.subject for finding in found.findings} == {f"generation {made[2].generation_id}"}
