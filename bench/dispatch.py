"""How well 1,000 questions are asked for: ours against what a user would pick, on a simulated provider.

`python -m bench.dispatch` orders 200 calls of 5 questions in each scenario from Quizmill with one worker and with
three, and from every peer that is installed (`pip install -e '.[bench]'`). Each run has a simulator and processes
of its own; starting them is not measured. The figures are medians over the seeds, of which none should be one that was
tuned on. docs/performance.md says how to read them.
"""

import argparse
import json
import statistics
import subprocess
import sys
from collections.abc import Callable, Iterator, Sequence
from functools import partial
from pathlib import Path

import httpx

from bench.contenders import ours, peers
from bench.contenders.base import CALLS, QUESTIONS, Result, work
from bench.contenders.peers import Peer
from bench.simulator import bodies, bound, children, scenario
from bench.simulator.bodies import Wanted
from bench.simulator.scenario import Scenario
from bench.simulator.tally import Stats
from schemas.base import Frozen

SCENARIOS = ("no_limit", "rpm_600", "tokens", "faults_5", "faults_30", "outage_20s")
HEDGED_SCENARIO = "faults_5"
SECONDS_MAX = 240.0

Run = Callable[[str, Sequence[Wanted], Scenario], Result]
"""One run against the simulator at the address."""


class Entry(Frozen):
    """One contender in one scenario with one seed."""

    scenario: str
    contender: str
    seed: int
    ideal_seconds: float
    result: Result
    stats: Stats

    @property
    def figures(self) -> dict[str, float]:
        outcomes = self.stats.outcomes
        turned_away = outcomes.get("rate_limited", 0) + outcomes.get("outage", 0)
        faults = sum(outcomes.get(fault, 0) for fault in scenario.Fault)
        asked = self.stats.requests - outcomes.get("other", 0)
        first = self.result.first_question_seconds
        return {
            "wall s": self.result.wall_seconds,
            "/ ideal": self.result.wall_seconds / self.ideal_seconds,
            "lost": CALLS - self.result.good_calls,
            "429s": outcomes.get("rate_limited", 0),
            "faults": faults,
            "wasted": self.stats.wasted_calls,
            "extra": max(0, asked - CALLS - turned_away - faults),
            "twice": self.stats.duplicate_calls,
            "in wasted": self.stats.input_tokens_wasted,
            "out wasted": self.stats.output_tokens_wasted,
            "first s": self.result.wall_seconds if first is None else first,
            "flight": self.stats.in_flight_max,
            "CPU s": self.result.cpu_seconds,
            "RSS MB": self.result.peak_rss_mb,
        }


DECIMALS = {"wall s": 2, "/ ideal": 2, "first s": 2, "CPU s": 1}
NOTES = """\
wall s      from the order to generation.completed at a watching client; of a peer, until its answers are complete
/ ideal     that, divided by the least time that limits and latencies allow who knows them beforehand; - if any was lost
lost        of {calls} calls, those that brought no {questions} sound questions (ours: batches that were not completed)
429s        calls turned away at a limit; faults: calls that met an injected one
wasted      calls of no use: turned away, failed, or answered for nothing; extra: those for which there was no reason
twice       calls answered well for questions that had come already; in / out wasted: tokens that were paid for nothing
first s     until the first question was held (a peer: until its first call was complete; curator returns all at once)
CPU s, RSS  of ours with web service, Valkey, workers and watched stream; of a peer its one process"""


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__.partition("\n")[0])
    parser.add_argument("--scenario", action="append", choices=SCENARIOS, help="may be repeated; default: all")
    parser.add_argument("--seeds", default="1", help="comma list, e.g. 101,102,103")
    parser.add_argument("--only", choices=["ours", "peers"])
    parser.add_argument("--workers", default="1,3", help="comma list of how many workers ours runs with")
    parser.add_argument("--peers", help=f"comma list of {', '.join(peers.NAMED)}; default: all that are installed")
    parser.add_argument("--python", action="append", default=[], metavar="PEER=PATH", help="where a peer is installed")
    parser.add_argument("--set", action="append", default=[], metavar="NAME=VALUE", help="a setting for ours")
    parser.add_argument("--json", type=Path, help="write every single run there")
    chosen = parser.parse_args()
    seeds = [int(seed) for seed in chosen.seeds.split(",")]
    entries: list[Entry] = []
    for name in chosen.scenario or SCENARIOS:
        for contender, run in contenders(chosen, name):
            entries += [measured(name, contender, seed, run) for seed in seeds]
        show(name, [entry for entry in entries if entry.scenario == name])
    print(NOTES.format(calls=CALLS, questions=QUESTIONS))
    print(f"Seeds {chosen.seeds}. Ours: {settings_line(chosen)}. Peers: {peers.TIMEOUT_SECONDS:g} s timeout a call.")
    if chosen.json:
        chosen.json.write_text(json.dumps([entry.model_dump() for entry in entries], indent=1))


def contenders(chosen: argparse.Namespace, scenario_name: str) -> Iterator[tuple[str, Run]]:
    if chosen.only != "peers":
        yield from _ours(chosen, scenario_name)
    if chosen.only != "ours":
        yield from _peers(chosen)


def _ours(chosen: argparse.Namespace, scenario_name: str) -> Iterator[tuple[str, Run]]:
    own = dict(setting.split("=", 1) for setting in chosen.set)
    for count in map(int, chosen.workers.split(",")):
        name = f"ours, {count} worker{'s' * (count > 1)}"
        settings = {**ours.settings_for(CALLS, count), **own}
        yield name, partial(run_ours, settings=settings, workers=count)
        if scenario_name == HEDGED_SCENARIO:
            hedging = {**ours.settings_for(CALLS, count, is_hedging=True), **own}
            yield f"{name}, hedging", partial(run_ours, settings=hedging, workers=count)


def run_ours(
    url: str, calls: Sequence[Wanted], _scenario: Scenario, *, settings: dict[str, str], workers: int
) -> Result:
    return ours.run(url, calls, settings, workers=workers, seconds_max=SECONDS_MAX)


def _peers(chosen: argparse.Namespace) -> Iterator[tuple[str, Run]]:
    pythons = dict(place.split("=", 1) for place in chosen.python)
    for name in chosen.peers.split(",") if chosen.peers else peers.NAMED:
        peer, python = peers.NAMED[name], pythons.get(name, sys.executable)
        if peers.is_installed(peer, python):
            yield name, partial(run_peer, peer=peer, python=python)
        else:
            print(f"(left out: {name}, {peer.package} is not installed)")


def run_peer(url: str, calls: Sequence[Wanted], planned: Scenario, *, peer: Peer, python: str) -> Result:
    try:
        return peers.run(peer, url, calls, planned, python=python, seconds_max=SECONDS_MAX)
    except subprocess.TimeoutExpired:
        return Result(
            wall_seconds=SECONDS_MAX,
            first_question_seconds=None,
            good_calls=0,
            cpu_seconds=0,
            peak_rss_mb=0,
            errors={"not in time": CALLS},
        )


def measured(scenario_name: str, contender: str, seed: int, run: Run) -> Entry:
    planned = scenario.named(scenario_name, seed=seed)
    calls = work(seed)
    with children.running("--scenario", scenario_name, "--seed", str(seed)) as url:
        result = run(url, calls, planned)
        stats = stats_of(url)
    return Entry(
        scenario=scenario_name,
        contender=contender,
        seed=seed,
        ideal_seconds=bound.ideal_seconds(planned, map(bodies.body, calls)),
        result=result,
        stats=stats,
    )


def stats_of(url: str) -> Stats:
    return Stats.model_validate(httpx.get(f"{url}/stats").raise_for_status().json())


def show(scenario_name: str, entries: Sequence[Entry]) -> None:
    """One row a contender: medians over its seeds."""
    if not entries:
        return
    names = tuple(entries[0].figures)
    ideals = sorted({entry.ideal_seconds for entry in entries})
    print(f"\n{scenario_name}: ideal {', '.join(f'{ideal:.2f}' for ideal in ideals)} s")
    print(f"{'':26}" + "".join(f"{name:>11}" for name in names) + "  lost to")
    for contender in dict.fromkeys(entry.contender for entry in entries):
        own = [entry for entry in entries if entry.contender == contender]
        medians = {name: statistics.median(entry.figures[name] for entry in own) for name in own[0].figures}
        if medians["lost"]:
            # Who leaves something out is soon done.
            del medians["/ ideal"]
        cells = (
            f"{medians[name]:>11,.{DECIMALS.get(name, 0)}f}" if name in medians else f"{'-':>11}" for name in names
        )
        print(f"{contender:26}{''.join(cells)}  {_reasons(own)}", flush=True)


def _reasons(entries: Sequence[Entry]) -> str:
    counts: dict[str, int] = {}
    for entry in entries:
        for reason, count in entry.result.errors.items():
            counts[reason] = counts.get(reason, 0) + count
    return ", ".join(f"{reason} {count}" for reason, count in counts.items())


def settings_line(chosen: argparse.Namespace) -> str:
    settings = ours.settings_for(CALLS, 1)
    settings["QUIZMILL_BATCHES_PER_WORKER"] = f"{CALLS} / workers"
    return ", ".join([*(f"{name}={value}" for name, value in settings.items()), *chosen.set])


if __name__ == "__main__":
    main()
