"""The pages in a real Chromium, as a teacher meets them."""

import asyncio
from collections.abc import AsyncIterator, Iterator

import pytest
from playwright.async_api import Browser, expect

from tests.journeys.browsing import RESULTS, launched, opened
from tests.journeys.orders import LEAVES, ROOTS, module
from tests.messages_api import MessagesApi
from tests.messages_faults import Fault
from tests.system import System

CHAPTER = f"# Plants\n\n## Leaves\n\n{' '.join(LEAVES)}\n\n## Roots\n\n{' '.join(ROOTS)}\n"
CHOICE = "multiple_choice"


@pytest.fixture
def database_url(sqlite_url: str) -> str:
    """A page looks the same over every database."""
    return sqlite_url


pytestmark = pytest.mark.parametrize("connect_redis", ["fakeredis"], indirect=True)


@pytest.fixture
async def chromium() -> AsyncIterator[Browser]:
    async with launched() as browser:
        yield browser


@pytest.fixture
def complaints() -> Iterator[list[str]]:
    """What our scripts or the content policy complained of: nothing."""
    found: list[str] = []
    yield found
    assert found == []


async def test_a_teacher_goes_from_text_to_questions_through_a_failure_without_a_reload(
    system: System, messages_api: MessagesApi, chromium: Browser, complaints: list[str]
) -> None:
    messages_api.fail("Roots", Fault.REFUSAL, after=3, times=1)
    messages_api.hold(after_questions=1)
    system.add_worker()
    page = await opened(chromium, complaints)
    await page.goto(system.url)
    await page.get_by_label("Title").fill("Plants")
    await page.get_by_label("Paste text").fill(CHAPTER)
    await page.get_by_role("button", name="Read the material").click()
    await page.get_by_role("checkbox", name="Leaves").wait_for()
    await page.get_by_role("button", name="Generate questions").click()
    await page.wait_for_url("**/generations/*")
    await page.evaluate("window.stillTheSamePage = true")

    # The rows fill while the model still writes.
    await messages_api.held(2)
    await expect(page.locator("[data-grain=held]").first).to_be_visible()
    await expect(page.locator("[data-batch-id][data-status=processing]")).to_have_count(2)
    messages_api.release()
    await expect(page.get_by_role("heading", level=1)).to_have_text("Partial Question Generation Success")

    text = await page.locator("main").inner_text()
    for exact in (
        "Questions: 5/10",
        "Batches: 1/2",
        "Progress: 50.0%",
        "Only failed batches will be regenerated. Your existing questions are safe.",
        "provider_rejected",
    ):
        assert exact in text
    await expect(page.locator("[data-batch-id][data-status=failed]")).to_have_count(1)
    await page.screenshot(path=RESULTS / "partial.png", full_page=True)
    await page.get_by_role("button", name="Retry Failed Batches").click()

    await expect(page.locator("[data-batch-id][data-status=completed]")).to_have_count(2)
    await expect(page.get_by_text("Questions: 10/10")).to_be_visible()
    assert await page.evaluate("window.stillTheSamePage") is True
    await page.get_by_role("link", name="See 10 saved questions").click()
    await expect(page.get_by_role("heading", level=1)).to_contain_text("Plants")
    await system.assert_sound()


async def test_a_failed_batch_can_be_finished_with_what_it_holds_from_its_page(
    system: System, messages_api: MessagesApi, chromium: Browser, complaints: list[str]
) -> None:
    messages_api.fail("Roots", Fault.REFUSAL, after=3, times=1)
    system.add_worker()
    ordered = await system.order([module("Leaves", (CHOICE, 2)), module("Roots", (CHOICE, 5))])
    await system.ended(ordered["id"])
    page = await opened(chromium, complaints)
    await page.goto(f"{system.url}/generations/{ordered['id']}")
    finish = page.get_by_role("button", name="Finish this batch with its 3 questions")
    await page.screenshot(path=RESULTS / "acceptable.png", full_page=True)
    await finish.click()
    await expect(page.get_by_role("heading", level=1)).to_have_text("Question Generation Success")
    await expect(page.get_by_text("Questions: 5/5")).to_be_visible()
    await expect(finish).to_be_hidden()
    await system.assert_sound()


async def test_everything_works_without_javascript(
    system: System, messages_api: MessagesApi, chromium: Browser, complaints: list[str]
) -> None:
    messages_api.fail("Roots", Fault.UNAUTHORIZED, times=1)
    system.add_worker()
    page = await opened(chromium, complaints, javascript=False)
    await page.goto(system.url)
    await page.get_by_label("Title").fill("Plants")
    await page.get_by_label("Files").set_input_files(
        [{"name": "plants.md", "mimeType": "text/markdown", "buffer": CHAPTER.encode()}]
    )
    await page.get_by_role("button", name="Read the material").click()
    await page.get_by_role("button", name="Generate questions").click()
    await expect(page.get_by_role("heading", level=1)).to_have_text("Partial Question Generation Success")
    await page.get_by_role("button", name="Retry Failed Batches").click()
    await expect(page.get_by_text("Questions: 10/10")).to_be_visible()


async def test_a_running_generation_can_be_cancelled_from_its_page(
    system: System, messages_api: MessagesApi, chromium: Browser, complaints: list[str]
) -> None:
    messages_api.hold(after_questions=1)
    system.add_worker()
    ordered = await system.order([module("Leaves", (CHOICE, 5))])
    await messages_api.held()
    page = await opened(chromium, complaints)
    await page.goto(f"{system.url}/generations/{ordered['id']}")
    await page.get_by_role("button", name="Cancel").click()
    await page.get_by_role("button", name="Yes, cancel it").click()
    await expect(page.locator("[data-batch-id][data-status=cancelled]")).to_have_count(1)
    await asyncio.wait_for(messages_api.disconnected(), 5)


async def test_a_running_generation_can_be_paused_and_resumed_from_its_page(
    system: System, messages_api: MessagesApi, chromium: Browser, complaints: list[str]
) -> None:
    messages_api.hold(after_questions=1)
    system.add_worker()
    ordered = await system.order([module("Leaves", (CHOICE, 3))])
    await messages_api.held()
    page = await opened(chromium, complaints)
    await page.goto(f"{system.url}/generations/{ordered['id']}")
    await page.get_by_role("button", name="Pause").click()
    await expect(page.get_by_role("heading", level=1)).to_have_text("Question Generation Paused")
    await asyncio.wait_for(messages_api.disconnected(), 5)
    messages_api.release()
    await page.get_by_role("button", name="Resume Generation").click()
    await expect(page.get_by_text("Questions: 3/3")).to_be_visible()
    await system.assert_sound()


async def test_what_the_model_writes_is_text_and_never_markup(
    system: System, messages_api: MessagesApi, chromium: Browser, complaints: list[str]
) -> None:
    evil = '<img src=x onerror="window.evil=1"><script>window.evil=1</script>'
    system.add_worker()
    page = await opened(chromium, complaints)
    text = f"The tag {evil} is an example of markup that a page must show as text. " + " ".join(LEAVES)
    ordered = await system.order(
        [{"name": f"Markup {evil}", "text": text, "batches": [{"question_type": CHOICE, "target_count": 5}]}]
    )
    await system.ended(ordered["id"])
    for path in (f"/generations/{ordered['id']}", f"/quizzes/{ordered['quiz_id']}", "/"):
        await page.goto(system.url + path)
        assert await page.evaluate("window.evil") is None
        assert await page.locator("main img").count() == 0


async def test_a_refused_order_keeps_what_was_typed(
    system: System, messages_api: MessagesApi, chromium: Browser, complaints: list[str]
) -> None:
    page = await opened(chromium, complaints, javascript=False)
    await page.goto(system.url)
    await page.get_by_label("Title").fill("Plants")
    await page.get_by_role("button", name="Read the material").click()
    await expect(page.get_by_role("alert").first).to_contain_text("give at least one file, or text")
    await expect(page.get_by_label("Title")).to_have_value("Plants")
