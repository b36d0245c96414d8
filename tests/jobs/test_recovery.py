"""What keeps the promise when something dies or forgets: heartbeats, stops, sweeps."""

import asyncio
from collections.abc import AsyncIterator, Callable, Coroutine
from contextlib import asynccontextmanager

import pytest

from jobs import recovery
from jobs.workshop import Workshop
from schemas.plans import Claim
from service import outbox
from service.broadcast import STOPPED_CHANNEL, Broadcast
from service.queue import Queue
from service.store import chores
from service.store.steps import LOSSES_MAX
from tests import factories
from tests.scripted import USAGE, Gate, ScriptedProvider, fact
from tests.workbench import WAIT_SECONDS, Workbench, eventually, troubled

Routine = Callable[[Workshop], Coroutine[None, None, None]]


@asynccontextmanager
async def going(routine: Routine, workshop: Workshop) -> AsyncIterator[asyncio.Task[None]]:
    """The routine beside the test."""
    task = asyncio.create_task(routine(workshop))
    async with asyncio.timeout(WAIT_SECONDS):
        yield task
    task.cancel()
    await asyncio.gather(task, return_exceptions=True)


@asynccontextmanager
async def in_hand(workshop: Workshop, claim: Claim) -> AsyncIterator[None]:
    """The worker works on the claim, for as long as the block takes."""

    async def work_on() -> None:
        await asyncio.Event().wait()

    work = asyncio.create_task(work_on())
    workshop.take(claim, work)
    yield
    work.cancel()


async def test_a_sweep_enqueues_what_is_wanted(bench: Workbench) -> None:
    ordered = await bench.order(1, 1)
    await recovery.sweep(bench.workshop(ScriptedProvider()))
    assert set(await bench.queued()) == {f"{batch_id}:0" for batch_id in ordered.batch_ids}


async def test_a_sweep_enqueues_again_what_redis_lost(bench: Workbench) -> None:
    ordered = await bench.order(1)
    workshop = bench.workshop(ScriptedProvider())
    await recovery.sweep(workshop)
    await bench.redis.flushall()
    await recovery.sweep(workshop)
    assert await bench.queued() == [], "it may still be on its way to a worker"

    await bench.make_wanted(*ordered.batch_ids)
    await recovery.sweep(workshop)

    assert await bench.queued() == [f"{ordered.batch_ids[0]}:0"]


async def test_a_sweep_takes_back_what_a_silent_worker_held(bench: Workbench) -> None:
    ordered = await bench.order(3, 3)
    dead = await factories.claim(bench.database, ordered.batch_ids[0], worker="dead", lease_seconds=-1)
    alive = await factories.claim(bench.database, ordered.batch_ids[1], worker="alive", lease_seconds=60)
    await recovery.sweep(bench.workshop(ScriptedProvider()))
    row = await factories.batch_row(bench.database, dead.batch_id)
    assert (row.state, row.lease_owner, row.losses) == ("pending", None, 1)
    assert row.run_attempts == 0, "the try does not count"
    assert await bench.queued() == [f"{dead.batch_id}:{row.fence}"]
    assert (await factories.batch_row(bench.database, alive.batch_id)).lease_owner == "alive"
    last = (await factories.log(bench.database, ordered))[-1]
    assert (last["type"], last["reason"], last["batch_id"]) == ("batch.requeued", "worker_lost", str(dead.batch_id))
    assert await factories.findings(bench.database) == ()


async def test_a_batch_over_which_worker_after_worker_dies_is_given_up(bench: Workbench) -> None:
    ordered = await bench.order(3)
    workshop = bench.workshop(ScriptedProvider())
    for _ in range(LOSSES_MAX):
        await factories.claim(bench.database, ordered.batch_ids[0], worker="dead", lease_seconds=-1)
        await recovery.sweep(workshop)
    [batch] = (await factories.load(bench.database, ordered)).batches
    assert batch.error is not None
    assert batch.error.code == "poisoned"
    assert (await factories.types(bench.database, ordered))[-2:] == ["batch.failed", "generation.failed"]
    assert await factories.findings(bench.database) == ()


async def test_a_sweep_ends_a_generation_that_takes_too_long_with_what_it_has(bench: Workbench) -> None:
    ordered = await bench.order(1, 3)
    workshop = bench.workshop(ScriptedProvider([fact(0), USAGE]))
    await bench.run(workshop, ordered.batch_ids[0])
    await factories.claim(bench.database, ordered.batch_ids[1], worker="slow")
    await recovery.sweep(workshop)
    assert (await factories.load(bench.database, ordered)).status == "processing", "it has hours"

    await recovery.sweep(bench.workshop(ScriptedProvider(), generation_timeout_minutes=0))

    generation = await factories.load(bench.database, ordered)
    assert (generation.status, generation.generated_count) == ("partial", 1)
    assert generation.batches[1].error is not None
    assert generation.batches[1].error.code == "timeout"
    assert await factories.findings(bench.database) == ()


async def test_a_sweep_announces_how_far_active_logs_go(bench: Workbench) -> None:
    ordered = await bench.order(2)
    await factories.claim(bench.database, ordered.batch_ids[0])
    grown = Broadcast(bench.redis).grown()
    async with asyncio.timeout(WAIT_SECONDS):
        assert await anext(grown) is None, "it listens"
        await recovery.sweep(bench.workshop(ScriptedProvider()))
        wakeup = await anext(grown)
    await grown.aclose()
    assert wakeup is not None
    assert (wakeup.generation_id, wakeup.seq) == (ordered.generation_id, 2)


async def test_of_two_workers_one_sweeps_in_a_period(bench: Workbench) -> None:
    first, second = bench.workshop(ScriptedProvider(), "one"), bench.workshop(ScriptedProvider(), "two")
    taken = []
    for workshop in (first, second, first):
        async with workshop.database.write() as tx:
            taken.append(await chores.take(tx, "sweep", every_seconds=60))
    assert taken == [True, False, False]
    ordered = await bench.order(1)
    async with going(recovery.keep_sweeping, first), going(recovery.keep_sweeping, second):
        await eventually(lambda: troubled(first).writes + troubled(second).writes >= 4)
    assert await bench.queued() == [], "the period is not over"
    assert (await factories.batch_row(bench.database, ordered.batch_ids[0])).state == "pending"


async def test_sweeping_goes_on_after_the_database_or_redis_was_away(bench: Workbench) -> None:
    workshop = bench.workshop(ScriptedProvider(), lease_seconds=0.3)
    database = troubled(workshop)
    database.is_away = True
    async with going(recovery.keep_sweeping, workshop):
        await eventually(lambda: database.refused >= 2)
        bench.redis_server.connected = False
        ordered = await bench.order(1)
        database.is_away = False
        reads = database.reads
        await eventually(lambda: database.reads > reads + 4)
        bench.redis_server.connected = True

        async def is_queued() -> bool:
            return await bench.queued() == [f"{ordered.batch_ids[0]}:0"]

        await eventually(is_queued)


async def test_a_heartbeat_extends_the_leases_of_what_is_in_hand_and_no_others(bench: Workbench) -> None:
    ordered = await bench.order(1, 1)
    mine = await factories.claim(bench.database, ordered.batch_ids[0], worker="worker-1", lease_seconds=1)
    unheard = await factories.claim(bench.database, ordered.batch_ids[1], worker="worker-1", lease_seconds=1)
    workshop = bench.workshop(ScriptedProvider(), lease_seconds=30)
    async with in_hand(workshop, mine), going(recovery.keep_leases, workshop):

        async def is_extended() -> bool:
            return await bench.lease_left_seconds(mine.batch_id) > 20

        await eventually(is_extended)
    assert await bench.lease_left_seconds(unheard.batch_id) < 2, "its worker does not know that it has it"


async def test_heartbeats_go_on_after_the_database_was_away(bench: Workbench) -> None:
    ordered = await bench.order(1)
    mine = await factories.claim(bench.database, ordered.batch_ids[0], worker="worker-1")
    workshop = bench.workshop(ScriptedProvider(), lease_seconds=0.3)
    database = troubled(workshop)
    database.is_away = True
    async with in_hand(workshop, mine), going(recovery.keep_leases, workshop):
        await eventually(lambda: database.refused >= 2)
        database.is_away = False
        await eventually(lambda: database.writes >= 2)


async def test_a_stop_message_stops_a_cancelled_generations_work(bench: Workbench) -> None:
    ordered = await bench.order(2)
    gate = Gate()
    provider = ScriptedProvider([gate])
    workshop = bench.workshop(provider)
    async with going(recovery.obey_stops, workshop), bench.running(workshop, ordered.batch_ids[0]) as running:
        await gate.reached.wait()
        await bench.cancel(ordered)
        await eventually(lambda: bench.subscribers(STOPPED_CHANNEL) == 1)
        await Broadcast(bench.redis).announce_stopped(ordered.generation_id)
        await running
    assert provider.cut == [0]


async def test_a_stop_nobody_heard_of_is_obeyed_with_the_next_heartbeat(bench: Workbench) -> None:
    ordered = await bench.order(2)
    gate = Gate()
    provider = ScriptedProvider([gate])
    workshop = bench.workshop(provider, lease_seconds=0.3)
    async with going(recovery.keep_leases, workshop), bench.running(workshop, ordered.batch_ids[0]) as running:
        await gate.reached.wait()
        await bench.cancel(ordered)
        await running
    assert provider.cut == [0]


async def test_a_stop_message_leaves_other_work_alone(bench: Workbench) -> None:
    ordered = await bench.order(1)
    gate = Gate()
    workshop = bench.workshop(ScriptedProvider([gate, fact(0), USAGE]))
    async with bench.running(workshop, ordered.batch_ids[0]) as running:
        await gate.reached.wait()
        await recovery.drop_stopped(workshop)
        gate.opened.set()
        await running
    assert (await factories.load(bench.database, ordered)).status == "completed"


async def test_a_batch_claimed_while_stops_are_looked_up_is_left_alone(bench: Workbench) -> None:
    ordered = await bench.order(1, 1)
    gates = [Gate(), Gate()]
    provider = ScriptedProvider([gates[0], fact(0), USAGE], [gates[1], fact(1), USAGE])
    workshop = bench.workshop(provider)
    async with bench.running(workshop, ordered.batch_ids[0]) as first:
        await gates[0].reached.wait()
        looked = troubled(workshop).read_gate = Gate()
        looking = asyncio.create_task(recovery.drop_stopped(workshop))
        await looked.reached.wait()
        async with bench.running(workshop, ordered.batch_ids[1]) as second:
            await gates[1].reached.wait()
            looked.opened.set()
            await looking
            for gate in gates:
                gate.opened.set()
            await asyncio.gather(first, second)
    assert "batch.requeued" not in await factories.types(bench.database, ordered)
    assert (await factories.load(bench.database, ordered)).status == "completed"


async def test_what_a_worker_held_that_was_seen_to_die_is_free_at_once(bench: Workbench) -> None:
    ordered = await bench.order(1, 1)
    claim = await factories.claim(bench.database, ordered.batch_ids[0], worker="dead", lease_seconds=60)
    other = await factories.claim(bench.database, ordered.batch_ids[1], worker="alive", lease_seconds=60)
    await recovery.release(bench.database, Queue(bench.redis), Broadcast(bench.redis), worker="dead")
    row = await factories.batch_row(bench.database, claim.batch_id)
    assert row.state == "pending"
    assert await bench.queued() == [f"{claim.batch_id}:{row.fence}"]
    assert (await factories.batch_row(bench.database, other.batch_id)).lease_owner == "alive"


async def test_a_death_is_survived_while_redis_is_away(bench: Workbench) -> None:
    ordered = await bench.order(1)
    await factories.claim(bench.database, ordered.batch_ids[0], worker="dead", lease_seconds=60)
    bench.redis_server.connected = False
    assert await recovery.release(bench.database, Queue(bench.redis), Broadcast(bench.redis), worker="dead")
    assert not await recovery.release(bench.database, Queue(bench.redis), Broadcast(bench.redis), worker="dead")
    assert (await factories.batch_row(bench.database, ordered.batch_ids[0])).state == "pending"


async def test_a_death_is_survived_while_the_database_is_away(bench: Workbench) -> None:
    ordered = await bench.order(1)
    await factories.claim(bench.database, ordered.batch_ids[0], worker="dead", lease_seconds=60)
    database = troubled(bench.workshop(ScriptedProvider()))
    database.is_away = True
    await recovery.release(database, Queue(bench.redis), Broadcast(bench.redis), worker="dead")
    assert (await factories.batch_row(bench.database, ordered.batch_ids[0])).state == "processing", "its lease runs out"


async def test_after_a_database_that_was_away_the_living_get_a_lease_to_come_back(bench: Workbench) -> None:
    ordered = await bench.order(1)
    workshop = bench.workshop(ScriptedProvider(), lease_seconds=0.3)
    database = troubled(workshop)
    database.is_away = True
    async with going(recovery.keep_sweeping, workshop):
        await eventually(lambda: database.refused >= 1)
        claim = await factories.claim(bench.database, ordered.batch_ids[0], worker="slow", lease_seconds=0)
        database.is_away = False
        await eventually(lambda: database.reads >= 1)
        assert (await factories.batch_row(bench.database, claim.batch_id)).state == "processing"
        await eventually(lambda: is_pending(bench, claim))


async def is_pending(bench: Workbench, claim: Claim) -> bool:
    return bool((await factories.batch_row(bench.database, claim.batch_id)).state == "pending")


async def test_what_was_taken_back_does_not_stand_behind_thousands_that_wait(
    bench: Workbench, monkeypatch: pytest.MonkeyPatch
) -> None:
    # Thousands are too many for a test.
    monkeypatch.setattr(outbox, "CARRY_MAX", 2)
    waiting = await bench.order(*[1] * 5)
    begun = await bench.order(1)
    claim = await factories.claim(bench.database, begun.batch_ids[0], worker="dead", lease_seconds=0)
    await recovery.sweep(bench.workshop(ScriptedProvider()))
    queued = await bench.queued()
    assert f"{claim.batch_id}:{claim.fence + 1}" in queued
    assert len(queued) < 1 + len(waiting.batch_ids)
