"""/api/generations: orders and what becomes of them."""

from uuid import UUID

from starlette.requests import Request
from starlette.responses import Response

from schemas.generations import GenerationAttempt
from schemas.lists import Page
from schemas.orders import QuizOrder, ResumeOrder, RetryOrder
from schemas.states import EntityType, GenerationState, Review
from service import auth, failpoints
from service.api import backend, bodies, operations, orders
from service.api.answers import answer
from service.errors import Invalid
from service.failpoints import Place
from service.rules import history
from service.store import attempts, generations, questions


async def create(request: Request) -> Response:
    wanted = await bodies.parse(request, QuizOrder)
    if bodies.flag(request, "estimate"):
        return answer(await orders.estimate_quiz(backend.of(request), wanted))
    generation = await operations.order_quiz(backend.of(request), auth.owner_of(request), wanted)
    failpoints.reach(Place.BEFORE_ANSWER)
    return answer(generation, status=202, headers={"Location": f"/api/generations/{generation.id}"})


async def page(request: Request) -> Response:
    wanted = generations.Filter(
        status=bodies.choice(request, "status", GenerationState),
        entity_type=bodies.choice(request, "entity_type", EntityType),
        quiz_id=_id(request, "quiz_id"),
        resumable=bodies.flag(request, "resumable"),
    )
    async with backend.of(request).database.read() as tx:
        cursor = request.query_params.get("cursor")
        owner = auth.owner_of(request)
        return answer(await generations.page(tx, owner, wanted, limit=bodies.limit(request), cursor=cursor))


async def load(request: Request) -> Response:
    async with backend.of(request).database.read() as tx:
        return answer(await generations.load(tx, auth.owner_of(request), request.path_params["generation_id"]))


async def saved_questions(request: Request) -> Response:
    generation_id: UUID = request.path_params["generation_id"]
    batch_id = _id(request, "batch_id")
    review = bodies.choice(request, "review", Review)
    async with backend.of(request).database.read() as tx:
        await generations.require(tx, auth.owner_of(request), generation_id)
        found = await questions.page(
            tx,
            generation_id,
            batch_id=batch_id,
            review=review,
            limit=bodies.limit(request),
            cursor=request.query_params.get("cursor"),
        )
    return answer(found)


async def tried(request: Request) -> Response:
    """GET .../attempts: run by run, oldest first, with every try of every batch."""
    generation_id: UUID = request.path_params["generation_id"]
    async with backend.of(request).database.read() as tx:
        generation = await generations.load(tx, auth.owner_of(request), generation_id)
        runs = await attempts.of_generation(tx, generation_id)
    is_cancelled = generation.status is GenerationState.CANCELLED
    found = history.generation_attempts(runs, is_cancelled=is_cancelled)
    return answer(Page[GenerationAttempt](items=tuple(found)))


async def retry(request: Request) -> Response:
    wanted = await bodies.parse_optional(request, RetryOrder)
    dry_run = bodies.flag(request, "dry_run") or False
    generation_id: UUID = request.path_params["generation_id"]
    retried = await operations.retry(
        backend.of(request), auth.owner_of(request), generation_id, wanted, dry_run=dry_run
    )
    return answer(retried, status=200 if dry_run else 202)


async def pause(request: Request) -> Response:
    generation_id: UUID = request.path_params["generation_id"]
    return answer(await operations.pause(backend.of(request), auth.owner_of(request), generation_id))


async def resume(request: Request) -> Response:
    generation_id: UUID = request.path_params["generation_id"]
    wanted = await bodies.parse_optional(request, ResumeOrder)
    generation = await operations.resume(
        backend.of(request), auth.owner_of(request), generation_id, cost_max_usd=wanted.cost_max_usd
    )
    return answer(generation)


async def accept(request: Request) -> Response:
    """POST /api/batches/{id}/accept: finish a failed batch with the questions it holds."""
    batch_id: UUID = request.path_params["batch_id"]
    return answer(await operations.accept(backend.of(request), auth.owner_of(request), batch_id))


async def cancel(request: Request) -> Response:
    generation_id: UUID = request.path_params["generation_id"]
    return answer(await operations.cancel(backend.of(request), auth.owner_of(request), generation_id))


def _id(request: Request, name: str) -> UUID | None:
    text = request.query_params.get(name)
    if text is None:
        return None
    try:
        return UUID(text)
    except ValueError:
        raise Invalid.field(name, "must be a UUID") from None
