"""From a teacher's files to questions: a worker reads them, and evidence stands where it says."""

from typing import Any

import pytest

from tests.documents import Entry, Pdf, Text, epub, scan, slide_deck, word, wrapped, zipped
from tests.journeys.orders import LEAVES, ROOTS
from tests.messages_api import MessagesApi
from tests.system import System
from tests.workbench import eventually

READ_SECONDS = 60


def book() -> bytes:
    """A PDF with an outline of two chapters."""
    content = Pdf().page([Text("1 Leaves", size=16), *wrapped(" ".join(LEAVES))], footer="1")
    content.page([Text("2 Roots", size=16), *wrapped(" ".join(ROOTS))], footer="2")
    return content.outline([Entry("1 Leaves", 0), Entry("2 Roots", 1)]).bytes()


FILES = {
    "plants.pdf": book(),
    "plants.docx": word(
        ("Heading 1", "1 Leaves"),
        ("Normal", " ".join(LEAVES)),
        ("Heading 1", "2 Roots"),
        ("Normal", " ".join(ROOTS)),
    ),
    "plants.epub": epub(f"<h1>1 Leaves</h1><p>{' '.join(LEAVES)}</p>", f"<h1>2 Roots</h1><p>{' '.join(ROOTS)}</p>"),
    "plants.zip": zipped({"1 Leaves.txt": " ".join(LEAVES), "2 Roots.txt": " ".join(ROOTS)}),
}


async def read(system: System, quiz: Any) -> Any:
    """The quiz once its files are read."""

    async def is_read() -> bool:
        return bool((await system.get(f"/api/quizzes/{quiz['id']}"))["status"] != "extracting_content")

    await eventually(is_read, seconds=READ_SECONDS)
    return await system.get(f"/api/quizzes/{quiz['id']}")


async def upload(system: System, name: str, content: bytes) -> Any:
    response = await system.http.post("/api/quizzes", data={"title": "Plants"}, files=[("files", (name, content))])
    assert response.status_code == 202
    return response.json()


@pytest.mark.parametrize("name", FILES)
async def test_questions_about_a_file_quote_it_where_they_say(system: System, name: str) -> None:
    system.add_worker()
    quiz = await read(system, await upload(system, name, FILES[name]))
    assert (quiz["status"], [module["name"] for module in quiz["modules"]]) == ("created", ["1 Leaves", "2 Roots"])
    order = {"preset": "flashcards", "target_count": 3}
    generation = await system.post(f"/api/quizzes/{quiz['id']}/generations", order, expect=202)
    assert (await system.ended(generation["id"]))["status"] == "completed"
    texts = {
        module["id"]: (await system.get(f"/api/quizzes/{quiz['id']}/modules/{module['id']}"))["text"]
        for module in quiz["modules"]
    }
    questions = (await system.get(f"/api/generations/{generation['id']}/questions"))["items"]
    assert len(questions) == 6
    for question in questions:
        evidence = question["evidence"]
        assert texts[evidence["module_id"]][evidence["start"] : evidence["end"]] == evidence["quote"]


async def test_slides_a_scan_and_a_locked_file_together(system: System, messages_api: MessagesApi) -> None:
    system.add_worker()
    messages_api.picture_texts = ["# On the board\n\n" + " ".join(ROOTS)]
    quiz = await upload(system, "slides.pptx", slide_deck(("Leaves", " ".join(LEAVES), "Ask them.")))
    scanned, locked = Pdf().page(picture=scan()), Pdf().page(wrapped("x")).encrypted()
    more = [("files", ("board.pdf", scanned.bytes())), ("files", ("locked.pdf", locked.bytes()))]
    await system.http.post(f"/api/quizzes/{quiz['id']}/materials", files=more)
    quiz = await read(system, quiz)
    assert [module["name"] for module in quiz["modules"]] == ["Leaves", "On the board"]
    files = (await system.get(f"/api/quizzes/{quiz['id']}/materials"))["items"]
    assert [file["status"] for file in files] == ["extracted", "extracted", "failed"]
    assert "password-protected" in files[2]["message"]
