"""/api/quizzes/{id}/topics: has a worker find out what the modules are about, and waits for it."""

import time
from collections.abc import Sequence
from typing import Final
from uuid import UUID

from starlette.requests import Request
from starlette.responses import Response

from schemas.states import ErrorCode
from schemas.topics import Identification, IdentificationFailure, ModuleTopic, QuizTopics, TopicsUsage
from service import auth, outbox
from service.api import backend
from service.api.answers import answer
from service.api.backend import Backend
from service.errors import ProviderFailed, QuizmillError, StateConflict, Unavailable
from service.store import materials, quizzes, topics

WAIT_SECONDS_MAX: Final = 60.0
LOOK_SECONDS: Final = 1.0
"""How long a ring that got lost may cost."""

PASSING: Final = frozenset(
    {
        ErrorCode.PROVIDER_OVERLOADED,
        ErrorCode.PROVIDER_RATE_LIMITED,
        ErrorCode.PROVIDER_UNAVAILABLE,
        ErrorCode.TIMEOUT,
    }
)
"""What asking again later may get over."""


async def identify(request: Request) -> Response:
    """POST /api/quizzes/{quiz_id}/topics."""
    quiz_id: UUID = request.path_params["quiz_id"]
    return answer(await identified(backend.of(request), auth.owner_of(request), quiz_id))


async def identified(parts: Backend, owner: str, quiz_id: UUID, *, seconds_max: float = WAIT_SECONDS_MAX) -> QuizTopics:
    """The topics of every module, none older than an hour; what is missing is identified once, whoever asks.

    Raises NotFound, StateConflict, ProviderFailed with the provider's reason; Unavailable when it takes too long or may
    pass: then the work goes on, or asking again begins it anew.
    """
    found = await _wanted(parts, owner, quiz_id)
    if any(one.is_wanted for one in found):
        await outbox.try_to_carry(parts.database, parts.queue)
        found = await _ended(parts, quiz_id, seconds_max=seconds_max)
    for one in found:
        if one.failure and not one.is_fresh:
            raise _problem(one.module_name, one.failure)
    return _answer_of(found)


async def _wanted(parts: Backend, owner: str, quiz_id: UUID) -> list[Identification]:
    async with parts.database.write() as tx:
        await quizzes.require(tx, owner, quiz_id)
        if await materials.are_waiting(tx, quiz_id):
            raise StateConflict(f"quiz {quiz_id} has no topics yet: its material is being read")
        await topics.want(tx, quiz_id)
        found = await topics.of_quiz(tx, quiz_id)
    if not found:
        raise StateConflict(f"quiz {quiz_id} has no modules to find topics in")
    return found


async def _ended(parts: Backend, quiz_id: UUID, *, seconds_max: float) -> list[Identification]:
    """How it stands once nothing is at work any more. Raises Unavailable."""
    until = time.monotonic() + seconds_max
    with parts.bell.heard() as rung:
        while True:
            rung.clear()
            async with parts.database.read() as tx:
                found = await topics.of_quiz(tx, quiz_id)
            count = sum(one.is_wanted for one in found)
            if not count:
                return found
            left_seconds = until - time.monotonic()
            if left_seconds <= 0:
                raise Unavailable(
                    f"the topics of {count} of {len(found)} modules are still being identified: ask again in a moment"
                )
            await parts.bell.wait(rung, seconds=min(LOOK_SECONDS, left_seconds))


def _problem(module_name: str, failure: IdentificationFailure) -> QuizmillError:
    sentence = f'The topics of the module "{module_name}" could not be identified. {failure.message}'
    return Unavailable(sentence) if failure.code in PASSING else ProviderFailed(sentence)


def _answer_of(found: Sequence[Identification]) -> QuizTopics:
    listed = [
        ModuleTopic(module_id=one.module_id, module_name=one.module_name, **topic.model_dump())
        for one in found
        for topic in one.topics
    ]
    return QuizTopics(topics=tuple(listed), count=len(listed), usage=_sum(found))


def _sum(found: Sequence[Identification]) -> TopicsUsage:
    """Modules with the same text have cost once."""
    by_id = {one.identification_id: one.spent for one in found}
    return TopicsUsage(
        **{name: sum(getattr(spent, name) for spent in by_id.values()) for name in TopicsUsage.model_fields}
    )
