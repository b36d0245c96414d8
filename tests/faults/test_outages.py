"""Redis forgets, freezes or dies, PostgreSQL stops, SIGTERM comes: all goes on by itself and nothing is lost."""

import asyncio
import os
import random
import signal
import time
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from pathlib import Path
from typing import Any

import httpx
import pytest
import sqlalchemy as sa
from redis import Redis

from schemas.states import AttemptOutcome
from service.store import schema
from service.store.database import Database
from service.store.tables import attempts
from service.valkey import EmbeddedValkey
from tests.faults import proof
from tests.faults.fleet import Fleet, apart
from tests.faults.forked import fork
from tests.faults.load import MODULES, TARGETS
from tests.faults.postgres import Postgres
from tests.faults.sites import servers_of
from tests.faults.witness import Witness, client, order
from tests.messages_api import MessagesApi
from tests.processes import gone
from tests.workbench import eventually

SEED = 5
LEASE_SECONDS = 1.5
END_SECONDS_MAX = 40.0
STOP_SECONDS_MAX = 10.0
AWAY_SECONDS_MAX = 20.0
ANSWER_SECONDS_MAX = 10.0


@asynccontextmanager
async def running(
    directory: Path,
    database_url: str,
    valkey: EmbeddedValkey,
    api: MessagesApi,
    *,
    lease_seconds: float = LEASE_SECONDS,
) -> AsyncIterator[Fleet]:
    environment = {
        "QUIZMILL_DATABASE_URL": database_url,
        "QUIZMILL_REDIS_URL": valkey.url,
        "QUIZMILL_LEASE_SECONDS": str(lease_seconds),
        "ANTHROPIC_API_KEY": "test-key",
        "ANTHROPIC_BASE_URL": api.base_url,
    }
    database = Database(database_url)
    await schema.migrate(database)
    await database.close()
    async with apart(fork, directory / "log", environment) as fleet:
        yield fleet


async def watch(fleet: Fleet, title: str = "A quiz") -> Witness:
    return Witness(fleet.url, await order(fleet.url, MODULES, title=title))


async def ended(*witnesses: Witness) -> None:
    async with asyncio.timeout(END_SECONDS_MAX):
        await asyncio.gather(*(witness.follow() for witness in witnesses))


async def whole(database_url: str, api: MessagesApi, *witnesses: Witness) -> proof.Proof:
    """All is there, and no call was made twice for the same."""
    database = Database(database_url)
    found = await proof.examine(database, witnesses, api.requests, TARGETS)
    await database.close()
    assert found.problems == ()
    assert [witness.events[-1]["type"] for witness in witnesses] == ["generation.completed"] * len(witnesses)
    return found


async def test_redis_may_forget_everything_at_any_moment(
    tmp_path: Path, database_url: str, valkey: EmbeddedValkey, messages_api: MessagesApi
) -> None:
    chance = random.Random(SEED)
    flushes = 0
    messages_api.question_seconds = 0.05
    with Redis.from_url(valkey.url) as redis:

        def perhaps_flush(_event: dict[str, Any]) -> None:
            nonlocal flushes
            if chance.random() < 0.4:
                redis.flushall()
                flushes += 1

        async with running(tmp_path, database_url, valkey, messages_api) as fleet:
            witnesses = [await watch(fleet, f"Quiz {number}") for number in range(3)]
            redis.flushall()
            for witness in witnesses:
                witness.hear = perhaps_flush
            await ended(*witnesses)
            found = await whole(database_url, messages_api, *witnesses)
    assert flushes > 5
    assert found.wasted_calls == 0


@pytest.mark.parametrize("number", [signal.SIGKILL, signal.SIGSTOP], ids=["dead", "frozen"])
async def test_what_runs_ends_without_redis_and_what_was_ordered_begins_when_it_is_back(
    tmp_path: Path, sqlite_url: str, valkey: EmbeddedValkey, messages_api: MessagesApi, number: signal.Signals
) -> None:
    [server] = servers_of(valkey)
    messages_api.hold(after_questions=2)
    async with running(tmp_path, sqlite_url, valkey, messages_api) as fleet:
        first = await watch(fleet)
        await messages_api.held(2)
        os.kill(server, number)
        messages_api.release()
        await ended(first)

        began = time.monotonic()
        second = await watch(fleet, "Another quiz")
        assert time.monotonic() - began < ANSWER_SECONDS_MAX, "an order does not wait for redis"
        assert len(messages_api.requests) == 2, "nobody could hear of it yet"
        if number is signal.SIGSTOP:
            os.kill(server, signal.SIGCONT)
        else:
            await gone(server, within_seconds=5)
            await valkey.start()
        await ended(second)
        found = await whole(sqlite_url, messages_api, first, second)
    assert found.wasted_calls == 0


async def test_without_its_database_the_service_says_so_and_all_goes_on_when_it_is_back(
    tmp_path: Path, valkey: EmbeddedValkey, messages_api: MessagesApi
) -> None:
    postgres = Postgres()
    try:
        await postgres.create_database()
        messages_api.hold(after_questions=2)
        # Shorter than the outage, it would let another worker be first when the database is back.
        async with running(tmp_path, postgres.url, valkey, messages_api, lease_seconds=60) as fleet:
            witness = await watch(fleet)
            await messages_api.held(2)
            postgres.kill()
            async with client(fleet.url, timeout=httpx.Timeout(30)) as http:
                for response in (
                    await http.get(f"/api/generations/{witness.generation_id}"),
                    await http.get("/api/quizzes"),
                    await http.post("/api/generations", json={"title": "Another", "modules": MODULES}),
                ):
                    assert (response.status_code, "retry-after" in response.headers) == (503, True), response.text
                assert (await http.get("/readyz")).status_code == 503
                assert (await http.get("/livez")).status_code == 200
            messages_api.release()
            log = tmp_path / "log"
            await eventually(lambda: "database is away" in log.read_text(), seconds=AWAY_SECONDS_MAX)
            await postgres.start()
            await ended(witness)
            found = await whole(postgres.url, messages_api, witness)
        assert found.wasted_calls == 0, "what was in hand is written when the database is back"
    finally:
        await postgres.stop()


async def test_sigterm_under_load_ends_everything_in_time_and_loses_nothing(
    tmp_path: Path, database_url: str, valkey: EmbeddedValkey, messages_api: MessagesApi
) -> None:
    messages_api.question_seconds = 2.0
    # The default: a short one may run out on a busy machine, and this is about giving batches back.
    async with running(tmp_path, database_url, valkey, messages_api, lease_seconds=15) as fleet:
        witnesses = [await watch(fleet, f"Quiz {number}") for number in range(6)]
        following = asyncio.create_task(ended(*witnesses))
        await eventually(lambda: sum(len(witness.accepted) for witness in witnesses) >= 6, seconds=AWAY_SECONDS_MAX)
        keepers, pids = fleet.keepers.values(), fleet.pids()
        for pid in pids:
            os.kill(pid, signal.SIGTERM)
        await gone(*pids, within_seconds=STOP_SECONDS_MAX)
        messages_api.question_seconds = 0.0
        await following
        await whole(database_url, messages_api, *witnesses)
        assert [keeper.codes for keeper in keepers] == [[0]] * len(pids)
    outcomes = await attempt_outcomes(database_url)
    assert AttemptOutcome.RELEASED in outcomes
    assert outcomes <= {AttemptOutcome.RELEASED, AttemptOutcome.COMPLETED}, "nobody had to notice that a worker is gone"


async def attempt_outcomes(database_url: str) -> set[str]:
    database = Database(database_url)
    async with database.read() as tx:
        outcomes = set((await tx.execute(sa.select(attempts.c.outcome))).scalars())
    await database.close()
    return outcomes
