"""The review page's forms, as a browser without JavaScript sends them."""

import re
from typing import Any
from uuid import UUID

import httpx
import pytest

from schemas.reviews import Shown
from tests.journeys.orders import module
from tests.system import System

pytestmark = pytest.mark.parametrize("connect_redis", ["fakeredis"], indirect=True)
HTML = {"Accept": "text/html"}


@pytest.fixture
def database_url(sqlite_url: str) -> str:
    """What is written is tested over every database beside the HTTP interface."""
    return sqlite_url


class Reviewer:
    """Looks at one quiz."""

    def __init__(self, system: System, quiz_id: str) -> None:
        self.system = system
        self.address = f"/quizzes/{quiz_id}"
        self.quiz_id = quiz_id

    async def questions(self) -> list[dict[str, Any]]:
        found: list[dict[str, Any]] = (await self.system.get(f"/api/quizzes/{self.quiz_id}/export/json"))["questions"]
        return found

    async def look(self, query: str = "") -> str:
        answer = await self.system.http.get(self.address + query, headers=HTML)
        assert answer.status_code == 200
        return answer.text

    async def send(self, path: str, **fields: str | list[str]) -> httpx.Response:
        return await self.system.http.post(path, data=fields, headers=HTML)


@pytest.fixture
async def reviewer(offline_system: System) -> Reviewer:
    """Of a quiz with three saved flashcards."""
    offline_system.add_worker()
    ordered = await offline_system.order([module("Leaves", ("flashcard", 3))])
    await offline_system.ended(ordered["id"])
    return Reviewer(offline_system, ordered["quiz_id"])


async def test_a_decision_comes_back_to_its_question_with_the_filter_kept(reviewer: Reviewer) -> None:
    first, *_ = await reviewer.questions()
    answer = await reviewer.send(f"/questions/{first['id']}/approve?review=unreviewed&page=2")
    assert answer.status_code == 303
    assert answer.headers["location"] == f"{reviewer.address}?review=unreviewed&page=2#question-{first['id']}"
    assert "1 of 3 questions reviewed" in await reviewer.look()
    assert (await reviewer.look("?review=unreviewed")).count("data-question-id") == 2
    assert (await reviewer.look("?review=rejected")).count("data-question-id") == 0
    assert (await reviewer.look("?page=99")).count("data-question-id") == 3


async def test_many_are_decided_at_once_and_none_is_said_so(reviewer: Reviewer) -> None:
    first, _, third = await reviewer.questions()
    chosen = [first["id"], third["id"]]
    answer = await reviewer.send(f"{reviewer.address}/review", question_id=chosen, review="rejected")
    assert answer.status_code == 303
    assert [question["review"] for question in await reviewer.questions()] == ["rejected", "unreviewed", "rejected"]
    nothing = await reviewer.send(f"{reviewer.address}/review", review="approved")
    assert nothing.status_code == 422
    assert "choose at least one question" in nothing.text
    assert (await reviewer.send(f"{reviewer.address}/review", question_id="x", review="approved")).status_code == 422


async def test_an_edit_is_saved_and_a_refused_one_is_not_lost(reviewer: Reviewer) -> None:
    question = (await reviewer.questions())[0]
    path = f"/questions/{question['id']}/edit"
    fields = {"front": "What is it?", "back": "This.", "explanation": "", "difficulty": "easy", "tags": "a, b"}
    saved = await reviewer.send(path, version="1", **fields)
    assert saved.status_code == 303
    now = (await reviewer.questions())[0]
    assert (now["content"], now["difficulty"], now["tags"]) == (
        {"front": "What is it?", "back": "This."},
        "easy",
        ["a", "b"],
    )
    late = await reviewer.send(path, version="1", **{**fields, "back": "My words."})
    assert late.status_code == 412
    assert "My words." in late.text
    assert 'name="version" value="2"' in late.text
    empty = await reviewer.send(path, version="2", **{**fields, "back": " "})
    assert empty.status_code == 422
    assert "The back is empty" in empty.text
    assert (await reviewer.questions())[0] == now
    both = await reviewer.send(path, version="1", **{**fields, "tags": ", ".join("abcdefghijkl")})
    assert both.status_code == 422
    assert 'name="version" value="1"' in both.text, "it has not been told that someone was faster"


async def test_more_than_can_be_decided_at_once_is_refused(reviewer: Reviewer) -> None:
    chosen = [str(UUID(int=number)) for number in range(1001)]
    answer = await reviewer.send(f"{reviewer.address}/review", question_id=chosen, review="approved")
    assert answer.status_code == 422


async def test_a_question_is_made_again_from_its_page(reviewer: Reviewer) -> None:
    question = (await reviewer.questions())[0]
    answer = await reviewer.send(f"/questions/{question['id']}/regenerate")
    generation_id = re.fullmatch(r"/generations/(.+)", answer.headers["location"])
    assert generation_id is not None
    await reviewer.system.ended(generation_id[1])
    assert question["id"] not in [found["id"] for found in await reviewer.questions()]


async def test_the_evidence_is_marked_in_the_whole_module(reviewer: Reviewer) -> None:
    question = (await reviewer.questions())[0]
    address = f"{reviewer.address}/modules/{question['module_id']}"
    answer = await reviewer.system.http.get(f"{address}?question={question['id']}", headers=HTML)
    assert f'<mark id="evidence" tabindex="-1">{question["evidence"]["quote"]}</mark>' in answer.text
    assert "<mark" not in (await reviewer.system.http.get(address, headers=HTML)).text
    assert (await reviewer.system.http.get(f"{address}?question=x", headers=HTML)).status_code == 422


@pytest.mark.parametrize("name", list(Shown.model_fields))
async def test_a_filter_that_is_none_is_refused_or_finds_nothing(reviewer: Reviewer, name: str) -> None:
    answer = await reviewer.system.http.get(f"{reviewer.address}?{name}=nonsense", headers=HTML)
    assert answer.status_code == (200 if name == "flaw" else 422)
    assert "data-question-id" not in answer.text
