"""When the next call may start."""

import asyncio
import time

import pytest

from jobs.governor import Governor
from tests.scripted import Gate
from tests.workbench import WAIT_SECONDS, eventually


class Calls:
    """Calls in flight through one governor, each held at a gate of its own."""

    def __init__(self, governor: Governor) -> None:
        self.gates: list[Gate] = []
        self.running = 0
        self.most_running = 0
        self._governor = governor

    def start(self, count: int) -> list[asyncio.Task[None]]:
        gates = [Gate() for _ in range(count)]
        self.gates += gates
        return [asyncio.create_task(self._call(gate)) for gate in gates]

    async def _call(self, gate: Gate) -> None:
        async with self._governor.turn():
            self.running += 1
            self.most_running = max(self.most_running, self.running)
            try:
                await gate.passed()
            finally:
                self.running -= 1

    def let_all_go(self) -> None:
        for gate in self.gates:
            gate.opened.set()


async def test_no_more_calls_are_in_flight_than_allowed() -> None:
    calls = Calls(Governor(3))
    tasks = calls.start(10)
    await eventually(lambda: calls.running == 3)
    calls.let_all_go()
    async with asyncio.timeout(WAIT_SECONDS):
        await asyncio.gather(*tasks)
    assert calls.most_running == 3


async def test_a_call_that_fails_makes_room() -> None:
    governor = Governor(1)
    with pytest.raises(ValueError, match="broken"):
        async with governor.turn():
            raise ValueError("broken")
    async with asyncio.timeout(WAIT_SECONDS), governor.turn():
        pass


async def test_calls_that_are_cancelled_while_they_wait_make_room() -> None:
    governor = Governor(1)
    calls = Calls(governor)
    governor.block(0.1)
    blocked, queued = calls.start(2)
    await asyncio.wait({blocked, queued}, timeout=0)
    for waiting in (queued, blocked):
        waiting.cancel()
    await asyncio.gather(blocked, queued, return_exceptions=True)
    async with asyncio.timeout(WAIT_SECONDS), governor.turn():
        assert calls.most_running == 0


async def test_a_block_holds_every_call_until_it_is_over() -> None:
    governor = Governor(5)
    calls = Calls(governor)
    started = time.monotonic()
    governor.block(0.15)
    tasks = calls.start(4)
    calls.let_all_go()
    async with asyncio.timeout(WAIT_SECONDS):
        await asyncio.gather(*tasks)
    assert time.monotonic() - started >= 0.15


async def test_a_block_does_not_stop_calls_in_flight() -> None:
    governor = Governor(5)
    async with asyncio.timeout(WAIT_SECONDS), governor.turn():
        governor.block(3600)


async def test_a_shorter_block_does_not_end_a_longer_one() -> None:
    governor = Governor(1)
    started = time.monotonic()
    governor.block(0.2)
    governor.block(0.01)
    async with asyncio.timeout(WAIT_SECONDS), governor.turn():
        assert time.monotonic() - started >= 0.2


async def test_a_block_that_comes_while_another_is_waited_for_counts_as_well() -> None:
    governor = Governor(1)
    calls = Calls(governor)
    started = time.monotonic()
    governor.block(0.1)
    [task] = calls.start(1)
    await asyncio.wait({task}, timeout=0)
    governor.block(0.25)
    calls.let_all_go()
    async with asyncio.timeout(WAIT_SECONDS):
        await task
    assert time.monotonic() - started >= 0.25
