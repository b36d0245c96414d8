"""The worker: how it starts, what it is made of, how it ends."""

import asyncio
import signal
from collections.abc import Iterator
from datetime import datetime
from pathlib import Path
from typing import Any

import pytest
import sqlalchemy as sa
from arq.worker import create_worker
from pydantic import SecretStr
from structlog.testing import capture_logs

from jobs import worker
from jobs.providers.anthropic import AnthropicProvider
from jobs.providers.offline import OfflineProvider
from jobs.wake import WakeWorker
from jobs.workshop import Workshop
from service import queue
from service.errors import SettingsInvalid
from service.settings import Settings
from service.store.database import Tx
from service.store.tables import chores
from tests import factories
from tests.scripted import USAGE, Gate, ScriptedProvider, fact, facts
from tests.troubled import TroubledDatabase
from tests.workbench import WAIT_SECONDS, Workbench, eventually

QUICK_LEASE_SECONDS = 0.3


class BrokenDatabase(TroubledDatabase):
    """Fails in a way that nobody foresaw."""

    def write(self) -> "asyncio.Future[Tx]":  # type: ignore[override] # it never gets to what it should give
        raise RuntimeError("a bug")


def settings(tmp_path: Path, **values: object) -> Settings:
    return Settings(data_dir=tmp_path, **values)  # type: ignore[arg-type] # pydantic checks them


async def settled(bench: Workbench) -> None:
    """Returns when a worker has swept a few times: by then it has opened every connection that it needs."""
    dues: set[datetime] = set()

    async def has_swept() -> bool:
        async with bench.database.read() as tx:
            dues.update((await tx.execute(sa.select(chores.c.due_at))).scalars())
        return len(dues) > 3

    await eventually(has_swept)


async def run_until(created: WakeWorker, until: asyncio.Event) -> None:
    async with asyncio.timeout(WAIT_SECONDS):
        await worker.run(created, until=until)


def test_without_a_key_the_offline_provider_is_used(tmp_path: Path) -> None:
    assert isinstance(worker.create_provider(settings(tmp_path, provider="offline")), OfflineProvider)


async def test_with_a_key_anthropic_is_asked(tmp_path: Path) -> None:
    provider = worker.create_provider(settings(tmp_path, ANTHROPIC_API_KEY="test-key", provider="anthropic"))
    assert isinstance(provider, AnthropicProvider)
    await provider.close()


async def test_what_the_arq_command_makes_differs_from_our_own_worker_only_in_polling(bench: Workbench) -> None:
    read: Any = worker.WorkerSettings  # arq types it as a protocol with every option
    command = create_worker(read, redis_pool=bench.redis, handle_signals=False)
    ours = worker.create(bench.settings, bench.redis)
    assert (
        set(command.functions) == set(ours.functions) == {queue.RUN_BATCH, queue.EXTRACT, queue.IDENTIFY, queue.PUBLISH}
    )
    for name in (
        "job_serializer",
        "job_deserializer",
        "job_timeout_s",
        "keep_result_s",
        "max_tries",
        "retry_jobs",
        "max_jobs",
        "queue_read_limit",
        "health_check_interval",
        "on_startup",
        "on_shutdown",
    ):
        assert getattr(command, name) == getattr(ours, name), name
    assert ours.job_serializer is queue.serialize
    assert (ours.keep_result_s, ours.max_tries, ours.retry_jobs) == (0, 1, False)


async def test_a_worker_fills_an_order_from_the_queue(bench: Workbench) -> None:
    ordered = await bench.order(1, 1)
    workshop = bench.workshop(ScriptedProvider([fact(0), USAGE], [fact(1), USAGE]))
    until = asyncio.Event()
    running = asyncio.create_task(
        run_until(worker.create(workshop.settings, bench.connect(), workshop=workshop), until)
    )

    async def is_done() -> bool:
        return (await factories.load(bench.database, ordered)).status == "completed"

    await eventually(is_done)
    until.set()
    await running
    assert isinstance(workshop.provider, ScriptedProvider)
    assert workshop.provider.is_closed
    assert await factories.findings(bench.database) == ()


async def test_a_worker_opens_what_the_settings_say(bench: Workbench) -> None:
    until = asyncio.Event()
    quick = bench.settings.model_copy(update={"lease_seconds": QUICK_LEASE_SECONDS})
    created = worker.create(quick, bench.connect(), name="named")
    running = asyncio.create_task(run_until(created, until))
    await settled(bench)
    workshop = created.ctx["workshop"]
    assert isinstance(workshop, Workshop)
    assert workshop.worker == "named"
    assert isinstance(workshop.provider, OfflineProvider)
    until.set()
    await running


async def test_a_worker_refuses_a_database_that_is_not_migrated_and_says_so(bench: Workbench, tmp_path: Path) -> None:
    fresh = bench.settings.model_copy(update={"database_url": f"sqlite+aiosqlite:///{tmp_path / 'fresh.db'}"})
    with pytest.raises(SettingsInvalid, match="run `quizmill migrate`"):
        await run_until(worker.create(fresh, bench.connect()), asyncio.Event())


async def test_a_worker_refuses_a_key_that_is_none_and_says_so(bench: Workbench) -> None:
    keyed = bench.settings.model_copy(update={"provider": "anthropic", "anthropic_api_key": SecretStr("k\u00e9y")})
    with pytest.raises(SettingsInvalid, match="ANTHROPIC_API_KEY holds characters"):
        await run_until(worker.create(keyed, bench.connect()), asyncio.Event())


async def test_a_worker_that_is_stopped_releases_what_it_works_on(
    bench: Workbench, monkeypatch: pytest.MonkeyPatch
) -> None:
    # Three seconds are too long for a test.
    monkeypatch.setattr(worker, "GRACE_SECONDS", 0.01)
    ordered = await bench.order(3)
    gate = Gate()
    workshop = bench.workshop(ScriptedProvider([*facts(0, 2), gate]))
    until = asyncio.Event()
    created = worker.create(workshop.settings, bench.connect(), workshop=workshop)
    running = asyncio.create_task(run_until(created, until))
    await asyncio.wait_for(gate.reached.wait(), WAIT_SECONDS)
    until.set()
    await running
    [batch] = (await factories.load(bench.database, ordered)).batches
    assert (batch.status, batch.held_count) == ("pending", 2)
    assert await factories.findings(bench.database) == ()


@pytest.fixture
def terminated() -> Iterator[asyncio.Event]:
    """Set when this process is told to end, which it does not."""
    heard = asyncio.Event()
    before = signal.signal(signal.SIGTERM, lambda *_: heard.set())
    yield heard
    signal.signal(signal.SIGTERM, before)


async def test_a_worker_one_of_whose_routines_breaks_ends_itself(bench: Workbench, terminated: asyncio.Event) -> None:
    workshop = bench.workshop(ScriptedProvider())
    workshop.database = BrokenDatabase(bench.settings.resolved_database_url)
    until = asyncio.Event()
    with capture_logs() as logs:
        running = asyncio.create_task(
            run_until(worker.create(workshop.settings, bench.connect(), workshop=workshop), until)
        )
        await asyncio.wait_for(terminated.wait(), WAIT_SECONDS)
        until.set()
        await running
    assert [entry["chore"] for entry in logs if entry["log_level"] == "critical"] == ["keep_sweeping"]


@pytest.mark.parametrize("number", range(3))
async def test_a_worker_one_of_whose_routines_is_cancelled_ends_itself(
    bench: Workbench, terminated: asyncio.Event, number: int
) -> None:
    workshop = bench.workshop(ScriptedProvider(), lease_seconds=QUICK_LEASE_SECONDS)
    created = worker.create(workshop.settings, bench.connect(), workshop=workshop)
    until = asyncio.Event()
    with capture_logs() as logs:
        running = asyncio.create_task(run_until(created, until))
        await settled(bench)
        routine = created.ctx["chores"][number]
        routine.cancel()
        await asyncio.wait_for(terminated.wait(), WAIT_SECONDS)
        until.set()
        await running
    assert [entry["chore"] for entry in logs if entry["log_level"] == "critical"] == [routine.get_name()]


async def test_a_worker_that_stops_takes_its_own_end_for_no_trouble(
    bench: Workbench, terminated: asyncio.Event
) -> None:
    workshop = bench.workshop(ScriptedProvider(), lease_seconds=QUICK_LEASE_SECONDS)
    until = asyncio.Event()
    with capture_logs() as logs:
        created = worker.create(workshop.settings, bench.connect(), workshop=workshop)
        running = asyncio.create_task(run_until(created, until))
        await settled(bench)
        until.set()
        await running
    assert not terminated.is_set()
    assert [entry for entry in logs if entry["log_level"] == "critical"] == []
