"""The whole way of a teacher: a document in, modules in order, questions live, reviewed, out again as a file."""

import io
import zipfile

import pytest
from playwright.async_api import Browser, Page, expect

from tests import documents
from tests.journeys.orders import LEAVES, ROOTS
from tests.journeys.test_browser import RESULTS, chromium, complaints, opened
from tests.system import System

__all__ = ["chromium", "complaints"]

pytestmark = pytest.mark.parametrize("connect_redis", ["fakeredis"], indirect=True)


@pytest.fixture
def database_url(sqlite_url: str) -> str:
    """A page looks the same over every database."""
    return sqlite_url


def chapters() -> dict[str, str | bytes]:
    """A Word document of two chapters."""
    parts = [("Heading 1", "Leaves"), ("Normal", " ".join(LEAVES)), ("Heading 1", "Roots"), ("Normal", " ".join(ROOTS))]
    kind = "application/vnd.openxmlformats-officedocument.wordprocessingml.document"
    return {"name": "plants.docx", "mimeType": kind, "buffer": documents.word(*parts)}


async def seen(page: Page, name: str) -> None:
    await page.screenshot(path=RESULTS / f"teacher-{name}.png", full_page=True)


@pytest.mark.parametrize("javascript", [True, False], ids=["with scripts", "without scripts"])
async def test_a_document_becomes_a_reviewed_deck(
    offline_system: System, chromium: Browser, complaints: list[str], javascript: bool
) -> None:
    offline_system.add_worker()
    page = await opened(chromium, complaints, javascript=javascript)
    await page.goto(offline_system.url)
    await page.get_by_label("Title").fill("Plants")
    await page.get_by_label("Files").set_input_files([chapters()])  # type: ignore[list-item] # a file's three fields
    await page.get_by_role("button", name="Read the material").click()

    await page.get_by_text("Rename, merge or leave out modules").click()
    await page.get_by_label("Name of module 1").fill("Green leaves")
    await page.get_by_role("button", name="Save names and what is left out").click()
    await expect(page.get_by_role("checkbox", name="Green leaves").first).to_be_visible()
    await page.get_by_label("What to make of each module").select_option("flashcards")
    await page.get_by_label("Questions of each kind").fill("2")
    await seen(page, f"order-{javascript}")
    await page.get_by_role("button", name="Generate questions").click()

    await page.wait_for_url("**/generations/*")
    await expect(page.get_by_text("Questions: 4/4")).to_be_visible()
    await seen(page, f"live-{javascript}")
    await page.get_by_role("link", name="See 4 saved questions").click()

    questions = page.locator("[data-question-id]")
    await expect(questions).to_have_count(4)
    await questions.nth(0).get_by_role("button", name="Approve").click()
    await expect(page.locator("[data-part=reviewed]")).to_contain_text("1 approved")
    await questions.nth(1).get_by_text("Edit", exact=True).click()
    await questions.nth(1).get_by_label("Front").fill("What is it?")
    await questions.nth(1).get_by_role("button", name="Save").click()
    await expect(questions.nth(1).get_by_role("heading")).to_have_text("What is it?")
    await seen(page, f"review-{javascript}")

    await page.reload()
    await page.get_by_text("Export", exact=True).click()
    async with page.expect_download() as download:
        await page.locator("#exports-2 + ul").get_by_role("link", name="Anki").click()
    deck = (await (await download.value).path()).read_bytes()
    assert "collection.anki2" in zipfile.ZipFile(io.BytesIO(deck)).namelist()
    await offline_system.assert_sound()
