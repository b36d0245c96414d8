"""Simulated processes, and the event loop with a virtual clock that runs them all.

Within a process callbacks run in their order, as asyncio promises; which process runs next is drawn by the seed.
"""

import asyncio
import heapq
from collections import deque
from collections.abc import Callable, Coroutine
from contextvars import Context, ContextVar, copy_context
from random import Random
from typing import Any

STEPS_MAX = 400_000
"""A simulation that takes more steps goes round in circles."""

CLEAR_TURNS_MAX = 20


class Crashed(BaseException):
    """What a dead process's calls raise once its tasks are cleared away: nobody may catch it."""


class Process:
    """Something that may die, or stand still for a while. Its tasks are those made within `run`."""

    def __init__(self, name: str, *, clock_skew_seconds: float = 0.0) -> None:
        self.name = name
        self.clock_skew_seconds = clock_skew_seconds
        self.is_dead = False
        self.frozen_until = 0.0
        self.frozen_seconds = 0.0
        self.ready: deque[asyncio.Handle] = deque()
        self.doom: Callable[[str], bool] | None = None
        """Asked at every place where the process can be hit; True: it dies there."""
        self.on_death: list[Callable[[], None]] = []
        self._context = copy_context()
        self._context.run(_CURRENT.set, self)

    def run(self, loop: asyncio.AbstractEventLoop, work: Coroutine[Any, Any, Any]) -> "asyncio.Task[Any]":
        """A task of this process."""
        return loop.create_task(work, context=self._context.copy())

    def call(self, function: Callable[..., Any], *arguments: object) -> Any:
        """Call within this process."""
        return self._context.copy().run(function, *arguments)

    def die(self) -> None:
        """From now on nothing of it runs; the system closes its files and connections."""
        if self.is_dead:
            return
        self.is_dead = True
        for closing in self.on_death:
            closing()

    def freeze(self, now: float, seconds: float) -> None:
        self.frozen_until = now + seconds
        self.frozen_seconds += seconds


_CURRENT: ContextVar[Process] = ContextVar("process")


def current() -> Process:
    """The process whose code is running."""
    return _CURRENT.get()


def is_in_process() -> bool:
    return _CURRENT.get(None) is not None


class VirtualLoop(asyncio.BaseEventLoop):
    """Time stands still while anything can run, then jumps to the next timer.

    It takes over scheduling from asyncio's own loop: `_call_soon`, `_run_once` and the heap of timers `_scheduled`.
    """

    _scheduled: list[Any]

    def __init__(self, chance: Random) -> None:
        super().__init__()
        self.now = 0.0
        self.steps = 0
        self.is_clearing = False
        self._chance = chance
        self._outside = Process("outside")
        self._processes: list[Process] = [self._outside]
        self.set_exception_handler(lambda *_: None)

    def add(self, process: Process) -> Process:
        self._processes.append(process)
        return process

    def time(self) -> float:
        return self.now

    def clear(self) -> None:
        """End every task there is, dead ones too."""
        self.is_clearing = True
        for process in self._processes:
            process.frozen_until = 0.0
        for turn in range(CLEAR_TURNS_MAX):
            left = [task for task in asyncio.all_tasks(self) if not task.done()]
            if not left:
                break
            if turn % 2 == 0:
                for task in left:
                    task.cancel()
            # Every other turn is left to what the cancelled ones began for their own end.
            self.run_until_complete(_ended(left))
        self.run_until_complete(self.shutdown_asyncgens())
        self.close()

    def _call_soon(self, callback: Callable[..., object], args: Any, context: Context | None) -> asyncio.Handle:
        handle = asyncio.Handle(callback, args, self, context)
        self._place(handle)
        return handle

    def _place(self, handle: Any) -> None:
        handle._context.get(_CURRENT, self._outside).ready.append(handle)

    def _run_once(self) -> None:
        self.steps += 1
        assert self.steps < STEPS_MAX, f"no end after {self.steps} steps and {self.now:.1f} seconds"
        self._place_due()
        while not (runnable := [process for process in self._processes if process.ready and self._is_awake(process)]):
            self._jump()
        process = runnable[0] if len(runnable) == 1 else self._chance.choice(runnable)
        handle = process.ready.popleft()
        if not handle._cancelled:
            handle._run()

    def _is_awake(self, process: Process) -> bool:
        return self.is_clearing or (not process.is_dead and process.frozen_until <= self.now)

    def _place_due(self) -> None:
        while self._scheduled and self._scheduled[0]._when <= self.now:
            handle = heapq.heappop(self._scheduled)
            handle._scheduled = False
            if not handle._cancelled:
                self._place(handle)

    def _jump(self) -> None:
        """To the next timer, or to the next thaw."""
        moments = [process.frozen_until for process in self._processes if process.frozen_until > self.now]
        if self._scheduled:
            moments.append(self._scheduled[0]._when)
        assert moments, "every process waits for something that nobody does"
        self.now = max(self.now, min(moments))
        self._place_due()

    def _write_to_self(self) -> None:
        """Nobody sleeps in a selector."""

    def _process_events(self, event_list: object) -> None:
        """There are no files to watch."""


async def _ended(tasks: list["asyncio.Task[Any]"]) -> None:
    await asyncio.wait(tasks, timeout=100)
