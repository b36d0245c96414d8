"""What the pages promise: the contract's texts, escaped user text, labelled forms, nothing inline, nothing foreign."""

from collections.abc import Mapping
from urllib.parse import urlsplit
from uuid import UUID

import pytest

from schemas.events import QuestionAccepted
from schemas.generations import BatchError, Generation
from schemas.lists import Page
from schemas.problems import FieldProblem, Problem
from schemas.quizzes import Extraction, Quiz
from schemas.states import AttemptOutcome, BatchState, ErrorCode, FailureReason, GenerationState, QuizStatus
from tests.web import samples
from tests.web.reading import soup, text_of
from tests.web.samples import ATTACK, CONTENTS
from web import pages


def start(
    quiz: Quiz | None = None,
    *,
    recent: tuple[Quiz, ...] = (),
    problem: str | None = None,
    form: Mapping[str, list[str]] | None = None,
) -> str:
    return pages.start(recent, quiz, problem, form or {}, samples.LIMITS)


def listed(*found: Generation, cursor: str | None = None, quiz_id: UUID | None = None) -> str:
    return pages.generations(Page[Generation](items=found, next_cursor=cursor), {UUID(int=1): "Biology"}, quiz_id)


def attacked() -> dict[str, str]:
    """Every page with the attack in every text that comes from users, files, models or providers."""
    attacked_quiz = samples.quiz(title=ATTACK, modules=(samples.module(name=ATTACK),))
    reading = samples.quiz(QuizStatus.EXTRACTING_CONTENT, extraction=Extraction(file=ATTACK, page=1, pages=2))
    error = BatchError(code=ErrorCode.INTERNAL, message=ATTACK)
    failed = samples.batch(1, BatchState.FAILED, error=error, name=ATTACK)
    broken = samples.generation(GenerationState.FAILED, failed, message=ATTACK)
    sent = {"title": [ATTACK], "text": [ATTACK], "language": [ATTACK]}
    order = {"instructions": [ATTACK], "count_multiple_choice": [ATTACK], "difficulty": [ATTACK]}
    asked = [
        samples.question(content, question_type=kind, text=ATTACK, flaws=(ATTACK,)).model_copy(
            update={"id": UUID(int=number)}
        )
        for number, (kind, content) in enumerate(CONTENTS.items())
    ]
    fault = Problem(title=ATTACK, status=422, detail=ATTACK, errors=(FieldProblem(field=ATTACK, message=ATTACK),))
    return {
        "material": start(problem=ATTACK, form=sent, recent=(attacked_quiz,)),
        "order": start(attacked_quiz, problem=ATTACK, form=order),
        "reading": start(reading),
        "unreadable": start(samples.quiz(QuizStatus.FAILED, title=ATTACK, failure=FailureReason.NO_CONTENT)),
        "quiz": pages.quiz(attacked_quiz, asked),
        "generation": pages.generation(
            broken,
            ATTACK,
            runs=(samples.run(samples.attempt(failed, AttemptOutcome.FAILED, error=error, worker=ATTACK)),),
            latest=(
                samples.event(QuestionAccepted(batch_id=failed.id, held_count=1, target_count=20, preview=ATTACK)),
            ),
            now=samples.AT,
        ),
        "generations": pages.generations(
            Page[Generation](items=(broken,), next_cursor=ATTACK), {UUID(int=1): ATTACK}, None
        ),
        "problem": pages.problem(fault),
    }


PAGES = sorted(attacked())


@pytest.mark.parametrize("name", PAGES)
def test_text_from_outside_stays_text(name: str) -> None:
    html = attacked()[name]

    assert "<script>alert" not in html
    assert "<img" not in html
    assert "{{7*7}}" in html
    assert ATTACK in soup(html).get_text()


@pytest.mark.parametrize("name", PAGES)
def test_nothing_is_inline_so_that_the_content_security_policy_holds(name: str) -> None:
    page = soup(attacked()[name])

    assert not page.select("style, [style]")
    scripts = page.select('script:not([type="application/json"])')
    assert all(script.get("src") and not script.get_text(strip=True) for script in scripts)
    assert not [tag.name for tag in page.find_all() if any(key.startswith("on") for key in tag.attrs)]


@pytest.mark.parametrize("name", PAGES)
def test_every_address_is_ours(name: str) -> None:
    page = soup(attacked()[name])
    addresses = [str(tag[key]) for key in ("href", "src", "action") for tag in page.select(f"[{key}]")]

    assert addresses
    assert all(address.startswith(("/", "#")) and not urlsplit(address).netloc for address in addresses)


@pytest.mark.parametrize("name", PAGES)
def test_every_linked_static_file_exists(name: str) -> None:
    page = soup(attacked()[name])
    linked = [str(tag.get("src") or tag.get("href")) for tag in page.select("script[src], link[href]")]

    assert linked
    assert all((pages.STATIC_DIR / address.removeprefix("/static/")).is_file() for address in linked)


@pytest.mark.parametrize("name", PAGES)
def test_every_field_has_a_label_and_every_id_is_unique(name: str) -> None:
    page = soup(attacked()[name])
    labelled = {str(label["for"]) for label in page.select("label[for]")}
    ids = [str(tag["id"]) for tag in page.select("[id]") if not str(tag["id"]).startswith("question-")]

    fields = page.select("input:not([type=hidden], [aria-label]), select, textarea")
    assert {str(field["id"]) if field.has_attr("id") else str(field.find_parent("label")) for field in fields} <= (
        labelled | {str(label) for label in page.select("label")}
    )
    assert len(ids) == len(set(ids))


@pytest.mark.parametrize("name", PAGES)
def test_every_page_has_one_heading_a_title_and_a_way_past_the_navigation(name: str) -> None:
    page = soup(attacked()[name])

    assert len(page.select("h1")) == 1
    assert text_of(page.title).endswith("Quizmill")
    assert page.select_one('a.skip[href="#main"]') is not None
    assert page.select_one("main#main") is not None


def test_no_style_sheet_or_script_reaches_for_another_host() -> None:
    for path in pages.STATIC_DIR.iterdir():
        content = path.read_text(encoding="utf-8").replace("http://www.w3.org/2000/svg", "")
        assert "://" not in content, path.name
        assert "innerHTML" not in content, path.name


def test_the_list_shows_state_counts_and_time() -> None:
    row = soup(listed(samples.partial())).select_one("[data-generation-id]")

    assert row is not None
    assert row["data-status"] == "partial"
    assert text_of(row.select_one(".state")) == "Partial"
    assert text_of(row.select_one(".count")) == "15/35 questions · 1/2 batches"
    assert text_of(row.select_one("time")) == "5 Mar 2026, 09:07 UTC"
    assert text_of(row.a) == "Biology"
    assert row.a is not None
    assert row.a["href"] == f"/generations/{UUID(int=2)}"


def test_the_next_page_keeps_the_cursor_and_the_quiz() -> None:
    following = soup(listed(samples.partial(), cursor="a b&c=", quiz_id=UUID(int=1))).select_one("[rel=next]")

    assert following is not None
    assert following["href"] == f"/generations?quiz_id={UUID(int=1)}&cursor=a+b%26c%3D"
    assert soup(listed(samples.partial())).select_one("[rel=next]") is None


def test_an_empty_list_says_so() -> None:
    assert "Nothing has been ordered." in soup(listed()).get_text()


def test_a_problem_names_the_fields_and_a_way_back() -> None:
    problem = Problem(
        title="Invalid input",
        status=422,
        detail="title: must not be empty",
        errors=(FieldProblem(field="title", message="must not be empty"),),
    )
    page = soup(pages.problem(problem))

    assert text_of(page.h1) == "Invalid input"
    assert text_of(page.select_one(".eyebrow")) == "Error 422"
    assert [text_of(found) for found in page.select(".faults dt, .faults dd")] == ["title", "must not be empty"]
    assert page.select_one('main a[href="/"]') is not None
