"""Moodle reads every question as it is, and finds it again by its id."""

import pytest
from hypothesis import given
from lxml import etree

from schemas.questions import Matching, MultipleResponse, Pair, Question, ShortAnswer
from schemas.states import QuestionType
from service.exports import moodle_xml
from service.exports.formats import FORMATS
from tests.service.exports import moodle_reader
from tests.service.exports.contents import one_of_each, question
from tests.service.exports.reading import expected
from tests.service.exports.strategies import PATIENT, questions
from tests.web import samples

MOODLE = FORMATS["moodle-xml"]


def kept(*asked: Question) -> list[Question]:
    return list(MOODLE.select(asked).kept)


def only(asked: Question) -> etree._Element:
    root = etree.fromstring(MOODLE.write(samples.quiz(), [asked]))
    [found] = [one for one in root if one.get("type") != "category"]
    return found


def test_every_type_but_flashcards_is_read_as_it_is() -> None:
    asked = kept(*one_of_each())
    assert len(asked) == 7
    found = moodle_reader.read(MOODLE.write(samples.quiz(), asked))
    assert found == {one.id: expected(one) for one in asked}


@PATIENT
@given(asked=questions())
def test_every_text_survives(asked: list[Question]) -> None:
    fitting = kept(*asked)
    found = moodle_reader.read(MOODLE.write(samples.quiz(), fitting))
    assert found == {one.id: expected(one) for one in fitting}


def test_flashcards_are_left_out_with_a_reason() -> None:
    left_out = MOODLE.select(one_of_each()).left_out
    assert [one.question_type for one in left_out] == [QuestionType.FLASHCARD, QuestionType.VOCABULARY]
    assert {one.reason for one in left_out} == {"Moodle's question bank has no flashcards"}


@pytest.mark.parametrize(
    ("right", "wrong", "percent"),
    [(2, 1, ("50", "-100")), (3, 3, ("33.33333", "-33.33333")), (5, 1, ("20", "-100")), (1, 0, ("100", "0"))],
)
def test_all_right_options_are_100_percent_and_all_options_together_nothing(
    right: int, wrong: int, percent: tuple[str, str]
) -> None:
    assert moodle_xml.weights(right, wrong) == percent


def test_a_response_question_with_all_options_right_can_be_written() -> None:
    content = MultipleResponse(stem="Which?", options=("a", "b", "c"), answers=(0, 1, 2))
    found = only(question(1, QuestionType.MULTIPLE_RESPONSE, content=content))
    assert [answer.get("fraction") for answer in found.iterfind("answer")] == ["33.33333"] * 3


def test_each_module_is_a_category_of_the_quiz() -> None:
    asked = [
        question(1, QuestionType.TRUE_FALSE, text="Waves/particles & <light>"),
        question(2, QuestionType.TRUE_FALSE, text="Other").model_copy(update={"module_id": samples.SECOND}),
        question(3, QuestionType.TRUE_FALSE, text="Waves/particles & <light>"),
    ]
    root = etree.fromstring(MOODLE.write(samples.quiz(title="Physics"), asked))
    assert [one.findtext("category/text") or one.findtext("idnumber")[-1] for one in root] == [
        "top/Physics/Waves//particles & &lt;light>",
        "1",
        "3",
        "top/Physics/Other",
        "2",
    ]


def test_the_field_to_write_in_stands_in_the_gap() -> None:
    found = only(question(1, QuestionType.FILL_IN_BLANK))
    assert found.findtext("questiontext/text") == "Roots take up _____."


def test_a_star_in_an_answer_is_a_star() -> None:
    content = ShortAnswer(stem="Which sign multiplies?", answers=("*", "a*b", "\\*"))
    found = only(question(1, QuestionType.SHORT_ANSWER, content=content))
    assert [answer.findtext("text") for answer in found.iterfind("answer")] == ["\\*", "a\\*b", "\\\\*"]


def test_lines_and_indents_of_code_are_kept() -> None:
    content = ShortAnswer(stem="What does it print?\n\nfor x in y:\n    print(x)", answers=("x",))
    found = only(question(1, QuestionType.SHORT_ANSWER, content=content))
    assert found.findtext("questiontext/text") == (
        "What does it print?<br><br>for x in y:<br>&nbsp;&nbsp;&nbsp;&nbsp;print(x)"
    )


def test_rights_that_look_like_markup_are_shown() -> None:
    pairs = tuple(Pair(left=str(number), right=right) for number, right in enumerate(("<b>", "R&D", "&lt;")))
    found = only(question(1, QuestionType.MATCHING, content=Matching(stem="Match.", pairs=pairs, extra_rights=())))
    assert [row.findtext("answer/text") for row in found.iterfind("subquestion")] == ["&lt;b>", "R&D", "&amp;lt;"]


def test_labels_become_tags() -> None:
    asked = question(1, QuestionType.TRUE_FALSE, text="Light").model_copy(update={"tags": ("Light", "two words")})
    assert [tag.findtext("text") for tag in only(asked).iterfind("tags/tag")] == [
        "Light",
        "easy",
        "remember",
        "two words",
    ]
