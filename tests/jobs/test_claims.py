"""How the jobs of a worker take their batches."""

import asyncio

from schemas.plans import Place
from schemas.states import BatchState
from tests import factories
from tests.scripted import Gate, ScriptedProvider
from tests.workbench import Workbench, eventually, troubled


async def test_jobs_that_ask_at_the_same_time_take_their_batches_in_one_step(bench: Workbench) -> None:
    ordered, other = await bench.order(1, 1, 1), await bench.order(1)
    workshop = bench.workshop(ScriptedProvider())
    places = [Place(batch_id, 0) for batch_id in (*ordered.batch_ids, *other.batch_ids)]
    writes = troubled(workshop).writes
    claims = await asyncio.gather(*(workshop.claims.take(place) for place in places))
    assert [claim.batch_id for claim in claims if claim] == [place.batch_id for place in places]
    assert troubled(workshop).writes - writes <= 2
    log = await factories.log(bench.database, ordered)
    assert [event["type"] for event in log] == ["generation.started", *["batch.started"] * 3]


async def test_what_someone_else_has_is_not_taken_and_leaves_the_queue(bench: Workbench) -> None:
    ordered = await bench.order(1, 1)
    first, second = bench.workshop(ScriptedProvider()), bench.workshop(ScriptedProvider(), "worker-2")
    places = [Place(batch_id, 0) for batch_id in ordered.batch_ids]
    await bench.redis.zadd("arq:queue", {f"{place.batch_id}:{place.fence}": 1 for place in places})
    assert await first.claims.take(places[0])
    taken = await asyncio.gather(*(second.claims.take(place) for place in places))
    assert [claim is not None for claim in taken] == [False, True]
    assert await bench.queued() == []


async def test_a_job_that_is_cancelled_while_its_batch_is_claimed_leaves_it_free(bench: Workbench) -> None:
    ordered = await bench.order(1)
    workshop = bench.workshop(ScriptedProvider())
    troubled(workshop).commit_gate = gate = Gate()
    asking = asyncio.create_task(workshop.claims.take(Place(ordered.batch_ids[0], 0)))
    await gate.reached.wait()
    asking.cancel()
    await asyncio.wait({asking})
    gate.opened.set()

    async def is_free() -> bool:
        row = await factories.batch_row(bench.database, ordered.batch_ids[0])
        return bool(row.state == BatchState.PENDING and row.fence == 2)

    await eventually(is_free)
