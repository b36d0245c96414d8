"""Any number of tabs of one browser stay live over one stream, whatever happens to them, the network or the service."""

import asyncio
from typing import Any

import pytest
from playwright.async_api import Browser, Page, expect

from jobs.providers.base import Provider
from tests.journeys.browsing import Tabs, shows
from tests.journeys.test_browser import RESULTS, chromium, complaints, database_url
from tests.scripted import TEXT, USAGE, Gate, ScriptedProvider, facts
from tests.system import System

__all__ = ["chromium", "complaints", "database_url"]

KIND = "short_answer"
COUNT = 6
TABS = 8

pytestmark = pytest.mark.parametrize("connect_redis", ["fakeredis"], indirect=True)


@pytest.fixture
def system(offline_system: System) -> System:
    return offline_system


@pytest.fixture
async def tabs(chromium: Browser, complaints: list[str]) -> Tabs:
    return await Tabs(chromium, complaints).start()


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


async def now(system: System, generation: Any) -> Any:
    return await system.get(f"/api/generations/{generation['id']}")


async def live(page: Page) -> None:
    await expect(page.locator("[data-part=connection]")).to_have_text("live")


async def held(page: Page, count: int) -> None:
    await expect(page.locator("[data-batch-id] [data-grain=held]")).to_have_count(count)


async def test_eight_tabs_on_one_generation_are_live_over_one_stream(system: System, tabs: Tabs) -> None:
    gate = Gate()
    system.add_worker(in_steps(gate))
    generation = await ordered(system)
    await gate.reached.wait()
    pages = await asyncio.gather(*(tabs.open(address(system, generation)) for _ in range(TABS)))
    for page in pages:
        await live(page)
        await held(page, 2)
    assert tabs.opened == 1
    gate.opened.set()
    ended = await system.ended(generation["id"])
    for page in pages:
        await shows(page, ended)
    assert tabs.most == 1
    await tabs.until(lambda: not tabs.streams)


async def test_eight_tabs_on_eight_generations_are_live_over_one_stream_and_their_buttons_work(
    system: System, tabs: Tabs
) -> None:
    gate = Gate()
    system.add_worker(in_steps(gate))
    generations = [await ordered(system, f"Quiz {number}") for number in range(TABS)]
    pages = await asyncio.gather(*(tabs.open(address(system, generation)) for generation in generations))
    for page in pages:
        await live(page)
        await held(page, 2)
    await tabs.one_stream()
    assert tabs.most == 1
    for page in pages:
        await page.get_by_role("button", name="Pause").click(no_wait_after=True)
        await expect(page.get_by_role("heading", level=1)).to_have_text("Question Generation Paused")
    await pages[-1].screenshot(path=RESULTS / "tabs-paused.png")
    gate.opened.set()
    for page in pages:
        await page.get_by_role("button", name="Resume Generation").click()
    for page, generation in zip(pages, generations, strict=True):
        await shows(page, await system.ended(generation["id"]))
    assert tabs.most == 1
