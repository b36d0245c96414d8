"""A local server that speaks what publishing needs of Canvas' interface, with faults on demand.

In a test:  async with CanvasApi() as canvas: canvas.fail(Fault.BROKEN, "POST", "/questions", times=1); ... canvas.url
In a demo:  python -m tests.canvas_api --port 9998   (any course from 1 to 99; the token is "teacher-token")
"""

import argparse
import asyncio
import re
import socket
import sys
from collections.abc import Awaitable, Callable
from dataclasses import dataclass, field
from enum import StrEnum
from types import TracebackType
from typing import Any, Self
from urllib.parse import parse_qsl

import uvicorn
from starlette.applications import Starlette
from starlette.requests import Request
from starlette.responses import HTMLResponse, JSONResponse, PlainTextResponse, RedirectResponse, Response
from starlette.routing import Route
from uvicorn.protocols.http.httptools_impl import HttpToolsProtocol
from uvicorn.server import ServerState

TOKEN = "teacher-token"
PAGE_MAX = 3
"""Small, so that every list has several pages."""

COURSES_MAX = 99
TEXT_CHARACTERS_MAX = 16 * 1024


class Fault(StrEnum):
    INVALID_TOKEN = "invalid_token"
    NOT_ALLOWED = "not_allowed"
    FORBIDDEN = "forbidden"
    MISSING = "missing"
    REFUSED = "refused"
    THROTTLED = "throttled"
    TOO_MANY = "too_many"
    BROKEN = "broken"
    LOST = "lost"
    STALLED = "stalled"
    NO_JSON = "no_json"
    OTHER_JSON = "other_json"
    MOVED = "moved"


@dataclass
class Rule:
    """Calls with this method whose path ends with this get the fault, after `skip` of them, `times` times."""

    fault: Fault
    method: str
    ending: str
    times: int | None
    skip: int

    def claims(self, method: str, path: str) -> bool:
        if method != self.method or not path.endswith(self.ending):
            return False
        if self.skip:
            self.skip -= 1
            return False
        if self.times is None:
            return True
        self.times -= 1
        return self.times >= 0


@dataclass
class CanvasQuiz:
    id: int
    course_id: int
    fields: dict[str, Any]
    questions: list[dict[str, Any]] = field(default_factory=list)


@dataclass(frozen=True)
class Call:
    number: int
    method: str
    path: str
    token: str
    port: int
    """Of the client."""


Hook = Callable[[Call], Awaitable[None]]


async def nothing(_: Call) -> None:
    pass


class CanvasApi:
    """The server, in the loop that entered it. `calls` lists every call in order of arrival.

    `before` runs when a call has arrived, `after` when it was done but is not answered yet.
    """

    def __init__(self, *, port: int = 0) -> None:
        self.calls: list[Call] = []
        self.quizzes: dict[int, CanvasQuiz] = {}
        self.before: Hook = nothing
        self.after: Hook = nothing
        self.told_url = ""
        """Where its lists say that they go on, unless that is here."""
        self._numbers = 0
        self._rules: list[Rule] = []
        self._socket = socket.create_server(("127.0.0.1", port))
        self._closing = asyncio.Event()
        self._state = ServerState()

    @property
    def url(self) -> str:
        return f"http://127.0.0.1:{self._socket.getsockname()[1]}"

    def fail(self, fault: Fault, method: str, ending: str = "", *, times: int | None = None, skip: int = 0) -> None:
        self._rules.append(Rule(fault, method, ending, times, skip))

    def heal(self) -> None:
        self._rules.clear()

    @property
    def quiz(self) -> CanvasQuiz:
        """The only one there is."""
        [found] = self.quizzes.values()
        return found

    def put(self, course_id: int, title: str, **fields: Any) -> CanvasQuiz:
        """A quiz that somebody has made there."""
        self._numbers += 1
        made = CanvasQuiz(self._numbers, course_id, {"title": title, "description": None, "published": False, **fields})
        self.quizzes[made.id] = made
        return made

    def put_question(self, quiz: CanvasQuiz, **fields: Any) -> dict[str, Any]:
        self._numbers += 1
        question = {"question_name": "Question", **fields, "id": self._numbers, "quiz_id": quiz.id}
        quiz.questions.append(question)
        return question

    async def __aenter__(self) -> Self:
        app = Starlette(routes=[Route("/{path:path}", self._answer, methods=["GET", "POST", "PUT", "DELETE"])])
        config = uvicorn.Config(app, lifespan="off", log_config=None)
        loop = asyncio.get_running_loop()
        # Not by uvicorn.Server: it takes over the process's signals, and looks only ten times a second whether to end.
        self._server = await loop.create_server(
            lambda: HttpToolsProtocol(config=config, server_state=self._state, app_state={}, _loop=loop),
            sock=self._socket,
        )
        return self

    async def __aexit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self._closing.set()
        self._server.close()
        for connection in tuple(self._state.connections):
            connection.transport.abort()
        await asyncio.gather(*self._state.tasks)
        await self._server.wait_closed()

    async def _answer(self, request: Request) -> Response:
        token = request.headers.get("authorization", "").removeprefix("Bearer ")
        assert request.client is not None, "it came over a socket"
        call = Call(len(self.calls), request.method, request.url.path, token, request.client.port)
        self.calls.append(call)
        form = nested(parse_qsl((await request.body()).decode(), keep_blank_values=True))
        await self.before(call)
        fault = next((rule.fault for rule in self._rules if rule.claims(call.method, call.path)), None)
        if fault and fault is not Fault.LOST:
            return await self._faulty(fault, token)
        answer = self._done(request, call, form) if token == TOKEN else invalid_token()
        await self.after(call)
        if fault is Fault.LOST:
            self._drop(request)
        return answer

    def _drop(self, request: Request) -> None:
        """It was done, but nobody hears of it."""
        for connection in tuple(self._state.connections):
            if connection.transport.get_extra_info("peername") == request.scope["client"]:
                connection.transport.abort()

    async def _faulty(self, fault: Fault, token: str) -> Response:
        if fault is Fault.STALLED:
            await self._closing.wait()
            return Response(status_code=503)
        return REFUSALS[fault](token)

    def _done(self, request: Request, call: Call, form: dict[str, Any]) -> Response:
        found = re.fullmatch(r"/api/v1/courses/(\d+)/quizzes(?:/(\d+)(/questions)?(?:/(\d+))?)?", call.path)
        if found is None or int(found[1]) > COURSES_MAX:
            return missing()
        course_id = int(found[1])
        if found[2] is None:
            return self._create(course_id, form) if call.method == "POST" else self._list(request, course_id)
        quiz = self.quizzes.get(int(found[2]))
        if quiz is None or quiz.course_id != course_id:
            return missing()
        if found[3]:
            return self._questions(request, quiz, form, found[4])
        if call.method == "PUT":
            quiz.fields.update(typed(form["quiz"]))
        if call.method == "DELETE":
            del self.quizzes[quiz.id]
        return JSONResponse(told(quiz))

    def _questions(self, request: Request, quiz: CanvasQuiz, form: dict[str, Any], named: str | None) -> Response:
        if request.method == "POST":
            return self._ask(quiz, form["question"])
        if request.method == "DELETE":
            quiz.questions[:] = [question for question in quiz.questions if str(question["id"]) != named]
            return Response(status_code=204)
        return self._page(request, quiz.questions)

    def _create(self, course_id: int, form: dict[str, Any]) -> Response:
        fields = typed(form["quiz"])
        return JSONResponse(told(self.put(course_id, fields.pop("title"), **fields)))

    def _ask(self, quiz: CanvasQuiz, fields: dict[str, Any]) -> Response:
        if len(fields["question_text"]) > TEXT_CHARACTERS_MAX:
            return HTMLResponse("<h1>Page Error</h1>", 500)
        if isinstance(fields.get("answers"), dict):
            fields["answers"] = list(fields["answers"].values())
        return JSONResponse(self.put_question(quiz, **fields))

    def _list(self, request: Request, course_id: int) -> Response:
        return self._page(request, [told(quiz) for quiz in self.quizzes.values() if quiz.course_id == course_id])

    def _page(self, request: Request, entries: list[dict[str, Any]]) -> Response:
        page = int(request.query_params.get("page", "1"))
        shown = entries[(page - 1) * PAGE_MAX : page * PAGE_MAX]
        following = f'<{self.told_url or self.url}{request.url.path}?page={page + 1}&per_page={PAGE_MAX}>; rel="next"'
        return JSONResponse(shown, headers={"Link": following} if len(entries) > page * PAGE_MAX else {})


def told(quiz: CanvasQuiz) -> dict[str, Any]:
    return {"id": quiz.id, "question_count": len(quiz.questions), **quiz.fields}


def typed(fields: dict[str, Any]) -> dict[str, Any]:
    words = {"true": True, "false": False}
    return {name: words.get(value, value) for name, value in fields.items()}


def nested(pairs: list[tuple[str, str]]) -> dict[str, Any]:
    """As Rack reads `question[answers][0][answer_text]=...`."""
    found: dict[str, Any] = {}
    for name, value in pairs:
        keys = re.findall(r"[^\[\]]+", name)
        place = found
        for key in keys[:-1]:
            place = place.setdefault(key, {})
        place[keys[-1]] = value
    return found


def problem(status: int, message: str) -> Response:
    return JSONResponse({"status": "error", "errors": [{"message": message}]}, status)


def missing() -> Response:
    return problem(404, "The specified resource does not exist.")


def invalid_token() -> Response:
    headers = {"WWW-Authenticate": 'Bearer realm="canvas-lms"'}
    return JSONResponse({"errors": [{"message": "Invalid access token."}]}, 401, headers)


REFUSALS: dict[Fault, Callable[[str], Response]] = {
    Fault.INVALID_TOKEN: lambda _: invalid_token(),
    Fault.NOT_ALLOWED: lambda _: problem(401, "user not authorized to perform that action"),
    Fault.FORBIDDEN: lambda token: problem(403, f"no, {token}, this is restricted"),
    Fault.MISSING: lambda _: missing(),
    Fault.REFUSED: lambda _: JSONResponse({"errors": {"title": [{"message": "is too long"}]}}, 422),
    Fault.THROTTLED: lambda _: PlainTextResponse("403 Forbidden (Rate Limit Exceeded)\n", 403),
    Fault.TOO_MANY: lambda _: PlainTextResponse("429 Too Many Requests\n", 429, {"Retry-After": "1"}),
    Fault.BROKEN: lambda _: HTMLResponse("<h1>Page Error</h1>", 500),
    Fault.NO_JSON: lambda _: HTMLResponse("<h1>Welcome to our home page</h1>"),
    Fault.OTHER_JSON: lambda _: JSONResponse({"answer": 42}),
    Fault.MOVED: lambda _: RedirectResponse("https://elsewhere.example/", 302),
}


async def serve(port: int) -> None:
    async with CanvasApi(port=port) as canvas:
        sys.stdout.write(f"A Canvas is at {canvas.url}; the token is {TOKEN}\n")
        sys.stdout.flush()
        await asyncio.Event().wait()


if __name__ == "__main__":
    parser = argparse.ArgumentParser()
    parser.add_argument("--port", type=int, default=9998)
    asyncio.run(serve(parser.parse_args().port))
