import json

import pytest

from jobs.providers.answer_schema import ANSWER_OF, parse, schema_of
from jobs.providers.base import Unreadable
from schemas.questions import (
    CONTENT_OF,
    Draft,
    FillInBlank,
    Matching,
    MultipleChoice,
    MultipleResponse,
    Numeric,
    Pair,
    TrueFalse,
)
from schemas.states import CognitiveLevel, QuestionType

WRITTEN: dict[QuestionType, dict[str, object]] = {
    QuestionType.MULTIPLE_CHOICE: {"stem": "Which?", "key": "this", "distractors": ["that", "those", "these"]},
    QuestionType.MULTIPLE_RESPONSE: {"stem": "Which?", "keys": ["this", "that"], "distractors": ["those"]},
    QuestionType.TRUE_FALSE: {"stem": "It is.", "answer": False},
    QuestionType.FILL_IN_BLANK: {"stem": "It ____.", "answers": ["is", "was"]},
    QuestionType.SHORT_ANSWER: {"stem": "What is it?", "answers": ["this"]},
    QuestionType.MATCHING: {
        "stem": "Match.",
        "pairs": [{"left": "a", "right": "A"}, {"left": "b", "right": "B"}],
        "extra_rights": ["C"],
    },
    QuestionType.NUMERIC: {"stem": "How many?", "answer": 3.4, "tolerance": 0},
    QuestionType.FLASHCARD: {"front": "What?", "back": "This"},
    QuestionType.VOCABULARY: {"term": "this", "definition": "what is meant", "example": "This is it."},
}
REMARKS = {"quote": "This is it.", "explanation": "It says so.", "cognitive_level": "apply", "tags": ["a", "", "b"]}


def written(question_type: QuestionType, **changes: object) -> str:
    return json.dumps({**REMARKS, **WRITTEN[question_type], **changes})


@pytest.mark.parametrize("question_type", QuestionType)
def test_a_question_of_each_type_becomes_a_draft(question_type: QuestionType) -> None:
    draft = parse(question_type, written(question_type))
    assert isinstance(draft, Draft)
    assert isinstance(draft.content, CONTENT_OF[question_type])
    assert (draft.quote, draft.explanation) == ("This is it.", "It says so.")
    assert (draft.cognitive_level, draft.tags) == (CognitiveLevel.APPLY, ("a", "b"))


def test_the_key_and_the_distractors_become_the_options() -> None:
    draft = parse(QuestionType.MULTIPLE_CHOICE, written(QuestionType.MULTIPLE_CHOICE))
    assert isinstance(draft, Draft)
    assert draft.content == MultipleChoice(stem="Which?", options=("this", "that", "those", "these"), answer=0)


def test_several_keys_become_the_first_options() -> None:
    draft = parse(QuestionType.MULTIPLE_RESPONSE, written(QuestionType.MULTIPLE_RESPONSE))
    assert isinstance(draft, Draft)
    assert draft.content == MultipleResponse(stem="Which?", options=("this", "that", "those"), answers=(0, 1))


def test_pairs_and_numbers_are_taken_over() -> None:
    draft = parse(QuestionType.MATCHING, written(QuestionType.MATCHING, extra_rights=[" C\n"]))
    assert isinstance(draft, Draft)
    pairs = (Pair(left="a", right="A"), Pair(left="b", right="B"))
    assert draft.content == Matching(stem="Match.", pairs=pairs, extra_rights=("C",))
    draft = parse(QuestionType.NUMERIC, written(QuestionType.NUMERIC))
    assert isinstance(draft, Draft)
    assert draft.content == Numeric(stem="How many?", answer=3.4, tolerance=0)


@pytest.mark.parametrize(
    ("question_type", "changes", "reason"),
    [
        (QuestionType.MULTIPLE_RESPONSE, {"keys": []}, "keys: List should have at least 1 item"),
        (QuestionType.MATCHING, {"pairs": [{"left": "a"}]}, "pairs.0.right: Field required"),
        (QuestionType.MATCHING, {"pairs": [{"left": " ", "right": "b"}]}, "pairs.0.left: must not be empty"),
        (QuestionType.NUMERIC, {"answer": "many"}, "answer: Input should be a valid number"),
        (QuestionType.NUMERIC, {"tolerance": None}, "tolerance: Input should be a valid number"),
        (QuestionType.NUMERIC, {"answer": float("inf")}, "answer: Input should be a finite number"),
    ],
)
def test_what_is_wrong_with_a_part_is_said_with_its_place(
    question_type: QuestionType, changes: dict[str, object], reason: str
) -> None:
    unreadable = parse(question_type, written(question_type, **changes))
    assert isinstance(unreadable, Unreadable)
    assert unreadable.message.startswith(reason)


def test_content_is_taken_over_without_the_blanks_around_it() -> None:
    draft = parse(QuestionType.FILL_IN_BLANK, written(QuestionType.FILL_IN_BLANK, answers=["  is\n"], quote=" This "))
    assert isinstance(draft, Draft)
    assert draft.content == FillInBlank(stem="It ____.", answers=("is",))
    assert draft.quote == "This"


def test_remarks_may_be_missing_and_unknown_fields_do_no_harm() -> None:
    draft = parse(QuestionType.TRUE_FALSE, '{"quote": "q", "stem": "It is.", "answer": true, "mood": "fine"}')
    assert isinstance(draft, Draft)
    assert draft == Draft(content=TrueFalse(stem="It is.", answer=True), quote="q")


@pytest.mark.parametrize(
    ("raw", "reason"),
    [
        ('{"stem": "It is.", "answer": true}', "quote: Field required"),
        (written(QuestionType.TRUE_FALSE, stem="   "), "stem: must not be empty"),
        (written(QuestionType.TRUE_FALSE, stem="a\x00b"), "stem: must not contain the NUL character"),
        (written(QuestionType.TRUE_FALSE, answer="perhaps"), "answer: Input should be a valid boolean"),
        (written(QuestionType.TRUE_FALSE, cognitive_level="guess"), "cognitive_level: Input should be 'remember'"),
        (written(QuestionType.TRUE_FALSE, stem="x" * 4001), "stem: Value should have at most 4000"),
        ('{"stem": "\\ud800", "answer": true}', "question: Invalid JSON"),
        ('{"quote": "line\nbreak"}', "question: Invalid JSON"),
    ],
)
def test_what_is_wrong_with_a_question_is_said_in_one_short_sentence(raw: str, reason: str) -> None:
    unreadable = parse(QuestionType.TRUE_FALSE, raw)
    assert isinstance(unreadable, Unreadable)
    assert unreadable.message.startswith(reason)
    assert len(unreadable.message) <= 200
    assert "\n" not in unreadable.message


def test_an_answer_without_accepted_words_is_unreadable() -> None:
    assert isinstance(parse(QuestionType.SHORT_ANSWER, written(QuestionType.SHORT_ANSWER, answers=[])), Unreadable)


@pytest.mark.parametrize("question_type", QuestionType)
def test_the_schema_asks_for_every_field_with_the_quote_first(question_type: QuestionType) -> None:
    schema = json.loads(json.dumps(schema_of(question_type)))
    assert schema["required"] == ["questions"]
    question = schema["properties"]["questions"]["items"]
    assert question["additionalProperties"] is False
    assert set(question["properties"]) == set(ANSWER_OF[question_type].model_fields)
    assert question["required"] == list(question["properties"])
    assert question["required"][0] == "quote"
    assert question["required"][-3:] == ["explanation", "cognitive_level", "tags"]
    assert "maxLength" not in json.dumps(schema)
