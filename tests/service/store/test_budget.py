"""A generation whose cost reaches its limit is paused with everything kept, and goes on with a higher one."""

import pytest

from schemas.calls import Call, CallOutcome
from schemas.generations import BatchError
from schemas.orders import OrderOptions
from schemas.states import BatchState, ErrorCode, GenerationState
from service.errors import StateConflict
from service.store import budget, control, generations, steps
from service.store.database import Database
from tests import factories
from tests.factories import OVERLOADED, Ordered


async def limited(database: Database, *targets: int, cost_max_usd: float | None = 1.0) -> Ordered:
    ordered = await factories.make_order(database, *targets)
    if cost_max_usd is not None:
        async with database.write() as tx:
            await generations.limit_cost(tx, ordered.generation_id, cost_max_usd)
    return ordered


def calls(*costs: float | None) -> list[Call]:
    return [
        Call(number=number, model="m", outcome=CallOutcome.EMPTY, cost_usd=cost)
        for number, cost in enumerate(costs, start=1)
    ]


async def test_the_limit_of_an_order_is_kept(database: Database) -> None:
    ordered = await factories.make_order(database, 2)
    async with database.write() as tx:
        await generations.insert(
            tx,
            ordered.quiz_id,
            quiz_id=ordered.quiz_id,
            owner=factories.OWNER,
            entity_type=(await generations.load(tx, factories.OWNER, ordered.generation_id)).entity_type,
            options=OrderOptions(cost_max_usd=2.5),
        )
        assert (await generations.load(tx, factories.OWNER, ordered.quiz_id)).cost_max_usd == 2.5
    assert (await factories.load(database, ordered)).cost_max_usd is None


async def test_what_reaches_the_limit_is_paused_and_says_why(database: Database) -> None:
    ordered = await limited(database, 3)
    claimed = await factories.claim(database, ordered.batch_ids[0])
    assert claimed.cost_max_usd == 1.0
    await factories.hold(database, claimed, 2)
    async with database.write() as tx:
        assert await budget.charge(tx, [(claimed, calls(0.9))]) is None
        assert await budget.charge(tx, [(claimed, calls(0.9, 0.12))]) is not None
        assert await budget.charge(tx, [(claimed, calls(0.9, 0.12, 0.1))]) is None, "it is paused already"
    generation = await factories.load(database, ordered)
    assert (generation.status, generation.held_count, generation.can_resume) == (GenerationState.PAUSED, 2, True)
    assert generation.error == BatchError(
        code=ErrorCode.BUDGET_EXCEEDED,
        message="paused: it has cost $1.12 of at most $1.00; resume with a higher cap",
    )
    [paused] = [event for event in await factories.log(database, ordered) if event["type"] == "generation.paused"]
    assert paused["reason"] == "cost_cap"
    async with database.write() as tx:
        await steps.release(tx, claimed)
    assert await factories.findings(database) == ()


async def test_it_goes_on_with_a_higher_limit_only(database: Database) -> None:
    ordered = await limited(database, 3)
    claimed = await factories.claim(database, ordered.batch_ids[0])
    async with database.write() as tx:
        await budget.charge(tx, [(claimed, calls(1.5))])
        await steps.release(tx, claimed)
    for refused in (None, 1.5):
        async with database.write() as tx:
            with pytest.raises(StateConflict, match=r"can't be resumed: it has cost \$1.50 of at most \$1.[05]0; give"):
                await control.resume(tx, ordered.generation_id, cost_max_usd=refused)
    assert (await factories.load(database, ordered)).cost_max_usd == 1.0
    async with database.write() as tx:
        await control.resume(tx, ordered.generation_id, cost_max_usd=3)
    generation = await factories.load(database, ordered)
    assert (generation.status, generation.error, generation.cost_max_usd) == (GenerationState.PROCESSING, None, 3)
    again = await factories.claim(database, ordered.batch_ids[0])
    assert (again.cost_max_usd, again.run_attempt) == (3, 1)
    assert await factories.findings(database) == ()


async def test_a_user_pause_says_so_and_is_resumed_without_a_word(database: Database) -> None:
    ordered = await limited(database, 3)
    async with database.write() as tx:
        await control.pause(tx, ordered.generation_id)
        await control.resume(tx, ordered.generation_id)
    log = await factories.log(database, ordered)
    assert log[0]["reason"] == "user"
    assert (await factories.load(database, ordered)).error is None


async def test_without_a_limit_or_a_known_price_nothing_is_paused(database: Database) -> None:
    for cost_max_usd, costs in ((None, (100.0,)), (1.0, (None, None))):
        ordered = await limited(database, 3, cost_max_usd=cost_max_usd)
        claimed = await factories.claim(database, ordered.batch_ids[0])
        async with database.write() as tx:
            assert await budget.charge(tx, [(claimed, calls(*costs))]) is None
        assert (await factories.load(database, ordered)).status is GenerationState.PROCESSING


async def test_what_needs_no_further_call_is_not_paused(database: Database) -> None:
    ordered = await limited(database, 2)
    claimed = await factories.claim(database, ordered.batch_ids[0])
    await factories.hold(database, claimed, 2)
    async with database.write() as tx:
        assert await budget.charge(tx, [(claimed, calls(7.0))]) is None
        await steps.complete(tx, [(claimed, ())])
    assert (await factories.load(database, ordered)).status is GenerationState.COMPLETED


async def test_sums_of_fractions_reach_the_limit_they_add_up_to(database: Database) -> None:
    ordered = await limited(database, 2)
    claimed = await factories.claim(database, ordered.batch_ids[0])
    async with database.write() as tx:
        assert await budget.charge(tx, [(claimed, calls(*[0.1] * 10))]) is not None


async def test_a_retry_needs_room_below_the_limit_or_a_higher_one(database: Database) -> None:
    ordered = await limited(database, 2)
    failing = await factories.claim(database, ordered.batch_ids[0])
    await factories.fail(database, failing, error=OVERLOADED, spent=calls(2.0))
    for dry_run in (True, False):
        async with database.write() as tx:
            with pytest.raises(StateConflict, match=r"can't be retried: it has cost \$2.00 of at most \$1.00"):
                await steps.retry(tx, ordered.generation_id, None, model=None, dry_run=dry_run)
    async with database.write() as tx:
        await steps.retry(tx, ordered.generation_id, None, model=None, dry_run=True, cost_max_usd=5)
    assert (await factories.load(database, ordered)).cost_max_usd == 1.0, "a dry run changes nothing"
    async with database.write() as tx:
        await steps.retry(tx, ordered.generation_id, None, model=None, dry_run=False, cost_max_usd=5)
    generation = await factories.load(database, ordered)
    assert (generation.cost_max_usd, generation.batches[0].status) == (5, BatchState.PENDING)
    assert await factories.findings(database) == ()
