"""How the local Messages API writes one answer: its text, its events, and the ways in which they break."""

import asyncio
import json
from collections.abc import Awaitable, Callable
from typing import Protocol

from starlette.types import Receive, Scope, Send

from tests.messages_faults import BREAKS, Fault
from tests.messages_prompt import Asked

PIECE_CHARACTERS = 40
PING_SECONDS = 0.02
BETWEEN, END = ", ", "]}"
HALF_A_QUESTION = '{"quote": "This was cut'
BROKEN_JSON = '{"quote": "He said "stop" and left", "stem": }]'
PROSE = "Certainly! Here is what I think about the module: it is well written."


class Server(Protocol):
    """What an answer needs of the server."""

    first_byte_seconds: float
    question_seconds: float

    async def gate(self, questions_sent: int) -> None: ...
    async def forever(self) -> None: ...
    async def notify(self) -> None: ...
    def cut(self, scope: Scope, *, is_reset: bool) -> None: ...
    def limits(self) -> dict[str, str]: ...
    def usage(self, asked: Asked) -> dict[str, int]: ...


def question_texts(asked: Asked) -> list[str]:
    """The questions as JSON, spoiled where the fault is about their content."""
    questions = [dict(question) for question in asked.questions]
    after = asked.rule.after if asked.rule else 0
    match asked.fault:
        case Fault.NO_QUESTIONS:
            questions = []
        case Fault.DUPLICATES:
            questions = questions[:1] * len(questions)
        case Fault.BAD_EVIDENCE:
            questions = [{**question, "quote": "Nobody ever wrote this sentence anywhere."} for question in questions]
        case Fault.WRONG_SCHEMA:
            for question in questions[:after]:
                del question["quote"]
    return [json.dumps(question, ensure_ascii=False) for question in questions]


def begin(asked: Asked) -> str:
    return '{"topics": [' if asked.question_type == "topics" else '{"questions": ['


def whole_text(asked: Asked) -> str:
    return PROSE if asked.fault is Fault.PROSE else begin(asked) + BETWEEN.join(question_texts(asked)) + END


def message(asked: Asked, usage: dict[str, int], text: str | None) -> dict[str, object]:
    """A message object; without text, the empty one that a stream starts with."""
    return {
        "id": "msg_local",
        "type": "message",
        "role": "assistant",
        "model": asked.model,
        "content": [] if text is None else [{"type": "text", "text": text}],
        "stop_reason": None if text is None else "end_turn",
        "stop_sequence": None,
        "usage": {**usage, "output_tokens": tokens(text or "")},
    }


def tokens(text: str) -> int:
    return max(1, len(text) // 4)


class Answering:
    """An ASGI response: streams the answer, and notes when the client leaves before its end."""

    def __init__(self, server: Server, asked: Asked) -> None:
        self._server = server
        self._asked = asked
        self._written = 0

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        writing = asyncio.create_task(self._write(scope, send))
        leaving = asyncio.create_task(_left(receive))
        await asyncio.wait({writing, leaving}, return_when=asyncio.FIRST_COMPLETED)
        self._asked.is_disconnected = not writing.done()
        for task in (writing, leaving):
            task.cancel()
        await asyncio.gather(writing, leaving, return_exceptions=True)
        await self._server.notify()

    async def _write(self, scope: Scope, send: Send) -> None:
        await self._server.gate(0)
        await asyncio.sleep(self._server.first_byte_seconds)
        match self._asked.fault:
            case Fault.STALL:
                await self._server.forever()
            case Fault.RESET:
                self._server.cut(scope, is_reset=True)
            case _:
                await self._stream(scope, send)

    async def _stream(self, scope: Scope, send: Send) -> None:
        headers = {"content-type": "text/event-stream; charset=utf-8", **self._server.limits()}
        raw = [(name.encode(), value.encode()) for name, value in headers.items()]
        await send({"type": "http.response.start", "status": 200, "headers": raw})
        await self._begin(send)
        rule = self._asked.rule
        texts = question_texts(self._asked)
        breaks_after = min(rule.after, len(texts)) if rule and rule.fault in BREAKS else None
        for sent in range(len(texts) + 1):
            await self._server.gate(sent)
            if sent == breaks_after:
                return await self._break(scope, send)
            if sent < len(texts):
                await self._question(send, texts[sent])
        return await self._end(send, END, "end_turn")

    async def _begin(self, send: Send) -> None:
        start = message(self._asked, self._server.usage(self._asked), None)
        await _event(send, "message_start", {"message": start})
        block: dict[str, object] = {"type": "text", "text": ""}
        await _event(send, "content_block_start", {"index": 0, "content_block": block})
        await _event(send, "ping", {})
        await self._text(send, PROSE if self._asked.fault is Fault.PROSE else begin(self._asked))

    async def _question(self, send: Send, text: str) -> None:
        if self._asked.fault is Fault.PROSE:
            return
        is_slow = self._asked.rule and self._asked.fault is Fault.SLOW
        await asyncio.sleep(self._asked.rule.seconds if self._asked.rule and is_slow else self._server.question_seconds)
        await self._text(send, (BETWEEN if self._asked.questions_sent else "") + text)
        self._asked.questions_sent += 1

    async def _break(self, scope: Scope, send: Send) -> None:
        breaking: dict[Fault, Callable[[], Awaitable[None]]] = {
            Fault.STALL_MIDWAY: self._server.forever,
            Fault.ONLY_PINGS: lambda: _ping_forever(send),
            Fault.OVERLOADED_MIDWAY: lambda: _error(send),
            Fault.ENDED_EARLY: lambda: _close(send),
            Fault.GARBLED: lambda: _garble(send),
            Fault.MALFORMED: lambda: self._end(send, BETWEEN + BROKEN_JSON, "end_turn"),
            Fault.CUT_OFF: lambda: self._end(send, BETWEEN + HALF_A_QUESTION, "max_tokens"),
            Fault.REFUSAL: lambda: self._end(send, "", "refusal"),
            Fault.TOO_FEW: lambda: self._end(send, END, "end_turn"),
        }
        if self._asked.fault is Fault.CUT_MIDWAY:
            self._server.cut(scope, is_reset=False)
        elif self._asked.fault is not None:
            await breaking[self._asked.fault]()

    async def _end(self, send: Send, rest: str, stop_reason: str) -> None:
        if self._asked.fault is not Fault.PROSE:
            await self._text(send, rest)
        await _event(send, "content_block_stop", {"index": 0})
        delta = {"stop_reason": stop_reason, "stop_sequence": None}
        await _event(send, "message_delta", {"delta": delta, "usage": {"output_tokens": max(1, self._written // 4)}})
        await _event(send, "message_stop", {})
        await _close(send)

    async def _text(self, send: Send, text: str) -> None:
        for start in range(0, len(text), PIECE_CHARACTERS):
            delta = {"type": "text_delta", "text": text[start : start + PIECE_CHARACTERS]}
            await _event(send, "content_block_delta", {"index": 0, "delta": delta})
        self._written += len(text)


async def _left(receive: Receive) -> None:
    while (await receive())["type"] != "http.disconnect":
        pass


async def _event(send: Send, name: str, fields: dict[str, object]) -> None:
    await _send(send, f"event: {name}\ndata: {json.dumps({'type': name, **fields})}\n\n")


async def _error(send: Send) -> None:
    await _event(send, "error", {"error": {"type": "overloaded_error", "message": "Overloaded"}})
    await _close(send)


async def _garble(send: Send) -> None:
    await _send(send, 'event: content_block_delta\ndata: {"type": "content_blo\n\n')
    await _close(send)


async def _ping_forever(send: Send) -> None:
    while True:
        await _event(send, "ping", {})
        await asyncio.sleep(PING_SECONDS)


async def _send(send: Send, text: str) -> None:
    await send({"type": "http.response.body", "body": text.encode(), "more_body": True})


async def _close(send: Send) -> None:
    await send({"type": "http.response.body", "body": b"", "more_body": False})
