"""The page of a quiz: its questions by module, with answer, evidence and hints."""

from uuid import UUID

import pytest
from bs4 import BeautifulSoup

from schemas.questions import Matching, MultipleResponse, Numeric, Pair
from schemas.quizzes import Extraction
from schemas.states import QuestionType
from tests.web import samples
from tests.web.reading import soup, text_of
from tests.web.samples import ATTACK, CONTENTS
from web import pages, wording


@pytest.mark.parametrize("kind", list(QuestionType))
def test_every_type_of_question_is_shown_with_its_answer(kind: QuestionType) -> None:
    page = soup(pages.quiz(samples.quiz(), [samples.question(CONTENTS[kind], question_type=kind)]))
    card = page.select_one("[data-question-id]")

    assert card is not None
    assert wording.TYPE_NAMES[kind] in text_of(card)
    answers = [text_of(found) for found in card.select(".key span, .answers dd")]
    assert answers
    assert answers[0] == {QuestionType.TRUE_FALSE: "False", QuestionType.NUMERIC: "5"}.get(kind, ATTACK)


def test_the_key_is_marked_by_a_word() -> None:
    page = soup(pages.quiz(samples.quiz(), [samples.question()]))

    assert [text_of(option) for option in page.select(".options li")] == ["Grass", "The sky Answer", "Snow"]


def test_every_right_option_of_several_is_marked() -> None:
    wet = MultipleResponse(stem="Which are wet?", options=("Rain", "Sand", "Dew"), answers=(0, 2))
    page = soup(pages.quiz(samples.quiz(), [samples.question(wet)]))

    assert [text_of(option) for option in page.select(".options li")] == ["Rain Answer", "Sand", "Dew Answer"]


def test_pairs_stand_side_by_side_and_what_belongs_to_none_below_them() -> None:
    pairs = (Pair(left="sky", right="blue"), Pair(left="snow", right="white"), Pair(left="grass", right="green"))
    matching = Matching(stem="Match.", pairs=pairs, extra_rights=("red",))
    page = soup(pages.quiz(samples.quiz(), [samples.question(matching)]))

    assert [(text_of(row.dt), text_of(row.dd)) for row in page.select(".pairs div")] == [
        ("sky", "blue"),
        ("snow", "white"),
        ("grass", "green"),
    ]
    assert [(text_of(row.dt), text_of(row.dd)) for row in page.select(".answers:not(.pairs) div")] == [
        ("Belongs to none", "red")
    ]


@pytest.mark.parametrize(
    ("tolerance", "rows"), [(0, [("Answer", "5")]), (0.5, [("Answer", "5"), ("Tolerance", "± 0.5")])]
)
def test_a_number_is_shown_with_the_tolerance_it_has(tolerance: float, rows: list[tuple[str, str]]) -> None:
    number = Numeric(stem="How many?", answer=5, tolerance=tolerance)
    page = soup(pages.quiz(samples.quiz(), [samples.question(number)]))

    assert [(text_of(row.dt), text_of(row.dd)) for row in page.select(".answers div")] == rows


def test_questions_stand_under_their_module_in_the_order_of_the_material() -> None:
    asked = [
        samples.question(module_id=samples.SECOND),
        samples.question(module_id=samples.FIRST),
        samples.question(module_id=samples.SECOND),
    ]
    chapters = soup(pages.quiz(samples.quiz(), asked)).select(".chapter")

    assert [text_of(chapter.h2) for chapter in chapters] == ["Basics", "Advanced Topics"]
    assert [text_of(chapter.header) for chapter in chapters] == ["Basics 1 question", "Advanced Topics 2 questions"]
    assert [len(chapter.select("[data-question-id]")) for chapter in chapters] == [1, 2]


def test_modules_stand_with_their_topics_and_a_button_that_finds_them() -> None:
    found = samples.module().model_copy(update={"topics": ("Roots, mostly", ATTACK)})
    page = soup(pages.quiz(samples.quiz(modules=(found, samples.module(samples.SECOND))), []))

    assert [text_of(row) for row in page.select(".ledger .state")] == [f"Roots, mostly · {ATTACK}", ""]
    form = page.select_one('form[action$="/topics"]')
    assert form is not None
    assert (form["method"], form["action"]) == ("post", f"/quizzes/{samples.quiz().id}/topics")
    assert text_of(form.button) == "Find topics"


def test_while_material_is_read_there_is_nothing_to_find_topics_in() -> None:
    reading = samples.quiz(extraction=Extraction(file="a.md", page=0, pages=1))
    assert not soup(pages.quiz(reading, [])).select('form[action$="/topics"]')


def test_explanation_evidence_and_flaws_are_shown() -> None:
    page = soup(pages.quiz(samples.quiz(), [samples.question(text="because", flaws=("longest_option_is_key",))]))

    assert text_of(page.select_one(".explanation")) == "because"
    assert text_of(page.select_one("blockquote")) == "because"
    assert text_of(page.select_one(".hints")) == "Worth a look: longest option is key · quality 0.90"


def links(page: BeautifulSoup) -> list[str]:
    return [str(link["href"]) for link in page.select("main a")]


def test_a_quiz_with_questions_can_be_exported_and_one_without_cannot() -> None:
    exports = [f"/api/quizzes/{UUID(int=1)}/export/{kind}" for kind in wording.EXPORTS]
    exports.append(f"/quizzes/{UUID(int=1)}/print")
    filled = links(soup(pages.quiz(samples.quiz(question_count=1), [samples.question()])))
    empty = links(soup(pages.quiz(samples.quiz(), [])))

    assert set(exports) <= set(filled)
    assert not set(exports) & set(empty)
    assert f"/?quiz={UUID(int=1)}" in filled
    assert f"/?quiz={UUID(int=1)}" in empty


def test_only_the_approved_questions_can_be_exported_once_there_are_some() -> None:
    none = samples.quiz(question_count=2)
    some = none.model_copy(update={"approved_count": 1})
    approved = f"/api/quizzes/{UUID(int=1)}/export/anki?review=approved"
    told = [text_of(one) for one in soup(pages.quiz(some, [samples.question()])).select(".exports p")]

    assert approved not in links(soup(pages.quiz(none, [samples.question()])))
    assert approved in links(soup(pages.quiz(some, [samples.question()])))
    assert told == ["All 2 saved questions", "Only the approved: 1 question"]
