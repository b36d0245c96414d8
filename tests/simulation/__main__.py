"""`python -m tests.simulation --seeds 0:2000` runs a range of seeds; `--show 17` replays one, step by step."""

# ruff: noqa: T201 # it prints

import argparse
import sys
import time

from tests.simulation.runs import run
from tests.simulation.scenario import simulate

PROCESSES = 2
FAILED_MAX = 5


def main() -> int:
    parser = argparse.ArgumentParser(prog="python -m tests.simulation")
    parser.add_argument("--seeds", default="0:2000", help="FIRST:END, without END")
    parser.add_argument("--processes", type=int, default=PROCESSES)
    parser.add_argument("--show", type=int, metavar="SEED", help="replay one seed and print every step")
    options = parser.parse_args()
    if options.show is not None:
        problems = simulate(options.show, is_loud=True).problems
        print(*problems, sep="\n")
        return bool(problems)
    first, _, end = options.seeds.partition(":")
    return _report(range(int(first), int(end)), options.processes)


def _report(seeds: range, processes: int) -> int:
    started = time.perf_counter()
    outcomes = run(seeds, processes=processes, failed_max=FAILED_MAX)
    seconds = time.perf_counter() - started
    failed = [outcome for outcome in outcomes if outcome.problems]
    for outcome in failed:
        print(f"seed {outcome.seed}: {'; '.join(outcome.problems)}")
    print(
        f"{len(outcomes)} seeds in {seconds:.0f} s ({len(outcomes) / seconds:.1f} per second):"
        f" {sum(outcome.seconds for outcome in outcomes) / 3600:.1f} virtual hours,"
        f" {sum(outcome.calls for outcome in outcomes)} calls,"
        f" {sum(outcome.held for outcome in outcomes)} acknowledged questions, {len(failed)} seeds failed"
    )
    if failed:
        print(f"replay with: python -m tests.simulation --show {failed[0].seed}")
    return bool(failed)


if __name__ == "__main__":
    sys.exit(main())
