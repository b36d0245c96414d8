"""Tabs as nobody drives them: Playwright keeps every page visible and awake, so that none could ever freeze."""

import asyncio
import json
from asyncio.subprocess import DEVNULL, PIPE
from itertools import count
from pathlib import Path
from types import TracebackType
from typing import Any, Self

import pytest
from playwright.async_api import async_playwright
from websockets.asyncio.client import connect
from websockets.exceptions import ConnectionClosed

from tests import browser as browsers
from tests.journeys.tabs import REMEMBER

WAIT_SECONDS = 20.0
LISTENING = "DevTools listening on "


class BareBrowser:
    """A Chromium that is told what to do over the DevTools protocol, and nothing else."""

    def __init__(self, profile: Path) -> None:
        self._profile = profile
        self._numbers = count(1)
        self._answers: dict[int, asyncio.Future[dict[str, Any]]] = {}

    async def __aenter__(self) -> Self:
        path = browsers.path()
        if path is None:
            async with async_playwright() as playwright:
                path = playwright.chromium.executable_path
        self._process = await asyncio.create_subprocess_exec(
            path,
            *browsers.ARGUMENTS,
            "--headless=new",
            "--remote-debugging-port=0",
            f"--user-data-dir={self._profile}",
            stdin=DEVNULL,
            stdout=DEVNULL,
            stderr=PIPE,
        )
        self._socket = await connect(await self._address(), max_size=None)
        self._reading = asyncio.create_task(self._read())
        return self

    async def __aexit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        await self.send("Browser.close")
        await self._reading
        await self._draining
        await self._process.wait()

    async def open(self, url: str) -> "BareTab":
        """A new tab in front of the others; it remembers not to have been reloaded."""
        target = (await self.send("Target.createTarget", url="about:blank"))["targetId"]
        session = (await self.send("Target.attachToTarget", targetId=target, flatten=True))["sessionId"]
        await self.send("Page.navigate", session=session, url=url)
        tab = BareTab(self, session)
        await tab.until("document.readyState === 'complete'")
        await tab.evaluate(REMEMBER)
        return tab

    async def send(self, method: str, *, session: str | None = None, **params: Any) -> Any:
        number = next(self._numbers)
        answer = self._answers[number] = asyncio.get_running_loop().create_future()
        message = {"id": number, "method": method, "params": params}
        await self._socket.send(json.dumps({**message, "sessionId": session} if session else message))
        answered = await asyncio.wait_for(answer, WAIT_SECONDS)
        assert "result" in answered, answered
        return answered["result"]

    async def _address(self) -> str:
        assert self._process.stderr is not None, "stderr is a pipe"
        async for line in self._process.stderr:
            if line.decode().startswith(LISTENING):
                self._draining = asyncio.create_task(self._process.stderr.read())
                return line.decode().removeprefix(LISTENING).strip()
        pytest.fail("the browser ended before it listened")

    async def _read(self) -> None:
        try:
            async for text in self._socket:
                message = json.loads(text)
                if "id" in message:
                    self._answers.pop(message["id"]).set_result(message)
        except ConnectionClosed:
            pass  # a browser that closes does not say goodbye


class BareTab:
    def __init__(self, browser: BareBrowser, session: str) -> None:
        self._browser = browser
        self._session = session

    async def evaluate(self, expression: str) -> Any:
        answer = await self._browser.send(
            "Runtime.evaluate", session=self._session, expression=expression, awaitPromise=True, returnByValue=True
        )
        assert "exceptionDetails" not in answer, answer
        return answer["result"].get("value")

    async def until(self, condition: str) -> None:
        """Returns once the expression is true in the page, which has to be awake."""
        await self.evaluate(
            f"new Promise((done) => {{ const look = () => ({condition}) ? done() : setTimeout(look, 20); look(); }})"
        )

    async def freeze(self) -> None:
        await self._browser.send("Page.setWebLifecycleState", session=self._session, state="frozen")

    async def thaw(self) -> None:
        await self._browser.send("Page.setWebLifecycleState", session=self._session, state="active")
