"""What a worker process works with, and the batches in its hands."""

import asyncio

import pytest

from jobs import workshop as workshops
from jobs.workshop import outlasted
from schemas.plans import Claim
from service.errors import LeaseLost, Unavailable
from service.store.database import Tx
from tests import factories
from tests.scripted import Gate, ScriptedProvider
from tests.workbench import WAIT_SECONDS, Workbench, eventually, troubled


async def claim(bench: Workbench) -> Claim:
    ordered = await bench.order(1)
    return await factories.claim(bench.database, ordered.batch_ids[0])


async def test_every_start_of_a_worker_has_a_name_of_its_own(bench: Workbench) -> None:
    parts = bench.workshop(ScriptedProvider())
    names = {
        workshops.Workshop(parts.settings, database=parts.database, redis=bench.redis, provider=parts.provider).worker
        for _ in range(10)
    }
    assert len(names) == 10
    assert bench.workshop(ScriptedProvider(), "given").worker == "given"


async def test_a_batch_is_in_hand_while_it_is_worked_on(bench: Workbench) -> None:
    workshop, taken, gate = bench.workshop(ScriptedProvider()), await claim(bench), Gate()
    work = asyncio.create_task(gate.passed())
    workshop.take(taken, work)
    assert workshop.in_hand == (taken,)
    gate.opened.set()
    await work
    await eventually(lambda: workshop.in_hand == ())


async def test_only_the_work_that_is_dropped_stops(bench: Workbench) -> None:
    workshop = bench.workshop(ScriptedProvider())
    claims = [await claim(bench), await claim(bench)]
    works = [asyncio.create_task(Gate().passed()) for _ in claims]
    for taken, work in zip(claims, works, strict=True):
        workshop.take(taken, work)
    workshop.drop([claims[0]])
    await asyncio.wait({works[0]})
    assert works[0].cancelled()
    assert workshop.in_hand == (claims[1],)
    workshop.drop(claims)
    await asyncio.wait({works[1]})


async def test_work_may_end_within_the_grace(bench: Workbench) -> None:
    workshop, gate = bench.workshop(ScriptedProvider()), Gate()
    work = asyncio.create_task(gate.passed())
    workshop.take(await claim(bench), work)
    stopping = asyncio.create_task(workshop.stop(grace_seconds=WAIT_SECONDS))
    await gate.reached.wait()
    gate.opened.set()
    await stopping
    assert work.done()
    assert not work.cancelled()


async def test_work_that_goes_on_after_the_grace_is_stopped(bench: Workbench) -> None:
    workshop = bench.workshop(ScriptedProvider())
    work = asyncio.create_task(Gate().passed())
    workshop.take(await claim(bench), work)
    await workshop.stop(grace_seconds=0.01)
    assert work.cancelled()
    assert workshop.in_hand == ()


async def test_stopping_without_work_returns(bench: Workbench) -> None:
    async with asyncio.timeout(WAIT_SECONDS):
        await bench.workshop(ScriptedProvider()).stop(grace_seconds=3600)


async def test_a_step_waits_for_a_database_that_is_away(bench: Workbench) -> None:
    workshop = bench.workshop(ScriptedProvider())
    database = troubled(workshop)
    database.is_away = True

    async def step(_tx: Tx) -> str:
        return "done"

    persisting = asyncio.create_task(workshop.persist(step))
    await eventually(lambda: database.refused >= 2)
    database.is_away = False
    async with asyncio.timeout(WAIT_SECONDS):
        assert await persisting == "done"


async def test_a_database_that_stays_away_is_not_waited_for_without_end(
    bench: Workbench, monkeypatch: pytest.MonkeyPatch
) -> None:
    # A minute is too long for a test.
    monkeypatch.setattr(workshops, "PERSIST_SECONDS_MAX", 0.1)
    workshop = bench.workshop(ScriptedProvider())
    troubled(workshop).is_away = True

    async def step(_tx: Tx) -> None:
        raise AssertionError("there is no transaction")

    with pytest.raises(Unavailable):
        await workshop.persist(step)
    assert troubled(workshop).refused >= 2


async def test_who_stops_does_not_wait_for_a_database_that_is_away(
    bench: Workbench, monkeypatch: pytest.MonkeyPatch
) -> None:
    # Seconds are too long for a test.
    monkeypatch.setattr(workshops, "STOPPING_PERSIST_SECONDS_MAX", 0.1)
    workshop = bench.workshop(ScriptedProvider())
    troubled(workshop).is_away = True

    async def step(_tx: Tx) -> None:
        raise AssertionError("there is no transaction")

    persisting = asyncio.create_task(workshop.persist(step))
    await eventually(lambda: troubled(workshop).refused >= 2)
    assert not persisting.done(), "while it works it waits"
    await workshop.stop(grace_seconds=0)
    with pytest.raises(Unavailable):
        async with asyncio.timeout(WAIT_SECONDS):
            await persisting


async def test_a_step_that_is_refused_is_not_tried_again(bench: Workbench) -> None:
    workshop = bench.workshop(ScriptedProvider())

    async def step(_tx: Tx) -> None:
        raise LeaseLost("someone else has it")

    with pytest.raises(LeaseLost):
        await workshop.persist(step)
    assert troubled(workshop).writes == 1


async def test_what_must_not_be_cut_outlasts_every_cancellation() -> None:
    gate = Gate()

    async def write() -> str:
        await gate.passed()
        return "written"

    writing = asyncio.create_task(write())
    waiting = asyncio.create_task(outlasted(writing))
    await gate.reached.wait()
    for _ in range(3):
        waiting.cancel()
        await asyncio.wait({waiting}, timeout=0)
    gate.opened.set()
    with pytest.raises(asyncio.CancelledError):
        await waiting
    assert writing.result() == "written"


async def test_what_must_not_be_cut_gives_its_outcome_or_its_error() -> None:
    async def write(*, is_sound: bool) -> str:
        if not is_sound:
            raise Unavailable("the database is away")
        return "written"

    assert await outlasted(asyncio.create_task(write(is_sound=True))) == "written"
    with pytest.raises(Unavailable):
        await outlasted(asyncio.create_task(write(is_sound=False)))
