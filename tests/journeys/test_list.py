"""The list of generations in a real browser: it moves with what happens, and nobody loses their place in it."""

from collections.abc import Callable
from datetime import UTC, datetime, timedelta

import pytest
from arq.connections import ArqRedis
from playwright.async_api import Browser, Locator, Page, expect

from tests.conftest import fake_clients
from tests.journeys.tabs import MARKER, Tabs, address, in_steps, ordered
from tests.journeys.test_browser import RESULTS, chromium, complaints, database_url
from tests.scripted import Gate
from tests.system import System

__all__ = ["chromium", "complaints", "database_url"]

RUNNING = 8
# Everything that was ever said to a screen reader.
LISTEN = """() => {
  window.said = [];
  const field = document.querySelector("[data-part=news]");
  new MutationObserver(() => said.push(field.textContent)).observe(field, { childList: true });
}"""
IS_FOCUSED = "(element) => document.activeElement === element && element.isConnected"


@pytest.fixture
def connect_redis() -> Callable[[], ArqRedis]:
    """The list is the same over every broker."""
    return fake_clients()


@pytest.fixture
def system(offline_system: System) -> System:
    return offline_system


@pytest.fixture
async def tabs(chromium: Browser, complaints: list[str]) -> Tabs:
    return await Tabs(chromium, complaints).start()


def row(page: Page, title: str) -> Locator:
    return page.locator("[data-generation-id]").filter(has=page.get_by_role("link", name=title, exact=True))


async def reads(row: Locator, state: str, count: str, *, saved: str) -> None:
    await expect(row.locator(".state")).to_have_text(state)
    await expect(row.locator(".count")).to_have_text(count)
    await expect(row.get_by_role("progressbar")).to_have_attribute("aria-valuetext", saved)


async def test_the_rows_of_what_runs_move_with_its_events_over_the_one_stream(system: System, tabs: Tabs) -> None:
    first, second = Gate(), Gate()
    system.add_worker(in_steps(first, second))
    generations = [await ordered(system, f"Quiz {number}") for number in range(RUNNING)]
    page = await tabs.open(f"{system.url}/generations")
    await expect(page.locator("[data-part=connection]")).to_have_text("live")
    other = await tabs.open(address(system, generations[0]))
    for number in range(RUNNING):
        await reads(
            row(page, f"Quiz {number}"), "Running", "0/6 questions · 0/1 batch", saved="0 of 6 questions saved, 2 held"
        )
    first.opened.set()
    for number in range(RUNNING):
        await reads(
            row(page, f"Quiz {number}"), "Running", "0/6 questions · 0/1 batch", saved="0 of 6 questions saved, 4 held"
        )
    await page.screenshot(path=RESULTS / "list-running.png", full_page=True)
    await system.post(f"/api/generations/{generations[1]['id']}/pause", expect=200)
    await expect(row(page, "Quiz 1").locator(".state")).to_have_text("Paused")
    second.opened.set()
    await system.ended(generations[0]["id"])
    for number in (0, *range(2, RUNNING)):
        await reads(
            row(page, f"Quiz {number}"), "Complete", "6/6 questions · 1/1 batch", saved="6 of 6 questions saved, 0 held"
        )
    await expect(row(page, "Quiz 0").locator("[data-part=bar-saved]")).to_have_attribute("width", "100.0%")
    await expect(other.get_by_role("heading", level=1)).to_have_text("Question Generation Success")
    await page.screenshot(path=RESULTS / "list-ended.png", full_page=True)
    assert tabs.most == 1
    assert await page.evaluate(MARKER) is True


async def test_an_order_made_elsewhere_appears_and_nobody_loses_their_place(system: System, tabs: Tabs) -> None:
    gate = Gate()
    system.add_worker(in_steps(gate))
    await ordered(system, "Old")
    page = await tabs.open(f"{system.url}/generations")
    await page.evaluate(LISTEN)
    link = await page.get_by_role("link", name="Old", exact=True).element_handle()
    assert link is not None, "the row is there"
    await link.focus()
    await ordered(system, "New")
    await reads(row(page, "New"), "Running", "0/6 questions · 0/1 batch", saved="0 of 6 questions saved, 2 held")
    await expect(page.locator("[data-list] .name").first).to_have_text("New")
    assert await link.evaluate(IS_FOCUSED) is True
    gate.opened.set()
    await expect(row(page, "Old").locator(".state")).to_have_text("Complete")
    await expect(row(page, "New").locator(".state")).to_have_text("Complete")
    assert await link.evaluate(IS_FOCUSED) is True
    await expect(page.locator("[data-part=news]")).to_contain_text(
        "New: Complete, 6 of 6 questions saved, 0 held.", timeout=15_000
    )
    said = await page.evaluate("said")
    assert said[0] == "New order: New."
    assert len(said) <= 3, said
    assert await page.evaluate(MARKER) is True


async def test_the_first_order_of_all_appears_on_the_empty_list(system: System, tabs: Tabs) -> None:
    page = await tabs.open(f"{system.url}/generations")
    await expect(page.get_by_text("Nothing has been ordered.")).to_be_visible()
    await ordered(system, "First")
    await expect(row(page, "First").locator(".state")).to_have_text("Queued")
    await expect(page.get_by_text("Nothing has been ordered.")).to_be_hidden()
    assert await page.evaluate(MARKER) is True


async def test_the_list_moves_without_javascript(system: System, chromium: Browser, complaints: list[str]) -> None:
    tabs = await Tabs(chromium, complaints).start(javascript=False)
    gate = Gate()
    system.add_worker(in_steps(gate))
    generation = await ordered(system, "Plain")
    await gate.reached.wait()
    page = await tabs.context.new_page()
    await page.goto(f"{system.url}/generations")
    await expect(row(page, "Plain").locator(".state")).to_have_text("Running")
    gate.opened.set()
    await system.ended(generation["id"])
    await expect(row(page, "Plain").locator(".state")).to_have_text("Complete", timeout=15_000)
    await expect(page.locator("meta[http-equiv=refresh]")).to_have_count(0)


async def test_an_order_that_another_tab_opens_appears_at_once(system: System, tabs: Tabs) -> None:
    await ordered(system, "Old")
    page = await tabs.open(f"{system.url}/generations")
    await expect(page.locator("[data-list] li")).to_have_count(1)
    # From now on the list does not look by itself.
    await tabs.context.clock.install()
    await page.reload()
    await tabs.context.clock.pause_at(datetime.now(UTC) + timedelta(minutes=1))
    await tabs.open(address(system, await ordered(system, "New")))
    await expect(page.locator("[data-list] .name")).to_have_text(["New", "Old"])


async def test_a_row_that_slides_to_the_next_page_stays_while_somebody_is_on_it(system: System, tabs: Tabs) -> None:
    await ordered(system, "Old")
    page = await tabs.open(f"{system.url}/generations?limit=1")
    link = page.get_by_role("link", name="Old", exact=True)
    await link.focus()
    await ordered(system, "New")
    await expect(page.locator("[data-list] .name")).to_have_text(["New", "Old"])
    await expect(link).to_be_focused()
    await link.blur()
    await expect(page.locator("[data-list] .name")).to_have_text(["New"])
