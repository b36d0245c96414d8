"""One SQLite database and the parts of workers, to run jobs without a queue between them."""

import asyncio
import shutil
import sqlite3
from collections.abc import AsyncIterator, Awaitable, Callable, Sequence
from concurrent.futures import ThreadPoolExecutor
from contextlib import asynccontextmanager
from datetime import datetime
from pathlib import Path
from uuid import UUID

import fakeredis
import pytest
import sqlalchemy as sa
from arq.connections import ArqRedis
from arq.constants import default_queue_name
from fakeredis.aioredis import FakeAsyncRedisConnection
from redis.asyncio import ConnectionPool

from jobs.batch import run_batch
from jobs.providers.base import Provider
from jobs.workshop import Workshop
from schemas.orders import ModuleBatchOrder, OrderOptions
from schemas.plans import Claim
from schemas.states import QuestionType
from service import queue
from service.rules import planning
from service.settings import Settings
from service.store import batches, generations, modules, quizzes, schema, steps
from service.store.database import Database, db_now
from tests import factories
from tests.factories import OWNER, Ordered
from tests.scripted import TEXT
from tests.troubled import TroubledDatabase

WAIT_SECONDS = 10.0
LOOK_SECONDS = 0.01


async def eventually(condition: Callable[[], bool | Awaitable[bool]], *, seconds: float = WAIT_SECONDS) -> None:
    """Returns once the condition holds; for what tells nobody when it happens."""

    async def holds() -> bool:
        found = condition()
        return found if isinstance(found, bool) else await found

    async with asyncio.timeout(seconds):
        while not await holds():  # noqa: ASYNC110 # there is no event to wait for
            await asyncio.sleep(LOOK_SECONDS)


@pytest.fixture(scope="session")
def template(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A migrated, empty database file to copy: migrating takes longer than most tests."""
    path = tmp_path_factory.mktemp("template") / "template.db"

    async def migrate() -> None:
        database = Database(f"sqlite+aiosqlite:///{path}")
        await schema.migrate(database)
        await database.close()

    with ThreadPoolExecutor(1) as thread:
        thread.submit(asyncio.run, migrate()).result()
    connection = sqlite3.connect(path)
    connection.execute("PRAGMA wal_checkpoint(TRUNCATE)")
    connection.close()
    return path


@pytest.fixture
async def bench(template: Path, tmp_path: Path) -> AsyncIterator["Workbench"]:
    path = tmp_path / "quizmill.db"
    shutil.copy(template, path)
    bench = Workbench(
        Settings(
            data_dir=tmp_path,
            database_url=f"sqlite+aiosqlite:///{path}",
            port=0,
            provider="offline",
            model="first",
            lease_seconds=30,
        )
    )
    yield bench
    await bench.close()


class Workbench:
    """`database` sees what the workers' own databases have committed; `redis_server` is the broker of all of them."""

    def __init__(self, settings: Settings) -> None:
        self.settings = settings
        self.redis_server = fakeredis.FakeServer()
        self.redis = self.connect()
        self.database = self.another_database()
        self._opened: list[TroubledDatabase] = [self.database]

    def connect(self) -> ArqRedis:
        pool = ConnectionPool(connection_class=FakeAsyncRedisConnection, server=self.redis_server)
        return queue.client(pool)

    def another_database(self) -> TroubledDatabase:
        """As another process would open it; closed with the bench."""
        return TroubledDatabase(self.settings.resolved_database_url)

    async def close(self) -> None:
        for database in self._opened:
            await database.close()
        self.redis_server.connected = True
        await self.redis.aclose(close_connection_pool=True)

    async def order(
        self,
        *targets: int,
        question_type: QuestionType = QuestionType.SHORT_ANSWER,
        options: OrderOptions | None = None,
        on: Ordered | None = None,
        owner: str = OWNER,
    ) -> Ordered:
        """One batch per target, each about a module of its own; `on`: another order for that quiz."""
        async with self.database.write() as tx:
            quiz_id = on.quiz_id if on else await quizzes.insert(tx, owner=owner, title="Facts", language="en")
            named = [(f"Module {number}", TEXT) for number in range(1, len(targets) + 1)]
            module_ids = on.module_ids if on else await modules.insert(tx, quiz_id, named)
            wanted = [
                ModuleBatchOrder(module_id=module_id, question_type=question_type, target_count=target)
                for module_id, target in zip(module_ids, targets, strict=True)
            ]
            plans = planning.plan(wanted, module_ids, questions_per_batch_max=100, batches_per_generation_max=1000)
            generation_id = await steps.order(tx, quiz_id, owner, plans, options or OrderOptions())
            planned = (await generations.load(tx, owner, generation_id)).batches
        return Ordered(quiz_id, tuple(module_ids), generation_id, tuple(batch.id for batch in planned))

    def workshop(self, provider: Provider, name: str = "worker-1", /, **changes: object) -> Workshop:
        """What a worker works with, on a database of its own; `changes` are settings."""
        database = self.another_database()
        self._opened.append(database)
        return Workshop(
            self.settings.model_copy(update=changes),
            database=database,
            redis=self.redis,
            provider=provider,
            name=name,
        )

    async def run(self, workshop: Workshop, batch_id: UUID, *, fence: int | None = None) -> None:
        """The job as arq would run it, under the batch's own fence unless another is given."""
        if fence is None:
            fence = (await factories.batch_row(self.database, batch_id)).fence
        await run_batch({"workshop": workshop}, str(batch_id), fence)

    @asynccontextmanager
    async def running(self, workshop: Workshop, batch_id: UUID) -> AsyncIterator[asyncio.Task[None]]:
        """The job beside the test, which must be done when the block ends."""
        job = asyncio.create_task(self.run(workshop, batch_id))
        async with asyncio.timeout(WAIT_SECONDS):
            yield job
        assert job.done(), "the job still runs"

    async def try_again(self, workshop: Workshop, batch_id: UUID) -> None:
        """The next attempt, without waiting for the delay before it."""
        await factories.change_batch(self.database, batch_id, not_before=None)
        await self.run(workshop, batch_id)

    async def cancel(self, ordered: Ordered) -> None:
        """As a user would, but nobody is told."""
        async with self.database.write() as tx:
            await steps.cancel(tx, ordered.generation_id)

    async def release(self, claim: Claim) -> None:
        """Its worker lets go of the batch."""
        async with self.database.write() as tx:
            await steps.release(tx, claim)

    async def take_back(self, batch_id: UUID) -> None:
        """Its worker is given up."""
        async with self.database.write() as tx:
            [claim] = await batches.claimed(tx, [batch_id])
            await steps.take_back(tx, claim, only_expired=False)

    async def holds(self, batch_id: UUID, count: int) -> None:
        """Returns once that many of the batch's questions are held."""

        async def is_held() -> bool:
            return bool((await factories.batch_row(self.database, batch_id)).held_count >= count)

        await eventually(is_held)

    async def now(self) -> datetime:
        """By the database's clock."""
        async with self.database.read() as tx:
            moment: datetime = (await tx.execute(sa.select(db_now()))).scalar_one()
        return moment

    async def lease_left_seconds(self, batch_id: UUID) -> float:
        until: datetime = (await factories.batch_row(self.database, batch_id)).lease_until
        return (until - await self.now()).total_seconds()

    async def make_wanted(self, *batch_ids: UUID) -> None:
        """As if the time after which the outbox looks again were over."""
        for batch_id in batch_ids:
            await factories.change_batch(self.database, batch_id, wanted_at=await self.now())

    def subscribers(self, channel: str) -> int:
        """How many listen to a channel of the broker."""
        return len(self.redis_server.subscribers.get(channel.encode(), ()))

    async def queued(self) -> Sequence[str]:
        """The ids of the jobs in the queue, the next one first."""
        return [job_id.decode() for job_id in await self.redis.zrange(default_queue_name, 0, -1)]


def troubled(workshop: Workshop) -> TroubledDatabase:
    """The workshop's database, to make trouble with."""
    assert isinstance(workshop.database, TroubledDatabase), "the bench gives every workshop one"
    return workshop.database
