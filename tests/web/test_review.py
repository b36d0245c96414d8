"""The review page's own parts: evidence in its surroundings, progress, filters, and a form for every type."""

import pytest

from schemas.questions import CONTENT_OF, Evidence, MultipleChoice, Question
from schemas.reviews import Shown
from schemas.states import QuestionType, Review
from tests.web import samples
from tests.web.reading import part, soup, text_of
from tests.web.samples import ATTACK, CONTENTS
from web import pages
from web.review import (
    QUESTIONS_PER_PAGE,
    Failed,
    Refused,
    View,
    content_from,
    passage_of,
    progress_of,
    query_of,
    values_of,
)

TEXT = "Plants grow. " * 40 + "The sky is blue because of scattering. " + "Snow is white. " * 40


def evidence(quote: str = "The sky is blue") -> Evidence:
    start = TEXT.index(quote)
    return Evidence(quote=quote, module_id=samples.FIRST, start=start, end=start + len(quote))


def test_evidence_stands_in_the_words_around_it() -> None:
    passage = passage_of(evidence(), TEXT)
    assert passage.quote == "The sky is blue"
    assert passage.before.startswith("… ")
    assert passage.before.endswith("Plants grow. ")
    assert passage.after.startswith(" because of scattering.")
    assert passage.after.endswith(" …")
    whole = passage_of(evidence(), TEXT, characters=None)
    assert whole.before + whole.quote + whole.after == TEXT


def test_evidence_in_a_text_that_has_changed_is_only_the_quote() -> None:
    assert passage_of(evidence(), "Another text.").before == ""
    assert passage_of(evidence(), "Another text.").quote == "The sky is blue"


@pytest.mark.parametrize("kind", list(QuestionType))
def test_a_form_that_is_sent_back_as_it_was_changes_nothing(kind: QuestionType) -> None:
    question = samples.question(CONTENTS[kind], question_type=kind)
    sent = content_from(question.content, values_of(question))
    assert CONTENT_OF[kind].model_validate(sent) == question.content


@pytest.mark.parametrize("kind", list(QuestionType))
def test_every_type_has_a_form_with_its_values(kind: QuestionType) -> None:
    question = samples.question(CONTENTS[kind], question_type=kind)
    form = soup(pages.quiz(samples.quiz(), [question])).select_one("form.editing")
    assert form is not None
    filled = [str(field.get("value") or text_of(field)) for field in form.select("textarea, input[type=text]")]
    assert ATTACK in " ".join(filled) or kind is QuestionType.NUMERIC
    assert str(form["action"]) == f"/questions/{question.id}/edit"


def test_options_that_are_emptied_are_left_out_and_the_key_stays_the_same_one() -> None:
    values = {"stem": ["Which?"], "option": ["a", "", "b", "c", "", ""], "answer": ["3"]}
    content = MultipleChoice(stem="", options=("a", "b", "c"), answer=0)
    assert content_from(content, values) == {"stem": "Which?", "options": ["a", "b", "c"], "answer": 2}
    assert content_from(content, {**values, "answer": ["1"]})["answer"] == -1
    assert content_from(content, {"stem": ["Which?"]}) == {"stem": "Which?", "options": [], "answer": -1}
    assert content_from(content, {**values, "answer": ["9" * 5000]})["answer"] == -1


def reviewed(*reviews: Review) -> list[Question]:
    return [samples.question().model_copy(update={"review": review}) for review in reviews]


def test_progress_counts_what_is_decided_and_names_the_next() -> None:
    questions = reviewed(Review.APPROVED, Review.REJECTED, Review.UNREVIEWED, Review.UNREVIEWED)
    progress = progress_of(questions)
    assert (progress.reviewed, progress.approved, progress.rejected) == (2, 1, 1)
    assert progress.next_id == questions[2].id
    page = pages.quiz(samples.quiz(), questions)
    assert part(page, "reviewed") == "2 of 4 questions reviewed: 1 approved, 1 rejected"


def test_a_long_quiz_comes_in_pages_that_keep_the_filter() -> None:
    questions = reviewed(*[Review.APPROVED] * (QUESTIONS_PER_PAGE + 1))
    shown = Shown(review=Review.APPROVED)
    html = pages.quiz(samples.quiz(), questions, view=View(shown=shown, page=1, found=tuple(questions)))
    page = soup(html)
    assert len(page.select("[data-question-id]")) == QUESTIONS_PER_PAGE
    following = page.select_one("a[rel=next]")
    assert following is not None
    assert str(following["href"]).endswith("?review=approved&page=2")
    assert query_of(Shown()) == ""


def test_what_was_sent_with_a_refused_edit_is_in_the_form_again() -> None:
    question = samples.question(CONTENTS[QuestionType.FLASHCARD], question_type=QuestionType.FLASHCARD)
    failed = Failed(question_id=question.id, version="3", values={"front": ["mine"], "back": [""]})
    page = soup(pages.quiz(samples.quiz(), [question], refused=Refused(problem="someone was faster", edit=failed)))
    assert text_of(page.select_one("[role=alert]")) == "someone was faster To the question"
    assert text_of(page.select_one("textarea[name=front]")) == "mine"
    version = page.select_one("input[name=version]")
    assert version is not None
    assert version["value"] == "3"
    details = page.select_one("details.edit")
    assert details is not None
    assert details.has_attr("open")
