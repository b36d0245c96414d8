"""The pages: loads what they show, and takes what their forms send. Everything works without JavaScript."""

from collections.abc import Awaitable, Callable
from datetime import UTC, datetime
from functools import partial
from http import HTTPStatus
from uuid import UUID

from pydantic import ValidationError
from starlette.datastructures import FormData
from starlette.requests import Request
from starlette.responses import HTMLResponse, RedirectResponse, Response
from starlette.routing import Route

from schemas.estimates import Estimate
from schemas.generations import Generation
from schemas.modules import ModuleChange, ModuleMerge
from schemas.orders import KINDS, ModuleBatchOrder, Order, Preset, ResumeOrder, RetryOrder
from schemas.problems import FieldProblem
from schemas.states import GenerationState
from service import auth
from service.api import backend, bodies, exports, operations, orders, topics, uploads
from service.api.answers import answer
from service.errors import Invalid, QuizmillError, StateConflict
from service.rules import history
from service.store import attempts, events, generations, materials, quizzes
from web import pages
from web.forms import Limits

RECENT_QUIZZES = 8
NAME_FIELD = "name_"

Step = Callable[[backend.Backend, str, UUID], Awaitable[Generation]]


def routes() -> list[Route]:
    quiz, generation = "/quizzes/{quiz_id:uuid}", "/generations/{generation_id:uuid}"
    return [
        Route("/", start),
        Route("/quizzes", upload, methods=["POST"]),
        Route(quiz + "/print", sheet),
        Route(quiz + "/materials", add_material, methods=["POST"]),
        Route(quiz + "/modules", change_modules, methods=["POST"]),
        Route(quiz + "/topics", find_topics, methods=["POST"]),
        Route(quiz + "/generations", order, methods=["POST"]),
        Route("/generations", generation_list),
        Route(generation, generation_page),
        Route(generation + "/retry", retry, methods=["POST"]),
        Route(generation + "/pause", pause, methods=["POST"]),
        Route(generation + "/resume", resume, methods=["POST"]),
        Route(generation + "/cancel", cancel, methods=["POST"]),
        Route(generation + "/batches/{batch_id:uuid}/retry", retry_one, methods=["POST"]),
        Route(generation + "/batches/{batch_id:uuid}/accept", accept, methods=["POST"]),
    ]


async def start(request: Request) -> Response:
    """`/`: the material; `/?quiz=ID`: the order for that quiz."""
    return await _start(request, quiz_id=_quiz_id(request))


async def upload(request: Request) -> Response:
    parts = backend.of(request)
    try:
        material = await uploads.material(request, can_see=parts.settings.can_see)
    except QuizmillError as error:
        form = await uploads.fields(request) if uploads.is_multipart(request) else FormData()
        return await _start(request, quiz_id=None, problem=error, form=form)
    quiz = await operations.upload(
        parts, auth.owner_of(request), title=material.title, language=material.language, files=material.files
    )
    return _see(f"/?quiz={quiz.id}")


async def add_material(request: Request) -> Response:
    quiz_id: UUID = request.path_params["quiz_id"]
    parts = backend.of(request)
    try:
        files = await uploads.more_files(request, can_see=parts.settings.can_see)
    except QuizmillError as error:
        return await _start(request, quiz_id=quiz_id, problem=error)
    await operations.add_material(parts, auth.owner_of(request), quiz_id, files)
    return _see(f"/?quiz={quiz_id}")


async def change_modules(request: Request) -> Response:
    """`merge` makes one of the chosen modules; otherwise names and what is left out are taken over."""
    quiz_id: UUID = request.path_params["quiz_id"]
    texts = _texts(await uploads.fields(request))
    parts, owner = backend.of(request), auth.owner_of(request)
    try:
        if _one(texts, "action") == "merge":
            await operations.merge_modules(parts, owner, quiz_id, _merge_of(texts))
        else:
            await operations.change_modules(parts, owner, quiz_id, _changes_of(texts))
    except (Invalid, StateConflict) as error:
        return await _start(request, quiz_id=quiz_id, problem=error)
    return _see(f"/?quiz={quiz_id}")


async def order(request: Request) -> Response:
    quiz_id: UUID = request.path_params["quiz_id"]
    form = await uploads.fields(request)
    try:
        if bodies.flag(request, "estimate"):
            return await _estimate(request, quiz_id, form)
        generation = await operations.order(backend.of(request), auth.owner_of(request), quiz_id, _order_of(form))
    except Invalid as error:
        if _wants_json(request):
            raise
        return await _start(request, quiz_id=quiz_id, problem=error, form=form)
    return _see(f"/generations/{generation.id}")


async def _estimate(request: Request, quiz_id: UUID, form: FormData) -> Response:
    """What the order would cost: for the script, or on the page with the form as it was."""
    found = await orders.estimate(backend.of(request), auth.owner_of(request), quiz_id, _order_of(form))
    return answer(found) if _wants_json(request) else await _start(request, quiz_id=quiz_id, form=form, estimate=found)


async def sheet(request: Request) -> Response:
    """The quiz on paper; `?key=true` with the answers behind it, `?review=` only those questions."""
    wanted = await exports.chosen(request)
    with_key = bodies.flag(request, "key") or False
    return HTMLResponse(pages.sheet(wanted.quiz, wanted.questions, with_key=with_key, review=wanted.review))


async def find_topics(request: Request) -> Response:
    quiz_id: UUID = request.path_params["quiz_id"]
    await topics.identified(backend.of(request), auth.owner_of(request), quiz_id)
    return _see(f"/quizzes/{quiz_id}#contents-heading")


async def generation_list(request: Request) -> Response:
    quiz_id = _quiz_id(request, name="quiz_id")
    async with backend.of(request).database.read() as tx:
        found = await generations.page(
            tx,
            auth.owner_of(request),
            generations.Filter(quiz_id=quiz_id),
            limit=bodies.limit(request),
            cursor=request.query_params.get("cursor"),
        )
        titles = await quizzes.titles(tx, {generation.quiz_id for generation in found.items})
    return HTMLResponse(pages.generations(found, titles, quiz_id))


async def generation_page(request: Request) -> Response:
    generation_id: UUID = request.path_params["generation_id"]
    async with backend.of(request).database.read() as tx:
        generation = await generations.load(tx, auth.owner_of(request), generation_id)
        titles = await quizzes.titles(tx, [generation.quiz_id])
        runs = await attempts.of_generation(tx, generation_id)
        before = max(0, generation.last_event_id - pages.LATEST_EVENTS)
        latest = await events.since(tx, generation_id, before, limit=pages.LATEST_EVENTS)
    is_cancelled = generation.status is GenerationState.CANCELLED
    html = pages.generation(
        generation,
        titles[generation.quiz_id],
        runs=history.generation_attempts(runs, is_cancelled=is_cancelled),
        latest=latest,
        now=datetime.now(UTC),
        stays="stay" in request.query_params,
    )
    return HTMLResponse(html)


async def retry(request: Request) -> Response:
    return await _retried(request, RetryOrder())


async def retry_one(request: Request) -> Response:
    return await _retried(request, RetryOrder(batch_ids=[request.path_params["batch_id"]]))


async def _retried(request: Request, wanted: RetryOrder) -> Response:
    generation_id: UUID = request.path_params["generation_id"]
    retried = await operations.retry(backend.of(request), auth.owner_of(request), generation_id, wanted, dry_run=False)
    return answer(retried, status=202) if _wants_json(request) else _see(f"/generations/{generation_id}")


async def pause(request: Request) -> Response:
    return await _stepped(request, operations.pause)


async def resume(request: Request) -> Response:
    limit = _cost_max_usd(_texts(await uploads.fields(request)))
    return await _stepped(request, partial(operations.resume, cost_max_usd=limit))


async def cancel(request: Request) -> Response:
    return await _stepped(request, operations.cancel)


async def accept(request: Request) -> Response:
    generation_id, batch_id = request.path_params["generation_id"], request.path_params["batch_id"]
    batch = await operations.accept(backend.of(request), auth.owner_of(request), batch_id, generation_id=generation_id)
    return answer(batch) if _wants_json(request) else _see(f"/generations/{generation_id}")


async def _stepped(request: Request, step: Step) -> Response:
    generation_id: UUID = request.path_params["generation_id"]
    generation = await step(backend.of(request), auth.owner_of(request), generation_id)
    return answer(generation) if _wants_json(request) else _see(f"/generations/{generation_id}")


async def _start(
    request: Request,
    *,
    quiz_id: UUID | None,
    problem: QuizmillError | None = None,
    form: FormData | None = None,
    estimate: Estimate | None = None,
) -> Response:
    parts = backend.of(request)
    owner = auth.owner_of(request)
    async with parts.database.read() as tx:
        recent = await quizzes.page(tx, owner, limit=RECENT_QUIZZES, cursor=None)
        quiz = await quizzes.load(tx, owner, quiz_id) if quiz_id else None
        found = await materials.reports(tx, quiz_id) if quiz_id else []
    settings = parts.settings
    html = pages.start(
        recent.items,
        quiz,
        str(problem) if problem else None,
        _texts(form) if form else {},
        Limits(
            upload_mb_max=settings.upload_mb_max,
            questions_per_batch_max=settings.questions_per_batch_max,
            batches_per_generation_max=settings.batches_per_generation_max,
            costs_money=settings.resolved_provider != "offline",
            can_see=settings.can_see,
        ),
        estimate,
        found,
    )
    return HTMLResponse(html, status_code=problem.status if problem else 200)


def _order_of(form: FormData) -> Order:
    """Every chosen module x every kind of batch. Raises Invalid."""
    texts = _texts(form)
    kinds = _kinds_of(texts)
    try:
        batches = [
            ModuleBatchOrder.model_validate({**kind, "module_id": module_id}, strict=False)
            for module_id in texts.get("module_id", [])
            for kind in kinds
        ]
        if not batches:
            raise Invalid.field("batches", "choose at least one module and one type of question")
        return Order.model_validate(
            {
                "batches": batches,
                "priority": _one(texts, "priority") or "normal",
                "instructions": _one(texts, "instructions"),
                "cost_max_usd": _cost_max_usd(texts),
            },
            strict=False,
        )
    except ValidationError as error:
        raise Invalid(bodies.problems(error)) from None


def _kinds_of(texts: dict[str, list[str]]) -> list[dict[str, object]]:
    """What is made of each module: what a preset stands for, or the chosen types. Raises Invalid."""
    if preset := _one(texts, "preset"):
        count = _number(texts, "preset_count")
        return [
            {"question_type": question_type, "difficulty": difficulty, "target_count": count}
            for question_type, difficulty in KINDS[bodies.chosen(preset, "preset", Preset)]
        ]
    chosen, difficulty = texts.get("question_type", []), _one(texts, "difficulty") or None
    return [
        {"question_type": name, "difficulty": difficulty, "target_count": _number(texts, f"count_{name}")}
        for name in chosen
    ]


def _merge_of(texts: dict[str, list[str]]) -> ModuleMerge:
    """Raises Invalid."""
    try:
        return ModuleMerge.model_validate({"module_ids": texts.get("merged_id", [])}, strict=False)
    except ValidationError:
        raise Invalid.field("merged_id", "choose at least two modules to make one of") from None


def _changes_of(texts: dict[str, list[str]]) -> dict[UUID, ModuleChange]:
    """Each module that the form shows, by its id. Raises Invalid."""
    left_out = set(texts.get("left_out_id", []))
    changes = {}
    for field, [name, *_] in texts.items():
        if not field.startswith(NAME_FIELD):
            continue
        module_id = field.removeprefix(NAME_FIELD)
        try:
            changes[UUID(module_id)] = ModuleChange(name=name, is_left_out=module_id in left_out)
        except ValidationError as error:
            raise Invalid([FieldProblem(field=field, message=bodies.problems(error)[0].message)]) from None
        except ValueError:
            raise Invalid.field(field, "is no module") from None
    return changes


def _number(texts: dict[str, list[str]], name: str) -> int:
    text = _one(texts, name)
    if not (text.isascii() and text.isdigit() and len(text) < 6):
        raise Invalid.field(name, "must be a number of questions")
    return int(text)


def _cost_max_usd(texts: dict[str, list[str]]) -> float | None:
    """Empty = no limit, or the one there is. Raises Invalid."""
    text = _one(texts, "cost_max_usd").strip()
    if not text:
        return None
    try:
        return ResumeOrder.model_validate({"cost_max_usd": text}, strict=False).cost_max_usd
    except ValidationError:
        raise Invalid.field("cost_max_usd", "must be an amount of US dollars above 0, such as 2.50") from None


def _texts(form: FormData) -> dict[str, list[str]]:
    return {name: [value for value in form.getlist(name) if isinstance(value, str)] for name in form}


def _one(texts: dict[str, list[str]], name: str) -> str:
    return next(iter(texts.get(name, ())), "")


def _quiz_id(request: Request, name: str = "quiz") -> UUID | None:
    text = request.query_params.get(name)
    if not text:
        return None
    try:
        return UUID(text)
    except ValueError:
        raise Invalid.field(name, "must be a UUID") from None


def _wants_json(request: Request) -> bool:
    return "application/json" in request.headers.get("accept", "")


def _see(address: str) -> Response:
    return RedirectResponse(address, status_code=HTTPStatus.SEE_OTHER)
