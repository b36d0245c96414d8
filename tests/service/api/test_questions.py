"""Review over HTTP: edits that never overwrite one another, decisions, replacements."""

from typing import Any

import pytest

from tests.journeys.orders import LEAVES, module
from tests.system import System

pytestmark = pytest.mark.parametrize("connect_redis", ["fakeredis"], indirect=True)


@pytest.fixture
async def quiz(offline_system: System) -> "Reviewed":
    """A quiz with three saved flashcards."""
    offline_system.add_worker()
    ordered = await offline_system.order([module("Leaves", ("flashcard", 3))])
    await offline_system.ended(ordered["id"])
    return Reviewed(offline_system, ordered)


class Reviewed:
    def __init__(self, system: System, generation: dict[str, Any]) -> None:
        self.system = system
        self.quiz_id = generation["quiz_id"]
        self.generation_id = generation["id"]

    async def questions(self) -> list[dict[str, Any]]:
        exported = await self.system.get(f"/api/quizzes/{self.quiz_id}/export/json")
        found: list[dict[str, Any]] = exported["questions"]
        return found

    async def edit(
        self, question: dict[str, Any], *, if_match: str | None = None, expect: int = 200, **edit: Any
    ) -> Any:
        headers = {} if if_match == "" else {"If-Match": if_match or f'"{question["version"]}"'}
        path = f"/api/questions/{question['id']}"
        response = await self.system.http.patch(path, json=edit, headers=headers)
        assert response.status_code == expect, response.text
        return response.json()


CARD = {"front": "What do stomata let through?", "back": "gases"}


async def test_an_edit_raises_the_version_and_is_to_be_reviewed_again(quiz: Reviewed) -> None:
    question = (await quiz.questions())[0]
    await quiz.system.post(f"/api/questions/{question['id']}/approve", expect=200)
    edited = await quiz.edit(question, content=CARD, explanation="Seen under a microscope.", tags=["leaf", "leaf"])
    assert edited["content"] == CARD
    assert (edited["version"], edited["review"]) == (2, "unreviewed")
    assert (edited["explanation"], edited["tags"], edited["flaws"]) == ("Seen under a microscope.", ["leaf"], [])
    assert edited["evidence"] == question["evidence"]
    response = await quiz.system.http.get(f"/api/questions/{question['id']}")
    assert response.headers["etag"] == '"2"'
    assert response.json() == edited


async def test_an_edit_of_a_version_that_is_not_there_any_more_changes_nothing(quiz: Reviewed) -> None:
    question = (await quiz.questions())[0]
    await quiz.edit(question, difficulty="hard")
    assert (await quiz.edit(question, content=CARD, expect=412))["title"] == "Precondition failed"
    assert (await quiz.edit(question, content=CARD, if_match="", expect=428))["status"] == 428
    await quiz.edit(question, content=CARD, if_match="2", expect=400)
    now = await quiz.system.get(f"/api/questions/{question['id']}")
    assert (now["content"], now["difficulty"], now["version"]) == (question["content"], "hard", 2)
    assert (await quiz.edit(question, content=CARD, if_match='W/"1", "2"'))["version"] == 3
    assert (await quiz.edit(question, difficulty=None, if_match="*"))["difficulty"] is None


@pytest.mark.parametrize(
    ("edit", "field"),
    [
        ({"content": {"front": "?"}}, "content.back"),
        ({"content": {**CARD, "hint": "x"}}, "content.hint"),
        ({"content": {"front": " ", "back": "x"}}, "content"),
        ({"content": {"front": "x" * 2001, "back": "x"}}, "content"),
        ({"difficulty": "extreme"}, "difficulty"),
        ({"version": 3}, "version"),
        ({"tags": ["x"] * 11}, "tags"),
    ],
)
async def test_what_would_be_no_question_is_refused(quiz: Reviewed, edit: dict[str, Any], field: str) -> None:
    question = (await quiz.questions())[0]
    problem = await quiz.edit(question, expect=422, **edit)
    assert problem["errors"][0]["field"] == field


async def test_a_question_does_not_become_another_one_of_its_quiz(quiz: Reviewed) -> None:
    first, second, _ = await quiz.questions()
    problem = await quiz.edit(first, content=second["content"], expect=422)
    assert problem["errors"] == [{"field": "content", "message": "this quiz asks the same already"}]


async def test_a_decision_can_be_changed_and_counts(quiz: Reviewed) -> None:
    first, second, third = await quiz.questions()
    for step, review, approved in (("approve", "approved", 1), ("approve", "approved", 1), ("reject", "rejected", 0)):
        decided = await quiz.system.post(f"/api/questions/{first['id']}/{step}", expect=200)
        assert decided["review"] == review
        assert (await quiz.system.get(f"/api/quizzes/{quiz.quiz_id}"))["approved_count"] == approved
    stale = {"If-Match": '"9"'}
    response = await quiz.system.http.post(f"/api/questions/{first['id']}/approve", headers=stale)
    assert response.status_code == 412
    named = await quiz.system.post(f"/api/quizzes/{quiz.quiz_id}/approve", {"question_ids": [second["id"]]}, expect=200)
    assert named == {"changed": 1}
    rest = await quiz.system.post(f"/api/quizzes/{quiz.quiz_id}/approve", expect=200)
    assert rest == {"changed": 1}
    assert {question["id"]: question["review"] for question in await quiz.questions()} == {
        first["id"]: "rejected",
        second["id"]: "approved",
        third["id"]: "approved",
    }


async def test_a_question_stays_until_the_one_made_in_its_place_has_passed(quiz: Reviewed) -> None:
    before = await quiz.questions()
    ordered = await quiz.system.post(f"/api/questions/{before[0]['id']}/regenerate")
    assert [batch["target_count"] for batch in ordered["batches"]] == [1]
    ended = await quiz.system.ended(ordered["id"])
    assert ended["status"] == "completed"
    after = await quiz.questions()
    old, new = {question["id"] for question in before}, {question["id"] for question in after}
    assert old - new == {before[0]["id"]}
    assert len(new - old) == 1
    assert (await quiz.system.get(f"/api/quizzes/{quiz.quiz_id}"))["question_count"] == 3
    assert (await quiz.system.http.get(f"/api/questions/{before[0]['id']}")).status_code == 404
    await quiz.system.assert_sound()


async def test_an_edit_is_never_overwritten_by_what_was_ordered_before_it(quiz: Reviewed) -> None:
    await quiz.system.stop_workers()
    question = (await quiz.questions())[0]
    ordered = await quiz.system.post(f"/api/questions/{question['id']}/regenerate")
    await quiz.system.post(f"/api/questions/{question['id']}/regenerate", expect=409)
    edited = await quiz.edit(question, content=CARD)
    quiz.system.add_worker()
    assert (await quiz.system.ended(ordered["id"]))["status"] == "completed"
    after = await quiz.questions()
    assert edited["content"] in [question["content"] for question in after]
    assert len(after) == 4


async def test_a_question_stays_when_no_other_one_can_be_made(offline_system: System) -> None:
    offline_system.add_worker()
    ordered = await offline_system.order([module("Leaves", ("vocabulary", 1), text=LEAVES[1])])
    await offline_system.ended(ordered["id"])
    quiz = Reviewed(offline_system, ordered)
    [question] = await quiz.questions()
    again = await offline_system.post(f"/api/questions/{question['id']}/regenerate")
    assert (await offline_system.ended(again["id"]))["status"] == "failed"
    assert await quiz.questions() == [question]
    await offline_system.assert_sound()


async def test_what_is_unknown_is_not_found(quiz: Reviewed) -> None:
    unknown = "00000000-0000-4000-8000-000000000001"
    for method, path in (
        ("GET", ""),
        ("POST", "/approve"),
        ("POST", "/reject"),
        ("POST", "/regenerate"),
    ):
        answer = await quiz.system.http.request(method, f"/api/questions/{unknown}{path}")
        assert answer.status_code == 404, path
    assert (await quiz.system.http.post(f"/api/quizzes/{unknown}/approve")).status_code == 404
