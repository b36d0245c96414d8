"""A Chromium for the journeys, and pages that tell what they complain of."""

from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from pathlib import Path

from playwright.async_api import Browser, ConsoleMessage, Page, async_playwright

from tests import browser as browsers

RESULTS = Path("test-results")
RESULTS.mkdir(exist_ok=True)


@asynccontextmanager
async def launched() -> AsyncIterator[Browser]:
    async with async_playwright() as playwright:
        browser = await playwright.chromium.launch(executable_path=browsers.path(), args=list(browsers.ARGUMENTS))
        yield browser
        await browser.close()


async def opened(chromium: Browser, complaints: list[str], *, javascript: bool = True) -> Page:
    """A new page. What our scripts or the content policy complain of is added to `complaints`."""
    page = await chromium.new_page(java_script_enabled=javascript)
    page.set_default_timeout(15_000)

    def listen(message: ConsoleMessage) -> None:
        # A refused form shows up here as well; its page is looked at by the test.
        if message.type == "error" and "Failed to load resource" not in message.text:
            complaints.append(message.text)

    page.on("pageerror", lambda error: complaints.append(str(error)))
    page.on("console", listen)
    return page
