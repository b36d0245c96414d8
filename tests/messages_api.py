"""A local server that speaks the Messages API: real questions about the module it is sent, and faults on demand.

In a test:  async with MessagesApi() as api: api.fail("Advanced Topics", Fault.OVERLOADED, times=3); ... api.base_url
In a demo:  python -m tests.messages_api --port 9999 --fail "Advanced Topics:overloaded:3" --delay-seconds 0.3
"""

import argparse
import asyncio
import json
import re
import signal
import socket
import struct
import sys
from collections.abc import Callable
from contextlib import suppress
from dataclasses import dataclass, field
from types import TracebackType
from typing import Self

import uvicorn
from rapidfuzz import fuzz, process
from starlette.applications import Starlette
from starlette.requests import Request
from starlette.responses import JSONResponse, Response
from starlette.routing import Route
from starlette.types import Scope
from uvicorn.protocols.http.httptools_impl import HttpToolsProtocol
from uvicorn.server import ServerState

from tests.messages_answer import Answering, message, whole_text
from tests.messages_faults import REFUSED, Fault, Rule, rule_of
from tests.messages_pictures import AskedPicture, picture_events, picture_of
from tests.messages_prompt import Asked, understood
from tests.messages_questions import Fields, question, spots, topics

__all__ = ["Asked", "Fault", "MessagesApi"]

WAIT_SECONDS = 30.0
# Well below what the product takes for the same question.
ALIKE_MIN = 75
LIMITS_PER_MINUTE = {"requests": 4_000, "input-tokens": 2_000_000, "output-tokens": 400_000}
# Where in the text each type begins, in twelfths, so that the batches of a quiz rarely ask for the same.
BEGINNING_OF = {
    "multiple_choice": 0,
    "multiple_response": 1,
    "true_false": 2,
    "fill_in_blank": 4,
    "matching": 5,
    "short_answer": 6,
    "flashcard": 8,
    "numeric": 9,
    "vocabulary": 10,
}


class MessagesApi:
    """The server, in the loop that entered it. `requests` lists every call in order of arrival."""

    def __init__(self, *, port: int = 0, first_byte_seconds: float = 0.0, question_seconds: float = 0.0) -> None:
        self.requests: list[Asked] = []
        self.pictures: list[AskedPicture] = []
        # What stands on the first picture, the second ...; the last for all that follow.
        self.picture_texts = ["[no text]"]
        self.first_byte_seconds = first_byte_seconds
        self.question_seconds = question_seconds
        self._socket = socket.create_server(("127.0.0.1", port))
        self._rules: list[Rule] = []
        self._used: dict[tuple[str, str], Used] = {}
        self._cached: set[str] = set()
        self._changed = asyncio.Condition()
        self._closing = asyncio.Event()
        self._passing = asyncio.Event()
        self._passing.set()
        self._hold_after = 0
        self._held = 0
        self._state = ServerState()

    @property
    def base_url(self) -> str:
        return f"http://127.0.0.1:{self._socket.getsockname()[1]}"

    @property
    def disconnected_count(self) -> int:
        """Calls that the client left before their answer was complete."""
        return sum(asked.is_disconnected for asked in self.requests)

    def fail(self, module: str, fault: Fault, *, times: int | None = None, skip: int = 0, after: int = 1) -> Rule:
        """What Rule says; its `seconds` (retry-after, slowness) and `message` can be set on what is returned."""
        self._rules.append(Rule(module, fault, times, skip, after))
        return self._rules[-1]

    def add(self, rule: Rule) -> None:
        self._rules.append(rule)

    def hold(self, after_questions: int = 0) -> None:
        """From now on every call waits once it has sent this many questions; with 0, before its first byte."""
        self._hold_after = after_questions
        self._passing.clear()

    def release(self) -> None:
        self._passing.set()

    async def held(self, count: int = 1) -> None:
        """Returns when this many calls wait at the gate."""
        await self._until(lambda: self._held >= count)

    async def arrived(self, count: int = 1) -> None:
        """Returns when this many calls have arrived since the start."""
        await self._until(lambda: len(self.requests) >= count)

    async def disconnected(self, count: int = 1) -> None:
        """Returns when clients have left this many calls before their answer was complete."""
        await self._until(lambda: self.disconnected_count >= count)

    async def __aenter__(self) -> Self:
        app = Starlette(routes=[Route("/v1/messages", self._answer, methods=["POST"])])
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
        self._passing.set()
        self._server.close()
        for connection in tuple(self._state.connections):
            connection.transport.abort()
        await asyncio.gather(*self._state.tasks)
        await self._server.wait_closed()

    async def _answer(self, request: Request) -> Response | Answering:
        body = await request.json()
        asked = understood(body, int(request.headers.get("x-stainless-retry-count", "0")))
        if asked is None and (picture := picture_of(body)):
            return await self._look(picture)
        if asked is None:
            return _refusal(400, "invalid_request_error", "no module and task found in the prompt")
        asked.rule = next((rule for rule in self._rules if rule.claims(asked.module)), None)
        asked.questions = self._questions(asked)
        self.requests.append(asked)
        await self.notify()
        if asked.rule and asked.rule.fault in REFUSED:
            return self._refused(asked.rule)
        if not asked.is_streamed:
            return JSONResponse(message(asked, self.usage(asked), whole_text(asked)), headers=self.limits())
        return Answering(self, asked)

    async def _look(self, picture: AskedPicture) -> Response:
        rule = next((rule for rule in self._rules if rule.claims(picture.file_name)), None)
        self.pictures.append(picture)
        await self.notify()
        if rule and rule.fault in REFUSED:
            return self._refused(rule)
        text = self.picture_texts[min(len(self.pictures), len(self.picture_texts)) - 1]
        usage = {"input_tokens": 1500, "cache_creation_input_tokens": 0, "cache_read_input_tokens": 0}
        headers = {"content-type": "text/event-stream; charset=utf-8", **self.limits()}
        return Response(picture_events(picture, usage, text), headers=headers)

    def _refused(self, rule: Rule) -> Response:
        status, kind, words = REFUSED[rule.fault]
        code = "enforced_spend_limit_reached" if rule.fault is Fault.SPEND_LIMIT else None
        response = _refusal(status, kind, rule.message or words, code)
        response.headers.update(self.limits())
        if rule.fault is Fault.RATE_LIMITED:
            response.headers["retry-after"] = f"{rule.seconds:g}"
        return response

    def _questions(self, asked: Asked) -> list[Fields]:
        """As many as asked for where the text yields them; other ones at each call; none that is to be avoided."""
        if asked.question_type == "topics":
            return topics(asked.module_text)
        available = spots(asked.module_text)
        avoid = [_plain(stem) for stem in asked.avoid]
        used = self._used.setdefault((asked.module_text, asked.question_type), Used())
        start = BEGINNING_OF[asked.question_type] * len(available) // 12
        made: list[Fields] = []
        for _ in range(len(available)):
            if len(made) == asked.count:
                break
            place = (start + used.next_step(len(available))) % len(available)
            candidate = question(asked.question_type, available, place, len(made))
            if candidate is None:
                continue
            preview = _plain(_preview(candidate))
            whole = f"{preview} {available[place].key.casefold()}"
            is_new = process.extractOne(whole, used.wholes, scorer=fuzz.ratio, score_cutoff=ALIKE_MIN) is None
            if is_new and not any(preview in stem for stem in avoid):
                used.wholes.append(whole)
                made.append(candidate)
        return made

    def usage(self, asked: Asked) -> dict[str, int]:
        """Everything up to the cache mark is written at the first call and read at later ones."""
        prefix_tokens = len(asked.system) // 4
        is_cached = asked.system in self._cached
        self._cached.add(asked.system)
        return {
            "input_tokens": max(1, len(asked.prompt) // 4),
            "cache_creation_input_tokens": 0 if is_cached else prefix_tokens,
            "cache_read_input_tokens": prefix_tokens if is_cached else 0,
        }

    def limits(self) -> dict[str, str]:
        return {
            f"anthropic-ratelimit-{name}-{part}": str(limit)
            for name, limit in LIMITS_PER_MINUTE.items()
            for part in ("limit", "remaining")
        }

    async def gate(self, questions_sent: int) -> None:
        if self._passing.is_set() or questions_sent < self._hold_after:
            return
        self._held += 1
        await self.notify()
        try:
            await self._passing.wait()
        finally:
            self._held -= 1

    async def forever(self) -> None:
        """As long as the server runs."""
        await self._closing.wait()

    def cut(self, scope: Scope, *, is_reset: bool) -> None:
        """End the connection without ending the answer. A reset also destroys what the client has not read yet."""
        for connection in tuple(self._state.connections):
            if isinstance(connection, HttpToolsProtocol) and connection.client == tuple(scope["client"]):
                if is_reset:
                    raw = connection.transport.get_extra_info("socket")
                    raw.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, struct.pack("ii", 1, 0))
                connection.transport.close()

    async def notify(self) -> None:
        async with self._changed:
            self._changed.notify_all()

    async def _until(self, is_so: Callable[[], bool]) -> None:
        async with asyncio.timeout(WAIT_SECONDS), self._changed:
            await self._changed.wait_for(is_so)


@dataclass
class Used:
    """What was asked about a module in one type; after a whole round through the text it begins again."""

    steps: int = 0
    wholes: list[str] = field(default_factory=list)

    def next_step(self, steps_max: int) -> int:
        if self.steps == steps_max:
            self.steps = 0
            self.wholes.clear()
        self.steps += 1
        return self.steps - 1


def _refusal(status: int, kind: str, words: str, code: str | None = None) -> Response:
    error = {"type": kind, "message": words, **({"details": {"error_code": code}} if code else {})}
    return JSONResponse({"type": "error", "error": error}, status)


def _preview(fields: Fields) -> str:
    """Of a question that stands for itself, what is asked; of pairs to match, the lefts."""
    if isinstance(pairs := fields.get("pairs"), list):
        return " ".join(sorted(pair["left"] for pair in pairs))
    return str(fields.get("stem") or fields.get("front") or fields.get("term"))


def _plain(text: str) -> str:
    return " ".join(re.findall(r"\w+", text.replace("_", " ").casefold()))


async def _serve(arguments: argparse.Namespace) -> None:
    stopping = asyncio.Event()
    for name in (signal.SIGINT, signal.SIGTERM):
        asyncio.get_running_loop().add_signal_handler(name, stopping.set)
    async with MessagesApi(port=arguments.port, question_seconds=arguments.delay_seconds) as api:
        for rule in arguments.fail:
            api.add(rule)
        sys.stdout.write(f"The local Messages API listens at {api.base_url}\n")
        shown = 0
        while not stopping.is_set():
            with suppress(TimeoutError):
                await asyncio.wait_for(stopping.wait(), 0.2)
            for asked in api.requests[shown:]:
                line = {"module": asked.module, "type": asked.question_type, "count": asked.count, "fault": asked.fault}
                sys.stdout.write(json.dumps(line) + "\n")
            shown = len(api.requests)
            sys.stdout.flush()


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--port", type=int, default=0)
    parser.add_argument("--fail", type=rule_of, action="append", default=[], metavar="MODULE:FAULT[:TIMES]")
    parser.add_argument("--delay-seconds", type=float, default=0.0, help="per question")
    asyncio.run(_serve(parser.parse_args()))


if __name__ == "__main__":
    main()
