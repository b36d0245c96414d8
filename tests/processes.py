"""Real `quizmill` processes, started, watched and killed by tests."""

import asyncio
import os
import signal
import sys
from asyncio.subprocess import PIPE, Process
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from pathlib import Path

READY = "Quizmill is ready at "
START_SECONDS_MAX = 30.0
STOP_SECONDS_MAX = 20.0


class Running:
    """A process of ours and all that it started."""

    def __init__(self, process: Process, url: str, log: Path) -> None:
        self.process = process
        self.url = url
        self.log = log

    @property
    def pid(self) -> int:
        return self.process.pid

    def children(self) -> list[int]:
        """Its direct children that are alive."""
        return children_of(self.pid)

    def worker(self) -> int:
        """The one worker process of an `up`."""
        [pid] = [pid for pid in self.children() if b"supervised-as" in command_of(pid)]
        return pid

    async def stop(self) -> int:
        """SIGTERM; returns the exit code."""
        self.process.send_signal(signal.SIGTERM)
        return await asyncio.wait_for(self.process.wait(), STOP_SECONDS_MAX)


@asynccontextmanager
async def quizmill(*arguments: str, log: Path, **environment: str) -> AsyncIterator[Running]:
    """A serving quizmill command; killed with all it started when the block ends, unless it has ended."""
    process = await spawn(*arguments, log=log, **environment)
    try:
        url = await asyncio.wait_for(ready(process), START_SECONDS_MAX)
        yield Running(process, url, log)
    finally:
        for pid in (*children_of(process.pid), process.pid):
            kill(pid)
        await process.wait()


async def spawn(*arguments: str, log: Path, **environment: str) -> Process:
    with log.open("ab") as file:
        return await asyncio.create_subprocess_exec(
            sys.executable,
            "-m",
            "service.cli.main",
            *arguments,
            stdout=PIPE,
            stderr=file,
            env={**os.environ, "QUIZMILL_LOG_FORMAT": "json", **environment},
        )


async def ready(process: Process) -> str:
    assert process.stdout is not None, "stdout is a pipe"
    async for line in process.stdout:
        if line.decode().startswith(READY):
            return line.decode().removeprefix(READY).strip()
    raise AssertionError(f"it ended with {await process.wait()} before it was ready")


def children_of(pid: int) -> list[int]:
    numbers = (int(entry.name) for entry in Path("/proc").iterdir() if entry.name.isdigit())
    return [number for number in numbers if parent_of(number) == pid]


def parent_of(pid: int) -> int | None:
    """None: there is no such process any more, or only its zombie."""
    try:
        fields = Path(f"/proc/{pid}/stat").read_text().rpartition(")")[2].split()
    except (FileNotFoundError, ProcessLookupError):
        return None
    return None if fields[0] == "Z" else int(fields[1])


def command_of(pid: int) -> bytes:
    return Path(f"/proc/{pid}/cmdline").read_bytes()


def kill(pid: int) -> None:
    if parent_of(pid) is not None:
        os.kill(pid, signal.SIGKILL)


async def gone(*pids: int, within_seconds: float) -> None:
    """Returns when none of them lives any more. Processes that are not ours to wait for don't tell when they end."""
    async with asyncio.timeout(within_seconds):
        while any(parent_of(pid) is not None for pid in pids):  # noqa: ASYNC110 # what is waited for is no event
            await asyncio.sleep(0.05)
