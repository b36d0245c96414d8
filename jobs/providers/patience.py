"""How long a silent provider is waited for: much longer than calls are silent lately, and never longer than set."""

import asyncio
from collections import deque
from collections.abc import AsyncIterator, Collection
from contextlib import asynccontextmanager
from dataclasses import dataclass
from weakref import WeakKeyDictionary

CALLS_MIN = 5
"""Calls whose silences must be known before they say anything."""

CALLS_KEPT = 100
SHARE = 0.7
"""So many calls are silent for less than what is taken for usual: stalls are fewer than the rest, so they do not make
us wait longer; a provider that is slow for everyone does, because silences that were cut count as well."""

FACTOR = 6.0
AGAIN_FACTOR = 2.5
"""The fourth try in a row has all the time that is set: it is the last one of an attempt (jobs/waiting.py)."""

SECONDS_MIN = 2.0

WORTHWHILE = 0.9
"""Those that wait already are told when what holds for them is shorter than this share of what they were told."""


class Silence(Exception):
    """Nothing came for `seconds`, where calls are never silent for so long."""

    def __init__(self, seconds: float) -> None:
        super().__init__(f"nothing came for {seconds:.1f} s")
        self.seconds = seconds


@dataclass
class _Caller:
    """A task that makes one call after the other, each with a deadline of its own."""

    deadline: float = 0.0
    longest_seconds: float = 0.0
    factor: float = 1.0


@dataclass(frozen=True)
class _Wait:
    began: float
    deadline: float
    factor: float
    seconds_max: float

    def ends(self, seconds: float) -> float:
        return min(self.deadline, self.began + min(seconds * self.factor, self.seconds_max))


class Patience:
    """Learns from calls that end well or are cut; what it has learned holds at once for those that wait already.

    Who was cut and asks again is given more each time: some calls are slower than all others for a good reason.
    """

    def __init__(self, seconds_max: float) -> None:
        self._seconds_max = seconds_max
        self._silences: deque[float] = deque(maxlen=CALLS_KEPT)
        self._callers: WeakKeyDictionary[asyncio.Task[object], _Caller] = WeakKeyDictionary()
        self._waits: dict[asyncio.Timeout, _Wait] = {}
        self._promised_seconds = seconds_max
        self.seconds = seconds_max
        """What is set, while too little is known."""

    @asynccontextmanager
    async def wait(self, deadline: float) -> AsyncIterator[None]:
        """For the next sign of life. Raises Silence; TimeoutError at the deadline, in the loop's time."""
        now = asyncio.get_running_loop().time
        caller = self._caller()
        if caller.deadline != deadline:
            caller.deadline, caller.longest_seconds = deadline, 0.0
        wait = _Wait(now(), deadline, caller.factor, self._seconds_max)
        try:
            async with asyncio.timeout_at(wait.ends(self.seconds)) as scope:
                self._waits[scope] = wait
                try:
                    yield
                finally:
                    del self._waits[scope]
                    caller.longest_seconds = max(caller.longest_seconds, now() - wait.began)
        except TimeoutError:
            if now() >= deadline:
                raise
            caller.factor *= AGAIN_FACTOR
            self._learn(caller)
            raise Silence(now() - wait.began) from None

    def learn(self) -> None:
        """The call of this task has ended well."""
        caller = self._caller()
        caller.factor = 1.0
        self._learn(caller)

    def _caller(self) -> _Caller:
        task = asyncio.current_task()
        assert task is not None, "a coroutine runs in a task"
        return self._callers.setdefault(task, _Caller())

    def _learn(self, caller: _Caller) -> None:
        self._silences.append(caller.longest_seconds)
        self.seconds = bearable(self._silences, self._seconds_max)
        # Each call changes it by a hair: setting the alarms of all that wait each time would not be worth it.
        if WORTHWHILE * self._promised_seconds <= self.seconds <= self._promised_seconds / WORTHWHILE:
            return
        self._promised_seconds = self.seconds
        for scope, wait in self._waits.items():
            if not scope.expired():
                scope.reschedule(wait.ends(self.seconds))


def bearable(silences: Collection[float], seconds_max: float) -> float:
    """How long a call may be silent where `silences` are the longest ones of calls before."""
    if len(silences) < CALLS_MIN:
        return seconds_max
    usual = sorted(silences)[int(SHARE * len(silences))]
    return min(max(SECONDS_MIN, FACTOR * usual), seconds_max)
