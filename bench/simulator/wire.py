"""The bytes of the Messages API: answers with a status, whole messages, and the events of a stream."""

import json
from collections.abc import Mapping, Sequence

BEGIN, BETWEEN, END = '{"questions": [', ", ", "]}"
BROKEN_JSON = '{"quote": "He said "stop" and left", "stem": }'
PIECE_CHARACTERS = 40
LAST_CHUNK = b"0\r\n\r\n"
REASONS = {200: "OK", 400: "Bad Request", 404: "Not Found", 429: "Too Many Requests", 500: "Internal Server Error"}

Usage = Mapping[str, int]


def answer(status: int, fields: object, headers: str = "") -> bytes:
    body = json.dumps(fields).encode()
    head = (
        f"HTTP/1.1 {status} {REASONS.get(status, 'Overloaded')}\r\ncontent-type: application/json\r\n"
        f"request-id: req_simulated\r\n{headers}content-length: {len(body)}\r\n\r\n"
    )
    return head.encode() + body


def error(status: int, kind: str, message: str, headers: str = "") -> bytes:
    return answer(status, {"type": "error", "error": {"type": kind, "message": message}}, headers)


def stream_head(headers: str) -> bytes:
    return (
        "HTTP/1.1 200 OK\r\ncontent-type: text/event-stream; charset=utf-8\r\ncache-control: no-cache\r\n"
        f"request-id: req_simulated\r\n{headers}transfer-encoding: chunked\r\n\r\n"
    ).encode()


def whole(texts: Sequence[str], *, is_broken: bool = False) -> str:
    """The text of an answer with these questions."""
    parts = [*texts, BROKEN_JSON] if is_broken else texts
    return BEGIN + BETWEEN.join(parts) + END


def message(model: str, usage: Usage, text: str | None, stop_reason: str | None) -> dict[str, object]:
    """Without a text, the empty one that a stream begins with."""
    return {
        "id": "msg_simulated",
        "type": "message",
        "role": "assistant",
        "model": model,
        "content": [] if text is None else [{"type": "text", "text": text}],
        "stop_reason": stop_reason,
        "stop_sequence": None,
        "usage": usage,
    }


def opening(model: str, usage: Usage) -> bytes:
    start = event("message_start", {"message": message(model, usage, None, None)})
    block = event("content_block_start", {"index": 0, "content_block": {"type": "text", "text": ""}})
    return chunk(start + block + event("ping", {}))


def pieces(text: str) -> bytes:
    starts = range(0, len(text), PIECE_CHARACTERS)
    deltas = ({"type": "text_delta", "text": text[start : start + PIECE_CHARACTERS]} for start in starts)
    return chunk("".join(event("content_block_delta", {"index": 0, "delta": delta}) for delta in deltas))


def closing(stop_reason: str, output_tokens: int) -> bytes:
    delta = {"stop_reason": stop_reason, "stop_sequence": None}
    return (
        chunk(
            event("content_block_stop", {"index": 0})
            + event("message_delta", {"delta": delta, "usage": {"output_tokens": output_tokens}})
            + event("message_stop", {})
        )
        + LAST_CHUNK
    )


def error_event() -> bytes:
    failed = {"error": {"type": "overloaded_error", "message": "Overloaded"}}
    return chunk(event("error", failed)) + LAST_CHUNK


def event(name: str, fields: Mapping[str, object]) -> str:
    return f"event: {name}\ndata: {json.dumps({'type': name, **fields})}\n\n"


def chunk(text: str) -> bytes:
    body = text.encode()
    return b"%x\r\n%b\r\n" % (len(body), body)
