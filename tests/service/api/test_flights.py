"""One does it for all who want the same at the same time."""

import asyncio

import pytest
from structlog.testing import capture_logs

from service.api.flights import Flights
from tests.scripted import Gate
from tests.workbench import WAIT_SECONDS


async def test_those_who_want_the_same_at_the_same_time_get_it_from_one() -> None:
    flights: Flights[int] = Flights()
    begun = []

    async def begin() -> int:
        begun.append(len(begun))
        return begun[-1]

    assert await asyncio.gather(flights.join("a", begin), flights.join("a", begin)) == [0, 0]
    assert await flights.join("a", begin) == 1


async def test_whoever_comes_in_the_moment_in_which_it_ends_gets_one_of_its_own() -> None:
    flights: Flights[int] = Flights()
    is_begun = asyncio.Event()

    async def second() -> int:
        is_begun.set()
        return 2

    async def first() -> int:
        # Runs when this has ended, and before anyone is told so.
        asyncio.get_running_loop().call_soon(flights.start, "a", second)
        return 1

    assert await flights.join("a", first) == 1
    await asyncio.wait_for(is_begun.wait(), WAIT_SECONDS)


async def test_an_error_goes_to_everyone_who_waits() -> None:
    flights: Flights[int] = Flights()

    async def fail() -> int:
        raise LookupError

    found = await asyncio.gather(flights.join("a", fail), flights.join("a", fail), return_exceptions=True)
    assert [type(error) for error in found] == [LookupError, LookupError]


async def test_a_failure_that_nobody_waits_for_is_logged_once() -> None:
    flights: Flights[int] = Flights()
    gate = Gate()

    async def fail() -> int:
        await gate.passed()
        raise LookupError

    with capture_logs() as logs:
        flights.start("a", fail)
        flights.start("a", fail)
        gate.opened.set()
        with pytest.raises(LookupError):
            await flights.join("a", fail)
    assert [entry["event"] for entry in logs] == ["could not read what comes next"]
