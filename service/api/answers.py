"""Schemas and errors as HTTP answers."""

from typing import Final

import structlog
from pydantic import BaseModel
from starlette.exceptions import HTTPException
from starlette.requests import ClientDisconnect, Request
from starlette.responses import HTMLResponse, Response

from schemas.problems import Problem
from service.errors import DatabaseDamaged, Invalid, ProviderFailed, QuizmillError, TooLarge, TooSlow, Unavailable
from web import pages

RETRY_AFTER_SECONDS: Final = "5"
EXPLAINED: Final = (Unavailable, DatabaseDamaged, ProviderFailed)
"""Errors of ours or of others whose words are fit for everyone."""

TITLES: Final = {404: "Not found", 405: "Method not allowed", 413: "Too large", 400: "Bad request"}

log = structlog.get_logger()


def answer(value: BaseModel, *, status: int = 200, headers: dict[str, str] | None = None) -> Response:
    return Response(value.model_dump_json(), status_code=status, media_type="application/json", headers=headers)


def is_for_people(request: Request) -> bool:
    """Whether a browser shows the answer: it asks for HTML, as no script does."""
    return "text/html" in request.headers.get("accept", "")


def problem_of(error: Exception) -> Problem:
    """Never a stack, a key or another owner's data: what we did not foresee is only named as such."""
    match error:
        case Invalid():
            return Problem(title=error.title, status=error.status, detail=str(error), errors=tuple(error.problems))
        case QuizmillError() if error.status < 500 or isinstance(error, EXPLAINED):
            return Problem(title=error.title, status=error.status, detail=str(error))
        case ClientDisconnect():
            return Problem(title="Bad request", status=400, detail="the connection ended before the body did")
        case HTTPException():
            title = TITLES.get(error.status_code, error.detail)
            return Problem(title=title, status=error.status_code, detail=error.detail)
        case _:
            return Problem(title="Internal error", status=500, detail="something went wrong here; it was logged")


def failure(request: Request, error: Exception) -> Response:
    """RFC 9457, or a page where a page was asked for. What is our fault is logged."""
    found = problem_of(error)
    if isinstance(error, EXPLAINED):
        log.warning("request failed", path=request.url.path, error=str(error))
    elif found.status >= 500:
        log.error("request failed", path=request.url.path, error=repr(error), exc_info=error)
    headers = dict(error.headers or {}) if isinstance(error, HTTPException) else {}
    if isinstance(error, Unavailable):
        headers["Retry-After"] = RETRY_AFTER_SECONDS
    if isinstance(error, TooLarge | TooSlow):
        headers["Connection"] = "close"  # or the rest of the body would be waited for
    if is_for_people(request):
        return HTMLResponse(pages.problem(found), status_code=found.status, headers=headers)
    body = found.model_dump_json(exclude_none=True)
    return Response(body, status_code=found.status, media_type="application/problem+json", headers=headers)
