"""Errors as clients see them: a problem in plain words, never what is behind it."""

import json
from typing import Any

import httpx
import pytest
from starlette.applications import Starlette
from starlette.exceptions import HTTPException
from starlette.requests import Request
from starlette.responses import Response
from starlette.routing import Route
from structlog.testing import capture_logs

from schemas.problems import FieldProblem
from service import errors
from service.api import answers
from service.api.guard import HEADERS

SECRET = "postgresql://ann:secret@db"


def failed(error: Exception) -> tuple[Response, Any]:
    scope = {"type": "http", "method": "GET", "path": "/api/quizzes", "query_string": b"", "headers": []}
    response = answers.failure(Request(scope), error)
    return response, json.loads(bytes(response.body))


@pytest.mark.parametrize(
    ("error", "status", "title"),
    [
        (errors.BadRequest("b"), 400, "Bad request"),
        (errors.Forbidden("b"), 403, "Forbidden"),
        (errors.NotFound("b"), 404, "Not found"),
        (errors.StateConflict("b"), 409, "State does not allow this"),
        (errors.TooLarge("b"), 413, "Too large"),
        (errors.UnsupportedMedia("b"), 415, "Unsupported media type"),
        (HTTPException(405, "b"), 405, "Method not allowed"),
        (HTTPException(418, "b"), 418, "b"),
    ],
    ids=lambda value: type(value).__name__ if isinstance(value, Exception) else str(value),
)
def test_an_error_of_the_clients_is_told_in_its_words(error: Exception, status: int, title: str) -> None:
    with capture_logs() as logs:
        response, body = failed(error)
    assert response.status_code == status
    assert response.media_type == "application/problem+json"
    assert body == {"type": "about:blank", "title": title, "status": status, "detail": "b"}
    assert logs == []


def test_an_invalid_input_names_each_field() -> None:
    problems = [FieldProblem(field="a.0", message="is bad"), FieldProblem(field="b", message="is worse")]
    response, body = failed(errors.Invalid(problems))
    assert response.status_code == 422
    assert body["errors"] == [{"field": "a.0", "message": "is bad"}, {"field": "b", "message": "is worse"}]
    assert body["detail"] == "a.0: is bad; b: is worse"


def test_a_database_that_is_away_is_told_with_the_time_to_come_back() -> None:
    with capture_logs() as logs:
        response, body = failed(errors.Unavailable("the database does not answer"))
    assert response.status_code == 503
    assert response.headers["retry-after"] == "5"
    assert body["detail"] == "the database does not answer"
    assert [(entry["log_level"], "exc_info" in entry) for entry in logs] == [("warning", False)]


def test_a_damaged_database_says_what_to_do() -> None:
    response, body = failed(errors.DatabaseDamaged("put a copy made by `quizmill backup` in its place"))
    assert response.status_code == 500
    assert "quizmill backup" in body["detail"]


@pytest.mark.parametrize(
    "error", [RuntimeError(SECRET), errors.QuizmillError(SECRET), errors.SettingsInvalid(SECRET), KeyError(SECRET)]
)
def test_what_is_our_fault_is_logged_and_not_told(error: Exception) -> None:
    with capture_logs() as logs:
        response, body = failed(error)
    assert response.status_code == 500
    assert SECRET not in bytes(response.body).decode()
    assert body["detail"] == "something went wrong here; it was logged"
    [logged] = logs
    assert logged["path"] == "/api/quizzes"
    assert logged["exc_info"] is error


def test_an_answer_is_the_models_json() -> None:
    problem = FieldProblem(field="a", message="ü")
    response = answers.answer(problem, status=201, headers={"Location": "/a"})
    assert (response.status_code, response.headers["location"]) == (201, "/a")
    assert response.headers["content-type"] == "application/json"
    assert json.loads(bytes(response.body)) == {"field": "a", "message": "ü"}


async def test_even_the_answer_that_nobody_foresaw_is_a_problem_with_safe_headers(
    app: Starlette, http: httpx.AsyncClient
) -> None:
    async def broken(_request: Request) -> Response:
        raise RuntimeError(SECRET)

    app.router.routes.insert(0, Route("/api/broken", broken))
    with capture_logs():
        answer = await http.get("/api/broken")
    assert answer.status_code == 500
    assert answer.headers["content-type"] == "application/problem+json"
    assert SECRET not in answer.text
    assert {name: answer.headers.get(name) for name in HEADERS} == HEADERS
    assert answer.headers["cache-control"] == "no-store"
