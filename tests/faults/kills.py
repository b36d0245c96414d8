"""Random kill -9 of real processes under load, and the proof that nothing was lost by them.

    python -m tests.faults.kills --kind worker --count 200 --seed 1 --database sqlite

Each kill waits until its victim has committed something since its start: a process that has done nothing proves
nothing. The report goes to test-results/.
"""

import argparse
import asyncio
import os
import random
import shutil
import signal
import sys
import tempfile
import time
from collections.abc import Callable, Sequence
from contextlib import AbstractAsyncContextManager
from dataclasses import asdict, dataclass
from datetime import UTC, datetime
from pathlib import Path
from uuid import UUID

import sqlalchemy as sa

from schemas.states import BatchState
from service.errors import Unavailable
from service.rules import progress
from service.store.database import Tx
from service.store.tables import attempts, batches, events, generations, questions
from tests.faults import proof, report
from tests.faults.load import TARGETS, Load
from tests.faults.proof import Proof
from tests.faults.sites import Kind, Site, Victim, single, spread
from tests.messages_api import MessagesApi
from tests.processes import gone

IN_FLIGHT = 4
QUESTION_SECONDS = 0.25
GATE_SECONDS_MAX = 120.0
AGAIN_SECONDS_MAX = 120.0
FINISH_SECONDS_MAX = 180.0
GONE_SECONDS_MAX = 10.0
LOOK_SECONDS = 0.05
MOMENT_SECONDS_MAX = 0.8
"""A kill falls anywhere in this time after its victim's commit."""

MEASURED = 0.5
"""Of the kills; the others show what several at once do."""

RESULTS = Path("test-results")

Place = Callable[[Path, dict[str, str]], AbstractAsyncContextManager[Site]]


@dataclass(frozen=True)
class Strike:
    """One kill, and the batches that its victims had in hand."""

    kind: Kind
    at: datetime
    batch_ids: frozenset[str]
    silent_seconds: float
    """Until the service answered."""
    is_measured: bool
    """Drawn by lot: the next kill waited until this one was made good. Others may fall into its recovery."""


@dataclass(frozen=True)
class Outcome:
    strikes: tuple[Strike, ...]
    again_seconds: tuple[float, ...]
    proof: Proof


async def run(kinds: Sequence[Kind], place: Place, *, seed: int, lease_seconds: float, directory: Path) -> Outcome:
    """Kill in this order while orders go on; returns when all that was ordered has ended."""
    environment = {"QUIZMILL_LEASE_SECONDS": str(lease_seconds), "ANTHROPIC_API_KEY": "test-key"}
    async with MessagesApi(question_seconds=QUESTION_SECONDS) as api:
        environment["ANTHROPIC_BASE_URL"] = api.base_url
        async with place(directory, environment) as site:
            load = Load(site.fleet.url, IN_FLIGHT)
            chance = random.Random(seed)
            strikes = [await strike(site, kind, chance) for kind in kinds]
            await load.finish(within_seconds=FINISH_SECONDS_MAX)
            found = await proof.examine(site.database, load.witnesses, api.requests, TARGETS)
            again = [seconds for one in strikes if one.is_measured for seconds in await again_after(site, one)]
    return Outcome(tuple(strikes), tuple(again), found)


async def strike(site: Site, kind: Kind, chance: random.Random) -> Strike:
    victims = await ripe(site, kind, chance)
    # A random moment is what this is about.
    await asyncio.sleep(chance.uniform(0, MOMENT_SECONDS_MAX))
    held = await in_hand(site, victims)
    at, before = datetime.now(UTC), time.monotonic()
    for victim in victims:
        os.kill(victim.pid, signal.SIGKILL)
    await gone(*(victim.pid for victim in victims), within_seconds=GONE_SECONDS_MAX)
    await site.revive()
    await site.fleet.serving()
    one = Strike(kind, at, held, silent_seconds=time.monotonic() - before, is_measured=chance.random() < MEASURED)
    if one.is_measured:
        async with asyncio.timeout(AGAIN_SECONDS_MAX):
            while not await is_made_good(site, one):  # noqa: ASYNC110 # those who make it good don't tell us
                await asyncio.sleep(LOOK_SECONDS)
    return one


async def ripe(site: Site, kind: Kind, chance: random.Random) -> list[Victim]:
    """Waits until a process of the kind has committed something since its start, and returns it (or all of them)."""
    async with asyncio.timeout(GATE_SECONDS_MAX):
        while True:
            victims = site.victims(kind)
            chance.shuffle(victims)
            for victim in victims:
                if await has_committed(site, victim, Kind.WORKER if victim.worker else kind):
                    return victims if kind is Kind.ALL else [victim]
            await asyncio.sleep(LOOK_SECONDS)


async def has_committed(site: Site, victim: Victim, kind: Kind) -> bool:
    """A worker has held a question; what others have a part in has happened."""
    held_by = sa.and_(questions.c.batch_id == attempts.c.batch_id, questions.c.fence == attempts.c.fence)
    signs: dict[Kind, sa.Select[int]] = {
        Kind.WORKER: sa.select(sa.literal(1))
        .join_from(attempts, questions, held_by)
        .where(attempts.c.worker.like(victim.worker)),
        Kind.SERVICE: sa.select(sa.literal(1)).where(generations.c.requested_at > victim.started_at),
        Kind.VALKEY: sa.select(sa.literal(1)).where(attempts.c.started_at > victim.started_at),
        Kind.POSTGRES: sa.select(sa.literal(1)).where(events.c.at > victim.started_at),
    }
    return kind in signs and await first(site, signs[kind])


async def first(site: Site, found: sa.Select[int]) -> bool:
    """Whether there is such a row; not while the database is away."""
    try:
        async with site.database.read() as tx:
            return (await tx.execute(found.limit(1))).first() is not None
    except Unavailable:
        return False


async def in_hand(site: Site, victims: Sequence[Victim]) -> frozenset[str]:
    names = [victim.worker for victim in victims if victim.worker]
    async with site.database.read() as tx:
        return frozenset([str(batch_id) for name in names for batch_id in await leased(tx, name)])


async def leased(tx: Tx, worker: str) -> Sequence[object]:
    found = sa.select(batches.c.id).where(batches.c.state == BatchState.PROCESSING, batches.c.lease_owner.like(worker))
    return (await tx.execute(found)).scalars().all()


async def is_made_good(site: Site, one: Strike) -> bool:
    """Nothing that was in hand still waits; for what holds no batches, there is something to measure."""
    if one.kind not in {Kind.WORKER, Kind.ALL}:
        return bool(await again_after(site, one))
    ids = [UUID(batch_id) for batch_id in one.batch_ids]
    newest = sa.select(sa.func.max(attempts.c.started_at)).where(attempts.c.batch_id == batches.c.id)
    waiting = sa.select(sa.literal(1)).where(
        batches.c.id.in_(ids), batches.c.state.in_(progress.OPEN), newest.scalar_subquery() <= one.at
    )
    return not await first(site, waiting)


async def again_after(site: Site, one: Strike) -> list[float]:
    """How long it took until what was killed was made good.

    Worker, all: until each batch that was in hand ran again. Service: until it answered. Valkey: until the next batch
    was begun. PostgreSQL: until the next event.
    """
    if one.kind is Kind.SERVICE:
        return [one.silent_seconds]
    begun = sa.select(attempts.c.batch_id, attempts.c.started_at.label("at"))
    begun = begun.where(attempts.c.started_at > one.at)
    told = sa.select(events.c.type, events.c.at.label("at")).where(events.c.at > one.at).limit(1)
    async with site.database.read() as tx:
        rows = (await tx.execute((told if one.kind is Kind.POSTGRES else begun).order_by("at"))).all()
    again: dict[str, float] = {}
    for name, at in rows:
        again.setdefault(str(name), (at - one.at).total_seconds())
    if one.kind in {Kind.WORKER, Kind.ALL}:
        return [again[batch_id] for batch_id in one.batch_ids if batch_id in again]
    return list(again.values())[:1]


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--kind", type=Kind, choices=list(Kind), required=True)
    parser.add_argument("--count", type=int, default=200)
    parser.add_argument("--seed", type=int, default=int(time.time()))
    parser.add_argument("--database", choices=["sqlite", "postgres"], default="sqlite")
    parser.add_argument("--lease-seconds", type=float, default=15.0)
    arguments = parser.parse_args()
    if arguments.kind is Kind.POSTGRES and arguments.database == "sqlite":
        parser.error("there is no PostgreSQL to kill with --database sqlite")
    sys.stdout.write(f"seed {arguments.seed}\n")
    sys.stdout.flush()
    directory = Path(tempfile.mkdtemp(prefix="quizmill-kills-"))
    started = time.monotonic()
    outcome = asyncio.run(
        run(
            [arguments.kind] * arguments.count,
            single if arguments.database == "sqlite" else spread,
            seed=arguments.seed,
            lease_seconds=arguments.lease_seconds,
            directory=directory,
        )
    )
    figures = report.Figures.of(
        outcome.proof,
        outcome.again_seconds,
        kind=arguments.kind,
        database=arguments.database,
        seed=arguments.seed,
        lease_seconds=arguments.lease_seconds,
        seconds=time.monotonic() - started,
        kills=len(outcome.strikes),
    )
    report.write(
        asdict(figures),
        name=f"kills-{arguments.database}-{arguments.kind}",
        title=f"{len(outcome.strikes)} x kill -9: {arguments.kind} on {arguments.database}",
        directory=RESULTS,
    )
    if figures.problems:
        raise SystemExit("\n".join(("", *figures.problems, f"the logs are in {directory}")))
    shutil.rmtree(directory)


if __name__ == "__main__":
    main()
