"""/api/questions: one question looked at, edited, approved, rejected or made again."""

import re
from typing import Final
from uuid import UUID

from starlette.requests import Request
from starlette.responses import Response

from schemas.questions import Question
from schemas.reviews import Choice, Decided, QuestionEdit, Regeneration
from schemas.states import Review
from service import auth
from service.api import backend, bodies, reviewing
from service.api.answers import answer
from service.errors import BadRequest, VersionNeeded

ETAG: Final = re.compile(r'(?:W/)?"(\d{1,9})"')


async def load(request: Request) -> Response:
    return _versioned(await reviewing.load(backend.of(request), auth.owner_of(request), _id(request)))


async def edit(request: Request) -> Response:
    """PATCH, with `If-Match` naming the version that was edited."""
    versions = _versions(request)
    if versions is None:
        raise VersionNeeded('send the version that you have edited as If-Match: "N"')
    wanted = await bodies.parse(request, QuestionEdit)
    edited = await reviewing.edit(backend.of(request), auth.owner_of(request), _id(request), wanted, versions=versions)
    return _versioned(edited)


async def approve(request: Request) -> Response:
    return await _decided(request, Review.APPROVED)


async def reject(request: Request) -> Response:
    return await _decided(request, Review.REJECTED)


async def regenerate(request: Request) -> Response:
    wanted = await bodies.parse_optional(request, Regeneration)
    generation = await reviewing.regenerate(backend.of(request), auth.owner_of(request), _id(request), wanted)
    return answer(generation, status=202, headers={"Location": f"/api/generations/{generation.id}"})


async def approve_many(request: Request) -> Response:
    """POST /api/quizzes/{id}/approve: the questions that are named, or all that are not reviewed."""
    chosen = await bodies.parse_optional(request, Choice)
    quiz_id: UUID = request.path_params["quiz_id"]
    changed = await reviewing.decide_many(
        backend.of(request), auth.owner_of(request), quiz_id, chosen.question_ids, Review.APPROVED
    )
    return answer(Decided(changed=changed))


async def _decided(request: Request, review: Review) -> Response:
    owner, versions = auth.owner_of(request), _versions(request)
    return _versioned(await reviewing.decide(backend.of(request), owner, _id(request), review, versions=versions))


def _versioned(question: Question) -> Response:
    return answer(question, headers={"ETag": f'"{question.version}"'})


def _id(request: Request) -> UUID:
    question_id: UUID = request.path_params["question_id"]
    return question_id


def _versions(request: Request) -> frozenset[int] | None:
    """Those that `If-Match` names; none of them is any. None: it is not there. Raises BadRequest."""
    text = request.headers.get("if-match")
    if text is None:
        return None
    if text.strip() == "*":
        return frozenset()
    found = [ETAG.fullmatch(tag.strip()) for tag in text.split(",")]
    if not all(found):
        raise BadRequest('If-Match must be a version in quotes, such as "3"')
    return frozenset(int(match[1]) for match in found if match)
