"""What the entries of a log say in plain words. static/told.js says the same in the browser."""

import json
import math
from collections.abc import Sequence
from datetime import UTC, datetime, timedelta
from typing import Any
from uuid import UUID

from schemas.base import Frozen
from schemas.events import Event
from schemas.generations import Batch
from web.wording import TYPE_NAMES, WORDS, duration, plural


class Entry(Frozen):
    """One line of the log. `of` names its batch, empty for the whole generation."""

    seq: int
    at: datetime
    of: str
    text: str


def entries(latest: Sequence[Event], batches: Sequence[Batch]) -> list[Entry]:
    """Newest first. What this version does not know is passed over."""
    names = {batch.id: name_of(batch) for batch in batches}
    told = (_entry(json.loads(event.data), names) for event in reversed(latest))
    return [entry for entry in told if entry]


def name_of(batch: Batch) -> str:
    return f"{batch.module_name} · {TYPE_NAMES[batch.question_type]}"


def _entry(data: dict[str, Any], names: dict[UUID, str]) -> Entry | None:
    sentence = _sentence(data)
    if sentence is None:
        return None
    return Entry(
        seq=data["seq"],
        at=datetime.fromisoformat(data["at"]).astimezone(UTC),
        of=names.get(UUID(data["batch_id"]), "") if "batch_id" in data else "",
        text=sentence.format_map(_fields(data)),
    )


def _sentence(data: dict[str, Any]) -> str | None:
    named = f"{data['type']}.{data.get('reason', 'user')}"
    return WORDS.events.get(data["type"]) or WORDS.events.get(named)


def _fields(data: dict[str, Any]) -> dict[str, str]:
    error = data.get("error") or data
    code = error.get("code", "")
    counts = {name: f"{value:,}" for name, value in data.items() if type(value) is int}
    return {
        **counts,
        "preview": data.get("preview", ""),
        "message": error.get("message", ""),
        "code": code,
        "reason": WORDS.reasons.get(code, code.replace("_", " ")),
        "delay": duration(timedelta(seconds=math.ceil(data.get("delay_seconds", 0)))),
        "saved": plural(data.get("saved_count", 0), "question"),
        "target": plural(data.get("target_count", 0), "question"),
        "requested": plural(data.get("requested_count", 0), "question"),
    }
