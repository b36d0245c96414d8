"""The start: the form for the material, the order, the waiting in between, the recent quizzes."""

from collections.abc import Mapping
from uuid import UUID

import pytest

from schemas.materials import MaterialReport
from schemas.quizzes import Extraction, Quiz
from schemas.states import FailureReason, MaterialState, QuestionType, QuizStatus
from tests.web import samples
from tests.web.reading import soup, text_of
from web import pages, wording


def start(
    quiz: Quiz | None = None,
    *,
    recent: tuple[Quiz, ...] = (),
    problem: str | None = None,
    form: Mapping[str, list[str]] | None = None,
    materials: tuple[MaterialReport, ...] = (),
    can_see: bool = False,
) -> str:
    limits = samples.LIMITS.model_copy(update={"can_see": can_see})
    return pages.start(recent, quiz, problem, form or {}, limits, materials=materials)


def report(name: str, status: MaterialState, message: str | None) -> MaterialReport:
    return MaterialReport(
        id=UUID(int=7), name=name, status=status, message=message, page=0, pages=0, llm_calls=0, cost_usd=0
    )


def test_the_material_form_posts_files_and_text() -> None:
    form = soup(start()).form

    assert form is not None
    assert (form["method"], form["action"], form["enctype"]) == ("post", "/quizzes", "multipart/form-data")
    assert {str(field["name"]) for field in form.select("[name]")} == {"title", "language", "text", "files"}
    files = form.select_one("[name=files]")
    assert files is not None
    assert (files["accept"], files.has_attr("multiple")) == (
        ".pdf,.docx,.pptx,.epub,.html,.htm,.xhtml,.md,.markdown,.txt,.text,.zip",
        True,
    )
    chosen = form.select_one("option[selected]")
    assert chosen is not None
    assert chosen["value"] == "en"


def test_the_order_form_starts_with_every_module_and_five_multiple_choice_questions() -> None:
    form = soup(start(samples.quiz())).form

    assert form is not None
    assert (form["method"], form["action"]) == ("post", f"/quizzes/{UUID(int=1)}/generations")
    modules = form.select("[name=module_id]")
    assert [box["value"] for box in modules if box.has_attr("checked")] == [str(samples.FIRST), str(samples.SECOND)]
    types = form.select("[name=question_type]")
    assert [box["value"] for box in types] == [str(kind) for kind in QuestionType]
    assert [box["value"] for box in types if box.has_attr("checked")] == ["multiple_choice"]
    count = form.select_one("[name=count_multiple_choice]")
    assert count is not None
    assert (count["value"], count["max"]) == ("5", "50")
    assert [option["value"] for option in form.select("[name=difficulty] option")] == ["", "easy", "medium", "hard"]
    assert form.select("[name=priority], [name=instructions]")
    assert text_of(form.select_one("button[type=submit]")) == "Generate questions"
    assert "1,200 characters" in form.get_text()
    assert "1 character\n" in form.get_text().replace("</small>", "\n")


def test_a_refused_order_keeps_what_was_chosen() -> None:
    sent = {
        "module_id": [str(samples.SECOND)],
        "question_type": ["flashcard", "vocabulary"],
        "count_flashcard": ["700"],
        "preset": ["both"],
        "difficulty": ["hard"],
        "priority": ["high"],
        "instructions": ["\nno numbers"],
    }
    page = soup(start(samples.quiz(), problem="at most 50 questions in one batch", form=sent))

    assert "at most 50 questions in one batch" in text_of(page.select_one("[role=alert]"))
    checked = [str(box["value"]) for box in page.select("input[checked]")]
    assert checked == [str(samples.SECOND), "flashcard", "vocabulary"]
    count = page.select_one("[name=count_flashcard]")
    assert count is not None
    assert count["value"] == "700"
    assert [str(option["value"]) for option in page.select("option[selected]")] == ["both", "hard", "high"]
    area = page.select_one("[name=instructions]")
    assert area is not None
    assert area.string == "\n\nno numbers", "a browser drops the first line break after the tag"


def test_a_refused_order_without_any_module_does_not_choose_them_again() -> None:
    page = soup(start(samples.quiz(), problem="choose a module", form={"question_type": ["true_false"]}))

    assert [str(box["value"]) for box in page.select("input[checked]")] == ["true_false"]


def test_refused_material_keeps_what_was_written() -> None:
    page = soup(start(problem="the title is missing", form={"title": ["T"], "language": ["gsw"], "text": ["Words"]}))

    title, area, language = (page.select_one(f"[name={name}]") for name in ("title", "text", "language"))
    assert title is not None
    assert area is not None
    assert language is not None
    assert title["value"] == "T"
    assert area.string == "\nWords"
    assert [str(option["value"]) for option in language.select("[selected]")] == ["gsw"]


def test_while_files_are_read_the_page_waits_by_itself() -> None:
    reading = samples.quiz(
        QuizStatus.EXTRACTING_CONTENT, modules=(), extraction=Extraction(file="slides.md", page=3, pages=12)
    )
    page = soup(start(reading))

    refresh = page.select_one("meta[http-equiv=refresh]")
    assert refresh is not None
    assert refresh["content"] == "1"
    assert text_of(page.select_one("[role=status]")) == "slides.md, page 3 of 12"
    assert not page.select("form, script[src='/static/start.js']")


@pytest.mark.parametrize("reason", [FailureReason.NO_CONTENT, FailureReason.EXTRACTION_FAILED])
def test_unreadable_material_says_why_and_leads_back(reason: FailureReason) -> None:
    page = soup(start(samples.quiz(QuizStatus.FAILED, modules=(), failure=reason)))

    assert text_of(page.select_one("[role=alert]")) == wording.FAILURES[reason]
    assert page.select_one('.sheet a.button[href="/"]') is not None
    assert not page.select("meta[http-equiv=refresh]")
    assert [form["action"] for form in page.select("form")] == [f"/quizzes/{UUID(int=1)}/materials"]


def test_a_quiz_whose_questions_failed_can_still_be_ordered_from() -> None:
    failed = samples.quiz(QuizStatus.FAILED, failure=FailureReason.LLM_GENERATION_ERROR)

    assert soup(start(failed)).form is not None


def test_recent_quizzes_lead_to_where_they_go_on() -> None:
    recent = (
        samples.quiz(title="New"),
        samples.quiz(QuizStatus.READY_FOR_REVIEW, title="Done", question_count=1),
    )
    rows = soup(start(recent=recent)).select("[data-quiz-id]")

    assert [str(row.a["href"]) for row in rows if row.a] == [f"/?quiz={UUID(int=1)}", f"/quizzes/{UUID(int=1)}"]
    assert [text_of(row.select_one(".count")) for row in rows] == ["0 questions", "1 question"]
    assert text_of(rows[1].select_one(".state")) == "Ready for review"


def test_a_file_that_waits_is_named_before_its_pages_are_known() -> None:
    waiting = Extraction(file="slides.pptx", page=0, pages=0)
    page = soup(start(samples.quiz(QuizStatus.EXTRACTING_CONTENT, modules=(), extraction=waiting)))
    assert text_of(page.select_one("[role=status]")) == "slides.pptx waits for its turn."


def test_files_that_could_not_be_read_are_named_with_their_reason() -> None:
    materials = (
        report("a.pdf", MaterialState.FAILED, "a.pdf can't be read: it is <locked>"),
        report("b.pdf", MaterialState.EXTRACTED, "page 2 is a picture without text and left out"),
        report("c.pdf", MaterialState.EXTRACTED, None),
    )
    for quiz in (samples.quiz(), samples.quiz(QuizStatus.FAILED, modules=(), failure=FailureReason.EXTRACTION_FAILED)):
        noted = soup(start(quiz, materials=materials)).select(".noted")
        assert [text_of(entry) for entry in noted] == [
            "a.pdf can't be read: it is <locked>",
            "b.pdf page 2 is a picture without text and left out",
        ]


def test_modules_can_be_renamed_merged_and_left_out_and_an_order_offers_only_the_others() -> None:
    left_out = samples.module(samples.SECOND, "Contents", 1).model_copy(update={"is_left_out": True})
    page = soup(start(samples.quiz(modules=(samples.module(), left_out))))
    assert [box["value"] for box in page.select("[name=module_id]")] == [str(samples.FIRST)]
    form = page.select_one("form[action$='/modules']")
    assert form is not None
    assert [field["value"] for field in form.select(f"[name=name_{samples.FIRST}], [name=name_{samples.SECOND}]")] == [
        "Basics",
        "Contents",
    ]
    assert [box["value"] for box in form.select("[name=left_out_id][checked]")] == [str(samples.SECOND)]
    assert not form.select("[name=merged_id][checked]")
    assert [button["value"] for button in form.select("button")] == ["change", "merge"]


def test_more_files_can_be_added_to_a_quiz() -> None:
    form = soup(start(samples.quiz())).select_one("form[action$='/materials']")
    assert form is not None
    assert (form["method"], form["enctype"]) == ("post", "multipart/form-data")
    assert form.select_one("input[type=file][name=files][multiple]") is not None


def test_pictures_are_only_asked_for_where_someone_can_see() -> None:
    def accepted(*, can_see: bool) -> str:
        field = soup(start(can_see=can_see)).select_one("[name=files]")
        assert field is not None
        return str(field["accept"])

    assert ".png" in accepted(can_see=True)
    assert ".png" not in accepted(can_see=False)
