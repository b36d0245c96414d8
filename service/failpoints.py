"""Places where a test can make a process die, fail, be cancelled or freeze. Nothing happens while none is armed.

`QUIZMILL_FAILPOINT=name:action:marker` arms one: the first process that reaches it and can create the file `marker`
acts, once. So a supervised worker that is started again goes on.
"""

import asyncio
import os
import signal
from enum import StrEnum
from pathlib import Path


class Place(StrEnum):
    """The twelve places at which a crash may leave something half done."""

    AFTER_CLAIM = "after_claim"
    BEFORE_CALL = "before_call"
    AFTER_ANSWER = "after_answer"
    BEFORE_HOLD = "before_hold"
    INSIDE_HOLD = "inside_hold"
    AFTER_HOLD = "after_hold"
    BEFORE_PUBLISH = "before_publish"
    BEFORE_COMPLETE = "before_complete"
    AFTER_COMPLETE = "after_complete"
    BEFORE_ENQUEUE = "before_enqueue"
    AFTER_ENQUEUE = "after_enqueue"
    BEFORE_ANSWER = "before_answer"


class Action(StrEnum):
    KILL = "kill"
    RAISE = "raise"
    CANCEL = "cancel"
    FREEZE = "freeze"


class FailpointReached(Exception):
    """What `raise` raises: nobody expects it."""


class _Armed:
    def __init__(self, place: Place, action: Action, marker: Path) -> None:
        self.place = place
        self.action = action
        self.marker = marker


_armed: _Armed | None = None


def arm(specification: str) -> None:
    """`name:action:marker`; empty disarms. Raises ValueError for names that are none."""
    global _armed  # noqa: PLW0603 # one per process, set at its start
    if not specification:
        _armed = None
        return
    place, action, marker = specification.split(":", 2)
    _armed = _Armed(Place(place), Action(action), Path(marker))


def reach(place: Place) -> None:
    """Act if this place is armed and nobody has acted yet."""
    if _armed is None or _armed.place is not place:
        return
    try:
        _armed.marker.touch(exist_ok=False)
    except FileExistsError:
        return
    match _armed.action:
        case Action.KILL:
            os.kill(os.getpid(), signal.SIGKILL)
        case Action.FREEZE:
            os.kill(os.getpid(), signal.SIGSTOP)
        case Action.RAISE:
            raise FailpointReached(place)
        case Action.CANCEL:
            raise asyncio.CancelledError
