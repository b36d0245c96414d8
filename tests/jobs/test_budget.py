"""No call begins for a generation that has cost what it may, and few that would bring it above that."""

import asyncio
from uuid import uuid4

from jobs.commitments import Commitments
from schemas.generations import BatchError
from schemas.orders import OrderOptions
from schemas.states import ErrorCode, GenerationState
from service.rules import estimate
from service.store import control
from tests import factories
from tests.scripted import USAGE, Gate, ScriptedProvider, fact, facts
from tests.workbench import Workbench, eventually

PRICED = "claude-sonnet-5-5"


def limit(cost_max_usd: float) -> OrderOptions:
    return OrderOptions(cost_max_usd=cost_max_usd, model=PRICED)


async def test_at_its_limit_a_generation_is_paused_with_everything_kept_and_goes_on(bench: Workbench) -> None:
    ordered = await bench.order(4, options=limit(0.9))
    provider = ScriptedProvider([fact(0), USAGE], [fact(1), USAGE], [*facts(2, 4), USAGE])
    workshop = bench.workshop(provider)
    await bench.run(workshop, ordered.batch_ids[0])

    generation = await factories.load(bench.database, ordered)
    assert (generation.status, generation.held_count, len(provider.requests)) == (GenerationState.PAUSED, 2, 2)
    assert generation.error == BatchError(
        code=ErrorCode.BUDGET_EXCEEDED,
        message="paused: it has cost $1.00 of at most $0.9000; resume with a higher cap",
    )
    assert generation.batches[0].status == "pending"
    assert await bench.queued() == []

    async with bench.database.write() as tx:
        await control.resume(tx, ordered.generation_id, cost_max_usd=5)
    await bench.run(workshop, ordered.batch_ids[0])
    generation = await factories.load(bench.database, ordered)
    assert (generation.status, generation.generated_count) == (GenerationState.COMPLETED, 4)
    assert [request.count for request in provider.requests] == [4, 3, 2]
    assert await factories.findings(bench.database) == ()


async def test_a_limit_that_was_reached_elsewhere_stops_the_next_call(bench: Workbench) -> None:
    ordered = await bench.order(2, 2, options=limit(0.4))
    gate = Gate()
    provider = ScriptedProvider([fact(0), gate, fact(1), USAGE])
    first, second = bench.workshop(provider, "worker-1"), bench.workshop(provider, "worker-2")
    async with bench.running(first, ordered.batch_ids[0]) as running:
        await gate.reached.wait()
        gate.opened.set()
        await running
    await bench.run(second, ordered.batch_ids[1])
    assert len(provider.requests) == 1
    assert (await factories.load(bench.database, ordered)).status is GenerationState.PAUSED


async def test_the_last_call_may_reach_the_limit_and_the_batch_is_saved(bench: Workbench) -> None:
    ordered = await bench.order(2, options=limit(0.5))
    await bench.run(bench.workshop(ScriptedProvider([*facts(0, 2), USAGE])), ordered.batch_ids[0])
    generation = await factories.load(bench.database, ordered)
    assert (generation.status, generation.usage.cost_usd) == (GenerationState.COMPLETED, 0.5)


async def test_beside_others_only_what_fits_begins_and_alone_every_call_may(bench: Workbench) -> None:
    one = estimate.call_cost_usd(PRICED, "short_answer", 10_000, 1)
    assert one is not None
    ordered = await bench.order(1, 1, options=limit(one * 1.1))
    gate = Gate()
    cheap = USAGE.model_copy(update={"cost_usd": 0.0001})
    provider = ScriptedProvider([gate, fact(0), cheap], [fact(1), cheap])
    workshop = bench.workshop(provider)
    async with (
        bench.running(workshop, ordered.batch_ids[0]) as first,
        bench.running(workshop, ordered.batch_ids[1]) as second,
    ):
        await gate.reached.wait()
        await eventually(lambda: len(workshop.in_hand) == 2)
        await asyncio.wait({second}, timeout=0.1)
        assert len(provider.requests) == 1, "both together would probably cost more than the limit"
        gate.opened.set()
        await first
        await second
    assert (await factories.load(bench.database, ordered)).status is GenerationState.COMPLETED


async def test_what_is_in_flight_is_known_until_it_ends() -> None:
    commitments = Commitments()
    ordered = uuid4()
    assert commitments.usd(ordered) is None
    with commitments.of(ordered, 0.25), commitments.of(ordered, 0.5):
        assert commitments.usd(ordered) == 0.75
        waiting = asyncio.create_task(commitments.freed(ordered))
        await asyncio.sleep(0)
        assert not waiting.done()
    await asyncio.wait_for(waiting, 1)
    assert commitments.usd(ordered) is None
