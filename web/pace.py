"""How fast questions come, and how long it may still take. static/pace.js counts the same in the browser.

Only what has happened counts: the questions accepted in the last minute, or in the last five where they come slowly,
and no time in which nothing was to be done. With too little of either nothing is said.
"""

import json
from collections.abc import Sequence
from datetime import datetime, timedelta
from typing import Any

from schemas.base import Frozen
from schemas.events import Event
from schemas.generations import Generation
from schemas.states import BatchState, GenerationState
from web.wording import WORDS, plural

WINDOWS_SECONDS = (60, 300)
QUESTIONS_MIN = 5
SECONDS_MIN = 10
OPEN = frozenset({BatchState.PENDING, BatchState.PROCESSING})


class Pace(Frozen):
    """Both as a page shows them."""

    rate: str
    left: str


def pace(generation: Generation, latest: Sequence[Event], now: datetime) -> Pace:
    """`latest`: the newest events of its log, oldest first."""
    told = [json.loads(event.data) for event in latest]
    if generation.status is not GenerationState.PROCESSING:
        idle = WORDS.idle[generation.status]
        return Pace(rate=idle, left=idle)
    if _waits(told):
        return Pace(rate=WORDS.waits, left=WORDS.waits)
    per_minute = _per_minute(told, now)
    if per_minute is None:
        return Pace(rate=WORDS.unknown, left=WORDS.unknown)
    batches = (batch for batch in generation.batches if batch.status in OPEN)
    missing = sum(batch.target_count - batch.held_count for batch in batches)
    return Pace(rate=rate(per_minute), left=left(60 * missing / per_minute))


def rate(per_minute: float) -> str:
    """Whole questions from ten on, below with one decimal."""
    if per_minute >= 10:
        return f"{plural(int(per_minute + 0.5), 'question')} a minute"
    tenths = int(per_minute * 10 + 0.5)
    if tenths % 10 == 0:
        return f"{plural(tenths // 10, 'question')} a minute"
    return f"{tenths // 10}.{tenths % 10} questions a minute"


def left(seconds: float) -> str:
    """Rounded up to minutes: the figure is a guess, and looks like one."""
    minutes = -int(-seconds // 60)
    if minutes <= 1:
        return "less than a minute"
    hours, minutes = divmod(minutes, 60)
    return f"about {hours} h {minutes} min" if hours else f"about {minutes} min"


def _waits(told: Sequence[dict[str, Any]]) -> bool:
    """Nothing but waiting for the provider has happened last."""
    last = next((event for event in reversed(told) if event["type"] != "batch.started"), None)
    return last is not None and last["type"] == "batch.retrying" and last["code"] in WORDS.reasons


def _per_minute(told: Sequence[dict[str, Any]], now: datetime) -> float | None:
    at = [datetime.fromisoformat(event["at"]) for event in told]
    known_since = max(
        (moment for moment, event in zip(at, told, strict=True) if _begins(event)), default=at[0] if at else now
    )
    accepted = [moment for moment, event in zip(at, told, strict=True) if event["type"] == "question.accepted"]
    for window in WINDOWS_SECONDS:
        since = max(now - timedelta(seconds=window), known_since)
        count = sum(moment >= since for moment in accepted)
        seconds = (now - since).total_seconds()
        if count >= QUESTIONS_MIN and seconds >= SECONDS_MIN:
            return 60 * count / seconds
    return None


def _begins(event: dict[str, Any]) -> bool:
    """Before it, nothing was to be done."""
    is_retry = event["type"] == "batch.requeued" and event["reason"] == "retry"
    return is_retry or event["type"] in {"generation.started", "generation.resumed"}
