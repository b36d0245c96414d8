"""The sheet of a quiz: questions with room for answers, and the key behind them."""

from uuid import UUID

import pytest
from bs4 import BeautifulSoup

from schemas.questions import FillInBlank, Matching, MultipleResponse, Pair, Question
from schemas.states import QuestionType, Review
from tests.service.exports.contents import one_of_each, question
from tests.web import samples
from tests.web.reading import soup, text_of
from tests.web.samples import ATTACK, CONTENTS
from web import pages


def sheet(*asked: Question, with_key: bool = True, language: str = "en") -> BeautifulSoup:
    quiz = samples.quiz().model_copy(update={"language": language})
    return soup(pages.sheet(quiz, asked, with_key=with_key))


def test_every_type_is_asked_and_answered_in_the_key() -> None:
    page = sheet(*one_of_each())
    asked = [text_of(one) for one in page.select("[data-question-id] > .asked")]
    answers = [[text_of(one) for one in row.select(".answers li")] for row in page.select("[data-answer-to]")]
    assert list(zip(asked, answers, strict=True)) == [
        ("Which is blue?", ["B. Sky"]),
        ("Which are wet?", ["A. Rain", "C. Dew"]),
        ('It is "so".', ["False"]),
        ("Roots take up ____________.", ["water", "H2O"]),
        ("What do roots take up?", ["water; salt"]),
        ("Match the colours.", ["sky = A. blue", "snow = D. white", "Gras = B. grün"]),
        ("How many metres?", ["-2.5 ± 0.25"]),
        ("水", ["water 💧"]),
        ("stoma", ["a pore, small", "A stoma opens."]),
    ]


def test_without_the_key_nothing_tells_an_answer() -> None:
    page = sheet(*one_of_each(), with_key=False)
    assert len(page.select("[data-question-id]")) == 9
    assert not page.select("[data-answer-to]")
    for told in ("H2O", "water; salt", "-2.5", "water 💧", "A stoma opens.", "plain"):
        assert told not in text_of(page.select_one("main ol"))


def test_there_is_room_for_what_is_to_be_written() -> None:
    lines = {
        one["data-question-id"]: len(one.select(".line")) for one in sheet(*one_of_each()).select("[data-question-id]")
    }
    assert list(lines.values()) == [0, 0, 0, 0, 1, 0, 1, 2, 2]


def test_the_rights_of_pairs_stand_in_an_order_that_tells_nothing() -> None:
    [asked] = sheet(question(1, QuestionType.MATCHING)).select("[data-question-id]")
    assert [text_of(one) for one in asked.select(".lefts li")] == ["sky", "snow", "Gras"]
    assert [text_of(one) for one in asked.select(".options li")] == ["blue", "grün", "red", "white"]


def test_questions_are_numbered_through_module_by_module() -> None:
    asked = [
        question(1, QuestionType.TRUE_FALSE).model_copy(update={"module_id": samples.SECOND}),
        question(2, QuestionType.TRUE_FALSE),
        question(3, QuestionType.TRUE_FALSE),
    ]
    page = sheet(*asked)
    assert [text_of(one) for one in page.select("main section > h2")] == ["Basics", "Advanced Topics", "Answer key"]
    assert [one["start"] for one in page.select("section > ol")] == ["1", "3", "1", "3"]
    assert [one["data-question-id"][-1] for one in page.select("[data-question-id]")] == ["2", "3", "1"]
    assert [one["data-answer-to"][-1] for one in page.select("[data-answer-to]")] == ["2", "3", "1"]


def test_the_key_says_why_or_shows_the_passage() -> None:
    told = question(1, QuestionType.TRUE_FALSE, text="because").model_copy(update={"explanation": ""})
    [row] = sheet(told).select("[data-answer-to]")
    assert text_of(row.p) == "because"


def test_true_and_false_are_said_in_the_language_of_the_quiz() -> None:
    [asked] = sheet(question(1, QuestionType.TRUE_FALSE), language="fr").select("[data-question-id]")
    assert [text_of(one) for one in asked.select(".choices li")] == ["Vrai", "Faux"]


@pytest.mark.parametrize("kind", list(QuestionType))
def test_texts_are_texts(kind: QuestionType) -> None:
    page = sheet(samples.question(CONTENTS[kind], question_type=kind, text=ATTACK))
    assert not page.select("script, img")
    assert ATTACK in page.text


def test_a_sheet_has_neither_script_nor_style_of_its_own() -> None:
    page = sheet(*one_of_each())
    assert not page.select("script, style, [style], [onclick]")
    assert [link["href"] for link in page.select('link[rel="stylesheet"]')] == ["/static/print.css"]


def test_one_goes_from_the_questions_to_the_key_and_back_with_the_same_questions() -> None:
    for with_key, query in ((False, "?key=true&review=approved"), (True, "?review=approved")):
        page = soup(pages.sheet(samples.quiz(), one_of_each(), with_key=with_key, review=Review.APPROVED))
        links = [link["href"] for link in page.select("nav a")]
        assert links == [f"/quizzes/{UUID(int=1)}", f"/quizzes/{UUID(int=1)}/print{query}"]


def test_a_quiz_without_questions_says_so() -> None:
    page = sheet()
    assert "There are no questions yet." in text_of(page.main)
    assert not page.select(".key")


def test_several_right_options_are_all_in_the_key() -> None:
    content = MultipleResponse(stem="Which?", options=tuple("abcdef"), answers=(0, 5))
    [row] = sheet(question(1, QuestionType.MULTIPLE_RESPONSE, content=content)).select("[data-answer-to]")
    assert [text_of(one) for one in row.select(".answers li")] == ["A. a", "F. f"]


def test_pairs_that_differ_only_in_case_keep_their_letters() -> None:
    pairs = tuple(Pair(left=str(number), right=right) for number, right in enumerate(("b", "B", "a")))
    content = Matching(stem="Match.", pairs=pairs, extra_rights=())
    [row] = sheet(question(1, QuestionType.MATCHING, content=content)).select("[data-answer-to]")
    assert [text_of(one) for one in row.select(".answers li")] == ["0 = C. b", "1 = B. B", "2 = A. a"]


def test_a_gap_has_room_to_write() -> None:
    content = FillInBlank(stem="____ and ____", answers=("a",))
    [asked] = sheet(question(1, QuestionType.FILL_IN_BLANK, content=content)).select("[data-question-id]")
    assert text_of(asked) == "____________ and ____________"
