"""Pub/sub: calls that may be lost, senders that never fail, listeners that never give up."""

import asyncio
from collections.abc import AsyncGenerator, AsyncIterator
from contextlib import asynccontextmanager
from uuid import UUID, uuid4

import pytest
from arq.connections import ArqRedis
from structlog.testing import capture_logs

from schemas.plans import Wakeup
from service import queue
from service.broadcast import GREW_CHANNEL, STOPPED_CHANNEL, Broadcast
from service.valkey import EmbeddedValkey
from tests.workbench import WAIT_SECONDS, Workbench, eventually

WAKEUP = Wakeup(generation_id=UUID(int=1), seq=7)


@asynccontextmanager
async def listening(bench: Workbench) -> AsyncIterator[AsyncGenerator[Wakeup | None]]:
    """Connected: the first word was heard."""
    grown = Broadcast(bench.connect()).grown()
    async with asyncio.timeout(WAIT_SECONDS):
        assert await anext(grown) is None, "whoever connects may have missed something"
        yield grown
    await grown.aclose()


async def test_what_is_announced_is_heard(bench: Workbench) -> None:
    async with listening(bench) as grown:
        await Broadcast(bench.redis).announce(WAKEUP)
        assert await anext(grown) == WAKEUP


async def test_announcing_nothing_says_nothing(bench: Workbench) -> None:
    async with listening(bench) as grown:
        broadcast = Broadcast(bench.redis)
        await broadcast.announce(None)
        await broadcast.announce_all([])
        await broadcast.announce_all([WAKEUP])
        assert await anext(grown) == WAKEUP


async def test_many_are_heard_in_order(bench: Workbench) -> None:
    wakeups = [Wakeup(generation_id=uuid4(), seq=seq) for seq in range(50)]
    async with listening(bench) as grown:
        await Broadcast(bench.redis).announce_all(wakeups)
        assert [await anext(grown) for _ in wakeups] == wakeups


@pytest.mark.parametrize(
    "message", [b"", b"{", b"\xff", b"null", b"{}", b'{"generation_id": 1, "seq": 2}', b"[" * 5000]
)
async def test_what_can_not_be_read_may_have_been_anything(bench: Workbench, message: bytes) -> None:
    with capture_logs():
        async with listening(bench) as grown:
            await bench.redis.publish(GREW_CHANNEL, message)
            assert await anext(grown) is None
            await Broadcast(bench.redis).announce(WAKEUP)
            assert await anext(grown) == WAKEUP


async def test_a_stop_is_heard_on_its_own_channel(bench: Workbench) -> None:
    messages = Broadcast(bench.connect()).messages(STOPPED_CHANNEL)
    async with asyncio.timeout(WAIT_SECONDS):
        assert await anext(messages) is None
        await Broadcast(bench.redis).announce(WAKEUP)
        await Broadcast(bench.redis).announce_stopped(UUID(int=5))
        assert await anext(messages) == str(UUID(int=5)).encode()
    await messages.aclose()


async def test_sending_never_fails(bench: Workbench) -> None:
    bench.redis_server.connected = False
    with capture_logs() as logs:
        await Broadcast(bench.redis).announce(WAKEUP)
        await Broadcast(bench.redis).announce_stopped(UUID(int=1))
    assert [entry["event"] for entry in logs] == ["could not announce"] * 2


async def test_a_listener_waits_for_a_redis_that_is_away_and_says_when_it_is_back(bench: Workbench) -> None:
    bench.redis_server.connected = False
    grown = Broadcast(bench.connect()).grown()
    with capture_logs() as logs:
        first = asyncio.ensure_future(anext(grown))
        await eventually(lambda: len(logs) >= 2)
        bench.redis_server.connected = True
        async with asyncio.timeout(WAIT_SECONDS):
            assert await first is None
            await Broadcast(bench.redis).announce(WAKEUP)
            assert await anext(grown) == WAKEUP
    assert {entry["event"] for entry in logs} == {"redis is away"}
    await grown.aclose()


async def listeners(redis: ArqRedis) -> int:
    [(_, count)] = await redis.pubsub_numsub(GREW_CHANNEL)
    return int(count)


async def test_a_listener_whose_connection_is_cut_comes_back(valkey: EmbeddedValkey) -> None:
    redis = queue.connect(valkey.url)
    grown = Broadcast(redis).grown()
    with capture_logs() as logs:
        async with asyncio.timeout(WAIT_SECONDS):
            assert await anext(grown) is None
            waiting = asyncio.ensure_future(anext(grown))
            await redis.client_kill_filter(_type="pubsub")
            assert await waiting is None
            await Broadcast(redis).announce(WAKEUP)
            assert await anext(grown) == WAKEUP
    assert [entry["event"] for entry in logs] == ["redis is away"]
    await grown.aclose()
    await redis.aclose(close_connection_pool=True)


async def test_a_listener_that_is_closed_leaves_no_subscription(valkey: EmbeddedValkey) -> None:
    redis = queue.connect(valkey.url)
    grown = Broadcast(redis).grown()
    assert await anext(grown) is None
    assert await listeners(redis) == 1
    await grown.aclose()

    async def is_gone() -> bool:
        return await listeners(redis) == 0

    await eventually(is_gone)
    await redis.aclose(close_connection_pool=True)
