"""The three things that are measured: fan-out, a storm of reconnects, and one client that stops reading."""

import asyncio
from contextlib import AsyncExitStack
from pathlib import Path

import numpy as np

from bench.streaming import bed, load, usage
from bench.streaming.scene import PREVIEW_CHARACTERS, Contender, Pace, Scene, prepared
from bench.streaming.watch import Watch
from service.store import events
from service.store.database import Database

Figures = dict[str, float]

ALL_AT_ONCE = Pace("8 in flight", 8)
LONG_PREVIEW_CHARACTERS = 1000


async def fanout(contender: Contender, program: Path, clients: int, pace: Pace, count: int) -> Figures:
    """`clients` hear `count` events that are published at `pace`."""
    async with prepared(contender, program) as scene, AsyncExitStack() as stack:
        pids = scene.served.pids
        publisher = await stack.enter_async_context(scene.publisher(pace, count))
        await publisher.ready()
        rss_before = usage.rss_kb(pids)
        crowd = await stack.enter_async_context(scene.clients(clients, progress=publisher.progress, last=count))
        await crowd.ready()
        used, used_by_redis = usage.of(pids), usage.of([scene.bed.redis_pid])
        publisher.go()
        await crowd.done()
        used, used_by_redis = usage.of(pids).since(used), usage.of([scene.bed.redis_pid]).since(used_by_redis)
        rss = usage.rss_kb(pids) - rss_before
        told_at = await publisher.told_at()
        seen = await crowd.leave()
        received = crowd.received()
    p50, p99 = np.percentile(load.latencies_ms(received, told_at), [50, 99])
    seconds = float(received["nanoseconds"].max() - told_at[0][1]) / 1e9
    return {
        "deliveries": seen.deliveries,
        "per CPU s": seen.deliveries / used.cpu_seconds,
        "per s": seen.deliveries / seconds,
        "p50 ms": float(p50),
        "p99 ms": float(p99),
        "KB/stream": rss / clients,
        "open s": seen.ready_seconds,
        "redis ms/100k": used_by_redis.cpu_seconds * 1000 / seen.deliveries * 100_000,
        "core busy %": 100 * used.waited_seconds / seconds,
        "faults": seen.faults,
    }


async def storm(contender: Contender, program: Path, clients: int, count: int, *, is_watched: bool) -> Figures:
    """`clients` connect at once and want the last `count` events; `is_watched`: somebody was there when they came."""
    async with prepared(contender, program) as scene, AsyncExitStack() as stack:
        # Who does not number by the log can't be asked for a part of it.
        after = count if scene.served.has_our_ids else 0
        if is_watched:
            publisher = await stack.enter_async_context(scene.publisher(ALL_AT_ONCE, after + count))
            await publisher.ready()
            watching = scene.clients(1, progress=publisher.progress, last=after + count)
            watcher = await stack.enter_async_context(watching)
            await watcher.ready()
            publisher.go()
            await watcher.done()
        else:
            await _write(scene, after + count)
        used, rss_before = usage.of(scene.served.pids), usage.rss_kb(scene.served.pids)
        options = {"after": after, "last": after + count}
        if scene.served.has_our_ids:
            options["resume"] = after
        crowd = await stack.enter_async_context(scene.clients(clients, path=scene.served.replay_path, **options))
        await crowd.ready()
        await crowd.done()
        used = usage.of(scene.served.pids).since(used)
        rss = usage.rss_kb(scene.served.pids) - rss_before
        seen = await crowd.leave()
    return {
        "deliveries": seen.deliveries,
        "total s": seen.done_seconds,
        "CPU s": used.cpu_seconds,
        "KB/stream": rss / clients,
        "core busy %": 100 * used.waited_seconds / seen.done_seconds,
        "faults": seen.faults,
    }


async def _write(scene: Scene, count: int) -> None:
    database = Database(scene.bed.database_url)
    await bed.append(database, scene.bed, count, PREVIEW_CHARACTERS)
    await database.close()


async def stall(contender: Contender, program: Path, readers: int, count: int, *, cut_seconds_max: float) -> Figures:
    """`readers` hear `count` long events, without and with another client that stops reading after its first block.

    It may be cut until so long after the last event.
    """
    control = await _stall(contender, program, readers, count, patience_seconds=None)
    figures = await _stall(contender, program, readers, count, patience_seconds=cut_seconds_max)
    return {
        **figures,
        "p99 / without": figures["p99 ms"] / control["p99 ms"],
        "RSS +MB": figures["RSS +MB"] - control["RSS +MB"],
        "faults": figures["faults"] + control["faults"],
    }


async def _stall(
    contender: Contender, program: Path, readers: int, count: int, *, patience_seconds: float | None
) -> Figures:
    """None: everybody reads."""
    is_stalled = patience_seconds is not None
    async with prepared(contender, program) as scene, AsyncExitStack() as stack:
        publisher = await stack.enter_async_context(scene.publisher(ALL_AT_ONCE, count, LONG_PREVIEW_CHARACTERS))
        await publisher.ready()
        opening = scene.clients(readers + is_stalled, progress=publisher.progress, last=count, stalled=int(is_stalled))
        crowd = await stack.enter_async_context(opening)
        await crowd.ready()
        watch = Watch(scene.served, crowd.stalled_port)
        watching = asyncio.create_task(watch.keep())
        publisher.go()
        await crowd.done()
        told_at = await publisher.told_at()
        if patience_seconds is not None:
            await watch.cut_within(patience_seconds)
        watching.cancel()
        await asyncio.gather(watching, return_exceptions=True)
        seen = await crowd.leave()
        waits = load.latencies_ms(crowd.received(), told_at, without=0 if is_stalled else None)
        event_bytes = await _event_bytes(scene)
    figures = {
        "deliveries": seen.deliveries,
        "p99 ms": float(np.percentile(waits, 99)),
        "max ms": float(waits.max()),
        "RSS +MB": watch.rss_growth_kb / 1000,
        "cut": float(watch.cut_nanoseconds > 0),
        "faults": seen.faults,
    }
    if watch.cut_nanoseconds:
        published = max((last for last, moment in told_at if moment < watch.cut_nanoseconds), default=0)
        figures["cut s"] = (watch.cut_nanoseconds - told_at[0][1]) / 1e9
        figures["cut MB"] = published * event_bytes / 1e6
    return figures


async def _event_bytes(scene: Scene) -> int:
    """Of one event in the log; they are all alike."""
    database = Database(scene.bed.database_url)
    async with database.read() as tx:
        [event] = await events.since(tx, scene.bed.generation_id, 0, limit=1)
    await database.close()
    return len(event.data)
