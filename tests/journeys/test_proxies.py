"""The reverse proxies of the documentation in front of a real service, asked by a real client."""

import asyncio
import json
from asyncio.subprocess import PIPE, Process
from collections.abc import AsyncIterator
from contextlib import AsyncExitStack, asynccontextmanager
from dataclasses import dataclass, field
from pathlib import Path

import pytest
import pytest_asyncio
from playwright.async_api import async_playwright, expect

from tests import browser as browsers
from tests import programs, proxies, told
from tests.processes import quizmill
from tests.proxies import NAME, PASSWORD, USER
from tests.told import Log
from tests.workbench import eventually, template

__all__ = ["template"]

WAIT_SECONDS = 40.0
HEARTBEAT_SECONDS_MAX = 30.0
STREAMS_MAX = 6
EVIL = "https://evil.example"

pytestmark = pytest.mark.asyncio(loop_scope="module")


@dataclass
class Listener:
    process: Process
    lines: list[str] = field(default_factory=list)

    async def listen(self) -> None:
        assert self.process.stdout, "stdout is a pipe"
        async for line in self.process.stdout:
            self.lines.append(line.decode().strip())


@dataclass
class Site:
    """A service behind proxies, as a client meets it."""

    log: Log
    ports: dict[str, int]
    waiting: dict[str, Listener] = field(default_factory=dict)
    """Clients that are there from the beginning: the first heartbeat takes its time."""

    def ask(self, proxy: str, path: str, *options: str, password: str = PASSWORD) -> tuple[str, ...]:
        """A command that asks for a page."""
        port = self.ports[proxy]
        where = ("--resolve", f"{NAME}:{port}:127.0.0.1", "--insecure", "--user", f"{USER}:{password}")
        return (programs.path("curl"), "--silent", "--http2", *where, *options, f"https://{NAME}:{port}{path}")

    def origin(self, proxy: str) -> str:
        return f"https://{NAME}:{self.ports[proxy]}"

    @property
    def stream(self) -> str:
        return f"/api/generations/{self.log.generation_id}/events"

    @property
    def ticket_order(self) -> str:
        return json.dumps({"generation_id": self.log.generation_id})


@pytest_asyncio.fixture(scope="module", loop_scope="module")
async def site(template: Path, tmp_path_factory: pytest.TempPathFactory) -> AsyncIterator[Site]:
    directory = tmp_path_factory.mktemp("proxies")
    async with AsyncExitStack() as stack:
        log = await stack.enter_async_context(told.log(template, directory))
        environment = {**log.environment, "QUIZMILL_HOSTS": NAME, "QUIZMILL_STREAMS_MAX": str(STREAMS_MAX)}
        serving = quizmill("serve", "--port", "0", log=directory / "log", **environment)
        service = await stack.enter_async_context(serving)
        ports = {}
        for name, proxy in proxies.KINDS.items():
            (directory / name).mkdir()
            ports[name] = await stack.enter_async_context(proxy(service.url, directory / name))
        site = Site(log, ports)
        for name in ports:
            command = site.ask(name, site.stream, "--no-buffer")
            site.waiting[name] = await stack.enter_async_context(listening(command))
        yield site


@pytest.fixture(params=list(proxies.KINDS))
def proxy(request: pytest.FixtureRequest) -> str:
    return str(request.param)


@asynccontextmanager
async def listening(command: tuple[str, ...]) -> AsyncIterator[Listener]:
    """A client at work; it leaves when the block ends."""
    process = await asyncio.create_subprocess_exec(*command, stdout=PIPE)
    listener = Listener(process)
    task = asyncio.create_task(listener.listen())
    try:
        yield listener
    finally:
        if process.returncode is None:
            process.kill()
        await process.wait()
        await task


async def answer(command: tuple[str, ...]) -> str:
    """What a command prints."""
    process = await asyncio.create_subprocess_exec(*command, stdout=PIPE)
    out, _ = await asyncio.wait_for(process.communicate(), WAIT_SECONDS)
    return out.decode()


async def status(site: Site, proxy: str, path: str, *options: str, password: str = PASSWORD) -> str:
    return await answer(
        site.ask(proxy, path, *options, "--output", "/dev/null", "--write-out", "%{http_code}", password=password)
    )


async def test_events_arrive_one_by_one_over_http_2(site: Site, proxy: str) -> None:
    async with listening(site.ask(proxy, site.stream, "--no-buffer", "--include")) as client:
        await eventually(lambda: "event: snapshot" in client.lines, seconds=WAIT_SECONDS)
        assert client.lines[0] == "HTTP/2 200"
        assert "content-type: text/event-stream; charset=utf-8" in client.lines
        assert "cache-control: no-store" in client.lines
        for _ in range(3):
            # The next one is not told before this one has been heard: whoever collects them waits for ever.
            seq = await site.log.hold(1)
            await eventually(lambda seq=seq: client.lines[-2:] == [f"id: {seq}", ""], seconds=WAIT_SECONDS)  # type: ignore[misc]


async def test_a_stream_ends_at_the_service_when_its_client_leaves(site: Site, proxy: str) -> None:
    # Were they kept, the service would be full after the first few, and say goodbye.
    for _ in range(STREAMS_MAX + 2):
        async with listening(site.ask(proxy, site.stream, "--no-buffer")) as client:
            await eventually(lambda client=client: "" in client.lines, seconds=WAIT_SECONDS)  # type: ignore[misc]
        assert client.lines[0] == "event: snapshot"


async def test_forms_of_this_origin_are_accepted_and_those_of_others_are_not(site: Site, proxy: str) -> None:
    order = ("--data", site.ticket_order, "--header", "Content-Type: application/json")
    at_home = ("--header", f"Origin: {site.origin(proxy)}", "--header", "Sec-Fetch-Site: same-origin")
    assert await status(site, proxy, "/api/stream-tickets", *order, *at_home) == "201"
    assert await status(site, proxy, "/api/stream-tickets", *order, "--header", f"Origin: {EVIL}") == "403"
    assert await status(site, proxy, "/", "--header", "Accept: text/html") == "200"


async def test_only_who_knows_the_password_gets_in(site: Site, proxy: str) -> None:
    assert await status(site, proxy, site.stream, password="guessed") == "401"
    assert await status(site, proxy, "/api/generations", password="guessed") == "401"


async def test_large_files_pass(site: Site, proxy: str, tmp_path: Path) -> None:
    file = tmp_path / "large.txt"
    file.write_text("Leaves turn light into sugar.\n" * 100_000)
    form = ("--form", "title=Plants", "--form", f"files=@{file}")
    assert await status(site, proxy, "/api/quizzes", *form) == "202"


async def test_pages_are_live_and_their_buttons_work(site: Site, proxy: str) -> None:
    async with async_playwright() as playwright:
        resolve = f"--host-resolver-rules=MAP {NAME} 127.0.0.1"
        browser = await playwright.chromium.launch(executable_path=browsers.path(), args=[*browsers.ARGUMENTS, resolve])
        context = await browser.new_context(
            ignore_https_errors=True, http_credentials={"username": USER, "password": PASSWORD}
        )
        page = await context.new_page()
        page.set_default_timeout(WAIT_SECONDS * 1000)
        await page.goto(f"{site.origin(proxy)}/generations/{site.log.generation_id}")
        held = page.locator("[data-batch-id][data-status=processing] [data-grain=held]")
        before = await held.count()
        await site.log.hold(2)
        await expect(held).to_have_count(before + 2, timeout=WAIT_SECONDS * 1000)
        await page.get_by_role("button", name="Pause").click()
        await page.get_by_role("button", name="Resume").click()
        await page.get_by_role("button", name="Pause").wait_for()
        await browser.close()


async def test_heartbeats_pass(site: Site, proxy: str) -> None:
    await eventually(lambda: "event: heartbeat" in site.waiting[proxy].lines, seconds=HEARTBEAT_SECONDS_MAX)


async def test_a_stream_ends_in_good_order_through_both(site: Site) -> None:
    command = ("--no-buffer", "--header", "Last-Event-ID: 0", "--write-out", "\n%{http_code} %{exitcode}")
    asking = [asyncio.create_task(answer(site.ask(name, site.stream, *command))) for name in site.ports]
    await site.log.complete()
    for heard in await asyncio.gather(*asking):
        ids = [int(line[4:]) for line in heard.splitlines() if line.startswith("id: ")]
        assert ids == [seq for seq, _ in await site.log.events()]
        assert heard.splitlines()[-1] == "200 0"
