"""What Canvas is told of a question, and what it can't be told."""

from uuid import UUID

import pytest

from schemas.questions import Content, Matching, MultipleChoice, Numeric, Pair, ShortAnswer
from schemas.states import QuestionType, Review
from service.rules import canvas
from tests.service.exports.contents import CONTENTS, one_of_each, question


def said(content: Content, question_type: QuestionType = QuestionType.MULTIPLE_CHOICE) -> object:
    return canvas.said(question(1, question_type, content=content))


@pytest.mark.parametrize("question_type", list(QuestionType))
def test_every_type_is_said_or_left_out_with_a_reason(question_type: QuestionType) -> None:
    asked = question(1, question_type)
    sayable, left_out = canvas.sorted_out([asked])
    if question_type in {QuestionType.FLASHCARD, QuestionType.VOCABULARY}:
        assert [(one.question_id, one.reason) for one in left_out] == [(asked.id, canvas.NO_CARDS)]
        assert sayable == ()
    else:
        assert sayable == (asked.id,)
        assert canvas.said(asked).question_type.endswith("_question")


def test_only_the_text_of_a_question_is_html() -> None:
    content = MultipleChoice(stem="Is 1 < 2 & \\(x\\)\nso?", options=("a < b", "<b>", "&amp;"), answer=1)
    found = canvas.said(question(1, QuestionType.MULTIPLE_CHOICE, content=content))
    assert found.question_text == "<p>Is 1 &lt; 2 &amp; \\(x\\)<br>so?</p>"
    assert [answer.answer_text for answer in found.answers] == ["a < b", "<b>", "&amp;"]


@pytest.mark.parametrize(("value", "text"), [(5.0, "5"), (-0.0, "0"), (1e-7, "1e-07"), (0.1, "0.1")])
def test_numbers_are_written_as_people_do(value: float, text: str) -> None:
    content = Numeric(stem="How many?", answer=value, tolerance=0)
    [answer] = canvas.said(question(1, QuestionType.NUMERIC, content=content)).answers
    assert (answer.answer_exact, answer.answer_error_margin) == (text, "0")


def test_what_belongs_to_no_pair_stays_one_line_each() -> None:
    pairs = (Pair(left="a", right="1"), Pair(left="b", right="2"), Pair(left="c", right="3"))
    content = Matching(stem="Match.", pairs=pairs, extra_rights=("one\nline", "two"))
    found = canvas.said(question(1, QuestionType.MATCHING, content=content))
    assert found.matching_answer_incorrect_matches == "one line\ntwo"
    with pytest.raises(canvas.Unsayable, match="after 255 characters"):
        said(content.model_copy(update={"extra_rights": ("x" * 256,)}), QuestionType.MATCHING)


def test_what_is_too_long_for_canvas_is_left_out_and_not_cut() -> None:
    with pytest.raises(canvas.Unsayable, match="16384 characters in a text"):
        said(ShortAnswer(stem="&" * 4000, answers=("x",)), QuestionType.SHORT_ANSWER)
    with pytest.raises(canvas.Unsayable, match="16384 characters in a text"):
        said(ShortAnswer(stem="What?", answers=("x" * 16_385,)), QuestionType.SHORT_ANSWER)
    explained = question(1, QuestionType.TRUE_FALSE).model_copy(update={"explanation": "x" * 5121})
    with pytest.raises(canvas.Unsayable, match="5120 characters in an explanation"):
        canvas.said(explained)


def test_a_name_leads_back_to_the_question_and_its_version() -> None:
    asked = question(7, QuestionType.TRUE_FALSE).model_copy(update={"module_name": "M" * 500, "version": 12})
    name = canvas.said(asked).question_name
    assert len(name) < 255
    assert canvas.mark_in(name) == canvas.mark_of(asked) == f"{UUID(int=7)}.12"
    assert canvas.mark_in("Question 7") is None


def test_approved_questions_are_published_or_else_all_that_were_not_rejected() -> None:
    first, second, third, *rest = one_of_each()
    rejected = second.model_copy(update={"review": Review.REJECTED})
    assert canvas.chosen([first, rejected, third], None) == [first, third]
    approved = third.model_copy(update={"review": Review.APPROVED})
    assert canvas.chosen([first, rejected, approved, *rest], None) == [approved]
    assert canvas.chosen([first, rejected, approved], Review.REJECTED) == [rejected]
    assert canvas.chosen([first], Review.APPROVED) == []
    assert len(CONTENTS) == len(one_of_each())
