"""The benchmark's scenarios of faults, small: all is saved, and few calls are made in vain. Only counts count."""

from pathlib import Path

import pytest

from bench.simulator import scenario, tally
from bench.simulator.scenario import MIXED, Fault, Outage, Scenario, Script
from tests.journeys import simulated
from tests.journeys.simulated import CALLS

HEDGE_SHARE_MAX = 0.05

of_workers = pytest.mark.parametrize("workers", [1, 3], ids=["one worker", "three workers"])


@of_workers
async def test_a_few_faults_of_mixed_kinds_cost_no_more_than_the_calls_that_met_them(
    tmp_path: Path, workers: int
) -> None:
    planned = scenario.named("faults_5", seed=322)
    ran = await simulated.run(tmp_path, planned, simulated.wanted(), workers=workers)
    simulated.assert_all_saved(ran)
    assert ran.met(*MIXED) >= 4, "the seed was chosen for them"


@of_workers
async def test_when_a_third_of_the_calls_fails_all_is_saved_all_the_same(tmp_path: Path, workers: int) -> None:
    planned = scenario.named("faults_30", seed=2487)
    ran = await simulated.run(tmp_path, planned, simulated.wanted(), workers=workers)
    simulated.assert_all_saved(ran)
    assert set(ran.stats.outcomes) >= set(MIXED), "the seed was chosen for them"


@pytest.mark.parametrize(("workers", "is_refusing"), [(1, True), (3, False)], ids=["one worker", "three workers"])
async def test_a_provider_that_is_down_costs_few_calls_and_no_attempt(
    tmp_path: Path, workers: int, is_refusing: bool
) -> None:
    planned = Scenario(outage=Outage(start_seconds=0.1, seconds=1.2, is_refusing=is_refusing))
    ran = await simulated.run(tmp_path, planned, simulated.wanted(), workers=workers)
    simulated.assert_all_saved(ran)
    assert 0 < ran.met(tally.OUTAGE) <= CALLS, "each call by itself would try more than once"


async def test_a_call_that_never_ends_is_hedged_by_one_that_is_marked(tmp_path: Path) -> None:
    # The last one is ordered alone: of calls that end at the same moment another one's batch may spend the hedge.
    *others, last = simulated.wanted()
    planned = Scenario(scripts=(Script(f"{last.module.name}|{last.question_type}", Fault.STALL, times=1),))
    ran = await simulated.run(tmp_path, planned, others, [last], workers=1, silence_seconds=20, hedge=True)
    simulated.assert_all_saved(ran)
    assert ran.stats.outcomes == {tally.GOOD: CALLS, Fault.STALL: 1}
    assert 0 < ran.hedges <= HEDGE_SHARE_MAX * CALLS
