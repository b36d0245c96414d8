"""Any number of tabs of one browser stay live over one stream, whatever happens to them, the network or the service."""

import asyncio
import re
from collections.abc import AsyncIterator, Awaitable, Callable
from pathlib import Path
from typing import Any
from urllib.parse import parse_qs, urlsplit
from uuid import uuid4

import pytest
from arq.connections import ArqRedis
from playwright.async_api import Browser, Page, Route, expect

from jobs.providers.base import ProviderRejected
from service.settings import Settings
from tests.conftest import fake_clients
from tests.journeys.bare_tabs import BareBrowser
from tests.journeys.tabs import COUNT, MARKER, Tabs, address, held, in_steps, live, ordered, shows
from tests.journeys.test_browser import RESULTS, chromium, complaints, database_url
from tests.scripted import USAGE, Gate, ScriptedProvider, facts
from tests.system import System
from tests.workbench import eventually

__all__ = ["chromium", "complaints", "database_url"]

TABS = 8
LIVE = "document.querySelector('[data-part=connection]').textContent === 'live'"
HELD = "document.querySelectorAll('[data-batch-id] [data-grain=held]').length"
SEEN = "Number(document.querySelector('[data-last-event-id]').dataset.lastEventId)"
FIGURES = "document.querySelector('[data-part=questions]').textContent"

Mishap = Callable[[Tabs, Page], Awaitable[None]]


@pytest.fixture
def connect_redis() -> Callable[[], ArqRedis]:
    """Tabs are the same over every broker."""
    return fake_clients()


@pytest.fixture
def settings(settings: Settings, request: pytest.FixtureRequest) -> Settings:
    return settings.model_copy(update=getattr(request, "param", {}))


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


async def now(system: System, generation: Any) -> Any:
    return await system.get(f"/api/generations/{generation['id']}")


def streams_served(system: System) -> int:
    return int(system.app.state.backend.seats._taken.total())


async def each(pages: list[Page], step: Callable[[Page], Awaitable[None]]) -> None:
    await asyncio.gather(*map(step, pages))


async def test_eight_tabs_on_one_generation_are_live_over_one_stream(system: System, tabs: Tabs) -> None:
    gate = Gate()
    system.add_worker(in_steps(gate))
    generation = await ordered(system)
    await gate.reached.wait()
    pages = await asyncio.gather(*(tabs.open(address(system, generation)) for _ in range(TABS)))
    await each(pages, live)
    await each(pages, lambda page: held(page, 2))
    assert streams_served(system) == 1
    gate.opened.set()
    ended = await system.ended(generation["id"])
    await each(pages, lambda page: shows(page, ended))
    await tabs.until(lambda: not tabs.streams)
    assert tabs.opened == 1


async def test_eight_tabs_on_eight_generations_are_live_over_one_stream_and_their_buttons_work(
    system: System, tabs: Tabs
) -> None:
    gate = Gate()
    system.add_worker(in_steps(gate))
    generations = [await ordered(system, f"Quiz {number}") for number in range(TABS)]
    pages = await asyncio.gather(*(tabs.open(address(system, generation)) for generation in generations))
    await each(pages, live)
    await each(pages, lambda page: held(page, 2))
    await each(pages, lambda page: page.get_by_role("button", name="Pause").click())
    await each(pages, lambda page: expect(page.locator("h1")).to_have_text("Question Generation Paused"))
    assert streams_served(system) == 1
    await pages[-1].screenshot(path=RESULTS / "tabs-paused.png")
    gate.opened.set()
    await each(pages, lambda page: page.get_by_role("button", name="Resume Generation").click())
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


@pytest.mark.parametrize("mishap", [close, crash])
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


async def test_frozen_tabs_hand_over_and_catch_up_when_they_thaw(system: System, browser: BareBrowser) -> None:
    first, second = Gate(), Gate()
    system.add_worker(in_steps(first, second))
    generation = await ordered(system)
    await first.reached.wait()
    leader = await browser.open(address(system, generation))
    await leader.until(LIVE)
    other = await browser.open(address(system, generation))
    await other.until(LIVE)
    await leader.freeze()
    first.opened.set()
    await other.until(HELD + " === 4")
    assert await leader.evaluate(HELD) == 2
    # Now nobody is awake, as when the lid is closed.
    await other.freeze()
    second.opened.set()
    ended = await system.ended(generation["id"])
    assert await other.evaluate(HELD) == 4
    for tab in (leader, other):
        await tab.thaw()
        await tab.until(SEEN + f" === {ended['last_event_id']}")
        await tab.until(FIGURES + " === 'Questions: 6/6'")
        assert await tab.evaluate(MARKER) is True


async def test_tabs_go_on_after_the_network_was_away(system: System, tabs: Tabs) -> None:
    first, second = Gate(), Gate()
    system.add_worker(in_steps(first, second))
    generation = await ordered(system)
    await first.reached.wait()
    pages = await two_and_their_leader(system, tabs, generation)
    await tabs.context.set_offline(True)
    system.cut_connections()
    for page in pages:
        await expect(page.locator("[data-part=connection]")).to_have_text("reconnecting...")
    await pages[0].screenshot(path=RESULTS / "tabs-offline.png")
    first.opened.set()
    await system.heard_until(generation["id"], lambda heard: heard.data.get("held_count") == 4)
    await tabs.context.set_offline(False)
    for page in pages:
        await live(page)
        await held(page, 4)
    await tabs.one_stream()
    second.opened.set()
    ended = await system.ended(generation["id"])
    for page in pages:
        await shows(page, ended)


# A page that only listens. It takes events as pages do, and never asks for what it missed.
LISTENER = """async ([id, seq]) => {
  const { Stream } = await import("/static/stream.js");
  window.heard = [];
  let isOver = false;
  let end;
  window.over = new Promise((done) => (end = done));
  const stream = new Stream(() => (isOver ? [] : [[id, seq]]));
  stream.addEventListener("message", ({ detail: { type, data } }) => {
    if (data.generation_id !== id || data.seq <= seq) return;
    heard.push(data.seq);
    seq = data.seq;
    if (type === "generation.completed") {
      isOver = true;
      stream.update();
      end();
    }
  });
}"""


async def listener(tabs: Tabs, url: str, generation: Any) -> Page:
    page = await tabs.open(url)
    await page.evaluate(LISTENER, [generation["id"], generation["last_event_id"]])
    return page


async def at(system: System, generation: Any, held_count: int) -> Any:
    """The generation once it holds so many."""
    await system.heard_until(generation["id"], lambda heard: heard.data.get("held_count") == held_count)
    return await now(system, generation)


async def test_no_event_is_lost_or_told_twice_while_tabs_come_and_go(system: System, tabs: Tabs) -> None:
    first, second = Gate(), Gate()
    system.add_worker(in_steps(first, second))
    one, other = [await at(system, await ordered(system), 2) for _ in range(2)]
    pages = [await listener(tabs, system.url, one) for _ in range(3)]
    leader = await tabs.one_stream()
    # Another one is followed from here on, while events come; and then the tab that reads them is closed.
    pages.append(await listener(tabs, system.url, other))
    first.opened.set()
    await tabs.one_stream(after=1)
    await leader.close()
    pages.remove(leader)
    await tabs.one_stream(after=2)
    later = await at(system, other, 4)
    pages.append(await listener(tabs, system.url, later))
    second.opened.set()
    for page, generation in zip(pages, (one, one, other, later), strict=True):
        ended = await system.ended(generation["id"])
        await page.evaluate("over")
        expected = range(generation["last_event_id"] + 1, ended["last_event_id"] + 1)
        assert await page.evaluate("heard") == list(expected)
    await tabs.until(lambda: not tabs.streams)


async def test_what_tabs_want_at_the_same_time_is_asked_for_once_and_no_longer_than_they_want_it(
    system: System, tabs: Tabs
) -> None:
    ids = [(await ordered(system))["id"] for _ in range(3)]
    page = await tabs.open(system.url)
    await page.evaluate(
        """async (ids) => {
          const { Stream } = await import("/static/stream.js");
          window.watched = [];
          window.stream = new Stream(() => watched);
          window.live = new Promise((isLive) =>
            stream.addEventListener("state", () => stream.state === "live" && isLive()),
          );
          for (const id of ids) {
            watched.push([id, 0]);
            stream.update();
          }
        }""",
        ids,
    )
    await page.evaluate("live")
    [request] = tabs.streams
    assert [position.partition(":")[0] for position in parse_qs(urlsplit(request.url).query)["after"]] == ids
    await page.evaluate("watched = watched.slice(0, 1); stream.update()")
    await tabs.one_stream(after=1)
    [request] = tabs.streams
    assert parse_qs(urlsplit(request.url).query)["after"] == [f"{ids[0]}:0"]
    assert tabs.opened == 2


async def test_a_generation_that_nobody_knows_does_not_stop_the_others(system: System, tabs: Tabs) -> None:
    gate = Gate()
    system.add_worker(in_steps(gate))
    generation = await ordered(system)
    await gate.reached.wait()
    await listener(tabs, system.url, {"id": str(uuid4()), "last_event_id": 0})
    page = await tabs.open(address(system, generation))
    await live(page)
    gate.opened.set()
    await shows(page, await system.ended(generation["id"]))


async def test_a_generation_that_is_set_going_again_is_live_in_every_tab(system: System, tabs: Tabs) -> None:
    system.add_worker(ScriptedProvider([*facts(0, 2), ProviderRejected("no")], always=[*facts(0, COUNT), USAGE]))
    generation = await ordered(system)
    await system.ended(generation["id"])
    pages = [await tabs.open(address(system, generation)) for _ in range(3)]
    await pages[1].get_by_role("button", name="Retry Question Generation").click()
    for page in pages:
        await expect(page.locator(".live")).to_have_attribute("data-status", "completed")
        await shows(page, await now(system, generation))


async def test_without_locks_every_tab_reads_for_itself(system: System, tabs: Tabs) -> None:
    """As over plain http from another machine."""
    await tabs.context.add_init_script("delete Navigator.prototype.locks")
    gate = Gate()
    system.add_worker(in_steps(gate))
    generation = await ordered(system)
    await gate.reached.wait()
    pages = [await tabs.open(address(system, generation)) for _ in range(2)]
    for page in pages:
        await live(page)
    assert len(tabs.streams) == 2
    gate.opened.set()
    ended = await system.ended(generation["id"])
    for page in pages:
        await shows(page, ended)


async def test_a_page_that_is_ahead_of_the_log_takes_what_the_log_says(system: System, tabs: Tabs) -> None:
    """As after a backup was restored."""
    gate = Gate()
    system.add_worker(in_steps(gate))
    generation = await at(system, await ordered(system), 2)

    async def ahead(route: Route) -> None:
        text = await (await route.fetch()).text()
        known = rf"(?<=last_event_id)((?:&#34;|\"):){generation['last_event_id']}\b"
        await route.fulfill(body=re.sub(known, r"\g<1>999", text), content_type="text/html")

    await tabs.context.route(address(system, generation), ahead)
    page = await tabs.open(address(system, generation))
    await tabs.one_stream()
    [request] = tabs.streams
    assert request.url.endswith(":999")
    await shows(page, generation)
    gate.opened.set()
    await shows(page, await system.ended(generation["id"]))


async def test_a_connection_that_has_become_silent_is_exchanged(system: System, tabs: Tabs) -> None:
    await tabs.context.clock.install()
    gate = Gate()
    system.add_worker(in_steps(gate))
    generation = await ordered(system)
    await gate.reached.wait()
    page = await tabs.open(address(system, generation))
    await live(page)
    await tabs.context.clock.fast_forward(46_000)
    await tabs.one_stream(after=1)
    gate.opened.set()
    await shows(page, await system.ended(generation["id"]))


@pytest.mark.parametrize("settings", [{"streams_max": 1}], indirect=True)
async def test_tabs_get_a_stream_once_the_service_has_room_again(
    system: System, chromium: Browser, complaints: list[str]
) -> None:
    first, second = [await Tabs(chromium, complaints).start() for _ in range(2)]
    gate = Gate()
    system.add_worker(in_steps(gate))
    generation = await ordered(system)
    await gate.reached.wait()
    seated = await first.open(address(system, generation))
    await live(seated)
    await second.context.clock.install()
    waiting = await second.open(address(system, generation))
    await expect(waiting.locator("[data-part=connection]")).to_have_text("reconnecting...")
    await seated.close()
    await eventually(lambda: not system.app.state.backend.hub._streams)
    # It comes back when the service has asked it to, which is not soon.
    await second.context.clock.fast_forward(60_000)
    await live(waiting)
    gate.opened.set()
    await shows(waiting, await system.ended(generation["id"]))


async def test_what_is_followed_for_the_tabs_is_bounded_and_silent_tabs_are_forgotten(
    system: System, tabs: Tabs
) -> None:
    page = await tabs.open(system.url)
    union = await page.evaluate("""async () => {
      const { Audience } = await import("/static/audience.js");
      const audience = new Audience();
      audience.hear("list", Array.from({ length: 100 }, (_, number) => [`${number}`, 5]));
      audience.hear("gone", [["forgotten", 1]]);
      for (let calls = 0; calls < 4; calls += 1) {
        audience.call();
        audience.hear("page", [["own", 1], ["0", 3]]);
        audience.hear("list", Array.from({ length: 100 }, (_, number) => [`${number}`, 5]));
      }
      return Array.from(audience.union);
    }""")
    assert len(union) == 100
    assert union[:3] == [["own", 1], ["0", 3], ["1", 5]]
    assert "forgotten" not in dict(union)
