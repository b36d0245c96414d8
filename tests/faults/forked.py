"""Quizmill processes forked from one that has everything imported: as real as others, and there in a moment."""

import asyncio
import multiprocessing
import os
import sys
from multiprocessing.context import ForkServerContext, ForkServerProcess
from pathlib import Path

PRELOADED = ["service.cli.main", "service.cli.serve", "service.cli.work", "jobs.worker"]


class Forked:
    """A child, as `asyncio.subprocess.Process` would show it."""

    def __init__(self, process: ForkServerProcess) -> None:
        self._process = process

    @property
    def pid(self) -> int:
        assert self._process.pid is not None, "it was started"
        return self._process.pid

    async def wait(self) -> int:
        """Returns its exit code; a signal that killed it is negative."""
        loop, ended, sentinel = asyncio.get_running_loop(), asyncio.Event(), self._process.sentinel
        loop.add_reader(sentinel, ended.set)
        try:
            await ended.wait()
        finally:
            loop.remove_reader(sentinel)
        self._process.join()
        assert self._process.exitcode is not None, "it has ended"
        return self._process.exitcode


async def fork(*arguments: str, log: Path, **environment: str) -> Forked:
    """`quizmill ARGUMENTS` with its output in `log`."""
    process = _context().Process(target=_run, args=(arguments, environment, str(log)), daemon=True)
    process.start()
    return Forked(process)


def _context() -> ForkServerContext:
    context = multiprocessing.get_context("forkserver")
    context.set_forkserver_preload(PRELOADED)
    return context


def _run(arguments: tuple[str, ...], environment: dict[str, str], log: str) -> None:
    descriptor = os.open(log, os.O_WRONLY | os.O_APPEND | os.O_CREAT, 0o600)
    os.dup2(descriptor, 1)
    os.dup2(descriptor, 2)
    os.environ.update(environment)
    sys.argv = ["quizmill", *arguments]
    from service.cli.main import run  # noqa: PLC0415 # the parent of the tests' processes has it loaded already

    run()
