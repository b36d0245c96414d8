"""From an order to every kind of file, which other programs import and find each question in."""

import csv
import io
import json
from pathlib import Path
from typing import Any
from uuid import UUID

import httpx
import pytest
from playwright.async_api import Browser, expect

from schemas.questions import CONTENT_OF, Question
from schemas.states import QuestionType
from tests.journeys.orders import module
from tests.journeys.test_browser import RESULTS, chromium, complaints, opened
from tests.journeys.test_commands import run
from tests.service.exports import gift_reader, moodle_reader, qti21_reader, qti_reader
from tests.service.exports.anki_reader import Imported, anki, assert_shows
from tests.service.exports.reading import expected
from tests.system import System

__all__ = ["chromium", "complaints"]

CARDS = {QuestionType.FLASHCARD, QuestionType.VOCABULARY}


@pytest.fixture
def database_url(sqlite_url: str) -> str:
    """An export can't tell the databases apart."""
    return sqlite_url


pytestmark = pytest.mark.parametrize("connect_redis", ["fakeredis"], indirect=True)


def question_of(entry: dict[str, Any]) -> Question:
    content = CONTENT_OF[QuestionType(entry["question_type"])].model_validate(entry["content"])
    # Which type a content is of is told beside it.
    placeholder = {"front": "", "back": ""}
    return Question.model_validate({**entry, "content": placeholder}).model_copy(update={"content": content})


async def ordered(system: System, chapter: str) -> tuple[str, dict[UUID, Question]]:
    """A quiz with questions of every type, and the questions by id."""
    system.add_worker()
    wanted = [(question_type, 3) for question_type in QuestionType]
    generation = await system.order([module("Leaves & <roots>", *wanted, text=chapter)])
    ended = await system.ended(generation["id"])
    assert ended["status"] == "completed", ended["batches"]
    saved = (await system.get(f"/api/generations/{generation['id']}/questions", limit="100"))["items"]
    questions = {UUID(entry["id"]): question_of(entry) for entry in saved}
    assert {question.question_type for question in questions.values()} == set(QuestionType)
    return generation["quiz_id"], questions


async def export(system: System, quiz_id: str, name: str) -> httpx.Response:
    response = await system.http.get(f"/api/quizzes/{quiz_id}/export/{name}")
    assert response.status_code == 200
    return response


async def test_every_file_is_imported_with_every_question(offline_system: System, chapter: str, tmp_path: Path) -> None:
    quiz_id, questions = await ordered(offline_system, chapter)
    for_tests = {one.id: expected(one) for one in questions.values() if one.question_type not in CARDS}
    cards = {str(one.id) for one in questions.values() if one.question_type in CARDS}

    with gift_reader.reader() as pegjs:
        for name, read in (("qti", qti_reader.read), ("moodle-xml", moodle_reader.read), ("gift", pegjs.read)):
            file = await export(offline_system, quiz_id, name)
            assert read(file.content) == for_tests
            assert file.headers["x-quizmill-left-out"] == str(len(cards))
            manifest = await offline_system.get(f"/api/quizzes/{quiz_id}/export/{name}/manifest")
            assert {one["id"] for one in manifest["left_out"]} == cards

    found = qti21_reader.read((await export(offline_system, quiz_id, "qti21")).content)
    assert found == {one: qti21_reader.expected(questions[one]) for one in for_tests}

    deck = (await export(offline_system, quiz_id, "anki")).content
    with anki(tmp_path / "anki") as program:
        assert program.take(deck) == Imported(new=len(questions), updated=0, unchanged=0)
        assert program.take(deck) == Imported(new=0, updated=0, unchanged=len(questions))
        shown = program.cards()
    assert set(shown) == set(questions)
    for one in questions.values():
        assert_shows(shown[one.id], one)

    rows = list(csv.DictReader(io.StringIO((await export(offline_system, quiz_id, "csv")).content.decode("utf-8-sig"))))
    assert [UUID(row["id"]) for row in rows] == list(questions)
    document = json.loads((await export(offline_system, quiz_id, "json")).content)
    assert [question_of(entry) for entry in document["questions"]] == list(questions.values())
    sheet = await offline_system.http.get(f"/quizzes/{quiz_id}/print", params={"key": "true"})
    assert sheet.text.count("data-question-id") == sheet.text.count("data-answer-to") == len(questions)


async def test_a_command_writes_the_file_that_its_suffix_names_and_tells_what_is_not_in_it(
    offline_system: System, chapter: str, tmp_path: Path
) -> None:
    quiz_id, questions = await ordered(offline_system, chapter)
    at = ("--url", offline_system.url)
    moodle, deck = tmp_path / "quiz.xml", tmp_path / "quiz.apkg"

    said = await run("export", quiz_id, "--out", str(moodle), *at)
    assert said.code == 0, said.err
    left_out = [one for one in questions.values() if one.question_type in CARDS]
    assert set(moodle_reader.read(moodle.read_bytes())) == set(questions) - {one.id for one in left_out}
    lines = said.err.splitlines()
    assert lines[0] == f"6 of {len(questions)} questions left out, because moodle-xml can't express them:"
    assert all(any(str(one.id) in line for line in lines[1:]) for one in left_out)

    said = await run("export", quiz_id, "--out", str(deck), *at)
    assert (said.code, said.err) == (0, "")
    assert deck.read_bytes() == (await export(offline_system, quiz_id, "anki")).content

    said = await run("export", quiz_id, "--format", "json", "--review", "approved", *at)
    assert json.loads(said.out)["questions"] == []
    said = await run("export", quiz_id, "--out", str(tmp_path / "quiz.docx"), *at)
    assert said.code == 2
    assert "what format is quiz.docx?" in said.err


@pytest.mark.parametrize("javascript", [True, False])
async def test_a_teacher_takes_files_and_a_sheet_from_the_page_by_keyboard(
    offline_system: System, chapter: str, chromium: Browser, complaints: list[str], javascript: bool
) -> None:
    quiz_id, questions = await ordered(offline_system, chapter)
    page = await opened(chromium, complaints, javascript=javascript)
    await page.goto(f"{offline_system.url}/quizzes/{quiz_id}")
    await page.get_by_text("Export", exact=True).focus()
    await page.keyboard.press("Enter")
    for name, suffix in (("Canvas (QTI 1.2)", "zip"), ("Anki deck", "apkg"), ("GIFT", "gift")):
        async with page.expect_download() as downloading:
            await page.get_by_role("link", name=name).press("Enter")
        download = await downloading.value
        assert download.suggested_filename.endswith(f".{suffix}")
        assert (await download.path()).stat().st_size > 500

    await page.get_by_role("link", name="Sheet to print").click()
    await expect(page.locator("[data-question-id]")).to_have_count(len(questions))
    await expect(page.get_by_role("heading", name="Answer key")).to_have_count(0)
    await page.get_by_role("link", name="With the key").click()
    await expect(page.locator("[data-answer-to]")).to_have_count(len(questions))
    await page.emulate_media(media="print")
    await expect(page.get_by_role("navigation")).to_be_hidden()
    await page.screenshot(path=RESULTS / "print.png", full_page=True)


@pytest.mark.timeout(180)
async def test_generate_makes_a_deck_in_one_go(connect_redis: object, tmp_path: Path) -> None:
    out = tmp_path / "deck.apkg"
    chapter = str(Path(__file__).parent.parent / "fixtures" / "photosynthesis.md")
    types = ("--type", "multiple_choice", "--type", "flashcard")
    made = await run("generate", chapter, "--count", "4", *types, "--out", str(out), "--data-dir", str(tmp_path / "d"))
    assert made.code == 0, made.err
    with anki(tmp_path / "anki") as program:
        assert program.take(out.read_bytes()).new == 8


@pytest.mark.timeout(180)
async def test_generate_tells_what_its_file_can_not_hold(connect_redis: object, tmp_path: Path) -> None:
    out = tmp_path / "quiz.gift"
    chapter = str(Path(__file__).parent.parent / "fixtures" / "photosynthesis.md")
    data = ("--data-dir", str(tmp_path / "d"))
    made = await run("generate", chapter, "--count", "2", "--type", "flashcard", "--out", str(out), *data)
    assert made.code == 0, made.err
    assert out.read_bytes() == b""
    assert "2 of 2 questions left out, because gift can't express them:" in made.err
    assert made.err.count("GIFT has no flashcards") == 2
