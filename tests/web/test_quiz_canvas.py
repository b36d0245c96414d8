"""What the page of a quiz says about Canvas, and the form that publishes."""

from uuid import UUID

import pytest

from schemas.publications import LeftOut, Publication
from schemas.quizzes import Quiz
from schemas.states import FailureReason, PublicationState, QuizStatus
from tests.web import samples
from tests.web.reading import soup, text_of
from tests.web.samples import ATTACK
from web import pages
from web.review import Refused

FORM = 'form[action$="/publish"]'


def published(
    status: QuizStatus, state: PublicationState, *, failure: FailureReason | None = None, error: str | None = None
) -> Quiz:
    publication = Publication(
        id=UUID(int=5),
        status=state,
        canvas_url="https://school.example",
        course_id="42",
        canvas_quiz_url="https://school.example/courses/42/quizzes/7",
        question_count=7,
        sent_count=3,
        left_out=(LeftOut(question_id=UUID(int=3), reason="no cards"),) * 2,
        error=error,
        requested_at=samples.AT,
        ended_at=None if state is PublicationState.EXPORTING else samples.AT,
    )
    return samples.quiz(status, failure=failure, question_count=1).model_copy(update={"publication": publication})


def test_a_quiz_with_questions_can_be_published() -> None:
    page = soup(pages.quiz(samples.quiz(QuizStatus.READY_FOR_REVIEW), [samples.question()]))
    form = page.select_one(FORM)
    assert form is not None
    assert (form["method"], form["action"]) == ("post", f"/quizzes/{UUID(int=1)}/publish")
    assert [field["name"] for field in form.select("input")] == ["canvas_url", "course_id", "token"]
    for field in form.select("input"):
        assert form.select_one(f'label[for="{field["id"]}"]') is not None
    [token] = form.select('[name="token"]')
    assert (token["type"], token["autocomplete"], token.get("value")) == ("password", "off", None)


def test_a_quiz_without_questions_can_not() -> None:
    assert soup(pages.quiz(samples.quiz(), [])).select_one("#canvas") is None


def test_while_it_is_sent_the_page_shows_how_far_and_looks_again() -> None:
    quiz = published(QuizStatus.EXPORTING_TO_CANVAS, PublicationState.EXPORTING)
    page = soup(pages.quiz(quiz, [samples.question()]))
    assert page.select_one('meta[http-equiv="refresh"]') is not None
    assert page.select_one(FORM) is None
    words = text_of(page.select_one("#canvas [role=status]"))
    assert "3 of 7 questions in course 42 at https://school.example" in words


def test_a_published_quiz_leads_to_canvas_and_says_what_was_left_out() -> None:
    quiz = published(QuizStatus.PUBLISHED, PublicationState.PUBLISHED)
    page = soup(pages.quiz(quiz, [samples.question()]))
    assert page.select_one('meta[http-equiv="refresh"]') is None
    link = page.select_one("#canvas [role=status] a")
    assert link is not None
    assert link["href"] == "https://school.example/courses/42/quizzes/7"
    assert text_of(page.select_one("#canvas details")).startswith("2 questions left out 2 questions: no cards")
    assert "A new quiz is made" in text_of(page.select_one(FORM))


@pytest.mark.parametrize("error", ["Canvas does not accept the token", ATTACK])
def test_a_failed_publication_says_why_and_can_be_tried_again(error: str) -> None:
    failure = FailureReason.CANVAS_ERROR
    quiz = published(QuizStatus.READY_FOR_REVIEW, PublicationState.FAILED, failure=failure, error=error)
    html = pages.quiz(quiz, [samples.question()])
    assert text_of(soup(html).select_one(".failure")) == f"It could not be published in Canvas. {error}."
    assert "<img src=x" not in html
    [address] = soup(html).select('[name="canvas_url"]')
    assert address["value"] == "https://school.example"


def test_what_was_wrong_in_the_form_is_shown_with_what_was_sent_but_the_token() -> None:
    sent = {"canvas_url": [ATTACK], "course_id": ["x"], "token": ["secret"]}
    html = pages.quiz(
        samples.quiz(QuizStatus.READY_FOR_REVIEW),
        [samples.question()],
        refused=Refused(problem="wrong", publication=sent),
    )
    page = soup(html)
    assert "wrong" in text_of(page.select_one("#canvas [role=alert]"))
    assert [field.get("value") for field in page.select(f"{FORM} input")] == [ATTACK, "x", None]
    assert "secret" not in html
