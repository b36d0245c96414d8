"""Runs worker processes and starts those again that end: what `quizmill up` does beside serving."""

import asyncio
import secrets
import signal
import sys
from asyncio.subprocess import PIPE, Process
from collections.abc import Awaitable, Callable, Mapping
from typing import Final

import structlog

BACKOFF_SECONDS_FIRST: Final = 0.2
BACKOFF_SECONDS_MAX: Final = 10.0
STEADY_SECONDS: Final = 5.0
"""Who lived for so long does not fail at its start: the next one need not wait."""
STOP_SECONDS_MAX: Final = 7.0

log = structlog.get_logger()


class WorkerKeeper:
    """Keeps one worker process running.

    `on_death` gets the name under which the dead one held its leases; it tells whether there were any.
    """

    def __init__(self, environment: Mapping[str, str], on_death: Callable[[str], Awaitable[bool]]) -> None:
        self._environment = dict(environment)
        self._on_death = on_death
        self._process: Process | None = None
        self._asked_at: float | None = None

    async def keep(self) -> None:
        """Start a worker, and another whenever it ends, for ever."""
        loop = asyncio.get_running_loop()
        backoff_seconds = BACKOFF_SECONDS_FIRST
        while True:
            started = loop.time()
            had_work = await self._live(f"up-{secrets.token_hex(6)}")
            if had_work or loop.time() - started > STEADY_SECONDS:
                backoff_seconds = BACKOFF_SECONDS_FIRST
            await asyncio.sleep(backoff_seconds)
            backoff_seconds = min(backoff_seconds * 2, BACKOFF_SECONDS_MAX)

    def terminate(self) -> None:
        """Ask the worker once to let go; a second signal would end it at once. Call after `keep` was cancelled."""
        process = self._process
        if process and process.returncode is None and self._asked_at is None:
            self._asked_at = asyncio.get_running_loop().time()
            process.send_signal(signal.SIGTERM)

    async def stop(self) -> None:
        """Let the worker release what it holds; kill it if it can't. Call after `keep` was cancelled."""
        self.terminate()
        process = self._process
        if process is None or self._asked_at is None:
            return
        try:
            async with asyncio.timeout_at(self._asked_at + STOP_SECONDS_MAX):
                await process.wait()
        except TimeoutError:
            log.warning("a worker did not stop in time and was killed", pid=process.pid)
            process.kill()
            await process.wait()

    async def _live(self, name: str) -> bool:
        """One worker from its start to its end. True: it died with work in hand, so it did not fail at its start."""
        try:
            self._process = await self._spawn(name)
        except OSError as error:
            log.warning("a worker can't be started", error=str(error))
            return False
        code = await self._process.wait()
        log.warning("a worker ended; starting another", worker=name, code=code)
        return await self._on_death(name)

    async def _spawn(self, name: str) -> Process:
        # The pipe is how a worker notices that its `up` died: it reads the end of it. Its own session keeps Ctrl-C
        # away from it, which `up` turns into an orderly stop.
        command = (sys.executable, "-m", "service.cli.main", "work", "--supervised-as", name)
        return await asyncio.create_subprocess_exec(*command, env=self._environment, stdin=PIPE, start_new_session=True)
