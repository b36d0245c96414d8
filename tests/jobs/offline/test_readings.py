"""One reading a module, however many ask; none for nobody."""

import asyncio
from collections.abc import Callable, Iterator
from concurrent.futures import Future, ThreadPoolExecutor
from contextlib import suppress
from typing import Any

import pytest

from jobs.offline.analysis import Stopped
from jobs.offline.english import ENGLISH
from jobs.offline.german import GERMAN
from jobs.offline.readings import Readings

TEXT = "A granum is a stack of thylakoids that resembles coins."
LONG = " ".join(f"The organ number {number} is a part of the plant that has {number} cells." for number in range(2000))
SECONDS_MAX = 30


class CountingExecutor(ThreadPoolExecutor):
    """Remembers what it was given to do."""

    def __init__(self) -> None:
        super().__init__(2)
        self.works: list[Future[Any]] = []

    def submit(self, fn: Callable[..., Any], /, *args: Any, **kwargs: Any) -> Future[Any]:
        work = super().submit(fn, *args, **kwargs)
        self.works.append(work)
        return work


@pytest.fixture
def executor() -> Iterator[CountingExecutor]:
    with CountingExecutor() as executor:
        yield executor


async def test_those_who_ask_at_once_share_a_reading(executor: CountingExecutor) -> None:
    readings = Readings(executor, 4)
    found = await asyncio.gather(*(readings.of(TEXT, ENGLISH) for _ in range(5)))
    assert len(executor.works) == 1
    assert all(analysis is found[0] for analysis in found)
    assert await readings.of(TEXT, ENGLISH) is found[0]


async def test_each_text_and_language_is_read_for_itself(executor: CountingExecutor) -> None:
    readings = Readings(executor, 4)
    await asyncio.gather(readings.of(TEXT, ENGLISH), readings.of(TEXT, GERMAN), readings.of(f"{TEXT} ", ENGLISH))
    assert len(executor.works) == 3


async def test_only_the_last_readings_are_kept(executor: CountingExecutor) -> None:
    readings = Readings(executor, 2)
    for number in range(3):
        await readings.of(f"{TEXT} {number}", ENGLISH)
    await readings.of(f"{TEXT} 2", ENGLISH)
    assert len(executor.works) == 3
    await readings.of(f"{TEXT} 0", ENGLISH)
    assert len(executor.works) == 4


async def test_a_reading_that_nobody_waits_for_stops(executor: CountingExecutor) -> None:
    readings = Readings(executor, 4)
    waiting = asyncio.create_task(readings.of(LONG, ENGLISH))
    await asyncio.sleep(0)  # the task runs until it waits for the reading
    waiting.cancel()
    with suppress(asyncio.CancelledError):
        await waiting
    assert isinstance(await asyncio.to_thread(executor.works[0].exception, SECONDS_MAX), Stopped)
    assert (await readings.of(LONG, ENGLISH)).statements


async def test_a_reading_goes_on_while_one_still_waits(executor: CountingExecutor) -> None:
    readings = Readings(executor, 4)
    impatient, patient = (asyncio.create_task(readings.of(LONG, ENGLISH)) for _ in range(2))
    await asyncio.sleep(0)  # the task runs until it waits for the reading
    impatient.cancel()
    assert (await asyncio.wait_for(patient, SECONDS_MAX)).statements
    assert len(executor.works) == 1


async def test_stopping_ends_every_reading(executor: CountingExecutor) -> None:
    readings = Readings(executor, 4)
    waiting = asyncio.create_task(readings.of(LONG, ENGLISH))
    await asyncio.sleep(0)  # the task runs until it waits for the reading
    readings.stop()
    with pytest.raises(Stopped):
        await asyncio.wait_for(waiting, SECONDS_MAX)
