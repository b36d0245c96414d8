"""Modules can be renamed, left out and merged, by scripts and by forms."""

import httpx
import pytest

from schemas.quizzes import Quiz
from tests.documents import PROSE

NAMES = ("Leaves", "Roots", "Contents")


async def create(http: httpx.AsyncClient) -> Quiz:
    modules = [{"name": name, "text": f"{name}. {PROSE}".strip()} for name in NAMES]
    answer = await http.post("/api/quizzes", json={"title": "Plants", "modules": modules})
    return Quiz.model_validate_json(answer.content)


async def load(http: httpx.AsyncClient, quiz: Quiz) -> Quiz:
    return Quiz.model_validate_json((await http.get(f"/api/quizzes/{quiz.id}")).content)


async def order(http: httpx.AsyncClient, quiz: Quiz) -> httpx.Response:
    return await http.post(f"/api/quizzes/{quiz.id}/generations", json={"preset": "flashcards", "target_count": 1})


async def test_a_module_gets_another_name(http: httpx.AsyncClient) -> None:
    quiz = await create(http)
    address = f"/api/quizzes/{quiz.id}/modules/{quiz.modules[0].id}"
    answer = await http.patch(address, json={"name": "All about leaves"})
    assert answer.status_code == 200
    assert (answer.json()["name"], answer.json()["is_left_out"]) == ("All about leaves", False)
    assert [module.name for module in (await load(http, quiz)).modules] == ["All about leaves", "Roots", "Contents"]


async def test_what_is_left_out_is_passed_over_by_orders_and_can_come_back(http: httpx.AsyncClient) -> None:
    quiz = await create(http)
    address = f"/api/quizzes/{quiz.id}/modules/{quiz.modules[2].id}"
    assert (await http.patch(address, json={"is_left_out": True})).json()["is_left_out"] is True
    ordered = (await order(http, quiz)).json()
    assert [batch["module_name"] for batch in ordered["batches"]] == ["Leaves", "Roots"]
    named = {"batches": [{"module_id": str(quiz.modules[2].id), "question_type": "flashcard", "target_count": 1}]}
    assert (await http.post(f"/api/quizzes/{quiz.id}/generations", json=named)).status_code == 422
    await http.patch(address, json={"is_left_out": False})
    assert len((await order(http, quiz)).json()["batches"]) == 3


async def test_a_quiz_of_which_everything_is_left_out_can_not_be_ordered_from(http: httpx.AsyncClient) -> None:
    quiz = await create(http)
    for module in quiz.modules:
        await http.patch(f"/api/quizzes/{quiz.id}/modules/{module.id}", json={"is_left_out": True})
    assert (await order(http, quiz)).status_code == 409


async def test_merged_modules_are_one_text_in_their_order(http: httpx.AsyncClient) -> None:
    quiz = await create(http)
    first, second, third = quiz.modules
    wanted = {"module_ids": [str(third.id), str(first.id)], "name": "Leaves and contents"}
    answer = await http.post(f"/api/quizzes/{quiz.id}/modules/merge", json=wanted)
    assert answer.status_code == 200
    merged, other = answer.json()["modules"]
    assert (merged["id"], merged["name"]) == (str(first.id), "Leaves and contents")
    assert other["id"] == str(second.id)
    text = (await http.get(f"/api/quizzes/{quiz.id}/modules/{first.id}")).json()["text"]
    assert text == f"Leaves. {PROSE.strip()}\n\nContents. {PROSE.strip()}"
    assert (await http.get(f"/api/quizzes/{quiz.id}/modules/{third.id}")).status_code == 404
    assert merged["characters"] == len(text)


async def test_modules_that_were_ordered_from_are_not_merged(http: httpx.AsyncClient) -> None:
    quiz = await create(http)
    await order(http, quiz)
    wanted = {"module_ids": [str(module.id) for module in quiz.modules]}
    answer = await http.post(f"/api/quizzes/{quiz.id}/modules/merge", json=wanted)
    assert answer.status_code == 409
    assert "once questions were ordered" in answer.json()["detail"]
    assert len((await load(http, quiz)).modules) == 3


async def test_merged_modules_have_the_name_of_the_first_unless_told_otherwise(http: httpx.AsyncClient) -> None:
    quiz = await create(http)
    wanted = {"module_ids": [str(module.id) for module in quiz.modules[:2]]}
    await http.post(f"/api/quizzes/{quiz.id}/modules/merge", json=wanted)
    assert [module.name for module in (await load(http, quiz)).modules] == ["Leaves", "Contents"]


@pytest.mark.parametrize(
    "body", [{}, {"name": " "}, {"name": "x" * 201}, {"is_left_out": "yes"}, {"text": "other"}, {"name": None}]
)
async def test_a_change_that_is_none_is_refused(http: httpx.AsyncClient, body: dict[str, object]) -> None:
    quiz = await create(http)
    answer = await http.patch(f"/api/quizzes/{quiz.id}/modules/{quiz.modules[0].id}", json=body)
    assert answer.status_code == 422
    assert await load(http, quiz) == quiz


async def test_modules_of_other_quizzes_are_unknown(http: httpx.AsyncClient) -> None:
    quiz, other = await create(http), await create(http)
    foreign = str(other.modules[0].id)
    assert (await http.patch(f"/api/quizzes/{quiz.id}/modules/{foreign}", json={"name": "x"})).status_code == 404
    both = {"module_ids": [str(quiz.modules[0].id), foreign]}
    assert (await http.post(f"/api/quizzes/{quiz.id}/modules/merge", json=both)).status_code == 404
    twice = {"module_ids": [str(quiz.modules[0].id)] * 2}
    assert (await http.post(f"/api/quizzes/{quiz.id}/modules/merge", json=twice)).status_code == 422


async def test_the_form_changes_all_names_and_what_is_left_out_at_once(http: httpx.AsyncClient) -> None:
    quiz = await create(http)
    ids = [str(module.id) for module in quiz.modules]
    fields = {f"name_{ids[0]}": "Leaf", f"name_{ids[1]}": "Root", f"name_{ids[2]}": "Contents", "left_out_id": ids[2]}
    answer = await http.post(f"/quizzes/{quiz.id}/modules", data={**fields, "action": "change"})
    assert (answer.status_code, answer.headers["Location"]) == (303, f"/?quiz={quiz.id}")
    found = (await load(http, quiz)).modules
    assert [(module.name, module.is_left_out) for module in found] == [
        ("Leaf", False),
        ("Root", False),
        ("Contents", True),
    ]


async def test_the_form_merges_what_is_ticked(http: httpx.AsyncClient) -> None:
    quiz = await create(http)
    ids = [str(module.id) for module in quiz.modules]
    await http.post(f"/quizzes/{quiz.id}/modules", data={"merged_id": ids[:2], "action": "merge"})
    assert [module.name for module in (await load(http, quiz)).modules] == ["Leaves", "Contents"]


@pytest.mark.parametrize(
    ("fields", "said"),
    [
        ({"action": "merge"}, "choose at least two modules"),
        ({"action": "change", "name_00000000-0000-0000-0000-000000000001": " "}, "must not be empty"),
        ({"action": "change", "name_x": "Leaf"}, "is no module"),
    ],
)
async def test_the_form_says_what_is_wrong(http: httpx.AsyncClient, fields: dict[str, str], said: str) -> None:
    quiz = await create(http)
    answer = await http.post(f"/quizzes/{quiz.id}/modules", data=fields)
    assert answer.status_code == 422
    assert said in answer.text
