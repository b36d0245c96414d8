"""The pages on which questions are reviewed, and what their forms send. Everything works without JavaScript."""

from http import HTTPStatus
from typing import Final
from uuid import UUID

from pydantic import ValidationError
from starlette.datastructures import FormData
from starlette.requests import Request
from starlette.responses import HTMLResponse, RedirectResponse, Response
from starlette.routing import Route

from schemas.publications import PublishOrder
from schemas.questions import Question
from schemas.reviews import Choice, Decided, QuestionEdit, Regeneration, Shown
from schemas.states import Review
from service import auth
from service.api import backend, bodies, publications, reviewing, uploads
from service.api.answers import answer
from service.errors import Invalid, QuizmillError, Stale
from service.rules import reviews as rules
from service.store import modules, questions, quizzes, reviews
from web import pages
from web.review import Failed, Refused, View, content_from, query_of

QUESTIONS_MAX = 10_000
LABELS: Final = {"canvas_url": "The address", "course_id": "The course", "token": "The access token"}


def routes() -> list[Route]:
    quiz, question = "/quizzes/{quiz_id:uuid}", "/questions/{question_id:uuid}"
    return [
        Route(quiz, quiz_page),
        Route(quiz + "/modules/{module_id:uuid}", module_page),
        Route(quiz + "/review", decide_many, methods=["POST"]),
        Route(quiz + "/publish", publish, methods=["POST"]),
        Route(question + "/approve", approve, methods=["POST"]),
        Route(question + "/reject", reject, methods=["POST"]),
        Route(question + "/regenerate", regenerate, methods=["POST"]),
        Route(question + "/edit", edit, methods=["POST"]),
    ]


async def quiz_page(request: Request) -> Response:
    return await _page(request, request.path_params["quiz_id"])


async def module_page(request: Request) -> Response:
    """A module's text; `?question=ID` marks what proves its answer."""
    quiz_id, module_id = request.path_params["quiz_id"], request.path_params["module_id"]
    owner, question_id = auth.owner_of(request), request.query_params.get("question")
    async with backend.of(request).database.read() as tx:
        quiz = await quizzes.load(tx, owner, quiz_id)
        text = await modules.load(tx, owner, quiz_id, module_id)
        question = await reviews.load(tx, owner, _uuid(question_id, "question")) if question_id else None
    return HTMLResponse(pages.module(quiz, text, question if question and question.module_id == module_id else None))


async def decide_many(request: Request) -> Response:
    quiz_id: UUID = request.path_params["quiz_id"]
    form = await uploads.fields(request)
    review = bodies.chosen(_one(form, "review"), "review", Review)
    ids = [_uuid(text, "question_id") for text in _many(form, "question_id")]
    if not ids:
        problem = Invalid.field("question_id", "choose at least one question")
        if _wants_json(request):
            raise problem
        return await _page(request, quiz_id, problem=problem)
    try:
        named = Choice(question_ids=ids).question_ids
    except ValidationError as error:
        raise Invalid(bodies.problems(error)) from None
    changed = await reviewing.decide_many(backend.of(request), auth.owner_of(request), quiz_id, named, review)
    return answer(Decided(changed=changed)) if _wants_json(request) else _back(request, quiz_id)


async def publish(request: Request) -> Response:
    quiz_id: UUID = request.path_params["quiz_id"]
    form = await uploads.fields(request)
    try:
        await publications.ordered(backend.of(request), auth.owner_of(request), quiz_id, _publication_of(form))
    except Invalid as error:
        sent = {name: _many(form, name) for name in form if name != "token"}
        return await _page(request, quiz_id, problem=error, publication=sent)
    return RedirectResponse(f"/quizzes/{quiz_id}#canvas", status_code=HTTPStatus.SEE_OTHER)


async def approve(request: Request) -> Response:
    return await _decided(request, Review.APPROVED)


async def reject(request: Request) -> Response:
    return await _decided(request, Review.REJECTED)


async def regenerate(request: Request) -> Response:
    generation = await reviewing.regenerate(backend.of(request), auth.owner_of(request), _id(request), Regeneration())
    if _wants_json(request):
        return answer(generation, status=202)
    return RedirectResponse(f"/generations/{generation.id}", status_code=HTTPStatus.SEE_OTHER)


async def edit(request: Request) -> Response:
    """What was sent is shown again when it is refused; with the version that is there now, when someone was faster."""
    form = await uploads.fields(request)
    values = {name: _many(form, name) for name in form}
    parts, owner = backend.of(request), auth.owner_of(request)
    question = await reviewing.load(parts, owner, _id(request))
    try:
        wanted = _edit_of(question, values)
        sent = _one(form, "version")
        versions = [int(sent)] if sent.isascii() and sent.isdigit() and len(sent) < 10 else [0]
        edited = await reviewing.edit(parts, owner, question.id, wanted, versions=versions)
    except (Invalid, Stale) as error:
        if _wants_json(request):
            raise
        # Only who is told that someone was faster may overwrite that.
        version = str(question.version) if isinstance(error, Stale) else _one(form, "version")
        failed = Failed(question_id=question.id, version=version, values=values)
        return await _page(request, question.quiz_id, problem=error, failed=failed)
    return answer(edited) if _wants_json(request) else _back(request, edited.quiz_id, edited.id)


async def _decided(request: Request, review: Review) -> Response:
    decided = await reviewing.decide(backend.of(request), auth.owner_of(request), _id(request), review)
    return answer(decided) if _wants_json(request) else _back(request, decided.quiz_id, decided.id)


async def _page(
    request: Request,
    quiz_id: UUID,
    *,
    problem: QuizmillError | None = None,
    failed: Failed | None = None,
    publication: dict[str, list[str]] | None = None,
) -> Response:
    shown, page = _shown(request)
    async with backend.of(request).database.read() as tx:
        quiz = await quizzes.load(tx, auth.owner_of(request), quiz_id)
        found = await questions.of_quiz(tx, quiz_id, review=None, limit=QUESTIONS_MAX)
        texts = await modules.texts(tx, [module.id for module in quiz.modules])
    view = View(shown=shown, page=page, found=tuple(rules.shown(found, shown)))
    html = pages.quiz(
        quiz,
        found,
        {module_id: module.text for module_id, module in texts.items()},
        view.model_copy(update={"page": min(view.page, view.pages)}),
        Refused(problem=_words(problem), edit=failed, publication=publication) if problem else None,
    )
    return HTMLResponse(html, status_code=problem.status if problem else HTTPStatus.OK)


def _words(problem: QuizmillError) -> str:
    """With the fields' names on the page instead of those in the interface."""
    if not isinstance(problem, Invalid):
        return str(problem)
    return "; ".join(f"{LABELS.get(each.field, '')} {each.message}".strip() for each in problem.problems)


def _edit_of(question: Question, values: dict[str, list[str]]) -> QuestionEdit:
    one = {name: found[0] for name, found in values.items() if found}
    try:
        return QuestionEdit.model_validate(
            {
                "content": content_from(question.content, values),
                "explanation": one.get("explanation", ""),
                "difficulty": one.get("difficulty") or None,
                "tags": [tag for tag in one.get("tags", "").split(",") if tag.strip()],
            },
            strict=False,
        )
    except ValidationError as error:
        raise Invalid(bodies.problems(error)) from None


def _publication_of(form: FormData) -> PublishOrder:
    """Raises Invalid."""
    sent = {name: _one(form, name).strip() for name in ("canvas_url", "course_id", "token")}
    try:
        return PublishOrder.model_validate(sent)
    except ValidationError as error:
        raise Invalid(bodies.problems(error)) from None


def _shown(request: Request) -> tuple[Shown, int]:
    """Raises Invalid for what is no such value."""
    given = {name: value for name, value in request.query_params.items() if value and name in Shown.model_fields}
    page = request.query_params.get("page", "1")
    try:
        shown = Shown.model_validate(given)
    except ValidationError as error:
        raise Invalid(bodies.problems(error)) from None
    return shown, int(page) if page.isascii() and page.isdigit() and len(page) < 6 and int(page) else 1


def _back(request: Request, quiz_id: UUID, question_id: UUID | None = None) -> Response:
    shown, page = _shown(request)
    place = f"#question-{question_id}" if question_id else ""
    address = f"/quizzes/{quiz_id}{query_of(shown, page=page)}{place}"
    return RedirectResponse(address, status_code=HTTPStatus.SEE_OTHER)


def _id(request: Request) -> UUID:
    question_id: UUID = request.path_params["question_id"]
    return question_id


def _uuid(text: str, name: str) -> UUID:
    try:
        return UUID(text)
    except ValueError:
        raise Invalid.field(name, "must be a UUID") from None


def _many(form: FormData, name: str) -> list[str]:
    return [value for value in form.getlist(name) if isinstance(value, str)]


def _one(form: FormData, name: str) -> str:
    return next(iter(_many(form, name)), "")


def _wants_json(request: Request) -> bool:
    return "application/json" in request.headers.get("accept", "")
