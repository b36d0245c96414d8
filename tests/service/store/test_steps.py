"""What a worker does with a batch: every state change and its event are one fenced transaction."""

import asyncio
from collections.abc import Awaitable, Callable
from uuid import uuid4

import pytest
import sqlalchemy as sa

from schemas.events import BatchRetrying, QuestionRejected
from schemas.holdings import Holding
from schemas.plans import Claim
from schemas.states import AttemptOutcome, BatchState, ErrorCode, GenerationState, QuestionType
from service.errors import LeaseLost
from service.store import attempts, steps, tables
from service.store.database import Database, Tx, db_now
from tests import factories
from tests.factories import LEASE_SECONDS, OVERLOADED, SPENT, WORKER, batch_row

TASKS = 20
TERMINAL = {"generation.completed", "generation.partial", "generation.failed", "generation.cancelled"}


async def _hold(tx: Tx, claimed: Claim) -> None:
    await steps.enter(tx, claimed)
    sound = factories.sound_questions(claimed.module_id, 1)
    await steps.hold(tx, [Holding(claimed, sound, [])], lease_seconds=LEASE_SECONDS)


async def _wait(tx: Tx, claimed: Claim) -> None:
    waiting = BatchRetrying(batch_id=claimed.batch_id, code=ErrorCode.PROVIDER_RATE_LIMITED, delay_seconds=2)
    await steps.wait(tx, claimed, waiting, lease_seconds=LEASE_SECONDS)


async def _complete(tx: Tx, claimed: Claim) -> None:
    await steps.complete(tx, [(claimed, SPENT)])


async def _fail(tx: Tx, claimed: Claim) -> None:
    await steps.fail(tx, claimed, OVERLOADED, SPENT)


async def _delay(tx: Tx, claimed: Claim) -> None:
    await steps.delay(tx, claimed, OVERLOADED, SPENT, delay_seconds=1)


async def _release(tx: Tx, claimed: Claim) -> None:
    await steps.release(tx, claimed, SPENT)


Step = Callable[[Tx, Claim], Awaitable[None]]
STEPS = {"hold": _hold, "wait": _wait, "complete": _complete, "fail": _fail, "delay": _delay, "release": _release}
every_step = pytest.mark.parametrize("step", STEPS.values(), ids=STEPS.keys())


async def outcomes(database: Database, ordered: factories.Ordered) -> list[AttemptOutcome]:
    async with database.read() as tx:
        runs = await attempts.of_generation(tx, ordered.generation_id)
    return [entry.outcome for entries in runs.values() for entry in entries]


async def question_count(database: Database, ordered: factories.Ordered) -> int:
    found = sa.select(sa.func.count()).where(tables.questions.c.generation_id == ordered.generation_id)
    async with database.read() as tx:
        return int((await tx.execute(found)).scalar_one())


async def test_the_first_claim_starts_the_generation(database: Database) -> None:
    ordered = await factories.make_order(database, 2, 3)
    await factories.claim(database, ordered.batch_ids[0])
    generation = await factories.load(database, ordered)
    assert generation.status is GenerationState.PROCESSING
    assert generation.started_at is not None
    await factories.claim(database, ordered.batch_ids[1])
    assert await factories.types(database, ordered) == ["generation.started", "batch.started", "batch.started"]
    assert await outcomes(database, ordered) == [AttemptOutcome.RUNNING] * 2
    assert await factories.findings(database) == ()


async def test_a_second_claim_of_a_batch_gets_nothing(database: Database) -> None:
    ordered = await factories.make_order(database, 2)
    [batch_id] = ordered.batch_ids
    claimed = await factories.claim(database, batch_id)
    assert await factories.try_to_claim(database, batch_id, 0, worker="late") is None
    assert await factories.try_to_claim(database, batch_id, claimed.fence, worker="late") is None
    assert (await batch_row(database, batch_id)).lease_owner == WORKER
    assert await factories.types(database, ordered) == ["generation.started", "batch.started"]


async def test_an_unknown_batch_cannot_be_claimed(database: Database) -> None:
    assert await factories.try_to_claim(database, uuid4(), 0) is None


@pytest.mark.parametrize(
    "state", [state for state in GenerationState if state not in {GenerationState.PENDING, GenerationState.PROCESSING}]
)
async def test_a_batch_of_a_generation_that_wants_no_work_cannot_be_claimed(
    database: Database, state: GenerationState
) -> None:
    ordered = await factories.make_order(database, 2)
    await factories.change_generation(database, ordered, state=state)
    assert await factories.try_to_claim(database, ordered.batch_ids[0], 0) is None
    assert await factories.types(database, ordered) == []


async def test_of_twenty_claims_at_once_exactly_one_wins(database: Database, other_database: Database) -> None:
    ordered = await factories.make_order(database, 2)
    [batch_id] = ordered.batch_ids
    claims = await asyncio.gather(
        *(
            factories.try_to_claim(store, batch_id, 0, worker=f"worker-{number}")
            for number in range(TASKS // 2)
            for store in (database, other_database)
        )
    )
    [winner] = [claimed for claimed in claims if claimed]
    row = await batch_row(database, batch_id)
    assert (row.fence, row.attempts, row.lease_owner) == (1, 1, winner.worker)
    assert await outcomes(database, ordered) == [AttemptOutcome.RUNNING]
    assert await factories.types(database, ordered) == ["generation.started", "batch.started"]


@every_step
async def test_a_worker_whose_batch_was_taken_over_can_write_nothing_more(database: Database, step: Step) -> None:
    ordered = await factories.make_order(database, 2)
    stale = await factories.claim(database, ordered.batch_ids[0])
    await factories.hold(database, stale, 2)
    async with database.write() as tx:
        await steps.take_back(tx, stale, only_expired=False)
    # The same name takes over: nothing but the fence tells the two apart.
    current = await factories.claim(database, ordered.batch_ids[0], worker=stale.worker)
    before = await batch_row(database, stale.batch_id), await factories.log(database, ordered)

    async with database.write() as tx:
        with pytest.raises(LeaseLost):
            await step(tx, stale)

    assert (await batch_row(database, stale.batch_id), await factories.log(database, ordered)) == before
    await factories.complete(database, current)
    assert await factories.findings(database) == ()


@every_step
async def test_a_worker_whose_generation_was_cancelled_can_write_nothing_more(database: Database, step: Step) -> None:
    ordered = await factories.make_order(database, 2)
    stale = await factories.claim(database, ordered.batch_ids[0])
    await factories.hold(database, stale, 2)
    async with database.write() as tx:
        await steps.cancel(tx, ordered.generation_id)
    before = await factories.log(database, ordered)

    async with database.write() as tx:
        with pytest.raises(LeaseLost, match="wants no more work"):
            await step(tx, stale)

    assert await factories.log(database, ordered) == before
    assert (await batch_row(database, stale.batch_id)).state == BatchState.CANCELLED
    assert await factories.findings(database) == ()


async def test_a_hold_keeps_rows_count_and_events_together(database: Database, other_database: Database) -> None:
    ordered = await factories.make_order(database, 5)
    claimed = await factories.claim(database, ordered.batch_ids[0])
    rejected = QuestionRejected(batch_id=claimed.batch_id, code="no_evidence", message="the quote is not in the text")
    sound = factories.sound_questions(claimed.module_id, 2)
    async with database.write() as tx:
        await steps.enter(tx, claimed)
        held, wakeup = await steps.hold(tx, [Holding(claimed, sound, [rejected])], lease_seconds=LEASE_SECONDS)
        assert await question_count(other_database, ordered) == 0, "nothing shows before the commit"
        assert len(await factories.log(other_database, ordered)) == 2
    assert held == [2]
    assert wakeup is not None
    assert wakeup.seq == 5
    assert await question_count(database, ordered) == 2
    assert (await batch_row(database, claimed.batch_id)).held_count == 2
    log = (await factories.log(database, ordered))[2:]
    assert [event["type"] for event in log] == ["question.rejected", "question.accepted", "question.accepted"]
    assert [event.get("held_count") for event in log] == [None, 1, 2]
    first = sound[0].content
    assert log[1]["preview"] == getattr(first, "stem", None)
    assert (log[0]["code"], log[0]["message"]) == ("no_evidence", "the quote is not in the text")


async def test_of_a_hold_that_is_interrupted_before_its_commit_nothing_is_there(database: Database) -> None:
    ordered = await factories.make_order(database, 5)
    claimed = await factories.claim(database, ordered.batch_ids[0])

    async def interrupted() -> None:
        async with database.write() as tx:
            await _hold(tx, claimed)
            raise RuntimeError("the power goes out")

    with pytest.raises(RuntimeError, match="the power goes out"):
        await interrupted()
    assert await question_count(database, ordered) == 0
    assert (await batch_row(database, claimed.batch_id)).held_count == 0
    assert (await factories.load(database, ordered)).last_event_id == 2
    assert await factories.findings(database) == ()
    await factories.complete(database, claimed)
    assert await factories.findings(database) == ()


async def test_the_same_question_cannot_be_held_twice_in_a_generation(database: Database) -> None:
    ordered = await factories.make_order(database, 5)
    claimed = await factories.claim(database, ordered.batch_ids[0])
    held = await factories.hold(database, claimed, 1)

    async def again() -> None:
        async with database.write() as tx:
            await steps.enter(tx, claimed)
            await steps.hold(tx, [Holding(claimed, held, [])], lease_seconds=LEASE_SECONDS)

    with pytest.raises(sa.exc.IntegrityError):
        await again()
    assert (await batch_row(database, claimed.batch_id)).held_count == 1
    assert await factories.findings(database) == ()


async def test_a_long_stem_is_cut_in_its_event_only(database: Database) -> None:
    ordered = await factories.make_order(database, 1)
    claimed = await factories.claim(database, ordered.batch_ids[0])
    sound = factories.sound_question(claimed.module_id)
    long = sound.model_copy(update={"content": sound.content.model_copy(update={"stem": "Why? " * 100})})
    async with database.write() as tx:
        await steps.enter(tx, claimed)
        await steps.hold(tx, [Holding(claimed, [long], [])], lease_seconds=LEASE_SECONDS)
        await steps.complete(tx, [(claimed, SPENT)])
    [preview] = [event["preview"] for event in await factories.log(database, ordered) if "preview" in event]
    assert preview == ("Why? " * 100)[: steps.PREVIEW_CHARACTERS_MAX]
    [question] = await factories.saved_questions(database, ordered)
    assert question.content == long.content


async def test_events_have_no_gap_under_twenty_holds_at_once(database: Database, other_database: Database) -> None:
    ordered = await factories.make_order(database, TASKS, TASKS + 1)
    claims = [await factories.claim(database, batch_id) for batch_id in ordered.batch_ids]
    await asyncio.gather(
        *(
            factories.hold(store, claimed, 1)
            for _ in range(TASKS // 4)
            for store in (database, other_database)
            for claimed in claims
        )
    )
    log = await factories.log(database, ordered)
    assert [event["seq"] for event in log] == list(range(1, 3 + TASKS + 1))
    for claimed in claims:
        counts = [
            event["held_count"] for event in log if event.get("preview") and event["batch_id"] == str(claimed.batch_id)
        ]
        assert counts == list(range(1, TASKS // 2 + 1)), "each batch counts its own up by one"
    assert log[-1]["totals"]["held"] == TASKS
    assert await factories.findings(database) == ()


async def test_waiting_is_told_and_keeps_the_batch_in_its_workers_hands(database: Database) -> None:
    ordered = await factories.make_order(database, 2)
    claimed = await factories.claim(database, ordered.batch_ids[0], lease_seconds=-1)
    async with database.write() as tx:
        await _wait(tx, claimed)
        with pytest.raises(LeaseLost):
            await steps.take_back(tx, claimed, only_expired=True)
    [waiting] = (await factories.log(database, ordered))[2:]
    assert (waiting["type"], waiting["code"], waiting["delay_seconds"]) == (
        "batch.retrying",
        "provider_rate_limited",
        2,
    )
    await factories.complete(database, claimed)


async def test_a_batch_is_saved_as_a_whole_or_not_at_all(database: Database) -> None:
    ordered = await factories.make_order(database, 3)
    claimed = await factories.claim(database, ordered.batch_ids[0])
    await factories.hold(database, claimed, 2)
    async with database.write() as tx:
        with pytest.raises(LeaseLost):
            await steps.complete(tx, [(claimed, SPENT)])
    assert await factories.saved_questions(database, ordered) == ()
    assert (await factories.load(database, ordered)).status is GenerationState.PROCESSING

    await factories.complete(database, claimed)

    assert len(await factories.saved_questions(database, ordered)) == 3
    row = await batch_row(database, claimed.batch_id)
    assert (row.state, row.saved_count, row.held_count) == (BatchState.COMPLETED, 3, 0)
    assert await outcomes(database, ordered) == [AttemptOutcome.COMPLETED]
    assert (await factories.types(database, ordered))[-2:] == ["batch.completed", "generation.completed"]
    assert await factories.findings(database) == ()


@pytest.mark.parametrize(
    ("ends", "expected", "terminal"),
    [
        ((_complete, _complete), GenerationState.COMPLETED, "generation.completed"),
        ((_complete, _fail), GenerationState.PARTIAL, "generation.partial"),
        ((_fail, _complete), GenerationState.PARTIAL, "generation.partial"),
        ((_fail, _fail), GenerationState.FAILED, "generation.failed"),
    ],
)
async def test_the_end_of_the_last_batch_is_the_end_of_the_generation(
    database: Database, ends: tuple[Step, Step], expected: GenerationState, terminal: str
) -> None:
    ordered = await factories.make_order(database, 2, 3)
    claims = [await factories.claim(database, batch_id) for batch_id in ordered.batch_ids]
    for claimed, end in zip(claims, ends, strict=True):
        await factories.hold(database, claimed, claimed.target_count)
        assert (await factories.load(database, ordered)).completed_at is None
        async with database.write() as tx:
            await end(tx, claimed)

    generation = await factories.load(database, ordered)
    assert generation.status is expected
    assert generation.completed_at is not None
    log = await factories.log(database, ordered)
    assert [event["type"] for event in log if event["type"] in TERMINAL] == [terminal]
    assert log[-1]["type"] == terminal
    failed = [claimed.batch_key for claimed, end in zip(claims, ends, strict=True) if end is _fail]
    assert log[-1]["failed_batches"] == failed
    assert (log[-1]["generated_count"], log[-1]["requested_count"]) == (generation.generated_count, 5)
    assert await factories.findings(database) == ()


async def test_two_last_batches_that_end_at_once_end_the_generation_once(
    database: Database, other_database: Database
) -> None:
    ordered = await factories.make_order(database, 1, 2)
    claims = [await factories.claim(database, batch_id) for batch_id in ordered.batch_ids]
    stores = (database, other_database)
    await asyncio.gather(*(factories.complete(store, claimed) for store, claimed in zip(stores, claims, strict=True)))
    found = await factories.types(database, ordered)
    assert [entry for entry in found if entry in TERMINAL] == ["generation.completed"]
    assert found[-1] == "generation.completed"
    assert await factories.findings(database) == ()


async def test_a_failed_batch_tells_why_and_what_it_holds(database: Database) -> None:
    ordered = await factories.make_order(database, 4)
    claimed = await factories.claim(database, ordered.batch_ids[0])
    await factories.hold(database, claimed, 3)
    await factories.fail(database, claimed)
    failed = (await factories.log(database, ordered))[-2]
    assert failed["type"] == "batch.failed"
    assert (failed["held_count"], failed["target_count"]) == (3, 4)
    assert failed["error"] == {"code": "provider_overloaded", "message": "the provider is overloaded"}
    assert await question_count(database, ordered) == 3
    assert await outcomes(database, ordered) == [AttemptOutcome.FAILED]


async def test_a_delayed_batch_waits_out_of_every_workers_reach_until_it_is_due(database: Database) -> None:
    ordered = await factories.make_order(database, 4)
    claimed = await factories.claim(database, ordered.batch_ids[0])
    await factories.hold(database, claimed, 3)
    async with database.write() as tx:
        await steps.delay(tx, claimed, OVERLOADED, SPENT, delay_seconds=3600.12345)
    row = await batch_row(database, claimed.batch_id)
    assert (row.state, row.held_count, row.run_attempts) == (BatchState.PENDING, 3, 1)
    assert await factories.try_to_claim(database, claimed.batch_id, row.fence) is None
    retrying = (await factories.log(database, ordered))[-1]
    assert (retrying["type"], retrying["delay_seconds"]) == ("batch.retrying", 3600.123)

    await factories.change_batch(database, claimed.batch_id, not_before=db_now())

    again = await factories.claim(database, claimed.batch_id)
    assert (again.number, again.run_attempt, again.held_count) == (2, 2, 3)
    assert await outcomes(database, ordered) == [AttemptOutcome.RETRYING, AttemptOutcome.RUNNING]
    assert await factories.findings(database) == ()


async def test_a_released_batch_is_free_at_once_and_its_try_does_not_count(database: Database) -> None:
    ordered = await factories.make_order(database, 4)
    claimed = await factories.claim(database, ordered.batch_ids[0])
    await factories.hold(database, claimed, 1)
    async with database.write() as tx:
        await steps.release(tx, claimed, SPENT)
    again = await factories.claim(database, claimed.batch_id, worker="worker-2")
    assert (again.number, again.run_attempt, again.held_count) == (2, 1, 1)
    assert again.fence > claimed.fence
    assert await outcomes(database, ordered) == [AttemptOutcome.RELEASED, AttemptOutcome.RUNNING]
    requeued = (await factories.log(database, ordered))[-2]
    assert (requeued["type"], requeued["reason"]) == ("batch.requeued", "worker_lost")


async def test_an_order_is_named_after_what_its_batches_make(database: Database) -> None:
    ordered = await factories.make_order(database, 4, question_type=QuestionType.FLASHCARD)
    generation = await factories.load(database, ordered)
    assert (generation.entity_type, generation.status) == ("flashcard", GenerationState.PENDING)
    assert generation.last_event_id == 0


async def test_batches_that_are_completed_together_are_told_one_after_the_other(database: Database) -> None:
    ordered = await factories.make_order(database, 2, 3)
    claims = [await factories.claim(database, batch_id) for batch_id in ordered.batch_ids]
    for claimed in claims:
        await factories.hold(database, claimed, claimed.target_count)
    async with database.write() as tx:
        wakeups = await steps.complete(tx, [(claimed, SPENT) for claimed in claims])
    log = await factories.log(database, ordered)
    assert [wakeup.seq for wakeup in wakeups] == [len(log)] * 2
    totals = [(event["type"], *event["totals"].values()) for event in log[-4:]]
    assert totals == [
        ("question.accepted", 5, 0, 5, 2, 0, 0),
        ("batch.completed", 5, 2, 3, 2, 1, 0),
        ("batch.completed", 5, 5, 0, 2, 2, 0),
        ("generation.completed", 5, 5, 0, 2, 2, 0),
    ]
    assert await outcomes(database, ordered) == [AttemptOutcome.COMPLETED] * 2
    assert len(await factories.saved_questions(database, ordered)) == 5
    assert await factories.findings(database) == ()


async def test_one_batch_that_is_not_whole_keeps_its_companions_from_being_completed(database: Database) -> None:
    ordered = await factories.make_order(database, 2, 3)
    claims = [await factories.claim(database, batch_id) for batch_id in ordered.batch_ids]
    await factories.hold(database, claims[0], 2)
    await factories.hold(database, claims[1], 2)
    before = await factories.log(database, ordered)
    with pytest.raises(LeaseLost):
        async with database.write() as tx:
            await steps.complete(tx, [(claimed, ()) for claimed in claims])
    assert await factories.log(database, ordered) == before
    assert (await batch_row(database, claims[0].batch_id)).state == BatchState.PROCESSING
