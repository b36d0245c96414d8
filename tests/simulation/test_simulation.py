"""Seeds of the simulation: nothing is lost, nothing is done twice, everything ends, whatever goes wrong."""

import os
import subprocess
import sys
from collections.abc import Iterator

import pytest

from tests.simulation.runs import run
from tests.simulation.scenario import collect, simulate

SEEDS_VARIABLE = "QUIZMILL_SIMULATION_SEEDS"
SEEDS_DEFAULT = "0:10000" if os.environ.get("QUIZMILL_SOAK") else "0:400"
PROCESSES = 2


@pytest.fixture(autouse=True)
def _let_go() -> Iterator[None]:
    yield
    collect()


def test_a_seed_replays_exactly() -> None:
    one, other = simulate(5), simulate(5)
    assert one == other
    assert one.calls > 0


def test_a_seed_replays_exactly_in_another_process() -> None:
    """What a process's own memory decides (hashes, addresses) plays no part."""
    script = "from tests.simulation.scenario import simulate; print(simulate(7).trace)"
    traces = {
        subprocess.run(
            [sys.executable, "-c", script],
            env={"PYTHONHASHSEED": hashing, "PATH": ""},
            capture_output=True,
            text=True,
            check=True,
        ).stdout.strip()
        for hashing in ("1", "2")
    }
    assert traces == {simulate(7).trace}


def test_different_seeds_take_different_ways() -> None:
    assert simulate(8).trace != simulate(9).trace


@pytest.mark.timeout(7200)
def test_no_seed_finds_anything() -> None:
    first, _, end = os.environ.get(SEEDS_VARIABLE, SEEDS_DEFAULT).partition(":")
    outcomes = run(range(int(first), int(end)), processes=PROCESSES, failed_max=1)
    assert [(outcome.seed, outcome.problems) for outcome in outcomes if outcome.problems] == []
    assert sum(outcome.held for outcome in outcomes) > len(outcomes), "the seeds do some work"
