"""/api/quizzes/{id}/modules: look at one, rename it, leave it out, make one of several."""

from uuid import UUID

from starlette.requests import Request
from starlette.responses import Response

from schemas.modules import ModuleChange, ModuleMerge
from service import auth
from service.api import backend, bodies, operations
from service.api.answers import answer
from service.store import modules


async def load(request: Request) -> Response:
    async with backend.of(request).database.read() as tx:
        quiz_id, module_id = request.path_params["quiz_id"], request.path_params["module_id"]
        return answer(await modules.load(tx, auth.owner_of(request), quiz_id, module_id))


async def change(request: Request) -> Response:
    wanted = await bodies.parse(request, ModuleChange)
    quiz_id, module_id = request.path_params["quiz_id"], request.path_params["module_id"]
    changes = {module_id: wanted}
    quiz = await operations.change_modules(backend.of(request), auth.owner_of(request), quiz_id, changes)
    return answer(next(module for module in quiz.modules if module.id == module_id))


async def merge(request: Request) -> Response:
    wanted = await bodies.parse(request, ModuleMerge)
    quiz_id: UUID = request.path_params["quiz_id"]
    quiz = await operations.merge_modules(backend.of(request), auth.owner_of(request), quiz_id, wanted)
    return answer(quiz)
