"""Runs the load client (client.c) and the publisher, and puts what both have seen together."""

import asyncio
import json
import os
import shutil
import subprocess
import sys
from asyncio.subprocess import PIPE, Process, create_subprocess_exec
from collections.abc import AsyncIterator, Mapping, Sequence
from contextlib import asynccontextmanager
from pathlib import Path

import numpy as np
from numpy.typing import NDArray

from bench.streaming import cores
from bench.streaming.publisher import Order
from schemas.base import Frozen

SOURCE = Path(__file__).parent / "client.c"
RECORD = np.dtype([("client", "<u4"), ("seq", "<u4"), ("nanoseconds", "<i8")])


class Seen(Frozen):
    """What the clients say; without the one that stops reading, except for when it was cut (0: it was not)."""

    deliveries: int
    least: int
    most: int
    missing: int
    duplicates: int
    reordered: int
    unexpected: int
    wrong_ids: int
    refused: int
    closed_early: int
    still_open: int
    ready_seconds: float
    done_seconds: float
    cut_nanoseconds: int

    @property
    def faults(self) -> int:
        wrong = self.missing + self.duplicates + self.reordered + self.unexpected + self.wrong_ids
        return wrong + self.refused + self.closed_early


def compiled(directory: Path) -> Path:
    """Raises SystemExit when there is no C compiler."""
    compiler = shutil.which("cc")
    if compiler is None:
        raise SystemExit("the load client is written in C: install a C compiler (`apt install gcc`), then run again")
    program = directory / "client"
    subprocess.run([compiler, "-O2", "-Wall", "-Wextra", "-Werror", "-o", program, SOURCE], check=True)
    return program


class Clients:
    """A running load client."""

    def __init__(self, process: Process, received: Path) -> None:
        self._process = process
        self._received = received
        self.ready_seconds = 0.0
        self.stalled_port = 0

    async def ready(self) -> None:
        _, seconds, port = (await self._line("ready")).split()
        self.ready_seconds, self.stalled_port = float(seconds), int(port)

    async def done(self) -> None:
        """Each client has the last event."""
        await self._line("done")

    async def _line(self, wanted: str) -> str:
        assert self._process.stdout is not None, "stdout is a pipe"
        line = (await self._process.stdout.readline()).decode()
        assert line.startswith(wanted), f"instead of {wanted} the load client said: {line}"
        return line

    async def leave(self) -> Seen:
        """Close all connections."""
        assert self._process.stdin is not None, "stdin is a pipe"
        self._process.stdin.close()
        return await self.ended()

    async def ended(self) -> Seen:
        """Once all connections have ended."""
        assert self._process.stdout is not None, "stdout is a pipe"
        told = await self._process.stdout.read()
        assert await self._process.wait() == 0, "the load client failed"
        return Seen.model_validate_json(told.splitlines()[-1])

    def received(self) -> NDArray[np.void]:
        return np.fromfile(self._received, RECORD)


@asynccontextmanager
async def clients(
    program: Path, received: Path, options: Mapping[str, object], *, progress: int | None
) -> AsyncIterator[Clients]:
    """Connects at once; `options` are those of client.c."""
    given = {**options, "received": received, **({} if progress is None else {"progress": progress})}
    with cores.on(cores.LOAD):
        process = await create_subprocess_exec(
            program,
            *(f"{name}={value}" for name, value in given.items()),
            stdin=PIPE,
            stdout=PIPE,
            pass_fds=() if progress is None else (progress,),
        )
    try:
        yield Clients(process, received)
    finally:
        await _ended(process)


class Publisher:
    """A running publisher that waits for its start."""

    def __init__(self, process: Process, progress: int) -> None:
        self._process = process
        self.progress = progress
        """Where the clients tell how far they are."""

    async def ready(self) -> None:
        assert self._process.stdout is not None, "stdout is a pipe"
        line = await self._process.stdout.readline()
        assert line == b"ready\n", f"the publisher said: {line!r}"

    def go(self) -> None:
        os.write(self.progress, b"go\n")

    async def told_at(self) -> Sequence[tuple[int, int]]:
        """When it was begun to tell events up to which: once all is published."""
        told, _ = await self._process.communicate()
        assert self._process.returncode == 0, "the publisher failed"
        return [(int(seq), int(nanoseconds)) for seq, nanoseconds in json.loads(told)]


@asynccontextmanager
async def publisher(order: Order) -> AsyncIterator[Publisher]:
    reading, writing = os.pipe()
    with cores.on(cores.LOAD):
        process = await create_subprocess_exec(
            sys.executable, "-m", "bench.streaming.publisher", order.model_dump_json(), stdin=reading, stdout=PIPE
        )
    try:
        yield Publisher(process, writing)
    finally:
        # Open until now: clients still tell how far they are when the publisher has ended.
        os.close(reading)
        os.close(writing)
        await _ended(process)


async def _ended(process: Process) -> None:
    if process.returncode is None:
        process.kill()
    await asyncio.shield(process.wait())


def latencies_ms(
    received: NDArray[np.void], told_at: Sequence[tuple[int, int]], *, without: int | None = None
) -> NDArray[np.float64]:
    """Of each delivery, since it was begun to tell the server of it. `without`: a client that does not count."""
    kept = received if without is None else received[received["client"] != without]
    lasts = np.array([last for last, _ in told_at])
    moments = np.array([nanoseconds for _, nanoseconds in told_at])
    waits: NDArray[np.float64] = (kept["nanoseconds"] - moments[np.searchsorted(lasts, kept["seq"])]) / 1e6
    return waits
