"""A short run of random kills; `make soak` does 200 of each kind."""

import random
import sys
from pathlib import Path

from tests.faults import kills, sites
from tests.faults.sites import Kind

SEED = 7
KINDS = [Kind.WORKER] * 5 + [Kind.VALKEY] * 2 + [Kind.SERVICE] * 2
LEASE_SECONDS = 3.0
AGAIN_SECONDS_MAX = 25.0


async def test_nothing_is_lost_by_nine_kills_of_real_processes(tmp_path: Path) -> None:
    kinds = random.Random(SEED).sample(KINDS, len(KINDS))
    sys.stdout.write(f"seed {SEED}: {', '.join(kinds)}\n")
    outcome = await kills.run(kinds, sites.swift, seed=SEED, lease_seconds=LEASE_SECONDS, directory=tmp_path)
    assert outcome.proof.problems == ()
    assert outcome.proof.failed_batches == 0
    assert outcome.proof.acknowledged > 0
    assert len(outcome.strikes) == len(KINDS)
    assert max(outcome.again_seconds) < AGAIN_SECONDS_MAX
