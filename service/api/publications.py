"""POST /api/quizzes/{id}/publish: checks what is asked for, keeps the token, and leaves the rest to a worker."""

import ipaddress
from typing import Final
from urllib.parse import urlsplit
from uuid import UUID, uuid4

import structlog
from redis import RedisError
from starlette.requests import Request
from starlette.responses import Response

from schemas.publications import NewPublication, PublishOrder
from schemas.quizzes import Quiz
from service import auth, outbox
from service.api import backend, bodies
from service.api.answers import answer
from service.api.backend import Backend
from service.canvas_tokens import CanvasTokens
from service.errors import Invalid, StateConflict, Unavailable
from service.rules import canvas
from service.settings import is_loopback
from service.store import publications, questions, quizzes
from service.store.database import Tx

QUESTIONS_MAX: Final = 1000
SAVED_MAX: Final = 100_000

log = structlog.get_logger()


async def publish(request: Request) -> Response:
    """POST /api/quizzes/{quiz_id}/publish."""
    wanted = await bodies.parse(request, PublishOrder)
    quiz = await ordered(backend.of(request), auth.owner_of(request), request.path_params["quiz_id"], wanted)
    return answer(quiz, status=202, headers={"Location": f"/api/quizzes/{quiz.id}"})


async def ordered(parts: Backend, owner: str, quiz_id: UUID, wanted: PublishOrder) -> Quiz:
    """Raises NotFound, Invalid, StateConflict, Unavailable. What is refused leaves nothing behind."""
    wanted = wanted.model_copy(
        update={"canvas_url": address_of(wanted.canvas_url, serves_loopback=is_loopback(parts.settings.host))}
    )
    publication_id = uuid4()
    await _keep(parts, publication_id, wanted.token.get_secret_value())
    try:
        async with parts.database.write() as tx:
            await quizzes.require(tx, owner, quiz_id)
            await quizzes.lock(tx, quiz_id)
            await publications.insert(tx, await _new(tx, publication_id, quiz_id, wanted))
            quiz = await quizzes.load(tx, owner, quiz_id)
    except BaseException:
        await _forget(parts, publication_id)
        raise
    await outbox.try_to_carry(parts.database, parts.queue)
    return quiz


async def _new(tx: Tx, publication_id: UUID, quiz_id: UUID, wanted: PublishOrder) -> NewPublication:
    """Raises StateConflict."""
    saved = await questions.of_quiz(tx, quiz_id, review=None, limit=SAVED_MAX)
    chosen = canvas.chosen(saved, wanted.review)
    if not chosen:
        raise StateConflict(f"quiz {quiz_id} has no questions to publish")
    question_ids, left_out = canvas.sorted_out(chosen)
    if not question_ids:
        raise StateConflict(f"none of the {len(chosen)} questions can be asked in Canvas: {left_out[0].reason}")
    if len(question_ids) > QUESTIONS_MAX:
        raise StateConflict(f"{len(question_ids)} questions are too many for a quiz in Canvas: at most {QUESTIONS_MAX}")
    return NewPublication(
        id=publication_id,
        quiz_id=quiz_id,
        canvas_url=wanted.canvas_url,
        course_id=wanted.course_id,
        question_ids=question_ids,
        left_out=left_out,
        saved_count=len(saved),
    )


async def _keep(parts: Backend, publication_id: UUID, token: str) -> None:
    """Raises Invalid, Unavailable."""
    if not (token.isascii() and token.isprintable()) or " " in token:
        raise Invalid.field("token", "must be visible ASCII characters")
    try:
        await CanvasTokens(parts.redis).keep(publication_id, token)
    except (RedisError, OSError) as error:
        log.warning("a token can't be kept", error=repr(error))
        raise Unavailable("the token can't be kept for the worker, since Redis is away: try again later") from None


async def _forget(parts: Backend, publication_id: UUID) -> None:
    try:
        await CanvasTokens(parts.redis).forget(publication_id)
    except (RedisError, OSError) as error:
        log.warning("the token ends by itself", error=repr(error))


def address_of(text: str, *, serves_loopback: bool) -> str:
    """The address of a Canvas without anything behind it. Raises Invalid.

    https and no private address; only a Quizmill that serves this machine alone may also ask this machine. What a name
    leads to is checked where the connection is made (jobs/canvas/line.py).
    """
    try:
        parsed = urlsplit(text.strip())
        port = f":{parsed.port}" if parsed.port is not None else ""
    except ValueError:
        raise _wrong("is no address: give one such as https://school.instructure.com") from None
    host = parsed.hostname
    if parsed.scheme not in {"https", "http"} or not host or not host.isascii():
        raise _wrong("must be an address such as https://school.instructure.com")
    if "@" in parsed.netloc:
        raise _wrong("must not hold a user name or a password")
    if parsed.path not in {"", "/"} or parsed.query or parsed.fragment:
        raise _wrong(f"must end after the host name: {parsed.scheme}://{host}{port}")
    _require_allowed(parsed.scheme, host, serves_loopback=serves_loopback)
    return f"{parsed.scheme}://{f'[{host}]' if ':' in host else host}{port}"


def _require_allowed(scheme: str, host: str, *, serves_loopback: bool) -> None:
    if is_loopback(host):
        if not serves_loopback:
            raise _wrong("must not be this machine's own address")
        return
    if scheme != "https":
        raise _wrong("must begin with https://, or the token could be read on the way")
    try:
        is_public = ipaddress.ip_address(host).is_global
    except ValueError:  # a name
        return
    if not is_public:
        raise _wrong("must not be a private address")


def _wrong(words: str) -> Invalid:
    return Invalid.field("canvas_url", words)
