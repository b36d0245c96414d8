"""One job at one batch: however an attempt ends, it ends in one step, once, and what passed is kept."""

import asyncio
from collections.abc import Sequence
from uuid import uuid4

import pytest
from structlog.testing import capture_logs

from jobs.providers.base import (
    ProviderError,
    ProviderRejected,
    SourceExhausted,
)
from jobs.recovery import drop_stopped, keep_leases, sweep
from schemas.generations import Batch
from schemas.questions import preview_of
from schemas.states import BatchState, ErrorCode
from service.store.steps import LOSSES_MAX
from tests import factories
from tests.factories import Ordered
from tests.scripted import TOO_LONG, USAGE, Gate, Part, ScriptedProvider, fact, facts, stem
from tests.workbench import WAIT_SECONDS, Workbench, eventually, troubled

FINAL = [ProviderRejected("the key is wrong"), SourceExhausted("the module yields no more")]
RELEASED = ["batch.requeued"]


async def batch_of(bench: Workbench, ordered: Ordered, position: int = 0) -> Batch:
    return (await factories.load(bench.database, ordered)).batches[position]


async def outcomes(bench: Workbench, ordered: Ordered) -> Sequence[str]:
    return [event["type"] for event in await factories.log(bench.database, ordered)]


async def test_a_job_fills_and_completes_its_batch(bench: Workbench) -> None:
    ordered = await bench.order(2, 1)
    provider = ScriptedProvider([*facts(0, 2), USAGE], [fact(2), USAGE])
    workshop = bench.workshop(provider)
    for batch_id in ordered.batch_ids:
        await bench.run(workshop, batch_id)
    assert await outcomes(bench, ordered) == [
        "generation.started",
        "batch.started",
        "question.accepted",
        "question.accepted",
        "batch.completed",
        "batch.started",
        "question.accepted",
        "batch.completed",
        "generation.completed",
    ]
    assert workshop.in_hand == ()
    assert await factories.findings(bench.database) == ()


async def test_a_job_delivered_twice_runs_once(bench: Workbench) -> None:
    ordered = await bench.order(2)
    [batch_id] = ordered.batch_ids
    gate = Gate()
    provider = ScriptedProvider([fact(0), gate, fact(1), USAGE])
    first, second = bench.workshop(provider, "worker-1"), bench.workshop(provider, "worker-2")
    async with bench.running(first, batch_id) as running:
        await gate.reached.wait()
        await bench.run(first, batch_id, fence=0)
        await bench.run(second, batch_id, fence=0)
        await bench.run(second, batch_id)
        gate.opened.set()
        await running
    before = await factories.log(bench.database, ordered)
    await bench.run(second, batch_id, fence=0)
    await bench.run(second, batch_id)
    assert await factories.log(bench.database, ordered) == before
    assert len(provider.requests) == 1
    assert (await batch_of(bench, ordered)).attempts == 1


async def test_of_many_workers_at_one_batch_one_works(bench: Workbench) -> None:
    ordered = await bench.order(1)
    provider = ScriptedProvider([fact(0), USAGE])
    workshops = [bench.workshop(provider, f"worker-{number}") for number in range(8)]
    await asyncio.gather(*(bench.run(workshop, ordered.batch_ids[0], fence=0) for workshop in workshops))
    assert len(provider.requests) == 1
    assert (await batch_of(bench, ordered)).status is BatchState.COMPLETED


async def test_a_job_about_nothing_we_know_does_nothing(bench: Workbench) -> None:
    provider = ScriptedProvider()
    await bench.run(bench.workshop(provider), uuid4(), fence=0)
    assert provider.requests == []


async def test_a_job_leaves_the_queue_once_its_batch_is_claimed(bench: Workbench) -> None:
    ordered = await bench.order(1)
    gate = Gate()
    workshop = bench.workshop(ScriptedProvider([gate, fact(0), USAGE]))
    await sweep(workshop)
    assert await bench.queued() == [f"{ordered.batch_ids[0]}:0"]
    async with bench.running(workshop, ordered.batch_ids[0]) as running:
        await gate.reached.wait()
        assert await bench.queued() == []
        gate.opened.set()
        await running


async def test_a_job_that_finds_its_batch_taken_leaves_the_queue_as_well(bench: Workbench) -> None:
    ordered = await bench.order(1)
    workshop = bench.workshop(ScriptedProvider())
    await sweep(workshop)
    await factories.claim(bench.database, ordered.batch_ids[0], worker="worker-2")
    await bench.run(workshop, ordered.batch_ids[0], fence=0)
    assert await bench.queued() == []


async def test_a_redis_that_is_away_stops_no_running_batch(bench: Workbench) -> None:
    ordered = await bench.order(1)
    bench.redis_server.connected = False
    await bench.run(bench.workshop(ScriptedProvider([fact(0), USAGE])), ordered.batch_ids[0])
    assert (await batch_of(bench, ordered)).status is BatchState.COMPLETED


async def test_a_passing_trouble_is_tried_again_until_the_attempts_are_used_up(bench: Workbench) -> None:
    error = TOO_LONG
    ordered = await bench.order(5)
    [batch_id] = ordered.batch_ids
    calls: list[list[Part]] = []
    for number in range(3):
        calls += [[fact(number), USAGE], [error]]
    workshop = bench.workshop(ScriptedProvider(*calls), generation_retries_max=3)

    for attempt in (1, 2):
        await bench.try_again(workshop, batch_id)
        batch = await batch_of(bench, ordered)
        assert (batch.status, batch.attempts, batch.held_count, batch.error) == ("pending", attempt, attempt, None)
        told = (await factories.log(bench.database, ordered))[-1]
        assert (told["type"], told["code"]) == ("batch.retrying", error.code)
        row = await factories.batch_row(bench.database, batch_id)
        assert row.not_before == row.wanted_at, "it comes back to the queue when it is due"
        assert 0 <= told["delay_seconds"] <= 2 ** (attempt - 1)

    await bench.try_again(workshop, batch_id)
    batch = await batch_of(bench, ordered)
    assert (batch.status, batch.attempts, batch.held_count) == ("failed", 3, 3)
    assert batch.error is not None
    assert (batch.error.code, batch.error.message) == (error.code, str(error))
    assert (await outcomes(bench, ordered))[-2:] == ["batch.failed", "generation.failed"]
    assert await factories.findings(bench.database) == ()


async def test_a_batch_is_not_done_again_before_it_is_due(bench: Workbench) -> None:
    ordered = await bench.order(1)
    provider = ScriptedProvider([TOO_LONG])
    workshop = bench.workshop(provider)
    await bench.run(workshop, ordered.batch_ids[0])
    await factories.change_batch(
        bench.database, ordered.batch_ids[0], not_before=(await bench.now()).replace(year=2999)
    )
    await bench.run(workshop, ordered.batch_ids[0])
    assert len(provider.requests) == 1


@pytest.mark.parametrize("error", FINAL, ids=lambda error: error.code)
async def test_what_another_attempt_would_not_mend_fails_at_once(bench: Workbench, error: ProviderError) -> None:
    ordered = await bench.order(5)
    await bench.run(bench.workshop(ScriptedProvider([*facts(0, 2), USAGE, error])), ordered.batch_ids[0])
    batch = await batch_of(bench, ordered)
    assert (batch.status, batch.attempts, batch.held_count) == ("failed", 1, 2)
    assert batch.error is not None
    assert (batch.error.code, batch.error.message) == (error.code, str(error))
    assert await factories.findings(bench.database) == ()


async def test_what_nobody_foresaw_is_internal_and_logged_without_leaking_its_text(bench: Workbench) -> None:
    ordered = await bench.order(3)
    workshop = bench.workshop(
        ScriptedProvider([fact(0), USAGE, RuntimeError("secret words")]), generation_retries_max=1
    )
    with capture_logs() as logs:
        await bench.run(workshop, ordered.batch_ids[0])
    batch = await batch_of(bench, ordered)
    assert (batch.status, batch.held_count) == ("failed", 1)
    assert batch.error is not None
    assert (batch.error.code, batch.error.message) == (ErrorCode.INTERNAL, "internal error: RuntimeError")
    assert "secret" not in str(await factories.log(bench.database, ordered))
    [logged] = [entry for entry in logs if entry["log_level"] == "error"]
    assert logged["event"] == "batch failed unexpectedly"
    assert logged["exc_info"]


async def test_a_batch_that_was_taken_over_is_left_silently(bench: Workbench) -> None:
    ordered = await bench.order(3)
    [batch_id] = ordered.batch_ids
    gate = Gate()
    provider = ScriptedProvider([fact(0), USAGE, gate, fact(1), USAGE])
    async with bench.running(bench.workshop(provider, "worker-1"), batch_id) as running:
        await gate.reached.wait()
        await bench.holds(batch_id, 1)
        await bench.take_back(batch_id)
        await factories.claim(bench.database, batch_id, worker="worker-2")
        before = await factories.log(bench.database, ordered)
        gate.opened.set()
        await running
    assert await factories.log(bench.database, ordered) == before
    assert (await batch_of(bench, ordered)).held_count == 1
    assert len(provider.requests) == 1, "it asks no more"


async def test_a_worker_that_froze_changes_nothing_when_it_wakes(bench: Workbench) -> None:
    ordered = await bench.order(3)
    [batch_id] = ordered.batch_ids
    gate = Gate()
    frozen = bench.workshop(ScriptedProvider([fact(0), gate, fact(5), fact(6), USAGE]), "frozen", lease_seconds=0.05)
    healthy = bench.workshop(ScriptedProvider([fact(1), fact(2), USAGE]), "healthy")
    async with bench.running(frozen, batch_id) as running:
        await gate.reached.wait()
        await bench.holds(batch_id, 1)
        async with asyncio.timeout(WAIT_SECONDS):
            while (await batch_of(bench, ordered)).status is BatchState.PROCESSING:
                await sweep(healthy)
        await bench.run(healthy, batch_id)
        assert (await batch_of(bench, ordered)).status is BatchState.COMPLETED
        saved = await factories.saved_questions(bench.database, ordered)
        before = await factories.log(bench.database, ordered)
        gate.opened.set()
        await running
    assert await factories.saved_questions(bench.database, ordered) == saved
    assert [preview_of(question.content) for question in saved] == [stem(number) for number in range(3)]
    assert await factories.log(bench.database, ordered) == before
    assert [event["reason"] for event in before if event["type"] == "batch.requeued"] == ["worker_lost"]
    assert await factories.findings(bench.database) == ()


async def test_cancelling_a_generation_stops_its_calls_and_no_further_one_is_made(bench: Workbench) -> None:
    ordered = await bench.order(3, 3)
    provider = ScriptedProvider([fact(0), Gate()], [fact(1), Gate()])
    workshop = bench.workshop(provider)
    jobs = [asyncio.create_task(bench.run(workshop, batch_id)) for batch_id in ordered.batch_ids]
    await eventually(lambda: len(provider.requests) == 2)
    await bench.cancel(ordered)
    before = await factories.log(bench.database, ordered)
    await drop_stopped(workshop)
    async with asyncio.timeout(WAIT_SECONDS):
        await asyncio.gather(*jobs)
    assert sorted(provider.cut) == [0, 1]
    assert await factories.log(bench.database, ordered) == before
    assert [batch.status for batch in (await factories.load(bench.database, ordered)).batches] == ["cancelled"] * 2
    assert await factories.findings(bench.database) == ()


async def test_a_stopped_worker_releases_its_batches_with_all_that_passed_uncounted(bench: Workbench) -> None:
    ordered = await bench.order(3)
    [batch_id] = ordered.batch_ids
    gate = Gate()
    provider = ScriptedProvider([*facts(0, 2), USAGE, gate], [fact(2), USAGE])
    first = bench.workshop(provider, "worker-1", generation_retries_max=1)
    async with bench.running(first, batch_id) as running:
        await gate.reached.wait()
        await first.stop(grace_seconds=0)
        await running
    batch = await batch_of(bench, ordered)
    assert (batch.status, batch.held_count) == ("pending", 2)
    assert provider.cut == [0]
    assert (await outcomes(bench, ordered))[-1:] == RELEASED
    assert (await factories.load(bench.database, ordered)).usage.llm_calls == 1

    second = bench.workshop(provider, "worker-2", generation_retries_max=1)
    await sweep(second)
    row = await factories.batch_row(bench.database, batch_id)
    assert await bench.queued() == [f"{batch_id}:{row.fence}"], "it is wanted at once"
    await bench.run(second, batch_id)
    assert (await batch_of(bench, ordered)).status is BatchState.COMPLETED
    assert [request.count for request in provider.requests] == [3, 1]
    assert await factories.findings(bench.database) == ()


async def test_a_job_that_is_cancelled_releases_its_batch(bench: Workbench) -> None:
    ordered = await bench.order(2)
    gate = Gate()
    workshop = bench.workshop(ScriptedProvider([fact(0), gate]))
    async with bench.running(workshop, ordered.batch_ids[0]) as running:
        await gate.reached.wait()
        running.cancel()
        with pytest.raises(asyncio.CancelledError):
            await running
    batch = await batch_of(bench, ordered)
    assert (batch.status, batch.held_count) == ("pending", 1)
    assert workshop.in_hand == ()


async def test_stopping_more_than_once_spoils_no_last_write(bench: Workbench) -> None:
    ordered = await bench.order(2)
    gate, last_write = Gate(), Gate()
    workshop = bench.workshop(ScriptedProvider([fact(0), USAGE, gate]))
    async with bench.running(workshop, ordered.batch_ids[0]) as running:
        await gate.reached.wait()
        troubled(workshop).write_gate = last_write
        stopping = [asyncio.create_task(workshop.stop(grace_seconds=0))]
        await last_write.reached.wait()
        for _ in range(3):
            workshop.drop(workshop.in_hand)
            stopping.append(asyncio.create_task(workshop.stop(grace_seconds=0)))
            await asyncio.wait({running}, timeout=0)
        last_write.opened.set()
        await asyncio.gather(*stopping)
        await running
    batch = await batch_of(bench, ordered)
    assert (batch.status, batch.held_count) == ("pending", 1)
    assert (await outcomes(bench, ordered))[-1:] == RELEASED


async def test_a_batch_claimed_while_its_worker_stops_is_released(bench: Workbench) -> None:
    ordered = await bench.order(2)
    claiming = Gate()
    provider = ScriptedProvider(always=[Gate()])
    workshop = bench.workshop(provider)
    troubled(workshop).write_gate = claiming
    async with bench.running(workshop, ordered.batch_ids[0]) as running:
        await claiming.reached.wait()
        await workshop.stop(grace_seconds=0)
        claiming.opened.set()
        await running
    assert (await batch_of(bench, ordered)).status is BatchState.PENDING
    assert await factories.findings(bench.database) == ()


async def test_an_end_that_can_not_be_written_does_not_keep_the_batch_for_ever(bench: Workbench) -> None:
    ordered = await bench.order(2)
    unwritable = ProviderRejected("half of a character: \ud83d")
    workshop = bench.workshop(ScriptedProvider(always=[unwritable]), lease_seconds=0)
    with capture_logs() as logs:
        for _ in range(LOSSES_MAX):
            assert (await batch_of(bench, ordered)).status is BatchState.PENDING
            await bench.run(workshop, ordered.batch_ids[0])
            await sweep(workshop)
    assert sum(entry["log_level"] == "error" for entry in logs) == LOSSES_MAX
    batch = await batch_of(bench, ordered)
    assert batch.error is not None
    assert batch.error.code is ErrorCode.POISONED
    assert await factories.findings(bench.database) == ()


async def test_a_batch_left_because_the_database_was_away_is_done_again_by_a_living_worker(bench: Workbench) -> None:
    ordered = await bench.order(2)
    [batch_id] = ordered.batch_ids
    gate = Gate()
    # What costs nothing leaves nothing to write: who has something in hand waits for the database instead.
    provider = ScriptedProvider([fact(0), gate], [fact(1)], is_metered=False)
    workshop = bench.workshop(provider, lease_seconds=0.3)
    database = troubled(workshop)
    async with bench.running(workshop, batch_id) as running:
        await gate.reached.wait()
        await bench.holds(batch_id, 1)
        database.is_away = True
        gate.opened.set()
        await running
    assert (await batch_of(bench, ordered)).status is BatchState.PROCESSING, "nothing could be written"

    database.is_away = False
    beating = asyncio.create_task(keep_leases(workshop))
    try:
        async with asyncio.timeout(WAIT_SECONDS):
            while (await batch_of(bench, ordered)).status is BatchState.PROCESSING:
                await sweep(workshop)
        await bench.run(workshop, batch_id)
    finally:
        beating.cancel()
    assert (await batch_of(bench, ordered)).status is BatchState.COMPLETED
    assert await factories.findings(bench.database) == ()
