"""What is asked for at the same time is done once; what is asked for later is done again."""

import asyncio

from service.api.flights import Flights


async def test_what_has_just_ended_is_begun_anew() -> None:
    flights: Flights[int] = Flights()
    begun = 0

    async def count() -> int:
        nonlocal begun
        begun += 1
        return begun

    first = flights._fly("key", count)
    first.add_done_callback(lambda _: None)
    await asyncio.sleep(0)
    assert first.done(), "it has ended, and nobody has been told so yet"
    assert await flights.join("key", count) == 2
    assert await flights.join("key", count) == 3
    assert not flights._flying
