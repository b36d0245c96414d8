"""More files for a quiz, and what became of each."""

import httpx
import pytest

from jobs.materials import extract_materials
from schemas.quizzes import Quiz
from tests.documents import PROSE, Pdf, pdf, picture, wrapped, zipped
from tests.scripted import ScriptedProvider
from tests.workbench import Workbench

LEAVES = {"title": "Plants", "modules": [{"name": "Leaves", "text": PROSE}]}


async def create(http: httpx.AsyncClient) -> str:
    answer = await http.post("/api/quizzes", json=LEAVES)
    assert answer.status_code == 201
    return str(answer.json()["id"])


async def add(http: httpx.AsyncClient, quiz_id: str, *files: tuple[str, bytes], **fields: str) -> httpx.Response:
    parts = [("files", file) for file in files] or [("files", ("", b""))]
    return await http.post(f"/api/quizzes/{quiz_id}/materials", data=fields, files=parts)


async def read(bench: Workbench, quiz_id: str) -> None:
    workshop = bench.workshop(ScriptedProvider())
    await extract_materials({"workshop": workshop}, quiz_id)


async def load(http: httpx.AsyncClient, quiz_id: str) -> Quiz:
    return Quiz.model_validate_json((await http.get(f"/api/quizzes/{quiz_id}")).content)


async def test_more_files_become_modules_behind_those_that_are_there(http: httpx.AsyncClient, bench: Workbench) -> None:
    quiz_id = await create(http)
    answer = await add(http, quiz_id, ("roots.pdf", pdf(PROSE)), text="# Flowers\n\nThey attract insects.")
    assert answer.status_code == 202
    assert answer.headers["Location"] == f"/api/quizzes/{quiz_id}"
    assert answer.json()["status"] == "extracting_content"
    assert answer.json()["extraction"] == {"file": "roots.pdf", "page": 0, "pages": 0}
    await read(bench, quiz_id)
    quiz = await load(http, quiz_id)
    assert (quiz.status, [module.name for module in quiz.modules]) == ("created", ["Leaves", "roots", "Flowers"])


async def test_a_quiz_with_modules_goes_on_when_a_further_file_can_not_be_read(
    http: httpx.AsyncClient, bench: Workbench
) -> None:
    quiz_id = await create(http)
    await add(http, quiz_id, ("locked.pdf", Pdf().page(wrapped(PROSE)).encrypted().bytes()))
    await read(bench, quiz_id)
    assert (await load(http, quiz_id)).status == "created"
    [report] = (await http.get(f"/api/quizzes/{quiz_id}/materials")).json()["items"]
    assert (report["name"], report["status"]) == ("locked.pdf", "failed")
    assert report["message"] == "locked.pdf can't be read: it is password-protected; upload it without a password"


async def test_a_quiz_whose_only_file_failed_can_be_given_another(http: httpx.AsyncClient, bench: Workbench) -> None:
    answer = await http.post("/api/quizzes", data={"title": "Plants"}, files={"files": ("blank.pdf", pdf())})
    quiz_id = answer.json()["id"]
    await read(bench, quiz_id)
    quiz = await load(http, quiz_id)
    assert (quiz.status, quiz.failure_reason) == ("failed", "no_content")
    await add(http, quiz_id, ("roots.txt", PROSE.encode()))
    assert (await load(http, quiz_id)).status == "extracting_content"
    await read(bench, quiz_id)
    quiz = await load(http, quiz_id)
    assert (quiz.status, quiz.failure_reason) == ("created", None)


async def test_what_was_left_out_of_a_file_is_told(http: httpx.AsyncClient, bench: Workbench) -> None:
    quiz_id = await create(http)
    await add(http, quiz_id, ("all.zip", zipped({"roots.txt": PROSE, "half.pdf": pdf(PROSE)[:200]})))
    await read(bench, quiz_id)
    [report] = (await http.get(f"/api/quizzes/{quiz_id}/materials")).json()["items"]
    assert (report["status"], report["message"]) == (
        "extracted",
        "half.pdf: it is damaged or was not uploaded to its end",
    )


@pytest.mark.parametrize(
    ("name", "content", "status", "said"),
    [
        ("a.docx", b"MZ\x90\x00", 415, "a.docx is no .docx file, whatever its name says"),
        ("a.pdf", b"<!doctype html>", 415, "a.pdf is no .pdf file, whatever its name says"),
        ("a.png", picture(), 415, "it is a picture, and the offline provider can't see"),
        ("a.exe", b"MZ", 415, "a.exe can't be read: use one of"),
        ("a.pdf", b"", 422, "a.pdf is empty"),
    ],
)
async def test_what_can_be_told_at_once_is_refused_at_once(
    http: httpx.AsyncClient, name: str, content: bytes, status: int, said: str
) -> None:
    quiz_id = await create(http)
    answer = await add(http, quiz_id, (name, content))
    assert answer.status_code == status
    assert said in answer.json()["detail"]
    assert (await http.get(f"/api/quizzes/{quiz_id}/materials")).json() == {"items": [], "next_cursor": None}


async def test_material_for_nothing_or_of_nothing_is_refused(http: httpx.AsyncClient) -> None:
    unknown = "00000000-0000-0000-0000-000000000000"
    assert (await add(http, unknown, ("a.txt", b"Leaves"))).status_code == 404
    assert (await http.get(f"/api/quizzes/{unknown}/materials")).status_code == 404
    quiz_id = await create(http)
    assert (await add(http, quiz_id)).status_code == 422
    assert (await add(http, quiz_id, ("a.txt", b"Leaves"), title="Plants")).status_code == 422
    assert (await http.post(f"/api/quizzes/{quiz_id}/materials", json={"files": []})).status_code == 415


async def test_no_address_gives_an_uploaded_file_back(http: httpx.AsyncClient, bench: Workbench) -> None:
    """Polyglots, that are a page too, can't be opened from here."""
    quiz_id = await create(http)
    await add(http, quiz_id, ("both.pdf", b"<script>alert(1)</script>\n" + pdf(PROSE)))
    await read(bench, quiz_id)
    for path in ("", "/materials", "/export/json", "/export/csv"):
        answer = await http.get(f"/api/quizzes/{quiz_id}{path}")
        assert "alert(1)" not in answer.text
        assert answer.headers["X-Content-Type-Options"] == "nosniff"
    assert (
        (await http.get(f"/api/quizzes/{quiz_id}/export/csv")).headers["Content-Disposition"].startswith("attachment")
    )


async def test_the_pages_take_more_files_and_say_what_is_wrong_with_them(
    http: httpx.AsyncClient, bench: Workbench
) -> None:
    quiz_id = await create(http)
    address = f"/quizzes/{quiz_id}/materials"
    refused = await http.post(address, files={"files": ("a.exe", b"MZ")}, headers={"Accept": "text/html"})
    assert refused.status_code == 415
    assert "a.exe can&#39;t be read" in refused.text
    taken = await http.post(address, files={"files": ("roots.txt", PROSE.encode())})
    assert (taken.status_code, taken.headers["Location"]) == (303, f"/?quiz={quiz_id}")
    assert "roots.txt" in (await http.get(f"/?quiz={quiz_id}")).text
    await read(bench, quiz_id)
    assert len((await load(http, quiz_id)).modules) == 2
