"""A teacher reviews questions in a real Chromium."""

import re
from collections.abc import AsyncIterator

import pytest
from playwright.async_api import Browser, Page, expect

from tests.journeys.orders import LEAVES, module
from tests.journeys.test_browser import RESULTS, chromium, complaints, opened
from tests.system import System

__all__ = ["chromium", "complaints"]

pytestmark = pytest.mark.parametrize("connect_redis", ["fakeredis"], indirect=True)


@pytest.fixture
def database_url(sqlite_url: str) -> str:
    """A page looks the same over every database."""
    return sqlite_url


@pytest.fixture
async def page(offline_system: System, chromium: Browser, complaints: list[str]) -> AsyncIterator[Page]:
    """The review of a quiz with some questions of several types."""
    offline_system.add_worker()
    text = " ".join(LEAVES)
    ordered = await offline_system.order(
        [module("Leaves", ("multiple_choice", 2), ("flashcard", 2), ("fill_in_blank", 1), text=text)]
    )
    await offline_system.ended(ordered["id"])
    page = await opened(chromium, complaints)
    await page.goto(f"{offline_system.url}/quizzes/{ordered['quiz_id']}")
    yield page
    await page.close()


async def test_a_review_by_keyboard_alone(page: Page) -> None:
    await page.evaluate("window.stillTheSamePage = true")
    questions = page.locator("[data-question-id]")
    await page.keyboard.press("j")
    await expect(questions.nth(0)).to_be_focused()
    await page.keyboard.press("a")
    await expect(page.locator("[data-part=reviewed]")).to_contain_text("1 of 5 questions reviewed")
    await expect(questions.nth(0)).to_be_focused()
    await page.keyboard.press("j")
    await page.keyboard.press("r")
    await expect(page.locator("[data-part=reviewed]")).to_contain_text("1 approved, 1 rejected")
    await page.keyboard.press("j")
    await page.keyboard.press("e")
    field = questions.nth(2).get_by_label("Explanation")
    await expect(field).to_be_visible()
    await field.fill(r"So \(E = mc^2\) holds.")
    await page.screenshot(path=RESULTS / "review-editing.png", full_page=True)
    await questions.nth(2).get_by_role("button", name="Save").press("Enter")
    await expect(questions.nth(2).locator(".explanation math msup")).to_be_visible()
    await page.keyboard.press("s")
    await expect(questions.nth(2).locator("mark")).to_be_visible()
    assert await page.evaluate("window.stillTheSamePage") is True
    for name, scheme, width in (("light", "light", 1280), ("dark", "dark", 1280), ("narrow", "light", 390)):
        await page.emulate_media(color_scheme=scheme)
        await page.set_viewport_size({"width": width, "height": 900})
        await page.screenshot(path=RESULTS / f"review-{name}.png", full_page=True)
    assert await page.evaluate("document.documentElement.scrollWidth") <= 390


async def test_many_are_chosen_and_decided_at_once(page: Page) -> None:
    await page.get_by_role("button", name="Choose all on this page").click()
    await page.get_by_role("button", name="Approve chosen").click()
    await expect(page.locator("[data-part=reviewed]")).to_contain_text("5 of 5 questions reviewed")
    await expect(page.locator("[data-review=approved]")).to_have_count(5)


async def test_a_question_is_made_again_while_the_page_waits(page: Page) -> None:
    first = page.locator("[data-question-id]").first
    old = await first.get_attribute("data-question-id")
    await first.get_by_role("button", name="Make it again").click()
    await expect(page.locator(f"[data-question-id='{old}']")).to_have_count(0)
    await expect(page.locator("[data-question-id]")).to_have_count(5)


async def test_while_many_are_made_again_reviewing_goes_on_and_nothing_that_is_written_is_lost(
    offline_system: System, page: Page
) -> None:
    """Six connections are all that a browser has; a question is waited for without one of its own."""
    await offline_system.stop_workers()
    ordered = await offline_system.post(
        f"/api/quizzes/{page.url.split('/')[-1]}/generations", {"preset": "flashcards", "target_count": 2}
    )
    offline_system.add_worker()
    await offline_system.ended(ordered["id"])
    await offline_system.stop_workers()
    await page.reload()
    questions = page.locator("[data-question-id]")
    await expect(questions).to_have_count(7)
    for number in range(6):
        await questions.nth(number).get_by_role("button", name="Make it again").click()
        await expect(questions.nth(number)).to_have_attribute("data-busy", "true")
    await questions.nth(6).get_by_role("button", name="Reject").click()
    await expect(page.locator("[data-part=reviewed]")).to_contain_text("1 of 7 questions reviewed")
    await expect(page.locator("[data-busy=true]")).to_have_count(6)
    await questions.nth(6).get_by_text("Edit", exact=True).click()
    words = questions.nth(6).get_by_label("Explanation")
    await words.fill("Half a sent")
    offline_system.add_worker()
    await expect(page.locator("[data-busy=true]")).to_have_count(0)
    rejected = page.locator("[data-review=rejected]")
    await expect(rejected.get_by_label("Explanation")).to_have_value("Half a sent")
    await expect(rejected.get_by_label("Explanation")).to_be_focused()
    await expect(page.locator("[data-part=said]")).to_have_text(
        re.compile("^(Made again|No other question could be made)")
    )


async def test_an_edit_that_comes_too_late_is_told_and_stays_in_the_form(
    page: Page, chromium: Browser, complaints: list[str]
) -> None:
    first = page.locator("[data-question-id]").first
    other = await opened(chromium, complaints)
    await other.goto(page.url)
    await other.locator("[data-question-id]").first.get_by_text("Edit", exact=True).click()
    await other.locator("[data-question-id]").first.get_by_label("Tags").fill("theirs")
    await other.locator("[data-question-id]").first.get_by_role("button", name="Save").click()
    await expect(other.locator(".tag", has_text="theirs")).to_be_visible()
    await first.get_by_text("Edit", exact=True).click()
    await first.get_by_label("Explanation").fill("My words.")
    await first.get_by_role("button", name="Save").click()
    await expect(page.get_by_role("alert")).to_contain_text("look at it again")
    await expect(first.get_by_label("Explanation")).to_have_value("My words.")
