"""Any number of tabs of one browser stay live over one stream, whatever happens to them, the network or the service."""

import asyncio
from collections.abc import AsyncIterator, Awaitable, Callable
from pathlib import Path
from typing import Any

import pytest
from playwright.async_api import Browser, Page, expect

from jobs.providers.base import Provider
from tests.journeys import browsing
from tests.journeys.bare_tabs import BareBrowser
from tests.journeys.browsing import Tabs, shows
from tests.journeys.test_browser import RESULTS, chromium, complaints, database_url
from tests.scripted import TEXT, USAGE, Gate, ScriptedProvider, facts
from tests.system import System

__all__ = ["chromium", "complaints", "database_url"]

KIND = "short_answer"
COUNT = 6
TABS = 8
LIVE = "document.querySelector('[data-part=connection]').textContent === 'live'"
HELD = "document.querySelectorAll('[data-batch-id] [data-grain=held]').length"
SEEN = "Number(document.querySelector('[data-last-event-id]').dataset.lastEventId)"
FIGURES = "document.querySelector('[data-part=questions]').textContent"

Mishap = Callable[[Tabs, Page], Awaitable[None]]

pytestmark = pytest.mark.parametrize("connect_redis", ["fakeredis"], indirect=True)


@pytest.fixture
def system(offline_system: System) -> System:
    return offline_system


@pytest.fixture
async def tabs(chromium: Browser, complaints: list[str]) -> Tabs:
    return await Tabs(chromium, complaints).start()


@pytest.fixture
async def browser(tmp_path: Path) -> AsyncIterator[BareBrowser]:
    async with BareBrowser(tmp_path / "profile") as found:
        yield found


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


async def two_and_their_leader(system: System, tabs: Tabs, generation: Any) -> tuple[Page, Page]:
    """A tab that reads for both, and one that is told."""
    pages = [await tabs.open(address(system, generation)) for _ in range(2)]
    for page in pages:
        await live(page)
    leader = await tabs.one_stream()
    [other] = [page for page in pages if page is not leader]
    return leader, other


async def close(tabs: Tabs, leader: Page) -> None:
    await leader.close()


async def crash(tabs: Tabs, leader: Page) -> None:
    session = await tabs.control(leader)
    crashing = asyncio.ensure_future(session.send("Page.crash"))
    await leader.wait_for_event("crash")
    crashing.cancel()


async def hang(tabs: Tabs, leader: Page) -> None:
    session = await tabs.control(leader)
    await session.send("Debugger.enable")
    await session.send("Debugger.pause")


@pytest.mark.parametrize("mishap", [close, crash, hang])
async def test_another_tab_takes_over_from_one_that_is_gone(system: System, tabs: Tabs, mishap: Mishap) -> None:
    first, second = Gate(), Gate()
    system.add_worker(in_steps(first, second))
    generation = await ordered(system)
    await first.reached.wait()
    leader, other = await two_and_their_leader(system, tabs, generation)
    await held(other, 2)
    await mishap(tabs, leader)
    first.opened.set()
    await tabs.until(lambda: other in tabs.streams.values())
    await held(other, 4)
    await other.screenshot(path=RESULTS / f"tabs-{mishap.__name__}.png")
    second.opened.set()
    await shows(other, await system.ended(generation["id"]))
    assert tabs.opened == 2


async def test_a_tab_that_hung_comes_back_as_one_of_the_others(system: System, tabs: Tabs) -> None:
    first, second = Gate(), Gate()
    system.add_worker(in_steps(first, second))
    generation = await ordered(system)
    await first.reached.wait()
    leader, other = await two_and_their_leader(system, tabs, generation)
    session = await tabs.control(leader)
    await session.send("Debugger.enable")
    await session.send("Debugger.pause")
    await tabs.until(lambda: other in tabs.streams.values())
    first.opened.set()
    await held(other, 4)
    await session.send("Debugger.resume")
    await session.send("Debugger.disable")
    assert await tabs.one_stream() is other
    await held(leader, 4)
    second.opened.set()
    ended = await system.ended(generation["id"])
    await shows(leader, ended)
    await shows(other, ended)


async def test_a_frozen_tab_hands_over_and_catches_up_when_it_thaws(
    system: System, browser: BareBrowser
) -> None:
    first, second = Gate(), Gate()
    system.add_worker(in_steps(first, second))
    generation = await ordered(system)
    await first.reached.wait()
    frozen = await browser.open(address(system, generation))
    await frozen.until(LIVE)
    other = await browser.open(address(system, generation))
    await other.until(LIVE)
    await frozen.freeze()
    first.opened.set()
    await other.until(HELD + " === 4")
    assert await frozen.evaluate(HELD) == 2
    second.opened.set()
    ended = await system.ended(generation["id"])
    await other.until(SEEN + f" === {ended['last_event_id']}")
    await frozen.thaw()
    await frozen.until(SEEN + f" === {ended['last_event_id']}")
    assert await frozen.evaluate(FIGURES) == await other.evaluate(FIGURES) == "Questions: 6/6"
    assert await frozen.evaluate(browsing.MARKER) is True
