"""How long a silent provider is waited for."""

import asyncio
import math

import pytest

from jobs.providers.patience import CALLS_MIN, SECONDS_MIN, WORTHWHILE, Patience, Silence
from tests.scripted import Gate


def deadline(seconds: float) -> float:
    return asyncio.get_running_loop().time() + seconds


async def learned(patience: Patience) -> None:
    """Calls that were hardly ever silent."""
    for _ in range(CALLS_MIN):
        async with patience.wait(deadline(5)):
            pass
        patience.learn()


async def test_until_enough_calls_have_ended_well_nothing_is_cut() -> None:
    patience = Patience(30)
    assert patience.seconds == math.inf
    for _ in range(CALLS_MIN - 1):
        patience.learn()
    assert patience.seconds == math.inf
    patience.learn()
    assert patience.seconds == SECONDS_MIN


async def test_what_is_set_is_never_exceeded() -> None:
    patience = Patience(SECONDS_MIN)
    await learned(patience)
    assert patience.seconds == math.inf, "whoever opened the connection cuts it earlier"


async def test_a_wait_that_has_begun_before_it_was_learned_is_cut_as_well() -> None:
    patience, gate = Patience(30), Gate()

    async def wait() -> None:
        async with patience.wait(deadline(20)):
            await gate.passed()

    waiting = asyncio.create_task(wait())
    await gate.reached.wait()
    await learned(patience)
    with pytest.raises(Silence):
        await waiting
    assert patience.seconds > SECONDS_MIN * 1.9, "it was cut, perhaps too early: the next one is given more"


async def test_the_deadline_of_the_whole_call_stays_a_timeout() -> None:
    patience = Patience(30)
    with pytest.raises(TimeoutError):
        async with patience.wait(deadline(0.05)):
            await Gate().passed()


async def test_a_wait_is_never_much_longer_than_what_has_been_learned_since_it_began() -> None:
    patience, gate = Patience(30), Gate()
    patience._longest_seconds = 10
    for _ in range(CALLS_MIN):
        patience.learn()

    async def wait() -> None:
        async with patience.wait(deadline(60)):
            await gate.passed()

    waiting = asyncio.create_task(wait())
    await gate.reached.wait()
    [(scope, (began, _))] = patience._waits.items()
    alarms = set()
    for _ in range(200):
        patience.learn()
        alarm = scope.when()
        assert alarm is not None
        alarms.add(alarm)
        assert patience.seconds <= alarm - began + 1e-6
        assert alarm - began <= patience.seconds / WORTHWHILE + 1e-6
    assert patience.seconds < 4
    assert len(alarms) < 25, "not set anew by each call"
    gate.opened.set()
    await waiting
