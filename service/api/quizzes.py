"""/api/quizzes: quizzes, their modules and the orders on them."""

from uuid import UUID

from starlette.requests import Request
from starlette.responses import Response

from schemas.orders import NewQuiz, Order
from service import auth
from service.api import backend, bodies, operations, orders, uploads
from service.api.answers import answer
from service.store import quizzes


async def create(request: Request) -> Response:
    """POST /api/quizzes: modules as JSON (201), or files as multipart (202: extracted by a job)."""
    owner = auth.owner_of(request)
    if uploads.is_multipart(request):
        material = await uploads.material(request, can_see=backend.of(request).settings.can_see)
        quiz = await operations.upload(
            backend.of(request), owner, title=material.title, language=material.language, files=material.files
        )
        return answer(quiz, status=202, headers={"Location": f"/api/quizzes/{quiz.id}"})
    wanted = await bodies.parse(request, NewQuiz)
    quiz = await operations.create_quiz(backend.of(request), owner, wanted)
    return answer(quiz, status=201, headers={"Location": f"/api/quizzes/{quiz.id}"})


async def page(request: Request) -> Response:
    async with backend.of(request).database.read() as tx:
        cursor = request.query_params.get("cursor")
        found = await quizzes.page(tx, auth.owner_of(request), limit=bodies.limit(request), cursor=cursor)
    return answer(found)


async def load(request: Request) -> Response:
    async with backend.of(request).database.read() as tx:
        return answer(await quizzes.load(tx, auth.owner_of(request), request.path_params["quiz_id"]))


async def order(request: Request) -> Response:
    wanted = await bodies.parse(request, Order)
    quiz_id: UUID = request.path_params["quiz_id"]
    if bodies.flag(request, "estimate"):
        return answer(await orders.estimate(backend.of(request), auth.owner_of(request), quiz_id, wanted))
    generation = await operations.order(backend.of(request), auth.owner_of(request), quiz_id, wanted)
    return answer(generation, status=202, headers={"Location": f"/api/generations/{generation.id}"})
