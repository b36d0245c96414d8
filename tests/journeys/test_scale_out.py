"""Service and workers as separate processes that share PostgreSQL and a Valkey, as on many machines."""

import asyncio
import os
import signal
import sys
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from pathlib import Path

import pytest

from service.valkey import EmbeddedValkey
from tests.journeys.orders import module
from tests.journeys.test_up import ended, held, order
from tests.messages_api import MessagesApi
from tests.processes import kill, quizmill, spawn

CHOICE = "multiple_choice"

pytestmark = pytest.mark.parametrize("database_url", ["postgres"], indirect=True)


@pytest.fixture
def shared(database_url: str, valkey: EmbeddedValkey, messages_api: MessagesApi) -> dict[str, str]:
    """What every machine is told."""
    return {
        "QUIZMILL_DATABASE_URL": database_url,
        "QUIZMILL_REDIS_URL": valkey.url,
        "QUIZMILL_LEASE_SECONDS": "2",
        "ANTHROPIC_API_KEY": "test-key",
        "ANTHROPIC_BASE_URL": messages_api.base_url,
    }


@asynccontextmanager
async def worker(*command: str, log: Path, shared: dict[str, str]) -> AsyncIterator[int]:
    with log.open("ab") as file:
        process = await asyncio.create_subprocess_exec(*command, stdout=file, stderr=file, env={**os.environ, **shared})
    try:
        yield process.pid
    finally:
        kill(process.pid)
        await process.wait()


QUIZMILL_WORK = (sys.executable, "-m", "service.cli.main", "work")
ARQ = (sys.executable, "-m", "arq", "jobs.worker.WorkerSettings")


@pytest.mark.parametrize("command", [QUIZMILL_WORK, ARQ], ids=["quizmill work", "arq"])
async def test_a_worker_started_either_way_does_what_the_service_takes(
    tmp_path: Path, shared: dict[str, str], command: tuple[str, ...]
) -> None:
    log = tmp_path / "log"
    migrated = await spawn("migrate", log=log, **shared)
    assert await migrated.wait() == 0
    async with (
        quizmill("serve", "--port", "0", log=log, **shared) as running,
        worker(*command, log=log, shared=shared),
    ):
        generation = await ended(running, await order(running, module("Leaves", (CHOICE, 3))))
        assert generation["status"] == "completed"
        assert await running.stop() == 0


async def test_another_worker_takes_over_from_one_that_was_killed(
    tmp_path: Path, shared: dict[str, str], messages_api: MessagesApi
) -> None:
    log = tmp_path / "log"
    migrated = await spawn("migrate", log=log, **shared)
    assert await migrated.wait() == 0
    messages_api.hold(after_questions=2)
    async with quizmill("serve", "--port", "0", log=log, **shared) as running:
        async with worker(*QUIZMILL_WORK, log=log, shared=shared) as first:
            generation_id = await order(running, module("Leaves", (CHOICE, 6)))
            await messages_api.held()
            await held(running, generation_id, 2)
            os.kill(first, signal.SIGKILL)
        messages_api.release()
        async with worker(*ARQ, log=log, shared=shared):
            generation = await ended(running, generation_id)
        assert generation["status"] == "completed"
        assert [request.count for request in messages_api.requests] == [6, 4]
        assert await running.stop() == 0


async def test_a_service_without_a_schema_says_what_to_run(tmp_path: Path, shared: dict[str, str]) -> None:
    process = await spawn("serve", "--port", "0", log=tmp_path / "log", **shared)
    assert await asyncio.wait_for(process.wait(), 20) == 1
    assert "quizmill migrate" in (tmp_path / "log").read_text()
