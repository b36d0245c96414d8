"""One run of a peer in its own process: `python -m bench.contenders.peer NAME`, work on stdin, answers on stdout.

Imports nothing of Quizmill, so that a peer may live in a Python environment of its own.
"""

import asyncio
import contextlib
import importlib
import json
import resource
import sys
import time
from collections import Counter
from collections.abc import Awaitable, Callable, Sequence
from dataclasses import dataclass
from typing import Any

Body = dict[str, Any]
Ask = Callable[[Sequence[Body]], Awaitable[list[str | BaseException]]]
"""Asks for all; the texts of the answers, or why there is none, in the same order."""

Note = Callable[[], None]
"""To be called when an answer has come."""


@dataclass(frozen=True)
class Setup:
    """How a peer is to be used."""

    base_url: str
    in_flight_max: int
    timeout_seconds: float
    limits: dict[str, int]
    """`requests`, `input_tokens`, `output_tokens` a minute, for those that want to be told."""
    note: Note


def main() -> None:
    given = json.load(sys.stdin)
    moments: list[float] = []
    setup = Setup(note=lambda: moments.append(time.perf_counter()), **given["setup"])
    # What a library prints is none of the answer.
    with contextlib.redirect_stdout(sys.stderr):
        peer = importlib.import_module(f"bench.contenders.{sys.argv[1]}")
        report = asyncio.run(_measured(peer.prepared(setup), given["bodies"], moments))
    print(json.dumps(report))


async def _measured(ask: Ask, bodies: Sequence[Body], moments: list[float]) -> dict[str, object]:
    cpu_begun, begun = time.process_time(), time.perf_counter()
    outcomes = await ask(bodies)
    ended, cpu_ended = time.perf_counter(), time.process_time()
    return {
        "wall_seconds": ended - begun,
        "first_seconds": min(moments, default=ended) - begun,
        "cpu_seconds": cpu_ended - cpu_begun,
        "peak_rss_mb": resource.getrusage(resource.RUSAGE_SELF).ru_maxrss / 1000,
        "answers": [outcome if isinstance(outcome, str) else None for outcome in outcomes],
        "errors": Counter(type(outcome).__name__ for outcome in outcomes if not isinstance(outcome, str)),
    }


async def each(
    bodies: Sequence[Body], setup: Setup, ask: Callable[[Body], Awaitable[str]]
) -> list[str | BaseException]:
    """All at once, behind a semaphore: what everyone writes first."""
    gate = asyncio.Semaphore(setup.in_flight_max)

    async def one(body: Body) -> str:
        async with gate:
            text = await ask(body)
        setup.note()
        return text

    return await asyncio.gather(*map(one, bodies), return_exceptions=True)


if __name__ == "__main__":
    main()
