"""The recipes for clients of the stream, each on a line of its own that keeps breaking, to a service that is restarted.

All follow one generation at the same time: what one costs in time, all cost.
"""

import asyncio
import json
import re
import shutil
import sys
from asyncio.subprocess import PIPE
from collections.abc import AsyncIterator, Awaitable, Callable, Iterator
from contextlib import AsyncExitStack, asynccontextmanager, contextmanager, suppress
from dataclasses import dataclass, field
from functools import partial
from pathlib import Path
from random import Random
from urllib.parse import urlsplit

import pytest
from playwright.async_api import BrowserContext, Route, async_playwright
from playwright.async_api import Error as PlaywrightError

from tests import browser as browsers
from tests import programs, told
from tests.faults.fleet import free_port
from tests.interruptions import Line
from tests.processes import quizmill
from tests.told import Log
from tests.workbench import eventually, template

__all__ = ["template"]

RECIPES = Path(__file__).parent.parent.parent / "docs" / "recipes"
SILENCE_SECONDS = 2
WAIT_SECONDS = 25.0
QUESTIONS = 6
UNFINISHED = "it has not ended"
SHELLS: dict[str, Callable[[], tuple[str, ...]]] = {
    "node.mjs": lambda: (programs.path("node"), "node.mjs"),
    "httpx_client.py": lambda: (sys.executable, "httpx_client.py"),
    "aiohttp_client.py": lambda: (sys.executable, "aiohttp_client.py"),
    "curl.sh": lambda: (programs.path("bash"), "curl.sh"),
}
PAGES = ("eventsource.mjs", "fetch_event_source.mjs", "ticket.mjs")
FOLLOW = """async ([recipe, url, silenceSeconds]) => {
  const { follow } = await import(recipe);
  const following = follow(url, (type, data) => window.hear(data.seq), { from: "0", silenceSeconds });
  // Somebody looks at another tab.
  Object.defineProperty(document, "hidden", { value: true });
  document.dispatchEvent(new Event("visibilitychange"));
  await following;
}"""
LIBRARY = "@microsoft/fetch-event-source"
IMPORTS = json.dumps({"imports": {LIBRARY: f"/npm/{LIBRARY}/lib/esm/index.js"}})
PAGE = f'<!doctype html><title>A page</title><script type="importmap">{IMPORTS}</script>'


@dataclass
class Client:
    """A recipe at work."""

    name: str
    line: Line
    heard: list[int] = field(default_factory=list)
    complaints: str = UNFINISHED

    @property
    def is_at_work(self) -> bool:
        return self.complaints == UNFINISHED


@dataclass(frozen=True)
class Told:
    log: list[tuple[int, str]]
    clients: dict[str, Client]


@pytest.fixture(scope="module")
def everything(template: Path, tmp_path_factory: pytest.TempPathFactory) -> Told:
    return asyncio.run(_tell(template, tmp_path_factory.mktemp("recipes")))


@pytest.mark.parametrize("recipe", [*SHELLS, *PAGES])
def test_a_recipe_hears_every_event_once_and_in_order_and_ends_by_itself(everything: Told, recipe: str) -> None:
    client = everything.clients[recipe]
    assert client.complaints == ""
    assert client.heard == [seq for seq, _ in everything.log]
    # It was not for want of trouble.
    assert client.line.ends.total() >= 3
    assert client.line.refusals >= 1


def test_what_was_told_had_an_end_in_its_middle(everything: Told) -> None:
    kinds = [kind for _, kind in everything.log]
    assert 0 < kinds.index("generation.partial") < kinds.index("generation.completed") == len(kinds) - 1


def test_no_recipe_is_left_out() -> None:
    assert {path.name for path in RECIPES.iterdir() if path.is_file()} == {*SHELLS, *PAGES}


async def _tell(template: Path, directory: Path) -> Told:
    """Three services after one another: the first says goodbye, the second is killed, the third stays."""
    port = free_port()
    clients = {name: Client(name, Line(f"http://127.0.0.1:{port}", Random(name))) for name in (*SHELLS, *PAGES)}
    serving = partial(quizmill, "serve", "--port", str(port), log=directory / "log")
    async with told.log(template, directory) as log, AsyncExitStack() as stack:
        async with serving(**log.environment) as service:
            following = await _start(stack, log, directory, clients)
            await _hold(log, clients)
            with _calm(clients):
                # All are there to be told goodbye, after which their streams end in good order.
                seq = await log.hold(1)
                await _all(clients, lambda client: seq in client.heard)
                await service.stop()
        await log.hold(1)
        await _all(clients, lambda client: client.line.refusals > 0)
        async with serving(**log.environment):
            await _hold(log, clients)
        await log.hold(1)
        async with serving(**log.environment):
            await _hold(log, clients)
            await log.complete()
            await asyncio.wait(following, timeout=WAIT_SECONDS)
            for task in following:
                task.cancel()
            await asyncio.gather(*following, return_exceptions=True)
        return Told(await log.events(), clients)


async def _hold(log: Log, clients: dict[str, Client]) -> None:
    """Questions, two at a time, each pair after somebody has heard the one before."""
    for _ in range(0, QUESTIONS, 2):
        seq = await log.hold(2)
        await eventually(lambda seq=seq: any(seq in client.heard for client in clients.values()), seconds=WAIT_SECONDS)


async def _all(clients: dict[str, Client], holds: Callable[[Client], bool]) -> None:
    """Returns when it holds for all that are still at work, or when it is too late: who is stuck fails in its test."""
    with suppress(TimeoutError):
        at_work = [client for client in clients.values() if client.is_at_work]
        await eventually(
            lambda: all(holds(client) or not client.is_at_work for client in at_work), seconds=WAIT_SECONDS
        )


@contextmanager
def _calm(clients: dict[str, Client]) -> Iterator[None]:
    for client in clients.values():
        client.line.is_calm = True
    yield
    for client in clients.values():
        client.line.is_calm = False


async def _start(
    stack: AsyncExitStack, log: Log, directory: Path, clients: dict[str, Client]
) -> list[asyncio.Task[None]]:
    """All recipes at work, each on its own line."""
    shelf = directory / "recipes"
    shutil.copytree(RECIPES, shelf)
    (shelf / "node_modules").symlink_to(programs.NODE_MODULES)
    browser = await stack.enter_async_context(_browser())
    following = []
    for client in clients.values():
        url = await stack.enter_async_context(client.line.carrying())
        follow = _in_shell(client, shelf, url, log) if client.name in SHELLS else _in_page(client, browser, url, log)
        following.append(asyncio.create_task(_judged(client, follow)))
    return following


async def _judged(client: Client, follow: Awaitable[None]) -> None:
    """What the recipe complains of is for its own test to tell."""
    try:
        await follow
    except (AssertionError, PlaywrightError) as error:
        client.complaints = str(error)
    else:
        client.complaints = ""


async def _in_shell(client: Client, shelf: Path, url: str, log: Log) -> None:
    command = (*SHELLS[client.name](), url, log.generation_id, str(SILENCE_SECONDS))
    process = await asyncio.create_subprocess_exec(*command, cwd=shelf, stdout=PIPE, stderr=PIPE)
    assert process.stdout, "stdout is a pipe"
    try:
        async for line in process.stdout:
            client.heard.append(json.loads(line)["seq"])
        _, complaints = await process.communicate()
        assert (process.returncode, complaints.decode()) == (0, "")
    finally:
        if process.returncode is None:
            process.kill()
            await process.wait()


async def _in_page(client: Client, browser: BrowserContext, url: str, log: Log) -> None:
    def hear(seq: int) -> None:
        client.heard.append(seq)

    page = await browser.new_page()
    await page.expose_function("hear", hear)
    await page.goto(f"{url}/a-page")
    path = f"/api/generations/{log.generation_id}"
    await page.evaluate(FOLLOW, [f"/recipes/{client.name}", path, SILENCE_SECONDS])


@asynccontextmanager
async def _browser() -> AsyncIterator[BrowserContext]:
    """One in which every service has a page that may use the recipes and the library."""

    async def serve(route: Route) -> None:
        path = urlsplit(route.request.url).path
        if path.startswith("/recipes/"):
            await route.fulfill(path=RECIPES / path.removeprefix("/recipes/"), content_type="text/javascript")
        elif path.startswith("/npm/"):
            file = (programs.NODE_MODULES / path.removeprefix("/npm/")).with_suffix(".js")
            await route.fulfill(path=file, content_type="text/javascript")
        else:
            await route.fulfill(body=PAGE, content_type="text/html")

    async with async_playwright() as playwright:
        browser = await playwright.chromium.launch(executable_path=browsers.path(), args=list(browsers.ARGUMENTS))
        context = await browser.new_context()
        await context.route(re.compile(r"/(recipes|npm)/|/a-page$"), serve)
        yield context
        await browser.close()
