"""Many tabs of one browser on one system, and what they ask the service for."""

import asyncio
from collections.abc import Callable
from typing import Any

from playwright.async_api import Browser, CDPSession, ConsoleMessage, Page, Request, expect

from jobs.providers.base import Provider
from tests.scripted import TEXT, USAGE, Gate, ScriptedProvider, facts
from tests.system import System

KIND = "short_answer"
COUNT = 6
WAIT_SECONDS = 15.0
STREAM_PATH = "/api/events"
MARKER = "window.stillTheSamePage"
REMEMBER = f"{MARKER} = true"


class Tabs:
    """The tabs of one browser: they share its connections, locks and channels, as the tabs of one person do.

    `streams` holds the open streams with the tab that opened each; `opened` counts those there ever were.
    """

    def __init__(self, browser: Browser, complaints: list[str]) -> None:
        self.streams: dict[Request, Page] = {}
        self.opened = 0
        self.most = 0
        self._browser = browser
        self._complaints = complaints
        self._changed = asyncio.Condition()

    async def start(self, *, javascript: bool = True) -> "Tabs":
        self.context = await self._browser.new_context(
            java_script_enabled=javascript, viewport={"width": 1000, "height": 700}
        )
        self.context.set_default_timeout(WAIT_SECONDS * 1000)
        self.context.on("request", self._begun)
        self.context.on("requestfinished", self._ended)
        self.context.on("requestfailed", self._ended)
        self.context.on("console", self._listen)
        self.context.on("weberror", lambda error: self._complaints.append(str(error.error)))
        return self

    async def open(self, url: str) -> Page:
        """A new tab that remembers not to have been reloaded."""
        page = await self.context.new_page()
        page.on("close", lambda _: self._gone(page))
        page.on("crash", lambda _: self._gone(page))
        await page.goto(url)
        await page.evaluate(REMEMBER)
        return page

    async def control(self, page: Page) -> CDPSession:
        return await self.context.new_cdp_session(page)

    @property
    def leader(self) -> Page:
        """The tab that reads for all."""
        [page] = self.streams.values()
        return page

    async def one_stream(self, *, other_than: Page | None = None, after: int = 0) -> Page:
        """Returns the leader once there is one stream, of another tab than that one, and more than `after` before."""
        await self.until(lambda: len(self.streams) == 1 and self.leader is not other_than and self.opened > after)
        return self.leader

    async def until(self, condition: Callable[[], bool]) -> None:
        async with asyncio.timeout(WAIT_SECONDS), self._changed:
            await self._changed.wait_for(condition)

    def _begun(self, request: Request) -> None:
        if STREAM_PATH in request.url:
            self.streams[request] = request.frame.page
            self.opened += 1
            self.most = max(self.most, len(self.streams))
            self._notify()

    def _ended(self, request: Request) -> None:
        if self.streams.pop(request, None):
            self._notify()

    def _gone(self, page: Page) -> None:
        """A tab that is no more can't tell how its requests ended."""
        for request in [request for request, of in self.streams.items() if of is page]:
            self._ended(request)

    def _listen(self, message: ConsoleMessage) -> None:
        if message.type == "error" and "Failed to load resource" not in message.text:
            self._complaints.append(message.text)

    def _notify(self) -> None:
        async def notify() -> None:
            async with self._changed:
                self._changed.notify_all()

        self._telling = asyncio.ensure_future(notify())


def in_steps(*gates: Gate) -> Provider:
    """Every call gives two questions, comes to the first gate, gives two more, and so on; the last two at the end."""
    parts: list[Any] = []
    for number, gate in enumerate(gates):
        parts += [*facts(2 * number, 2 * number + 2), gate]
    return ScriptedProvider(always=[*parts, *facts(2 * len(gates), COUNT), USAGE])


async def ordered(system: System, title: str = "A quiz") -> Any:
    batches = [{"question_type": KIND, "target_count": COUNT}]
    modules = [{"name": "Words", "text": TEXT, "batches": batches}]
    return await system.post("/api/generations", {"title": title, "language": "en", "modules": modules})


def address(system: System, generation: Any) -> str:
    return f"{system.url}/generations/{generation['id']}"


async def live(page: Page) -> None:
    await expect(page.locator("[data-part=connection]")).to_have_text("live")


async def held(page: Page, count: int) -> None:
    await expect(page.locator("[data-batch-id] [data-grain=held]")).to_have_count(count)


async def shows(page: Page, generation: dict[str, Any]) -> None:
    """The live page shows exactly what the service says, and was never reloaded."""
    batches = generation["batches"]
    completed = sum(batch["status"] == "completed" for batch in batches)
    await expect(page.locator(f"[data-last-event-id='{generation['last_event_id']}']")).to_have_count(1)
    await expect(page.locator("[data-part=questions]")).to_have_text(
        f"Questions: {generation['generated_count']}/{generation['requested_count']}"
    )
    await expect(page.locator("[data-part=batches]")).to_have_text(f"Batches: {completed}/{len(batches)}")
    await expect(page.locator("[data-part=held]")).to_have_text(f"Held: {generation['held_count']}")
    await expect(page.locator(".live")).to_have_attribute("data-status", generation["status"])
    for batch in batches:
        row = page.locator(f"[data-batch-id='{batch['id']}']")
        await expect(row).to_have_attribute("data-status", batch["status"])
        await expect(row.locator("[data-grain=saved]")).to_have_count(batch["saved_count"])
        await expect(row.locator("[data-grain=held]")).to_have_count(batch["held_count"])
    assert await page.evaluate(MARKER) is True
