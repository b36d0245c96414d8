"""The order page in a real browser, where questions cost something: the estimate follows what is chosen."""

import re

import pytest
from playwright.async_api import Browser, expect
from pydantic import SecretStr

from service.settings import Settings
from tests.journeys.browsing import opened
from tests.journeys.test_browser import chromium, complaints
from tests.system import System

__all__ = ["chromium", "complaints"]

TEXT = "Leaves turn light into sugar. Roots take up water. " * 100

pytestmark = pytest.mark.parametrize("connect_redis", ["fakeredis"], indirect=True)


@pytest.fixture
def database_url(sqlite_url: str) -> str:
    """A page looks the same over every database."""
    return sqlite_url


@pytest.fixture
def settings(settings: Settings) -> Settings:
    changes = {"provider": "anthropic", "anthropic_api_key": SecretStr("key"), "model": "claude-sonnet-5-5"}
    return settings.model_copy(update=changes)


@pytest.mark.parametrize("javascript", [True, False])
async def test_the_estimate_stands_beside_the_order_button(
    system: System, chromium: Browser, complaints: list[str], javascript: bool
) -> None:
    body = {"title": "Plants", "modules": [{"name": "Leaves", "text": TEXT}]}
    quiz = (await system.http.post("/api/quizzes", json=body)).json()
    page = await opened(chromium, complaints, javascript=javascript)
    await page.goto(f"{system.url}/?quiz={quiz['id']}")
    estimated = page.locator("[data-estimated]")
    await page.get_by_label("Multiple choice questions per module").fill("40")
    if not javascript:
        await page.get_by_role("button", name="Estimate").click()
    await expect(estimated).to_have_text(re.compile(r"about \$0\.\d+ \(\$0\.\d+ to \$0\.\d+\), \d+ s"))
    forty = await estimated.text_content()
    await page.get_by_label("Multiple choice questions per module").fill("4")
    if not javascript:
        await page.get_by_role("button", name="Estimate").click()
    await expect(estimated).not_to_have_text(forty or "")
    await expect(estimated).to_have_text(re.compile(r"about \$0\.\d+"))
    assert (await system.get("/api/generations"))["items"] == []
