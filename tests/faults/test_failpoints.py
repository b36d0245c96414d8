"""A process dies, fails, is cancelled or freezes at each of the twelve places: the generation ends as if it had not."""

import asyncio
import os
import random
import signal
from collections.abc import AsyncIterator
from pathlib import Path

import pytest

from service.failpoints import Action, Place
from service.store import schema
from service.store.database import Database
from service.valkey import EmbeddedValkey
from tests.faults import proof
from tests.faults.fleet import Fleet, apart
from tests.faults.forked import fork
from tests.faults.witness import Witness, order
from tests.journeys.orders import module
from tests.messages_api import MessagesApi
from tests.workbench import eventually

SEED = 20
LEASE_SECONDS = 1.5
STRIKE_SECONDS_MAX = 20.0
HEAL_SECONDS_MAX = 25.0
LOCK_SECONDS_MAX = 15.0
DATABASES = ("sqlite", "postgres")
TARGETS = {"multiple_choice": 4, "fill_in_blank": 3}

IN_A_WORKER_WITH_A_CLAIM = frozenset(
    {
        Place.AFTER_CLAIM,
        Place.BEFORE_CALL,
        Place.AFTER_ANSWER,
        Place.BEFORE_HOLD,
        Place.AFTER_HOLD,
        Place.BEFORE_COMPLETE,
    }
)
"""Frozen here, a worker loses its batch. (Inside a transaction nobody else can take it; sweeps publish without one.)"""

STOPPED = "stopped: the batch is not ours any more"
"""What a worker logs that comes back too late."""

Case = tuple[Place, Action, str]


def everything() -> list[Case]:
    return [(place, action, database) for place in Place for action in Action for database in DATABASES]


def one_per_place() -> list[Case]:
    """Every place once; each action and each database equally often."""
    shuffled = random.Random(SEED)
    actions = shuffled.sample(list(Action) * 3, 12)
    databases = shuffled.sample(DATABASES * 6, 12)
    return list(zip(Place, actions, databases, strict=True))


# All of them take minutes: `make soak` runs them, everything else one per place.
CASES = everything() if os.environ.get("QUIZMILL_SOAK") else one_per_place()


@pytest.fixture
async def database(database_url: str) -> AsyncIterator[Database]:
    database = Database(database_url)
    await schema.migrate(database)
    yield database
    await database.close()


@pytest.mark.parametrize(
    ("place", "action", "database_url"), CASES, indirect=["database_url"], ids=["-".join(case) for case in CASES]
)
async def test_whatever_happens_at_a_place_the_generation_ends_whole(
    tmp_path: Path,
    place: Place,
    action: Action,
    database: Database,
    valkey: EmbeddedValkey,
    messages_api: MessagesApi,
) -> None:
    marker = tmp_path / "struck"
    environment = {
        "QUIZMILL_DATABASE_URL": database.url,
        "QUIZMILL_REDIS_URL": valkey.url,
        "QUIZMILL_LEASE_SECONDS": str(LEASE_SECONDS),
        # One batch at a time: a worker that freezes should not also hold another batch's lock.
        "QUIZMILL_BATCHES_PER_WORKER": "1",
        "QUIZMILL_FAILPOINT": f"{place}:{action}:{marker}",
        "ANTHROPIC_API_KEY": "test-key",
        "ANTHROPIC_BASE_URL": messages_api.base_url,
    }
    async with apart(fork, tmp_path / "log", environment) as fleet:
        watching = asyncio.create_task(order_and_watch(fleet.url))
        await eventually(marker.exists, seconds=STRIKE_SECONDS_MAX)
        async with asyncio.timeout(HEAL_SECONDS_MAX):
            before = await thaw(fleet, database, place) if action is Action.FREEZE else {}
            witness = await watching
            if before:
                # What thawed has tried to end its attempt by now.
                await eventually(lambda: STOPPED in (tmp_path / "log").read_text(), seconds=HEAL_SECONDS_MAX)

        found = await proof.examine(database, [witness], messages_api.requests, TARGETS)
        assert found.problems == ()
        assert witness.events[-1]["type"] == "generation.completed"
        assert witness.events[-1]["totals"]["saved"] == sum(TARGETS.values())
        if action is Action.FREEZE:
            is_sure = place in IN_A_WORKER_WITH_A_CLAIM and not database.is_sqlite
            assert before or not is_sure, "nobody took over: it may have frozen with the lock of the file"
            after = await proof.stale(database)
            assert {key: after[key] for key in before} == before, "what thawed has written under a fence that is void"


async def order_and_watch(url: str) -> Witness:
    generation_id = await order(url, [module("Leaves", ("multiple_choice", 4)), module("Roots", ("fill_in_blank", 3))])
    witness = Witness(url, generation_id)
    await witness.follow()
    return witness


async def thaw(fleet: Fleet, database: Database, place: Place) -> proof.Stale:
    """Let the frozen process go on after three leases; returns what stood under void fences until then."""
    await eventually(lambda: any(map(is_stopped, fleet.pids())))
    [frozen] = filter(is_stopped, fleet.pids())
    # Time is what this is about: the others have to notice by the clock of the database.
    await asyncio.sleep(3 * LEASE_SECONDS)
    if place in IN_A_WORKER_WITH_A_CLAIM:
        await eventually(lambda: is_taken_over(database), seconds=LOCK_SECONDS_MAX)
    before = await proof.stale(database)
    os.kill(frozen, signal.SIGCONT)
    return before


async def is_taken_over(database: Database) -> bool:
    """Or can't be: the heartbeat of the frozen one may have been in the middle of a transaction.

    PostgreSQL ends such a transaction after ten seconds, SQLite waits for the one who has the lock.
    """
    if await proof.stale(database):
        return True
    try:
        async with asyncio.timeout(1), database.write():
            return False
    except TimeoutError:
        return database.is_sqlite


def is_stopped(pid: int) -> bool:
    return Path(f"/proc/{pid}/stat").read_text().rpartition(")")[2].split()[0] == "T"
