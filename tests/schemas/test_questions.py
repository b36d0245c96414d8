"""Questions of every type, in and out of JSON."""

import pytest
from pydantic import ValidationError

from schemas.questions import (
    CONTENT_OF,
    Content,
    FillInBlank,
    Flashcard,
    MultipleChoice,
    ShortAnswer,
    TrueFalse,
    Vocabulary,
    preview_of,
)
from schemas.states import QuestionType

EXAMPLES: dict[QuestionType, tuple[Content, str]] = {
    QuestionType.MULTIPLE_CHOICE: (MultipleChoice(stem="Which?", options=("a", "b", "c"), answer=1), "Which?"),
    QuestionType.TRUE_FALSE: (TrueFalse(stem="It is so.", answer=True), "It is so."),
    QuestionType.FILL_IN_BLANK: (FillInBlank(stem="It is ____.", answers=("so",)), "It is ____."),
    QuestionType.SHORT_ANSWER: (ShortAnswer(stem="How is it?", answers=("so", "thus")), "How is it?"),
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
