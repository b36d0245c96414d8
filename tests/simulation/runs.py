"""Many seeds on several processors."""

import gc
import os
from collections.abc import Sequence
from concurrent.futures import ProcessPoolExecutor
from multiprocessing import get_context

from tests.simulation.scenario import Outcome, collect, simulate

CHUNK = 10


def run(seeds: Sequence[int], *, processes: int, failed_max: int) -> list[Outcome]:
    """The outcomes in the order of the seeds. After `failed_max` that failed the rest is let be."""
    chunks = [seeds[first : first + CHUNK] for first in range(0, len(seeds), CHUNK)]
    outcomes: list[Outcome] = []
    # Fresh interpreters: what the caller has patched, opened or started must not be in the seeds.
    with ProcessPoolExecutor(processes, mp_context=get_context("spawn"), initializer=_begin) as pool:
        for some in pool.map(_run, chunks):
            outcomes += some
            if sum(bool(outcome.problems) for outcome in outcomes) >= failed_max:
                pool.shutdown(cancel_futures=True)
                break
    return outcomes


def _begin() -> None:
    """Modules and what SQLAlchemy compiles for the first seed are not looked through again with every collection.

    Seeds know no real time, so they leave the processors to tests that wait for something.
    """
    os.nice(10)
    gc.disable()
    simulate(0)
    collect()
    gc.freeze()


def _run(seeds: Sequence[int]) -> list[Outcome]:
    outcomes = [simulate(seed) for seed in seeds]
    collect()
    return outcomes
