"""How fast the live page follows: from an event's commit to the change in the page, and what holds the browser up.

`python -m bench.page [--batches 1000] [--rate 100] [--seconds 30]` starts a Valkey, `quizmill serve` on a new SQLite
file, a generation of that many batches and its page in a Chromium. A process of its own then writes events like a
worker does: each in a transaction of the store, announced after the commit. All clocks are this machine's. The figures
with a budget must stay below it; the others are for information. On a machine that does other work as well, tasks look
longer than they are: what they took of the processor stands beside.
"""

import argparse
import asyncio
import json
import os
import signal
import statistics
import sys
import tempfile
import time
from asyncio.subprocess import PIPE
from bisect import bisect_left
from collections import deque
from collections.abc import AsyncIterator, Awaitable, Callable
from contextlib import asynccontextmanager
from pathlib import Path
from typing import Any
from uuid import UUID

import structlog
from playwright.async_api import CDPSession, Page, async_playwright

from bench.checkpoints import order
from schemas.events import QuestionRejected
from schemas.holdings import Holding
from schemas.plans import Claim, Place, Wakeup
from schemas.questions import Evidence, Fingerprint, ShortAnswer, SoundQuestion
from schemas.states import CognitiveLevel
from service import queue
from service.broadcast import Broadcast
from service.store import schema, steps, wanted
from service.store.database import Database
from service.valkey import EmbeddedValkey
from tests import browser

READY = "Quizmill is ready at "
PER_BATCH = 20
RUNNING = 50
"""Batches in hands at a time, and so that many places of the page that change in turn."""
REJECTED_EACH = 5
LEASE_SECONDS = 3600.0
LONG_MS = 50.0
BUDGETS = {
    "commit to page, p95 ms": 100.0,
    "long tasks while events come": 0.0,
    "of 50 ms on the processor": 0.0,
}

WATCH = """
window.seen = [];
window.longTasks = [];
new PerformanceObserver((list) => {
  for (const { startTime, duration } of list.getEntries()) window.longTasks.push([startTime, duration]);
}).observe({ type: "longtask", buffered: true });
addEventListener("DOMContentLoaded", () => {
  const page = document.querySelector("[data-last-event-id]");
  const see = () => window.seen.push([Number(page.dataset.lastEventId), Date.now()]);
  new MutationObserver(see).observe(page, { attributeFilter: ["data-last-event-id"] });
});
"""


def main() -> None:
    structlog.configure(wrapper_class=structlog.make_filtering_bound_logger(40))
    parser = argparse.ArgumentParser(description=__doc__.partition("\n")[0])
    parser.add_argument("--batches", type=int, default=1000)
    parser.add_argument("--rate", type=float, default=100, help="events a second")
    parser.add_argument("--seconds", type=float, default=30)
    parser.add_argument("--writer", nargs=3, help=argparse.SUPPRESS)
    chosen = parser.parse_args()
    if chosen.writer:
        print(json.dumps(asyncio.run(write(*chosen.writer, rate=chosen.rate, seconds=chosen.seconds))))
        return
    figures = asyncio.run(measure(chosen))
    print(f"{'':42} {'found':>9} {'budget':>9}")
    for name, value in figures.items():
        print(f"{name:42} {value:9.1f} {BUDGETS.get(name, ''):>9}")


async def measure(chosen: argparse.Namespace) -> dict[str, float]:
    with tempfile.TemporaryDirectory() as directory:
        url = f"sqlite+aiosqlite:///{directory}/quizmill.db"
        database = Database(url)
        await schema.migrate(database)
        generation_id, _ = await order(database, chosen.batches, PER_BATCH)
        await database.close()
        valkey = EmbeddedValkey(Path(directory) / "valkey")
        await valkey.start()
        try:
            async with serving(Path(directory), url, valkey.url) as service, chromium() as page:
                figures = await load(page, f"{service}/generations/{generation_id}")
                return figures | await follow(page, (url, valkey.url, str(generation_id)), chosen)
        finally:
            await valkey.stop()


@asynccontextmanager
async def serving(directory: Path, database_url: str, redis_url: str) -> AsyncIterator[str]:
    ours = {"QUIZMILL_DATABASE_URL": database_url, "QUIZMILL_REDIS_URL": redis_url, "QUIZMILL_PROVIDER": "offline"}
    command = (sys.executable, "-m", "service.cli.main", "serve", "--port", "0")
    with (directory / "log").open("wb") as log:
        process = await asyncio.create_subprocess_exec(*command, stdout=PIPE, stderr=log, env={**os.environ, **ours})
        try:
            assert process.stdout is not None, "stdout is a pipe"
            line = (await process.stdout.readline()).decode()
            assert line.startswith(READY), (directory / "log").read_text(encoding="utf-8")
            yield line.removeprefix(READY).strip()
        finally:
            process.send_signal(signal.SIGTERM)
            await process.wait()


@asynccontextmanager
async def chromium() -> AsyncIterator[Page]:
    async with async_playwright() as playwright:
        started = await playwright.chromium.launch(executable_path=browser.path(), args=list(browser.ARGUMENTS))
        page = await started.new_page(viewport={"width": 1280, "height": 900})
        await page.add_init_script(WATCH)
        yield page
        await started.close()


async def load(page: Page, address: str) -> dict[str, float]:
    """Opening it, until it is live."""
    begun = time.perf_counter()
    await page.goto(address)
    await page.wait_for_selector('[data-connection="live"]')
    until_live = 1000 * (time.perf_counter() - begun)
    loaded = await page.evaluate("performance.getEntriesByType('navigation')[0].domContentLoadedEventEnd")
    tasks = await page.evaluate("window.longTasks.splice(0)")
    return {
        "open, to content ms": loaded,
        "open, to live ms": until_live,
        "longest task while opening ms": max((duration for _, duration in tasks), default=0),
        "elements, before": await page.evaluate("document.querySelectorAll('*').length"),
    }


async def follow(page: Page, place: tuple[str, str, str], chosen: argparse.Namespace) -> dict[str, float]:
    trace = await Trace.started(page)
    arguments = ("--rate", str(chosen.rate), "--seconds", str(chosen.seconds), "--writer", *place)
    writer = await asyncio.create_subprocess_exec(sys.executable, "-m", "bench.page", *arguments, stdout=PIPE)
    answer, _ = await writer.communicate()
    assert writer.returncode == 0, "the process that writes events failed"
    commits: list[tuple[int, float]] = json.loads(answer)
    await page.wait_for_function("seq => window.seen.at(-1)?.[0] >= seq", arg=commits[-1][0])
    on_processor = await trace.tasks_ms()
    seen: list[tuple[int, float]] = await page.evaluate("window.seen")
    tasks: list[tuple[float, float]] = await page.evaluate("window.longTasks")
    waits = sorted(delays(commits, seen))
    return {
        "events": len(commits),
        "events a second": 1000 * (len(commits) - 1) / (commits[-1][1] - commits[0][1]),
        "commit to page, p50 ms": statistics.median(waits),
        "commit to page, p95 ms": waits[int(len(waits) * 0.95)],
        "commit to page, max ms": waits[-1],
        "long tasks while events come": sum(duration > LONG_MS for _, duration in tasks),
        "longest of them ms": max((duration for _, duration in tasks), default=0),
        "of 50 ms on the processor": sum(duration > LONG_MS for duration in on_processor),
        "longest on the processor ms": max(on_processor),
        "main thread, % of a processor": sum(on_processor) / (commits[-1][1] - commits[0][1]) * 100,
        "elements, after": await page.evaluate("document.querySelectorAll('*').length"),
    }


class Trace:
    """What every task of the page's main thread took of the processor."""

    def __init__(self, session: CDPSession) -> None:
        self._session = session
        self._events: list[dict[str, Any]] = []
        self._is_complete = asyncio.Event()
        session.on("Tracing.dataCollected", lambda part: self._events.extend(part["value"]))
        session.on("Tracing.tracingComplete", lambda _: self._is_complete.set())

    @classmethod
    async def started(cls, page: Page) -> "Trace":
        trace = cls(await page.context.new_cdp_session(page))
        await trace._session.send("Tracing.start", {"categories": "toplevel", "transferMode": "ReportEvents"})
        return trace

    async def tasks_ms(self) -> list[float]:
        """Ends it."""
        await self._session.send("Tracing.end")
        await self._is_complete.wait()
        mains = {
            (event["pid"], event["tid"])
            for event in self._events
            if event["name"] == "thread_name" and event["args"]["name"] == "CrRendererMain"
        }
        return [
            event.get("tdur", 0) / 1000
            for event in self._events
            if event["name"] == "ThreadControllerImpl::RunTask" and (event["pid"], event["tid"]) in mains
        ]


def delays(commits: list[tuple[int, float]], seen: list[tuple[int, float]]) -> list[float]:
    """For each event, until the page first showed it or a later one."""
    numbers = [seq for seq, _ in seen]
    return [seen[bisect_left(numbers, seq)][1] - at for seq, at in commits]


async def write(database_url: str, redis_url: str, generation_id: str, *, rate: float, seconds: float) -> Any:
    """Like workers: claim batches, hold question after question in turn, save what is whole. Returns seq and time."""
    database = Database(database_url)
    redis = queue.connect(redis_url)
    commits: list[tuple[int, float]] = []
    broadcast = Broadcast(redis)

    async def commit(step: Callable[..., Awaitable[Wakeup | None]], *arguments: object) -> None:
        async with database.write() as tx:
            wakeup = await step(tx, *arguments)
        assert wakeup is not None, "something happened"
        commits.append((wakeup.seq, 1000 * time.time()))
        await broadcast.announce(wakeup)

    async for step, arguments in work(database, UUID(generation_id), rate=rate, seconds=seconds):
        await commit(step, *arguments)
    await redis.aclose(close_connection_pool=True)
    await database.close()
    return commits


Work = tuple[Callable[..., Awaitable[Wakeup | None]], tuple[object, ...]]


async def work(database: Database, generation_id: UUID, *, rate: float, seconds: float) -> AsyncIterator[Work]:
    hands: deque[tuple[Claim, int]] = deque()
    begun = time.monotonic()
    for number in range(int(rate * seconds)):
        await asyncio.sleep(max(0.0, begun + number / rate - time.monotonic()))
        if len(hands) < RUNNING:
            claim = await claimable(database, generation_id)
            yield claim_one, (claim, hands)
            continue
        claim, held = hands.popleft()
        if held == PER_BATCH:
            yield complete, (claim,)
        elif number % REJECTED_EACH == 0:
            hands.append((claim, held))
            yield reject, (claim,)
        else:
            hands.append((claim, held + 1))
            yield hold, (claim, held)


async def claimable(database: Database, generation_id: UUID) -> Place:
    async with database.read() as tx:
        [batch] = await wanted.find(tx, limit=1, generation_id=generation_id)
    return Place(batch.batch_id, batch.fence)


async def claim_one(tx: Any, place: Place, hands: deque[tuple[Claim, int]]) -> Wakeup:
    [claim], [wakeup] = await steps.claim(tx, [place], worker="bench:1:aa", lease_seconds=LEASE_SECONDS)
    hands.append((claim, 0))
    return wakeup


async def hold(tx: Any, claim: Claim, number: int) -> Wakeup | None:
    return await brought(tx, Holding(claim, sound=[question(claim, number)]))


async def reject(tx: Any, claim: Claim) -> Wakeup | None:
    refused = QuestionRejected(batch_id=claim.batch_id, code="near_duplicate", message="it asks what was asked before")
    return await brought(tx, Holding(claim, rejected=[refused]))


async def brought(tx: Any, holding: Holding) -> Wakeup | None:
    await steps.enter(tx, holding.claim)
    _, wakeup = await steps.hold(tx, [holding], lease_seconds=LEASE_SECONDS)
    return wakeup


async def complete(tx: Any, claim: Claim) -> Wakeup:
    [wakeup] = await steps.complete(tx, [(claim, [])])
    return wakeup


def question(claim: Claim, number: int) -> SoundQuestion:
    name = f"{claim.batch_id} {number}"
    quote = f"Fact {number} holds."
    evidence = Evidence(quote=quote, module_id=claim.module_id, start=0, end=len(quote))
    place = {"module_id": claim.module_id, "start": 0, "end": len(quote)}
    return SoundQuestion(
        content=ShortAnswer(stem=f"Which fact holds as number {number} of this module, and why?", answers=(name,)),
        evidence=evidence,
        explanation="The sentence says so.",
        cognitive_level=CognitiveLevel.UNDERSTAND,
        tags=(),
        flaws=(),
        quality=1.0,
        fingerprint=Fingerprint(text=name, key=name, hash=name, **place),
    )


if __name__ == "__main__":
    main()
