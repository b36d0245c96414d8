"""What clients send: accepted as it is meant, refused with the field that is wrong."""

import json
from typing import Any
from uuid import UUID

import pytest
from pydantic import BaseModel, ValidationError

from schemas.orders import NewQuiz, Order, QuizOrder, RetryOrder
from schemas.states import Difficulty, Priority, QuestionType

MODULE = str(UUID(int=7))
BATCH = {"module_id": MODULE, "question_type": "multiple_choice", "target_count": 5}
MATERIAL = {"name": "Leaves", "text": "Leaves make sugar."}
QUIZ = {"title": "Plants", "modules": [MATERIAL]}
QUIZ_ORDER = {
    "title": "Plants",
    "modules": [{**MATERIAL, "batches": [{"question_type": "flashcard", "target_count": 3}]}],
}


def problems(model: type[BaseModel], body: object) -> dict[str, str]:
    """The fields that are refused, and why."""
    with pytest.raises(ValidationError) as caught:
        model.model_validate_json(json.dumps(body))
    return {".".join(map(str, error["loc"])): error["msg"] for error in caught.value.errors()}


def order(**fields: Any) -> Order:
    return Order.model_validate_json(json.dumps(fields))


def test_an_order_names_its_batches() -> None:
    wanted = order(batches=[{**BATCH, "difficulty": "hard"}], priority="high", instructions="Ask why.", model="a/b:1")
    assert wanted.batches is not None
    [batch] = wanted.batches
    assert (batch.module_id, batch.question_type) == (UUID(MODULE), QuestionType.MULTIPLE_CHOICE)
    assert (batch.difficulty, batch.target_count) == (Difficulty.HARD, 5)
    assert (wanted.priority, wanted.instructions, wanted.model) == (Priority.HIGH, "Ask why.", "a/b:1")


def test_what_an_order_leaves_out_is_usual() -> None:
    wanted = order(batches=[BATCH])
    assert (wanted.priority, wanted.instructions, wanted.model) == (Priority.NORMAL, "", None)
    assert wanted.batches is not None
    assert wanted.batches[0].difficulty is None


def test_an_order_may_be_a_preset_with_its_count() -> None:
    wanted = order(preset="both", target_count=10)
    assert (wanted.preset, wanted.target_count, wanted.batches) == ("both", 10, None)


@pytest.mark.parametrize(
    ("body", "message"),
    [
        ({}, "give either batches or preset"),
        ({"batches": [BATCH], "preset": "quiz", "target_count": 5}, "give either batches or preset"),
        ({"preset": "quiz"}, "target_count goes with preset"),
        ({"batches": [BATCH], "target_count": 5}, "target_count goes with preset"),
    ],
)
def test_an_order_is_either_batches_or_a_preset(body: object, message: str) -> None:
    assert problems(Order, body) == {"": f"Value error, {message}"}


@pytest.mark.parametrize("count", [0, -1, 1.5, "5", True, None, 5.0])
def test_a_target_count_is_a_whole_number_from_one_on(count: object) -> None:
    assert set(problems(Order, {"batches": [{**BATCH, "target_count": count}]})) == {"batches.0.target_count"}
    if count is not None:
        assert set(problems(Order, {"preset": "quiz", "target_count": count})) == {"target_count"}


@pytest.mark.parametrize(
    ("field", "value"),
    [("question_type", "riddle"), ("difficulty", "impossible"), ("module_id", "7"), ("color", "red")],
)
def test_an_unknown_word_in_a_batch_is_refused(field: str, value: str) -> None:
    assert set(problems(Order, {"batches": [{**BATCH, field: value}]})) == {f"batches.0.{field}"}


def test_the_types_that_are_allowed_are_named() -> None:
    [message] = problems(Order, {"batches": [{**BATCH, "question_type": "riddle"}]}).values()
    assert all(question_type in message for question_type in QuestionType)


@pytest.mark.parametrize(
    ("field", "value"),
    [
        ("priority", "urgent"),
        ("instructions", "x" * 4001),
        ("instructions", "a\x00b"),
        ("model", ""),
        ("model", "x" * 101),
        ("model", "claude sonnet"),
        ("model", "claude\n"),
        ("batches", []),
        ("preset", "exam"),
    ],
)
def test_an_option_out_of_bounds_is_refused(field: str, value: object) -> None:
    assert field in problems(Order, {"batches": [BATCH], field: value})


def test_a_new_quiz_is_english_unless_it_says_otherwise() -> None:
    assert NewQuiz.model_validate_json(json.dumps(QUIZ)).language == "en"
    assert NewQuiz.model_validate_json(json.dumps({**QUIZ, "language": "de-AT"})).language == "de-AT"


@pytest.mark.parametrize("language", ["", "EN", "e", "english", "de_AT", "de-", "en\n", "en-" + "x" * 40, "en-x" * 20])
def test_a_language_is_a_tag(language: str) -> None:
    assert set(problems(NewQuiz, {**QUIZ, "language": language})) == {"language"}


@pytest.mark.parametrize(
    ("body", "field"),
    [
        ({"title": ""}, "title"),
        ({"title": " \t"}, "title"),
        ({"title": "x" * 201}, "title"),
        ({"title": 5}, "title"),
        ({"modules": []}, "modules"),
        ({"modules": [MATERIAL] * 501}, "modules"),
        ({"modules": [{"name": "Leaves", "text": " \n"}]}, "modules.0.text"),
        ({"modules": [{"name": "", "text": "a"}]}, "modules.0.name"),
        ({"modules": [{"name": "Leaves"}]}, "modules.0.text"),
        ({"modules": [MATERIAL, {**MATERIAL, "text": "a\x00b"}]}, "modules.1.text"),
        ({"modules": "Leaves"}, "modules"),
        ({"owner": "bob"}, "owner"),
    ],
)
def test_a_quiz_without_proper_title_or_modules_is_refused(body: dict[str, object], field: str) -> None:
    assert set(problems(NewQuiz, {**QUIZ, **body})) == {field}


def test_the_longest_title_is_accepted() -> None:
    assert len(NewQuiz.model_validate_json(json.dumps({**QUIZ, "title": "x" * 200})).title) == 200


def test_quiz_and_order_may_come_in_one() -> None:
    wanted = QuizOrder.model_validate_json(json.dumps({**QUIZ_ORDER, "priority": "low"}))
    [module] = wanted.modules
    assert (module.name, module.batches[0].question_type) == ("Leaves", QuestionType.FLASHCARD)
    assert wanted.priority is Priority.LOW


def test_quiz_and_order_in_one_need_batches_for_every_module() -> None:
    assert problems(QuizOrder, {"title": "Plants", "modules": [MATERIAL]}) == {"modules.0.batches": "Field required"}
    found = problems(QuizOrder, {"title": "Plants", "modules": [{**MATERIAL, "batches": []}]})
    assert set(found) == {"modules.0.batches"}


def test_quiz_and_order_in_one_name_no_module_ids() -> None:
    body = {"title": "Plants", "modules": [{**MATERIAL, "batches": [BATCH]}]}
    assert set(problems(QuizOrder, body)) == {"modules.0.batches.0.module_id"}


def test_a_retry_may_name_batches_and_a_model_or_nothing() -> None:
    assert RetryOrder.model_validate_json("{}") == RetryOrder()
    wanted = RetryOrder.model_validate_json(json.dumps({"batch_ids": [MODULE], "model": "claude-b"}))
    assert (wanted.batch_ids, wanted.model) == ([UUID(MODULE)], "claude-b")


@pytest.mark.parametrize(("field", "value"), [("batch_ids", []), ("batch_ids", ["x"]), ("model", " "), ("all", True)])
def test_a_retry_that_says_something_else_is_refused(field: str, value: object) -> None:
    assert {path.split(".")[0] for path in problems(RetryOrder, {field: value})} == {field}
