"""How long a silent provider is waited for."""

import asyncio
from collections import deque

import pytest

from jobs.providers.patience import AGAIN_FACTOR, CALLS_KEPT, CALLS_MIN, SECONDS_MIN, SHARE, Patience, Silence, bearable
from tests.scripted import Gate

SHORT_SECONDS = 0.02


def deadline(seconds: float) -> float:
    return asyncio.get_running_loop().time() + seconds


async def learned(patience: Patience) -> None:
    """Calls that were hardly ever silent."""
    for _ in range(CALLS_MIN):
        async with patience.wait(deadline(5)):
            pass
        patience.learn()


async def cut(patience: Patience) -> float:
    """The seconds after which a call is cut that is silent for ever, where calls are silent for a moment."""
    patience.seconds = SHORT_SECONDS
    with pytest.raises(Silence) as silence:
        async with patience.wait(deadline(20)):
            await Gate().passed()
    return silence.value.seconds


async def test_until_enough_calls_have_ended_nothing_is_cut() -> None:
    patience = Patience(30)
    for _ in range(CALLS_MIN - 1):
        patience.learn()
    assert patience.seconds == 30
    patience.learn()
    assert patience.seconds == SECONDS_MIN


def test_stalls_that_are_fewer_than_the_rest_do_not_make_us_wait_longer() -> None:
    assert bearable([0.2] * 75 + [30.0] * 25, 60) == SECONDS_MIN


def test_a_provider_that_becomes_slow_for_everyone_is_not_cut_for_long() -> None:
    """Each call is silent for ten seconds from now on: those that are cut teach that."""
    silences, cuts = deque([0.2] * CALLS_KEPT, maxlen=CALLS_KEPT), 0
    while (seconds := bearable(silences, 30)) < 10:
        silences.append(seconds)
        cuts += 1
    assert cuts <= CALLS_KEPT * (1 - SHARE) + 1


async def test_what_is_set_is_never_exceeded() -> None:
    assert bearable([20.0] * CALLS_KEPT, 30) == 30
    patience = Patience(SHORT_SECONDS)
    assert await cut(patience) < SHORT_SECONDS * AGAIN_FACTOR
    assert await cut(patience) < SHORT_SECONDS * AGAIN_FACTOR, "also for who was cut before"


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


async def test_who_was_cut_and_asks_again_is_given_more_each_time() -> None:
    patience = Patience(30)
    await cut(patience)
    assert await cut(patience) >= SHORT_SECONDS * AGAIN_FACTOR
    assert await cut(patience) >= SHORT_SECONDS * AGAIN_FACTOR**2


async def test_the_deadline_of_the_whole_call_stays_a_timeout() -> None:
    patience = Patience(30)
    with pytest.raises(TimeoutError):
        async with patience.wait(deadline(0.05)):
            await Gate().passed()
