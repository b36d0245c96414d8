"""Tabs while the service goes away and comes back: real processes, killed at a bad moment."""

import asyncio
import os
import signal
from pathlib import Path

import pytest
from playwright.async_api import Browser, expect

from service.valkey import EmbeddedValkey
from tests.journeys.tabs import Tabs, held, in_steps, live, ordered, shows
from tests.journeys.test_browser import RESULTS, chromium, complaints, database_url
from tests.processes import quizmill
from tests.scripted import Gate
from tests.system import System

__all__ = ["chromium", "complaints", "database_url"]

pytestmark = pytest.mark.parametrize("connect_redis", ["valkey"], indirect=True)


@pytest.mark.parametrize("number", [signal.SIGTERM, signal.SIGKILL])
async def test_tabs_go_on_after_the_service_was_away_while_work_went_on(
    offline_system: System,
    valkey: EmbeddedValkey,
    chromium: Browser,
    complaints: list[str],
    tmp_path: Path,
    number: signal.Signals,
) -> None:
    system, tabs = offline_system, await Tabs(chromium, complaints).start()
    first, second = Gate(), Gate()
    system.add_worker(in_steps(first, second))
    generation = await ordered(system)
    await first.reached.wait()
    shared = {
        "QUIZMILL_DATABASE_URL": system.settings.resolved_database_url,
        "QUIZMILL_REDIS_URL": valkey.url,
        "QUIZMILL_PROVIDER": "offline",
    }
    async with quizmill("serve", "--port", "0", log=tmp_path / "log", **shared) as running:
        url = running.url
        pages = await asyncio.gather(*(tabs.open(f"{url}/generations/{generation['id']}") for _ in range(2)))
        for page in pages:
            await live(page)
            await held(page, 2)
        os.kill(running.pid, number)
        for page in pages:
            await expect(page.locator("[data-part=connection]")).to_have_text("reconnecting...")
        await pages[0].screenshot(path=RESULTS / f"tabs-{number.name}.png")
        await running.process.wait()
    first.opened.set()
    await second.reached.wait()
    async with quizmill("serve", "--port", url.rpartition(":")[2], log=tmp_path / "log", **shared) as running:
        for page in pages:
            await live(page)
            await held(page, 4)
        await tabs.one_stream()
        second.opened.set()
        ended = await system.ended(generation["id"])
        for page in pages:
            await shows(page, ended)
        assert await running.stop() == 0
    assert tabs.most == 1
