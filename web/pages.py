"""Every page as a pure function from schemas to HTML. Routes, form parsing and headers belong to the service.

The pages need the content security policy of the service and the files of STATIC_DIR under /static/.
"""

from collections.abc import Mapping, Sequence
from datetime import datetime
from urllib.parse import urlencode
from uuid import UUID

from jinja2 import Environment, FileSystemLoader, StrictUndefined
from markupsafe import Markup

from schemas.estimates import Estimate
from schemas.events import Event
from schemas.generations import Generation, GenerationAttempt
from schemas.lists import Page
from schemas.materials import MaterialReport
from schemas.problems import Problem
from schemas.questions import Question
from schemas.quizzes import ModuleText, Quiz
from schemas.reviews import Shown
from schemas.states import Difficulty, FailureReason, Priority, QuestionType, QuizStatus, Review
from web import wording
from web.cards import card_of, chapters_of
from web.forms import LANGUAGES, Filled, Limits
from web.maths import with_formulas
from web.pace import pace
from web.review import (
    OPTIONS_MAX,
    PAIRS_MAX,
    Failed,
    View,
    flaws_in,
    passage_of,
    progress_of,
    query_of,
    values_of,
)
from web.sheets import parts_of
from web.timeline import timeline
from web.told import entries

STATIC_DIR = wording.STATIC_DIR

LATEST_EVENTS = 100
ENTRIES_MAX = 25

_NOT_READ = frozenset({FailureReason.NO_CONTENT, FailureReason.EXTRACTION_FAILED})
_NO_REVIEW_YET = frozenset({QuizStatus.CREATED, QuizStatus.EXTRACTING_CONTENT})


def start(  # noqa: PLR0913, PLR0917 # a page shows what it shows
    recent: Sequence[Quiz],
    quiz: Quiz | None,
    problem: str | None,
    form: Mapping[str, list[str]],
    limits: Limits,
    estimate: Estimate | None = None,
    materials: Sequence[MaterialReport] = (),
) -> str:
    """Page `/` (no quiz: the material) and `/?quiz=ID` (the order for that quiz).

    Without a quiz its form posts multipart to `/quizzes`: `title`, `language`, `text`, `files` (repeated).
    With one it posts urlencoded to `/quizzes/{id}/generations`: `module_id` and `question_type` (both repeated),
    `count_{question_type}`, `difficulty` (empty = any), `priority`, `instructions`, `cost_max_usd` (empty = any). With
    `?estimate=true` it only asks what that would cost: for the script as JSON, else this page again with `estimate`.
    `problem` is shown on top; `form` holds what was sent, every value in a list (`{name: form.getlist(name)}`, without
    files), and is empty on a fresh page. While the quiz is being read the page reloads itself every second.
    `materials`: what became of the quiz's files. Further forms with a quiz post to `/quizzes/{id}/materials` (`files`,
    multipart) and `/quizzes/{id}/modules` (`name_{id}`, `left_out_id` and `merged_id`, both repeated, and `action`:
    `merge` or not).
    """
    return _render(
        "start.html",
        recent=recent,
        quiz=quiz,
        stage=_stage(quiz),
        problem=problem,
        filled=Filled(form),
        limits=limits,
        estimate=estimate,
        materials=materials,
    )


def quiz(
    quiz: Quiz,
    questions: Sequence[Question],
    texts: Mapping[UUID, str] | None = None,
    view: View | None = None,
    problem: str | None = None,
    failed: Failed | None = None,
) -> str:
    """Page `/quizzes/{id}`: what is saved, grouped by module in the order of the material, to be reviewed.

    `questions`: all of the quiz; `view` says which are shown. `texts`: those of the modules, by id. Its forms post to
    `/quizzes/{id}/topics` (no fields), `/quizzes/{id}/review` (`question_id` repeated, `review`) and, with the query of
    the page, `/questions/{id}/approve`, `reject`, `regenerate` (no fields) and `edit` (`version`, and the fields of
    web/review.py). `failed`: what was sent with an edit that was refused, and `problem` why.
    """
    view = view or View(shown=Shown(), page=1, found=tuple(questions))
    on_page = view.on_page
    return _render(
        "quiz.html",
        quiz=quiz,
        chapters=chapters_of(quiz.modules, on_page),
        passages={
            question.id: passage_of(question.evidence, (texts or {}).get(question.module_id, ""))
            for question in on_page
        },
        progress=progress_of(questions),
        flaws=flaws_in(questions),
        shown=view.shown,
        paging=view,
        problem=problem,
        failed=failed,
    )


def module(quiz: Quiz, module: ModuleText, question: Question | None) -> str:
    """Page `/quizzes/{id}/modules/{module_id}?question=`: the text, with the question's evidence marked in it."""
    passage = passage_of(question.evidence, module.text, characters=None) if question else None
    return _render("module.html", quiz=quiz, module=module, question=question, passage=passage)


def sheet(quiz: Quiz, questions: Sequence[Question], *, with_key: bool, review: Review | None = None) -> str:
    """Page `/quizzes/{id}/print?key=&review=`: the questions on paper, with the answers behind them or without."""
    only = {"review": review} if review else {}
    return _render(
        "print.html",
        quiz=quiz,
        parts=parts_of(quiz, questions),
        with_key=with_key,
        other=urlencode({**only} if with_key else {"key": "true", **only}),
    )


def generations(page: Page[Generation], titles: Mapping[UUID, str], quiz_id: UUID | None = None) -> str:
    """Page `/generations?quiz_id=&cursor=`. `titles`: the quiz titles by quiz id, for every generation on the page.

    The script reads the same address again every few seconds, and hears in `/api/events` of what runs.
    """
    only = {} if quiz_id is None else {"quiz_id": str(quiz_id)}
    following = None if page.next_cursor is None else urlencode({**only, "cursor": page.next_cursor})
    return _render("generations.html", page=page, titles=titles, following=following)


def generation(
    generation: Generation,
    quiz_title: str,
    *,
    runs: Sequence[GenerationAttempt],
    latest: Sequence[Event],
    now: datetime,
    stays: bool = False,
) -> str:
    """Page `/generations/{id}`, live from `generation.last_event_id` on.

    `runs`: its attempts; `latest`: up to LATEST_EVENTS of its newest events, oldest first; `stays`: it does not reload
    by itself where there is no script.
    Its forms post to `/generations/{id}/retry`, `pause`, `cancel` (no fields) and `resume` (`cost_max_usd`, where there
    is a limit), and to `/generations/{id}/batches/{batch_id}/retry` and `accept`. A plain post is answered 303 to this
    page; with `Accept: application/json` any 2xx will do. A refusal is a problem and its `detail` is shown.
    The script reads `/api/generations/{id}`, its `/events` as a list (`?after=`) and `/attempts`, and the stream
    `/api/events`.
    """
    return _render(
        "generation.html",
        generation=generation,
        # Inside a script element only its end tag would be taken for markup.
        generation_json=Markup(generation.model_dump_json().replace("<", "\\u003c")),  # noqa: S704
        quiz_title=quiz_title,
        reloads=not (stays or generation.status.is_terminal),
        pace=pace(generation, latest, now),
        timeline=timeline(generation, runs, now),
        entries=entries(latest, generation.batches)[:ENTRIES_MAX],
    )


def problem(problem: Problem) -> str:
    """The page of an error."""
    return _render("problem.html", problem=problem)


def _stage(quiz: Quiz | None) -> str:
    if quiz is None:
        return "material"
    if quiz.status is QuizStatus.EXTRACTING_CONTENT:
        return "reading"
    if quiz.failure_reason in _NOT_READ or not quiz.modules:
        return "unreadable"
    return "order"


def _quiz_address(quiz: Quiz) -> str:
    """Where a quiz goes on: to its order while it has none, else to its questions."""
    unread = quiz.status is QuizStatus.FAILED and quiz.failure_reason in _NOT_READ
    return f"/?quiz={quiz.id}" if quiz.status in _NO_REVIEW_YET or unread else f"/quizzes/{quiz.id}"


def _environment() -> Environment:
    environment = Environment(
        loader=FileSystemLoader(STATIC_DIR.parent / "templates"),
        autoescape=True,
        undefined=StrictUndefined,
        trim_blocks=True,
        lstrip_blocks=True,
    )
    environment.globals.update(
        wording=wording,
        words=wording.WORDS,
        card_of=card_of,
        quiz_address=_quiz_address,
        languages=LANGUAGES,
        question_types=tuple(QuestionType),
        difficulties=tuple(Difficulty),
        priorities=tuple(Priority),
        reviews=tuple(Review),
        query_of=query_of,
        values_of=values_of,
        options_max=OPTIONS_MAX,
        pairs_max=PAIRS_MAX,
    )
    environment.filters["formulas"] = with_formulas
    return environment


_pages = _environment()


def _render(template: str, **values: object) -> str:
    return _pages.get_template(template).render(**values)
