"""/api/quizzes/{id}/materials: more files for a quiz, and what became of those it has."""

from uuid import UUID

from starlette.requests import Request
from starlette.responses import Response

from schemas.lists import Page
from schemas.materials import MaterialReport
from service import auth
from service.api import backend, operations, uploads
from service.api.answers import answer
from service.errors import UnsupportedMedia
from service.store import materials, quizzes


async def add(request: Request) -> Response:
    """POST, multipart: 202, and the quiz is read on."""
    if not uploads.is_multipart(request):
        raise UnsupportedMedia("send the files as multipart/form-data")
    parts = backend.of(request)
    files = await uploads.more_files(request, can_see=parts.settings.can_see)
    quiz_id: UUID = request.path_params["quiz_id"]
    quiz = await operations.add_material(parts, auth.owner_of(request), quiz_id, files)
    return answer(quiz, status=202, headers={"Location": f"/api/quizzes/{quiz.id}"})


async def reports(request: Request) -> Response:
    async with backend.of(request).database.read() as tx:
        await quizzes.require(tx, auth.owner_of(request), request.path_params["quiz_id"])
        found = await materials.reports(tx, request.path_params["quiz_id"])
    return answer(Page[MaterialReport](items=tuple(found), next_cursor=None))
