"""A run: orders go on, a crowd follows them through the relay, blows fall; then all is compared with SQL."""

import asyncio
import random
import signal
from collections import Counter
from collections.abc import Callable
from contextlib import AbstractAsyncContextManager
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import Any

from tests.faults import proof
from tests.faults.load import Load
from tests.faults.proof import Proof
from tests.faults.sites import Site
from tests.faults.streams.blows import Blow, Blows
from tests.faults.streams.findings import Findings, Wrong
from tests.faults.streams.follower import Follower, Manner, Tally
from tests.faults.streams.logs import Log, compare
from tests.faults.streams.relay import Fate, Relay
from tests.journeys.orders import module
from tests.messages_api import MessagesApi

LEASE_SECONDS = 3.0
FINISH_SECONDS_MAX = 240.0
END_SECONDS_MAX = 90.0
LOOK_SECONDS = 0.05
ARRIVAL_SECONDS_MAX = 5.0
"""They come one after the other, into the middle of logs."""

CHAPTER = Path(__file__).parents[2] / "fixtures" / "photosynthesis.md"
TARGETS = {"multiple_choice": 4, "true_false": 4, "fill_in_blank": 3, "short_answer": 3}

Place = Callable[[Path, dict[str, str]], AbstractAsyncContextManager[Site]]


@dataclass(frozen=True)
class Plan:
    """`bytes_max`: how much of an answer the relay lets pass before it cuts. `pause_seconds_max`: between two blows."""

    clients: int
    seconds: float
    seed: int
    generations: int
    modules: int
    question_seconds: float
    pause_seconds_max: float
    bytes_max: int


@dataclass(frozen=True)
class Outcome:
    tally: Tally
    followers: int
    fates: Counter[Fate]
    broken_off: int
    untaken: int
    blows: Counter[Blow]
    findings: Findings
    proof: Proof
    log_events: int

    @property
    def problems(self) -> tuple[str, ...]:
        return (*self.findings.lines(), *self.proof.problems)

    def figures(self) -> dict[str, Any]:
        return {
            "followers": self.followers,
            "generations": self.proof.generations,
            "events_in_logs": self.log_events,
            **asdict(self.tally),
            "broken_off_by_a_service": self.broken_off,
            "taken_by_no_service": self.untaken,
            "cuts": self.fates.total(),
            **{f"cuts_{fate}": self.fates[fate] for fate in Fate if fate is not Fate.SPARED},
            "blows": self.blows.total(),
            **{f"{blow}": self.blows[blow] for blow in Blow},
            **{f"findings_{wrong}": self.findings.counts[wrong] for wrong in Wrong},
            "problems": self.problems,
        }


async def run(plan: Plan, place: Place, directory: Path) -> Outcome:
    environment = {"QUIZMILL_LEASE_SECONDS": str(LEASE_SECONDS), "ANTHROPIC_API_KEY": "test-key"}
    findings, tally = Findings(), Tally()
    async with MessagesApi(question_seconds=plan.question_seconds) as api:
        environment["ANTHROPIC_BASE_URL"] = api.base_url
        async with (
            place(directory, environment) as site,
            Relay(site.fleet.ports, seed=plan.seed, bytes_max=plan.bytes_max) as relay,
        ):
            load = Load(site.fleet.url, plan.generations, modules(plan.modules))
            crowd = Crowd(plan, relay, load, tally, findings)
            blows = Blows(site, plan.seed)
            await under(blows, plan)
            await load.finish(within_seconds=FINISH_SECONDS_MAX)
            await crowd.finish(within_seconds=END_SECONDS_MAX)
            lengths = await compare(site.database, list(crowd.logs.values()), findings)
            crowd.check_ends(lengths)
            check_processes(site, blows, findings)
            found = await proof.examine(site.database, load.witnesses, api.requests, None)
    return Outcome(
        tally=tally,
        followers=len(crowd.followers),
        fates=relay.met,
        broken_off=relay.lost,
        untaken=relay.nobody,
        blows=blows.dealt,
        findings=findings,
        proof=found,
        log_events=sum(lengths.values()),
    )


async def under(blows: Blows, plan: Plan) -> None:
    raining = asyncio.create_task(blows.rain(plan.pause_seconds_max))
    await asyncio.wait([raining], timeout=plan.seconds)
    raining.cancel()
    [ended] = await asyncio.gather(raining, return_exceptions=True)
    if not isinstance(ended, asyncio.CancelledError):
        raise ended


def modules(count: int) -> list[dict[str, Any]]:
    """Parts of a chapter, each with a batch of every type."""
    paragraphs = [text for text in CHAPTER.read_text(encoding="utf-8").split("\n\n") if text.endswith(".")]
    parts = ["\n\n".join(paragraphs[number::count]) for number in range(count)]
    return [module(f"Part {number}", *TARGETS.items(), text=text) for number, text in enumerate(parts, start=1)]


class Crowd:
    """So many clients at any time, each of which follows one generation after the other."""

    def __init__(self, plan: Plan, relay: Relay, load: Load, tally: Tally, findings: Findings) -> None:
        self.logs: dict[str, Log] = {}
        self.followers: list[Follower] = []
        self._relay = relay
        self._load = load
        self._tally = tally
        self._findings = findings
        self._is_enough = False
        self._members = [
            asyncio.create_task(self._be_member(random.Random(f"{plan.seed} client {number}")))
            for number in range(plan.clients)
        ]

    async def finish(self, *, within_seconds: float) -> None:
        """Follow nothing new; returns when all have heard the end, or have had the time to."""
        self._is_enough = True
        await asyncio.wait(self._members, timeout=within_seconds)
        for member in self._members:
            member.cancel()
        for ended in await asyncio.gather(*self._members, return_exceptions=True):
            if isinstance(ended, Exception):
                raise ended

    def check_ends(self, lengths: dict[str, int]) -> None:
        for follower in self.followers:
            if not follower.is_done or follower.seen != lengths[follower.log.generation_id]:
                follower.found(Wrong.NO_END, f"of {lengths[follower.log.generation_id]}")

    async def _be_member(self, chance: random.Random) -> None:
        while not self._is_enough:
            await asyncio.sleep(chance.uniform(0, ARRIVAL_SECONDS_MAX))
            log = await self._chosen(chance)
            if log is None:
                return
            follower = Follower(self._relay.address, log, Manner.drawn(chance), self._tally, self._findings)
            self.followers.append(follower)
            await follower.follow(chance)

    async def _chosen(self, chance: random.Random) -> Log | None:
        """That of a generation that runs, once there is one."""
        while not self._is_enough:
            running = [witness.generation_id for witness in self._load.witnesses if not witness.has_ended]
            if running:
                generation_id = chance.choice(running)
                return self.logs.setdefault(generation_id, Log(generation_id))
            await asyncio.sleep(LOOK_SECONDS)
        return None


def check_processes(site: Site, blows: Blows, findings: Findings) -> None:
    """None has ended but by a blow. Who is told to stop before it has begun does so without a word; who finds no
    database when it begins ends with 1.
    """
    expected = {-signal.SIGKILL, -signal.SIGTERM, 0} | ({1} if blows.dealt[Blow.POSTGRES_KILLED] else set())
    for name, keeper in site.fleet.keepers.items():
        for code in set(keeper.codes) - expected:
            findings.add(Wrong.PROCESS, f"{name} ended with {code}")
