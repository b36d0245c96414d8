"""Exports over HTTP: the file, its manifest, and the sheet of paper."""

import json
from uuid import uuid4

import httpx
import pytest
import sqlalchemy as sa

from schemas.states import QuestionType, Review
from service.api import exports
from service.auth import LOCAL_OWNER
from service.exports.formats import FORMATS
from service.store import tables
from tests import factories
from tests.workbench import Workbench


async def make_quiz(bench: Workbench, *, owner: str = LOCAL_OWNER) -> factories.Ordered:
    """Three multiple choice questions, of which the first is approved."""
    ordered = await factories.make_order(bench.database, 3, owner=owner)
    await factories.complete(bench.database, await factories.claim(bench.database, ordered.batch_ids[0]))
    first = tables.questions.c.slot == 0
    async with bench.database.write() as tx:
        await tx.execute(sa.update(tables.questions).where(first).values(review=Review.APPROVED))
    return ordered


async def change_to_flashcards(bench: Workbench) -> None:
    async with bench.database.write() as tx:
        values = {"question_type": QuestionType.FLASHCARD, "content": {"front": "Front", "back": "Back"}}
        await tx.execute(sa.update(tables.questions).where(tables.questions.c.slot > 0).values(**values))


@pytest.mark.parametrize("name", FORMATS)
async def test_every_format_is_a_download_with_a_safe_name(
    http: httpx.AsyncClient, bench: Workbench, name: str
) -> None:
    ordered = await make_quiz(bench)
    code = (await http.get(f"/api/quizzes/{ordered.quiz_id}")).json()["code"]
    answer = await http.get(f"/api/quizzes/{ordered.quiz_id}/export/{name}")
    assert answer.status_code == 200
    assert answer.headers["content-type"] == FORMATS[name].media_type
    assert answer.headers["content-disposition"] == f'attachment; filename="quiz-{code}.{FORMATS[name].suffix}"'
    assert answer.headers["x-quizmill-left-out"] == "0"
    assert answer.headers["cache-control"] == "no-store"
    assert answer.content == (await http.get(f"/api/quizzes/{ordered.quiz_id}/export/{name}")).content


async def test_what_is_left_out_is_counted_and_named(http: httpx.AsyncClient, bench: Workbench) -> None:
    ordered = await make_quiz(bench)
    await change_to_flashcards(bench)
    address = f"/api/quizzes/{ordered.quiz_id}/export/gift"
    file = await http.get(address)
    manifest = (await http.get(f"{address}/manifest")).json()
    assert file.headers["x-quizmill-left-out"] == "2"
    assert f'filename="{manifest["file_name"]}"' in file.headers["content-disposition"]
    assert (manifest["format"], manifest["quiz_id"], manifest["review"]) == ("gift", str(ordered.quiz_id), None)
    assert (manifest["question_count"], manifest["exported_count"]) == (3, 1)
    assert [(one["question_type"], one["preview"], one["reason"]) for one in manifest["left_out"]] == [
        ("flashcard", "Front", "GIFT has no flashcards")
    ] * 2
    assert all(one["id"] not in file.text for one in manifest["left_out"])
    assert "flaws" in manifest["omits"][0]["fields"]


async def test_a_format_that_says_everything_has_nothing_in_its_manifest(
    http: httpx.AsyncClient, bench: Workbench
) -> None:
    ordered = await make_quiz(bench)
    manifest = (await http.get(f"/api/quizzes/{ordered.quiz_id}/export/json/manifest")).json()
    assert (manifest["exported_count"], manifest["left_out"], manifest["omits"]) == (3, [], [])


async def test_only_questions_with_a_review_can_be_asked_for(http: httpx.AsyncClient, bench: Workbench) -> None:
    ordered = await make_quiz(bench)
    address = f"/api/quizzes/{ordered.quiz_id}/export/json"
    approved = json.loads((await http.get(address, params={"review": "approved"})).content)["questions"]
    assert [question["review"] for question in approved] == ["approved"]
    manifest = (await http.get(f"{address}/manifest", params={"review": "approved"})).json()
    assert (manifest["question_count"], manifest["review"]) == (1, "approved")
    sheet = await http.get(f"/quizzes/{ordered.quiz_id}/print", params={"review": "approved"})
    assert sheet.text.count("data-question-id") == 1
    refused = await http.get(address, params={"review": "good"})
    assert refused.status_code == 422


@pytest.mark.parametrize("path", ["export/docx", "export/docx/manifest"])
async def test_an_unknown_format_is_answered_with_those_there_are(
    http: httpx.AsyncClient, bench: Workbench, path: str
) -> None:
    ordered = await make_quiz(bench)
    answer = await http.get(f"/api/quizzes/{ordered.quiz_id}/{path}")
    assert answer.status_code == 404
    assert "qti, qti21, moodle-xml, gift, anki, csv, json" in answer.json()["detail"]


@pytest.mark.parametrize(
    "path", ["/api/quizzes/{}/export/gift", "/api/quizzes/{}/export/gift/manifest", "/quizzes/{}/print"]
)
async def test_a_quiz_of_someone_else_is_as_unknown_as_none(
    http: httpx.AsyncClient, bench: Workbench, path: str
) -> None:
    foreign = (await make_quiz(bench, owner="someone else")).quiz_id
    unknown = uuid4()
    answers = [await http.get(path.format(quiz_id)) for quiz_id in (foreign, unknown)]
    assert [answer.status_code for answer in answers] == [404, 404]
    assert answers[0].text.replace(str(foreign), "X") == answers[1].text.replace(str(unknown), "X")


async def test_more_than_an_export_may_hold_is_refused_and_not_cut(
    http: httpx.AsyncClient, bench: Workbench, monkeypatch: pytest.MonkeyPatch
) -> None:
    ordered = await make_quiz(bench)
    # A hundred thousand questions are too many for a test.
    monkeypatch.setattr(exports, "EXPORT_MAX", 2)
    answer = await http.get(f"/api/quizzes/{ordered.quiz_id}/export/csv")
    assert answer.status_code == 413
    assert "more than 2 questions" in answer.json()["detail"]


async def test_the_sheet_has_its_key_only_when_asked(http: httpx.AsyncClient, bench: Workbench) -> None:
    ordered = await make_quiz(bench)
    address = f"/quizzes/{ordered.quiz_id}/print"
    plain, with_key = await http.get(address), await http.get(address, params={"key": "true"})
    assert (plain.status_code, with_key.status_code) == (200, 200)
    assert "data-answer-to" not in plain.text
    assert with_key.text.count("data-answer-to") == 3
    assert "script-src 'self'" in plain.headers["content-security-policy"]
    assert (await http.get(address, params={"key": "yes"})).status_code == 422
