"""Pictures sent to the local Messages API: what was asked, and the events of an answer."""

import base64
import json
import re
from dataclasses import dataclass


@dataclass(frozen=True)
class AskedPicture:
    """A call to read a picture."""

    file_name: str
    content: bytes
    model: str


def picture_of(body: dict[str, object]) -> AskedPicture | None:
    """None where the call brings no picture."""
    match body:
        case {
            "model": str(model),
            "stream": True,
            "system": [{"type": "text"}],
            "messages": [
                {
                    "role": "user",
                    "content": [
                        {"type": "image", "source": {"type": "base64", "media_type": "image/jpeg", "data": str(data)}},
                        {"type": "text", "text": str(task)},
                    ],
                }
            ],
        }:
            name = re.search(r"<file_name>(.*?)</file_name>", task)
            return AskedPicture(json.loads(name[1]), base64.b64decode(data), model) if name else None
    return None


def picture_events(picture: AskedPicture, usage: dict[str, int], text: str) -> str:
    start = {
        "id": "msg_local",
        "type": "message",
        "role": "assistant",
        "model": picture.model,
        "content": [],
        "stop_reason": None,
        "stop_sequence": None,
        "usage": {**usage, "output_tokens": 1},
    }
    middle = len(text) // 2
    events = [
        ("message_start", {"message": start}),
        ("content_block_start", {"index": 0, "content_block": {"type": "text", "text": ""}}),
        ("content_block_delta", {"index": 0, "delta": {"type": "text_delta", "text": text[:middle]}}),
        ("content_block_delta", {"index": 0, "delta": {"type": "text_delta", "text": text[middle:]}}),
        ("content_block_stop", {"index": 0}),
        ("message_delta", {"delta": {"stop_reason": "end_turn"}, "usage": {"output_tokens": max(1, len(text) // 4)}}),
        ("message_stop", {}),
    ]
    return "".join(f"event: {name}\ndata: {json.dumps({'type': name, **fields})}\n\n" for name, fields in events)
