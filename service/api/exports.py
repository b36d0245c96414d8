"""/api/quizzes/{id}/export: a quiz's saved questions as a file, and what that file can't say."""

import asyncio
from typing import NamedTuple
from uuid import UUID

from starlette.requests import Request
from starlette.responses import Response

from schemas.exports import Manifest
from schemas.questions import Question
from schemas.quizzes import Quiz
from schemas.states import Review
from service import auth
from service.api import backend, bodies
from service.api.answers import answer
from service.errors import NotFound, TooLarge
from service.exports.base import ExportFormat
from service.exports.formats import FORMATS
from service.store import questions, quizzes

EXPORT_MAX = 100_000


class Wanted(NamedTuple):
    quiz: Quiz
    questions: list[Question]
    review: Review | None


async def export(request: Request) -> Response:
    """The file. `X-Quizmill-Left-Out` counts what the format can't express."""
    export_format = _format(request)
    wanted = await chosen(request)
    selection = export_format.select(wanted.questions)
    # A large quiz takes seconds, which others should not wait for.
    content = await asyncio.to_thread(export_format.write, wanted.quiz, selection.kept)
    headers = {
        "Content-Disposition": f'attachment; filename="{export_format.file_name(wanted.quiz)}"',
        "X-Quizmill-Left-Out": str(len(selection.left_out)),
    }
    return Response(content, media_type=export_format.media_type, headers=headers)


async def manifest(request: Request) -> Response:
    export_format = _format(request)
    wanted = await chosen(request)
    selection = export_format.select(wanted.questions)
    found = Manifest(
        quiz_id=wanted.quiz.id,
        format=request.path_params["format"],
        file_name=export_format.file_name(wanted.quiz),
        review=wanted.review,
        question_count=len(wanted.questions),
        exported_count=len(selection.kept),
        left_out=selection.left_out,
        omits=export_format.omits,
    )
    return answer(found)


async def chosen(request: Request) -> Wanted:
    """The quiz in the address and its saved questions, with `?review=` only those. Raises NotFound and TooLarge."""
    quiz_id: UUID = request.path_params["quiz_id"]
    review = bodies.choice(request, "review", Review)
    async with backend.of(request).database.read() as tx:
        quiz = await quizzes.load(tx, auth.owner_of(request), quiz_id)
        found = await questions.of_quiz(tx, quiz_id, review=review, limit=EXPORT_MAX + 1)
    if len(found) > EXPORT_MAX:
        raise TooLarge(f"the quiz has more than {EXPORT_MAX:,} questions, and an export may hold no more")
    return Wanted(quiz, found, review)


def _format(request: Request) -> ExportFormat:
    name: str = request.path_params["format"]
    if name not in FORMATS:
        raise NotFound(f"there is no export format {name!r}: use one of {', '.join(FORMATS)}")
    return FORMATS[name]
