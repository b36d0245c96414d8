"""Pictures and scanned pages are read by a model that can see, over the Messages API."""

from collections.abc import AsyncIterator

import pytest

from jobs import materials
from jobs.providers.anthropic import AnthropicProvider
from schemas.materials import MaterialReport
from schemas.quizzes import Quiz
from service.store import materials as material_rows
from service.store import modules, quizzes
from tests.documents import PROSE, Pdf, picture, scan, wrapped, zipped
from tests.factories import OWNER
from tests.messages_api import Fault, MessagesApi
from tests.workbench import Workbench

ROOTS = f"# Roots\n\n{PROSE * 2}"


@pytest.fixture
async def provider(messages_api: MessagesApi) -> AsyncIterator[AnthropicProvider]:
    provider = AnthropicProvider(
        api_key="test-key",
        base_url=messages_api.base_url,
        model="claude-sonnet-5-5",
        llm_timeout_seconds=20,
        silence_seconds=5,
    )
    yield provider
    await provider.close()


async def read(bench: Workbench, provider: AnthropicProvider, name: str, content: bytes) -> tuple[Quiz, MaterialReport]:
    async with bench.database.write() as tx:
        quiz_id = await quizzes.insert(tx, owner=OWNER, title="Plants", language="en")
        await material_rows.insert(tx, quiz_id, [(name, content)])
    workshop = bench.workshop(provider, model="claude-sonnet-5-5")
    await materials.extract_materials({"workshop": workshop}, str(quiz_id))
    async with bench.database.read() as tx:
        [report] = await material_rows.reports(tx, quiz_id)
        return await quizzes.load(tx, OWNER, quiz_id), report


async def text_of(bench: Workbench, quiz: Quiz) -> str:
    async with bench.database.read() as tx:
        found = await modules.texts(tx, [module.id for module in quiz.modules])
    return "\n".join(found[module.id].text for module in quiz.modules)


async def test_a_picture_becomes_the_module_that_stands_on_it(
    bench: Workbench, provider: AnthropicProvider, messages_api: MessagesApi
) -> None:
    messages_api.picture_texts = [ROOTS]
    quiz, report = await read(bench, provider, "board.png", picture())
    assert [module.name for module in quiz.modules] == ["Roots"]
    assert "Roots take up water" in await text_of(bench, quiz)
    [asked] = messages_api.pictures
    assert (asked.file_name, asked.model) == ("board.png", "claude-sonnet-5-5")
    assert asked.content.startswith(b"\xff\xd8\xff")
    assert (report.llm_calls, report.cost_usd > 0) == (1, True)


async def test_only_the_scanned_pages_of_a_file_are_looked_at_and_their_texts_stand_in_their_place(
    bench: Workbench, provider: AnthropicProvider, messages_api: MessagesApi
) -> None:
    messages_api.picture_texts = [ROOTS]
    content = Pdf().page(wrapped("First page.")).page(picture=scan()).page(wrapped("Last page.")).bytes()
    quiz, report = await read(bench, provider, "mixed.pdf", content)
    text = await text_of(bench, quiz)
    assert text.index("First page.") < text.index("Roots take up water") < text.index("Last page.")
    assert len(messages_api.pictures) == 1
    assert report.message is None


async def test_pictures_in_an_archive_are_looked_at_too(
    bench: Workbench, provider: AnthropicProvider, messages_api: MessagesApi
) -> None:
    messages_api.picture_texts = [ROOTS]
    content = zipped(
        {"a/board.png": picture(), "leaves.txt": PROSE * 2, "scan.pdf": Pdf().page(picture=scan()).bytes()}
    )
    quiz, _ = await read(bench, provider, "all.zip", content)
    assert [module.name for module in quiz.modules] == ["Roots", "leaves", "Roots (2)"]
    assert len(messages_api.pictures) == 2


async def test_a_file_without_pictures_asks_nobody(
    bench: Workbench, provider: AnthropicProvider, messages_api: MessagesApi
) -> None:
    quiz, report = await read(bench, provider, "leaves.pdf", Pdf().page(wrapped(PROSE)).bytes())
    assert len(quiz.modules) == 1
    assert (messages_api.pictures, report.llm_calls) == ([], 0)


async def test_a_scan_on_which_nothing_stands_has_no_content(
    bench: Workbench, provider: AnthropicProvider, messages_api: MessagesApi
) -> None:
    quiz, report = await read(bench, provider, "scan.pdf", Pdf().page(picture=scan()).bytes())
    assert (quiz.status, quiz.failure_reason) == ("failed", "no_content")
    assert report.message == "scan.pdf can't be read: it holds no text"
    assert report.llm_calls == 1


async def test_a_provider_that_is_overloaded_for_a_moment_is_asked_again(
    bench: Workbench, provider: AnthropicProvider, messages_api: MessagesApi
) -> None:
    messages_api.picture_texts = [ROOTS]
    messages_api.fail("board.png", Fault.OVERLOADED, times=1)
    quiz, _ = await read(bench, provider, "board.png", picture())
    assert [module.name for module in quiz.modules] == ["Roots"]
    assert len(messages_api.pictures) == 2


async def test_a_provider_that_refuses_fails_the_file_with_its_reason(
    bench: Workbench, provider: AnthropicProvider, messages_api: MessagesApi
) -> None:
    messages_api.fail("scan.pdf", Fault.UNAUTHORIZED)
    quiz, report = await read(bench, provider, "scan.pdf", Pdf().page(picture=scan()).page(picture=scan()).bytes())
    assert (quiz.status, quiz.failure_reason) == ("failed", "extraction_failed")
    assert report.message is not None
    assert report.message.startswith("scan.pdf can't be read: its pages are pictures. ")
