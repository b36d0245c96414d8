"""The benchmark's scenarios of limits, small: they are kept, and nothing is asked for in vain. Only counts count."""

from pathlib import Path

import pytest

from bench.simulator import scenario, tally
from bench.simulator.scenario import Limit, Scenario
from tests.journeys import simulated
from tests.journeys.simulated import CALLS, Ran

LIMITED_SHARE_MAX = 0.02

of_workers = pytest.mark.parametrize("workers", [1, 3], ids=["one worker", "three workers"])


@of_workers
async def test_without_limits_each_call_is_made_once_and_no_more_at_a_time_than_set(
    tmp_path: Path, workers: int
) -> None:
    planned = scenario.named("no_limit", seed=1)
    # So slow that more would be in flight if they were let.
    ran = await simulated.run(tmp_path, planned, simulated.wanted(), workers=workers, time_scale=1.0)
    simulated.assert_all_saved(ran)
    assert ran.stats.outcomes == {tally.GOOD: CALLS}


@of_workers
async def test_a_limit_of_requests_is_kept_without_running_into_it(tmp_path: Path, workers: int) -> None:
    planned = Scenario(requests=Limit(400, 5))
    ran = await simulated.run(tmp_path, planned, simulated.wanted(), workers=workers)
    simulated.assert_all_saved(ran)
    assert ran.stats.requests > planned.requests.burst, "some had to wait"
    assert_hardly_limited(ran)


@of_workers
async def test_limits_of_tokens_are_kept_without_running_into_them(tmp_path: Path, workers: int) -> None:
    planned = Scenario(input_tokens=Limit(240_000, 8_000), output_tokens=Limit(100_000, 2_000))
    ran = await simulated.run(tmp_path, planned, simulated.wanted(), workers=workers)
    simulated.assert_all_saved(ran)
    assert ran.stats.input_tokens > planned.input_tokens.burst, "some had to wait"
    assert ran.stats.output_tokens > planned.output_tokens.burst, "some had to wait"
    assert_hardly_limited(ran)


def assert_hardly_limited(ran: Ran) -> None:
    # Of so few calls, two may come too early on a machine that does not keep their times.
    assert ran.met(tally.RATE_LIMITED) <= max(2, LIMITED_SHARE_MAX * CALLS)
