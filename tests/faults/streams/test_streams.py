"""A short run under fire; `make soak` has a thousand clients."""

import sys
from functools import partial
from pathlib import Path

import pytest

from tests.faults import sites
from tests.faults.streams import fire
from tests.faults.streams.blows import Blow
from tests.faults.streams.fire import Plan
from tests.faults.streams.relay import Fate

PLAN = Plan(
    clients=60,
    seconds=14,
    seed=11,
    generations=3,
    modules=3,
    question_seconds=0.2,
    pause_seconds_max=1.2,
    bytes_max=12_000,
)
BLOWS = set(Blow) - {Blow.POSTGRES_KILLED}


@pytest.mark.timeout(300)
async def test_no_client_misses_anything_while_processes_die_and_connections_are_cut(tmp_path: Path) -> None:
    sys.stdout.write(f"{PLAN}\n")
    outcome = await fire.run(PLAN, partial(sites.swift, services=2), tmp_path)
    assert outcome.problems == ()
    assert set(outcome.blows) == BLOWS
    assert set(outcome.fates) == set(Fate) - {Fate.SPARED}
    assert outcome.broken_off > 0
    assert outcome.tally.farewells > 0
    assert outcome.tally.told_no_more > 0
    assert outcome.tally.events > PLAN.clients * 50
