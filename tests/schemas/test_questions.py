"""Questions of every type, in and out of JSON."""

import pytest
from pydantic import ValidationError

from schemas.questions import (
    CONTENT_OF,
    Content,
    FillInBlank,
    Flashcard,
    Matching,
    MultipleChoice,
    MultipleResponse,
    Numeric,
    Pair,
    ShortAnswer,
    TrueFalse,
    Vocabulary,
    figure_of,
    preview_of,
)
from schemas.states import QuestionType

EXAMPLES: dict[QuestionType, tuple[Content, str]] = {
    QuestionType.MULTIPLE_CHOICE: (MultipleChoice(stem="Which?", options=("a", "b", "c"), answer=1), "Which?"),
    QuestionType.MULTIPLE_RESPONSE: (
        MultipleResponse(stem="Which ones?", options=("a", "b", "c"), answers=(0, 2)),
        "Which ones?",
    ),
    QuestionType.TRUE_FALSE: (TrueFalse(stem="It is so.", answer=True), "It is so."),
    QuestionType.FILL_IN_BLANK: (FillInBlank(stem="It is ____.", answers=("so",)), "It is ____."),
    QuestionType.SHORT_ANSWER: (ShortAnswer(stem="How is it?", answers=("so", "thus")), "How is it?"),
    QuestionType.MATCHING: (
        Matching(stem="Match.", pairs=(Pair(left="b", right="B"), Pair(left="a", right="A")), extra_rights=("C",)),
        "Match. a; b",
    ),
    QuestionType.NUMERIC: (Numeric(stem="How many?", answer=2.5, tolerance=0), "How many?"),
    QuestionType.FLASHCARD: (Flashcard(front="Front", back="Back"), "Front"),
    QuestionType.VOCABULARY: (Vocabulary(term="term", definition="a word", example="A term."), "term"),
}
every_type = pytest.mark.parametrize("question_type", EXAMPLES)


def test_every_question_type_has_an_example_here() -> None:
    assert set(EXAMPLES) == set(QuestionType)


@every_type
def test_content_survives_json(question_type: QuestionType) -> None:
    content, _ = EXAMPLES[question_type]
    model = CONTENT_OF[question_type]
    assert type(content) is model
    assert model.model_validate_json(content.model_dump_json()) == content
    assert model.model_validate(content.model_dump(mode="json")) == content


@every_type
def test_one_line_stands_for_a_question(question_type: QuestionType) -> None:
    content, line = EXAMPLES[question_type]
    assert preview_of(content) == line


@every_type
def test_a_field_of_another_type_is_refused(question_type: QuestionType) -> None:
    content, _ = EXAMPLES[question_type]
    with pytest.raises(ValidationError, match="Extra inputs are not permitted"):
        CONTENT_OF[question_type].model_validate({**content.model_dump(), "hint": "look"})


def test_pairs_in_another_order_are_previewed_alike() -> None:
    pairs = (Pair(left="b", right="B"), Pair(left="a", right="A"), Pair(left="c", right="C"))
    one, other = (Matching(stem="Match.", pairs=order, extra_rights=()) for order in (pairs, pairs[::-1]))
    assert preview_of(one) == preview_of(other)


@pytest.mark.parametrize("number", [float("inf"), float("nan")])
@pytest.mark.parametrize("name", ["answer", "tolerance"])
def test_a_number_that_json_can_not_hold_is_refused(name: str, number: float) -> None:
    with pytest.raises(ValidationError, match="finite number"):
        Numeric.model_validate({"stem": "How many?", "answer": 1, "tolerance": 0, name: number})


@pytest.mark.parametrize(
    ("value", "written"), [(5, "5"), (5.0, "5"), (-0.0, "0"), (0.83, "0.83"), (200_000.0, "200000"), (-2.5, "-2.5")]
)
def test_a_number_is_written_as_people_write_it(value: float, written: str) -> None:
    assert figure_of(value) == written
