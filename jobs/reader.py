"""Reads a file in a process of its own (jobs/reader_child.py), so that no file can harm the worker."""

import asyncio
import json
import os
import signal
import sys
from asyncio.subprocess import PIPE, Process
from collections.abc import Callable, Mapping
from typing import Final

from jobs.formats.base import NoText, UnreadableMaterial
from schemas.base import Frozen
from schemas.materials import Reading
from service.errors import QuizmillError

OUTCOME_BYTES_MAX: Final = 256 * 1024 * 1024
LAST_WORDS_BYTES: Final = 4096
PATIENCE_SECONDS: Final = 5
"""The process ends itself when its time is over; after so much more it is ended."""

OUT_OF_TIME: Final = frozenset({signal.SIGXCPU, signal.SIGALRM, signal.SIGKILL})


class ReaderBroken(QuizmillError):
    """The process ended in a way that nobody foresaw."""


class Limits(Frozen):
    """What the reading of one file may take."""

    memory_bytes: int = 1024 * 1024 * 1024
    cpu_seconds: int = 60
    wall_seconds: int = 180


async def read(
    name: str,
    content: bytes,
    *,
    tell: Callable[[int, int], None],
    can_see: bool = False,
    seen: Mapping[str, str] | None = None,
    limits: Limits = Limits(),  # noqa: B008 # it is frozen
) -> Reading:
    """`tell` is called with the page and their number now and then. Raises UnreadableMaterial, ReaderBroken."""
    arguments = map(str, (limits.memory_bytes, limits.cpu_seconds, limits.wall_seconds))
    command = (sys.executable, "-m", "jobs.reader_child", *arguments)
    process = await asyncio.create_subprocess_exec(
        *command, stdin=PIPE, stdout=PIPE, stderr=PIPE, env=_environment(), start_new_session=True
    )
    order = json.dumps({"name": name, "can_see": can_see, "seen": seen}).encode()
    try:
        async with asyncio.timeout(limits.wall_seconds + PATIENCE_SECONDS):
            _, outcome, words = await asyncio.gather(
                _feed(process, order + b"\n" + content), _listen(process, tell), _last_words(process)
            )
            await process.wait()
    except TimeoutError:
        raise UnreadableMaterial(f"{name} can't be read: it takes too long") from None
    finally:
        await _end(process)
    if outcome is None:
        raise _death(name, process.returncode, words)
    return await asyncio.to_thread(_reading, outcome)  # long texts take long to parse


def _environment() -> dict[str, str]:
    """The same code, and nothing else that this process knows."""
    return {
        "PATH": os.defpath,
        "PYTHONPATH": os.pathsep.join(filter(None, sys.path)),
        "PYTHONSAFEPATH": "1",
        "PYTHONDONTWRITEBYTECODE": "1",
    }


async def _feed(process: Process, order: bytes) -> None:
    assert process.stdin is not None, "it is a pipe"
    try:
        process.stdin.write(order)
        await process.stdin.drain()
        process.stdin.close()
        await process.stdin.wait_closed()
    except (BrokenPipeError, ConnectionResetError):
        return  # it died; what it said before tells why


async def _listen(process: Process, tell: Callable[[int, int], None]) -> bytes | None:
    """Its outcome; None when it ends without one."""
    assert process.stdout is not None, "it is a pipe"
    while line := await process.stdout.readline():
        told = json.loads(line)
        if "bytes" not in told:
            tell(told["page"], told["pages"])
            continue
        if told["bytes"] > OUTCOME_BYTES_MAX:
            raise UnreadableMaterial(f"it holds more text than {OUTCOME_BYTES_MAX // (1024 * 1024)} MB")
        try:
            return await process.stdout.readexactly(told["bytes"])
        except asyncio.IncompleteReadError:
            return None
    return None


async def _last_words(process: Process) -> bytes:
    assert process.stderr is not None, "it is a pipe"
    words = b""
    while piece := await process.stderr.read(LAST_WORDS_BYTES):
        words = (words + piece)[-LAST_WORDS_BYTES:]
    return words


async def _end(process: Process) -> None:
    """However the waiting ended, nothing of it is left."""
    if process.returncode is None:
        process.kill()
    await process.wait()


def _death(name: str, code: int | None, words: bytes) -> QuizmillError:
    if code is not None and code < 0:
        if -code in OUT_OF_TIME:
            return UnreadableMaterial(f"{name} can't be read: it takes too long")
        return UnreadableMaterial(f"{name} can't be read: it is damaged, or takes more memory than a file may")
    if b"MemoryError" in words:
        return UnreadableMaterial(f"{name} can't be read: it takes more memory than a file may")
    return ReaderBroken(f"reading ended with code {code}: {words.decode(errors='replace')}")


def _reading(outcome: bytes) -> Reading:
    told = json.loads(outcome)
    if "broken" in told:
        raise ReaderBroken(told["broken"])
    if "refusal" in told:
        raise (NoText if told["has_no_text"] else UnreadableMaterial)(told["refusal"])
    return Reading.model_validate_json(outcome)
