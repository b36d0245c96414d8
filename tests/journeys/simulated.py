"""A whole Quizmill whose workers ask the benchmark's simulated provider, all in the test's own loop."""

import math
from collections import Counter
from collections.abc import AsyncIterator, Sequence
from contextlib import asynccontextmanager
from dataclasses import dataclass, replace
from functools import partial
from pathlib import Path
from typing import Any

import sqlalchemy as sa

from bench.simulator import bodies, modules, server, tally
from bench.simulator.bodies import Wanted
from bench.simulator.modules import Module
from bench.simulator.provider import Provider as Simulator
from bench.simulator.scenario import Fault, Scenario
from bench.simulator.tally import Spent, Stats
from jobs.providers.anthropic import AnthropicProvider
from service.settings import Settings
from service.store import tables
from tests.conftest import fake_clients
from tests.system import System
from tests.workbench import eventually

CALLS, QUESTIONS = 20, 3
CALLS_MAX = 4
FACTS_PER_MODULE = 16
TIME_SCALE = 0.2
SILENCE_SECONDS = 1.2
EXTRA_SHARE_MAX = 0.05
PROMPT_TOKENS_MAX = 2_000
CUT_OUTPUT_TOKENS = 10
"""What may be wrong with the output of a call that did not end well: nobody has told it."""


@dataclass(frozen=True)
class Ran:
    """What a client has in the end, and what the provider has seen. `admitted`: the calls it did not turn away."""

    generations: Sequence[Any]
    questions: Sequence[Any]
    hedges: int
    stats: Stats
    admitted: Sequence[Spent]

    @property
    def batches(self) -> Sequence[Any]:
        """Each needs one call when nothing goes wrong."""
        return [batch for generation in self.generations for batch in generation["batches"]]

    @property
    def extra(self) -> int:
        """Calls for which there was no reason."""
        return self.stats.requests - len(self.batches) - self.met(tally.RATE_LIMITED, tally.OUTAGE, *Fault)

    def met(self, *outcomes: str) -> int:
        """How many calls ended so."""
        return sum(self.stats.outcomes.get(outcome, 0) for outcome in outcomes)

    def used(self, kind: str) -> int:
        """Of all generations, by the names of their `usage`."""
        return sum(generation["usage"][kind] for generation in self.generations)

    def wasted(self) -> Counter[str]:
        """Calls by the reason why they were in vain."""
        waste = [waste for generation in self.generations for waste in generation["usage"]["waste"]]
        return sum((Counter({row["reason"]: row["calls"]}) for row in waste), Counter())


async def run(
    directory: Path,
    planned: Scenario,
    *orders: Sequence[Wanted],
    workers: int,
    time_scale: float = TIME_SCALE,
    silence_seconds: float = SILENCE_SECONDS,
    hedge: bool = False,
) -> Ran:
    """One order after the other; the workers make of each what they can, and everything is sound afterwards."""
    settings = Settings(
        data_dir=directory,
        database_url=f"sqlite+aiosqlite:///{directory / 'quizmill.db'}",
        port=0,
        provider="offline",
        # So that each worker has its share of the batches, and all batches are in hand.
        batches_per_worker=math.ceil(max(map(len, orders)) / workers),
        llm_calls_max=CALLS_MAX,
        hedge=hedge,
    )
    async with _simulating(replace(planned, time_scale=time_scale)) as (simulator, base_url):
        provider = partial(
            AnthropicProvider,
            api_key="test-key",
            base_url=base_url,
            model=bodies.MODEL,
            llm_timeout_seconds=20,
            silence_seconds=silence_seconds,
        )
        system = System(settings, fake_clients(), provider)
        await system.start()
        try:
            for _ in range(workers):
                system.add_worker()
            generations = [await _generated(system, calls) for calls in orders]
            return await _looked_at(system, simulator, generations)
        finally:
            await system.stop()


def wanted() -> Sequence[Wanted]:
    """As the benchmark orders: one batch of each type about each module."""
    return bodies.wanted(modules.write(1, CALLS // len(bodies.TYPES), FACTS_PER_MODULE), CALLS, QUESTIONS)


def assert_all_saved(ran: Ran) -> None:
    """Nothing is lost or there twice, no attempt and hardly a call was in vain, and the provider's count agrees."""
    assert {generation["status"] for generation in ran.generations} == {"completed"}
    assert {(batch["status"], batch["attempts"]) for batch in ran.batches} == {("completed", 1)}
    assert {batch["saved_count"] for batch in ran.batches} == {QUESTIONS}
    assert len(ran.batches) == CALLS
    # The simulator has one question of a type about a sentence.
    asked = {(question["question_type"], question["evidence"]["quote"]) for question in ran.questions}
    assert len(asked) == len(ran.questions) == CALLS * QUESTIONS
    assert (ran.stats.keys_complete, ran.stats.duplicate_calls, ran.stats.sdk_retries) == (CALLS, 0, 0)
    assert ran.stats.in_flight_max <= CALLS_MAX
    assert ran.extra <= max(1, EXTRA_SHARE_MAX * CALLS)
    _assert_counted_alike(ran)


@asynccontextmanager
async def _simulating(planned: Scenario) -> AsyncIterator[tuple[Simulator, str]]:
    simulator = Simulator(planned)
    listening = await server.serve(simulator, 0)
    try:
        yield simulator, f"http://127.0.0.1:{listening.sockets[0].getsockname()[1]}"
    finally:
        listening.close()


async def _generated(system: System, calls: Sequence[Wanted]) -> Any:
    """The generation when it has ended. One batch is ordered for each call."""
    batches: dict[Module, list[dict[str, Any]]] = {}
    for call in calls:
        batches.setdefault(call.module, []).append({"question_type": call.question_type, "target_count": call.count})
    given = [{"name": module.name, "text": module.text, "batches": own} for module, own in batches.items()]
    ordered = await system.order(given)
    return await system.ended(ordered["id"])


async def _looked_at(system: System, simulator: Simulator, generations: Sequence[Any]) -> Ran:
    await system.assert_sound()
    questions: list[Any] = []
    for generation in generations:
        page = await system.get(f"/api/generations/{generation['id']}/questions", limit="100")
        assert page["next_cursor"] is None, "one page holds them all"
        questions += page["items"]
    async with system.database.read() as tx:
        hedges = (await tx.execute(sa.select(sa.func.count()).where(tables.calls.c.is_hedge))).scalar_one()
    counted = simulator.account.tally
    # The provider may hear of a connection's end after the client.
    await eventually(lambda: counted.in_flight == 0)
    return Ran(generations, questions, hedges, counted.stats(), tuple(counted.calls))


def _assert_counted_alike(ran: Ran) -> None:
    """Calls exactly; tokens too, but for calls that broke before the provider told what they had used."""
    wasted = ran.wasted()
    assert ran.used("llm_calls") == ran.stats.requests
    assert ran.used("wasted_calls") == wasted.total() == ran.stats.wasted_calls
    assert wasted["provider_rate_limited"] == ran.met(tally.RATE_LIMITED)
    cut = len(ran.admitted) - ran.met(tally.GOOD)
    for kind in ("input_tokens", "cache_read_tokens"):
        assert 0 <= getattr(ran.stats, kind) - ran.used(kind) <= cut * PROMPT_TOKENS_MAX
    assert abs(ran.stats.output_tokens - ran.used("output_tokens")) <= cut * CUT_OUTPUT_TOKENS
