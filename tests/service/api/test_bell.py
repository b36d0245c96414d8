"""Whoever waits is woken."""

import asyncio
from uuid import UUID

import pytest

from service.api.bell import Bell
from service.broadcast import IDENTIFIED_CHANNEL, Broadcast
from service.errors import Unavailable
from tests.workbench import Workbench, eventually


async def test_a_ring_wakes_everyone_who_waits(bench: Workbench) -> None:
    broadcast = Broadcast(bench.redis)
    bell = Bell(broadcast, IDENTIFIED_CHANNEL)
    bell.start()
    await eventually(lambda: bench.subscribers(IDENTIFIED_CHANNEL) == 1)
    with bell.heard() as first, bell.heard() as second:
        waiting = [asyncio.create_task(bell.wait(rung, seconds=30)) for rung in (first, second)]
        await broadcast.announce_identified(UUID(int=1))
        await asyncio.wait_for(asyncio.gather(*waiting), 10)
    await bell.stop()
    assert bell._waiting == set()


async def test_without_a_ring_the_wait_ends_by_itself(bench: Workbench) -> None:
    bell = Bell(Broadcast(bench.redis), IDENTIFIED_CHANNEL)
    with bell.heard() as rung:
        await bell.wait(rung, seconds=0.01)
    assert not rung.is_set()


async def test_a_bell_that_is_closed_lets_nobody_wait(bench: Workbench) -> None:
    bell = Bell(Broadcast(bench.redis), IDENTIFIED_CHANNEL)
    with bell.heard() as rung:
        waiting = asyncio.create_task(bell.wait(rung, seconds=30))
        bell.close()
        with pytest.raises(Unavailable, match="the service is stopping"):
            await waiting
    await bell.stop()
