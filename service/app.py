"""The web service: wiring and lifespan only."""

from collections.abc import AsyncIterator
from contextlib import asynccontextmanager

from arq.connections import ArqRedis
from starlette.applications import Starlette
from starlette.exceptions import HTTPException
from starlette.middleware import Middleware
from starlette.requests import ClientDisconnect
from starlette.routing import Mount, Route
from starlette.staticfiles import StaticFiles

from service import queue
from service.api import (
    answers,
    events,
    exports,
    generations,
    guard,
    health,
    materials,
    modules,
    pages,
    publications,
    questions,
    quizzes,
    review_pages,
    tickets,
    topics,
)
from service.api.backend import Backend
from service.api.bell import Bell
from service.api.hub import Hub
from service.api.seats import Seats
from service.broadcast import IDENTIFIED_CHANNEL, Broadcast
from service.errors import QuizmillError
from service.settings import Settings
from service.store import schema
from service.store.database import Database
from web.pages import STATIC_DIR

QUIZ = "/api/quizzes/{quiz_id:uuid}"
QUESTION = "/api/questions/{question_id:uuid}"
GENERATION = "/api/generations/{generation_id:uuid}"


def create_app(settings: Settings, redis: ArqRedis) -> Starlette:
    """The ASGI application. `redis` is a client that need not be connected yet."""
    database = Database(settings.resolved_database_url)
    broadcast = Broadcast(redis)
    backend = Backend(
        settings=settings,
        database=database,
        redis=redis,
        queue=queue.Queue(redis),
        broadcast=broadcast,
        hub=Hub(database, broadcast),
        bell=Bell(broadcast, IDENTIFIED_CHANNEL),
        seats=Seats(settings.streams_max, settings.streams_per_owner_max),
    )

    @asynccontextmanager
    async def lifespan(_app: Starlette) -> AsyncIterator[None]:
        await schema.require_current(database)
        backend.hub.start()
        backend.bell.start()
        yield
        await backend.hub.stop()
        await backend.bell.stop()
        await database.close()
        await redis.aclose(close_connection_pool=True)

    app = Starlette(
        routes=_routes(),
        lifespan=lifespan,
        middleware=[Middleware(guard.Guard, settings=settings)],
        exception_handlers={
            QuizmillError: answers.failure,
            HTTPException: answers.failure,
            ClientDisconnect: answers.failure,
            Exception: guard.last_answer,
        },
    )
    app.state.backend = backend
    return app


def _routes() -> list[Route | Mount]:
    return [
        Route("/api/quizzes", quizzes.create, methods=["POST"]),
        Route("/api/quizzes", quizzes.page),
        Route(QUIZ, quizzes.load),
        Route(QUIZ + "/materials", materials.add, methods=["POST"]),
        Route(QUIZ + "/materials", materials.reports),
        Route(QUIZ + "/modules/merge", modules.merge, methods=["POST"]),
        Route(QUIZ + "/modules/{module_id:uuid}", modules.load),
        Route(QUIZ + "/modules/{module_id:uuid}", modules.change, methods=["PATCH"]),
        Route(QUIZ + "/topics", topics.identify, methods=["POST"]),
        Route(QUIZ + "/generations", quizzes.order, methods=["POST"]),
        Route(QUIZ + "/export/{format}", exports.export),
        Route(QUIZ + "/export/{format}/manifest", exports.manifest),
        Route(QUIZ + "/publish", publications.publish, methods=["POST"]),
        Route("/api/generations", generations.create, methods=["POST"]),
        Route("/api/generations", generations.page),
        Route(GENERATION, generations.load),
        Route(GENERATION, generations.cancel, methods=["DELETE"]),
        Route(GENERATION + "/events", events.stream),
        Route("/api/events", events.stream_of_several),
        Route(GENERATION + "/questions", generations.saved_questions),
        Route(GENERATION + "/attempts", generations.tried),
        Route(GENERATION + "/retry", generations.retry, methods=["POST"]),
        Route(GENERATION + "/cancel", generations.cancel, methods=["POST"]),
        Route(GENERATION + "/pause", generations.pause, methods=["POST"]),
        Route(GENERATION + "/resume", generations.resume, methods=["POST"]),
        Route("/api/batches/{batch_id:uuid}/accept", generations.accept, methods=["POST"]),
        Route("/api/stream-tickets", tickets.create, methods=["POST"]),
        Route(QUESTION, questions.load),
        Route(QUESTION, questions.edit, methods=["PATCH"]),
        Route(QUESTION + "/approve", questions.approve, methods=["POST"]),
        Route(QUESTION + "/reject", questions.reject, methods=["POST"]),
        Route(QUESTION + "/regenerate", questions.regenerate, methods=["POST"]),
        Route(QUIZ + "/approve", questions.approve_many, methods=["POST"]),
        Route("/livez", health.live),
        Route("/readyz", health.ready),
        *pages.routes(),
        *review_pages.routes(),
        Mount("/static", StaticFiles(directory=STATIC_DIR)),
    ]
