"""Every page as a pure function from schemas to HTML. Routes, form parsing and headers belong to the service.

The pages need the content security policy of the service and the files of STATIC_DIR under /static/.
"""

from collections.abc import Mapping, Sequence
from urllib.parse import urlencode
from uuid import UUID

from jinja2 import Environment, FileSystemLoader, StrictUndefined

from schemas.estimates import Estimate
from schemas.generations import Generation
from schemas.lists import Page
from schemas.problems import Problem
from schemas.questions import Question
from schemas.quizzes import Quiz
from schemas.states import Difficulty, FailureReason, Priority, QuestionType, QuizStatus
from web import wording
from web.cards import card_of, chapters_of
from web.forms import LANGUAGES, Filled, Limits

STATIC_DIR = wording.STATIC_DIR

_NOT_READ = frozenset({FailureReason.NO_CONTENT, FailureReason.EXTRACTION_FAILED})
_NO_REVIEW_YET = frozenset({QuizStatus.CREATED, QuizStatus.EXTRACTING_CONTENT})


def start(
    recent: Sequence[Quiz],
    quiz: Quiz | None,
    problem: str | None,
    form: Mapping[str, list[str]],
    limits: Limits,
    estimate: Estimate | None = None,
) -> str:
    """Page `/` (no quiz: the material) and `/?quiz=ID` (the order for that quiz).

    Without a quiz its form posts multipart to `/quizzes`: `title`, `language`, `text`, `files` (repeated).
    With one it posts urlencoded to `/quizzes/{id}/generations`: `module_id` and `question_type` (both repeated),
    `count_{question_type}`, `difficulty` (empty = any), `priority`, `instructions`, `cost_max_usd` (empty = any). With
    `?estimate=true` it only asks what that would cost: for the script as JSON, else this page again with `estimate`.
    `problem` is shown on top; `form` holds what was sent, every value in a list (`{name: form.getlist(name)}`, without
    files), and is empty on a fresh page. While the quiz is being read the page reloads itself every second.
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
    )


def quiz(
    quiz: Quiz, questions: Sequence[Question], problem: str | None = None, form: Mapping[str, list[str]] | None = None
) -> str:
    """Page `/quizzes/{id}`: what is saved, grouped by module in the order of the material; the modules' topics.

    Its forms post to `/quizzes/{id}/topics` (no fields), which comes back when they are identified, and urlencoded to
    `/quizzes/{id}/publish`: `canvas_url`, `course_id`, `token`. `problem` and `form` as in `start`: what was sent is
    shown again, but for the token. While the quiz is being published the page reloads itself every other second.
    """
    chapters = chapters_of(quiz.modules, questions)
    return _render("quiz.html", quiz=quiz, chapters=chapters, problem=problem, filled=Filled(form or {}))


def generations(page: Page[Generation], titles: Mapping[UUID, str], quiz_id: UUID | None = None) -> str:
    """Page `/generations?quiz_id=&cursor=`. `titles`: the quiz titles by quiz id, for every generation on the page.

    The script fetches the same address again while something runs.
    """
    only = {} if quiz_id is None else {"quiz_id": str(quiz_id)}
    following = None if page.next_cursor is None else urlencode({**only, "cursor": page.next_cursor})
    return _render("generations.html", page=page, titles=titles, following=following)


def generation(generation: Generation, quiz_title: str) -> str:
    """Page `/generations/{id}`, live from `generation.last_event_id` on.

    Its forms post to `/generations/{id}/retry`, `pause`, `cancel` (no fields) and `resume` (`cost_max_usd`, where there
    is a limit). A plain post is answered 303 to this page; with `Accept: application/json` any 2xx will do. A refusal
    is a problem and its `detail` is shown.
    The script reads `/api/generations/{id}` and `/api/generations/{id}/events` (the stream, and as a list `?after=`).
    """
    return _render("generation.html", generation=generation, quiz_title=quiz_title)


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
    )
    return environment


_pages = _environment()


def _render(template: str, **values: object) -> str:
    return _pages.get_template(template).render(**values)
