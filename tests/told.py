"""A generation whose log a test writes, step by step, as workers would; a service elsewhere tells of it."""

import shutil
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from dataclasses import dataclass
from pathlib import Path

from schemas.plans import Claim, Wakeup
from service import queue
from service.auth import LOCAL_OWNER
from service.broadcast import Broadcast
from service.store import steps
from service.store.database import Database
from service.valkey import EmbeddedValkey
from tests import factories
from tests.factories import Ordered

FIRST_TARGET, TARGET = 2, 24


@dataclass
class Log:
    """`generation_id` is completed but for what the last batch misses. `environment`: what its service needs."""

    generation_id: str
    environment: dict[str, str]
    database: Database
    broadcast: Broadcast
    ordered: Ordered
    claimed: Claim

    async def hold(self, how_many: int) -> int:
        """Questions, one event each; returns the number of the last."""
        for _ in range(how_many):
            await factories.hold(self.database, self.claimed, 1)
        return await self._announced()

    async def complete(self) -> None:
        await factories.complete(self.database, self.claimed)
        await self._announced()

    async def events(self) -> list[tuple[int, str]]:
        return [(event["seq"], event["type"]) for event in await factories.log(self.database, self.ordered)]

    async def _announced(self) -> int:
        head = (await factories.load(self.database, self.ordered, owner=LOCAL_OWNER)).last_event_id
        await self.broadcast.announce(Wakeup(generation_id=self.ordered.generation_id, seq=head))
        return head


@asynccontextmanager
async def log(template: Path, directory: Path) -> AsyncIterator[Log]:
    """Of a generation that ended as partial, was retried, and is at work again."""
    shutil.copy(template, directory / "quizmill.db")
    valkey = EmbeddedValkey(directory / "valkey")
    url = f"sqlite+aiosqlite:///{directory / 'quizmill.db'}"
    database = Database(url)
    await valkey.start()
    redis = queue.connect(valkey.url)
    try:
        ordered = await factories.make_order(database, FIRST_TARGET, TARGET, owner=LOCAL_OWNER)
        await factories.complete(database, await factories.claim(database, ordered.batch_ids[0]))
        await factories.fail(database, await factories.claim(database, ordered.batch_ids[1]))
        async with database.write() as tx:
            await steps.retry(tx, ordered.generation_id, None, model=None, dry_run=False)
        claimed = await factories.claim(database, ordered.batch_ids[1])
        environment = {
            "QUIZMILL_DATABASE_URL": url,
            "QUIZMILL_REDIS_URL": valkey.url,
            "QUIZMILL_DATA_DIR": str(directory),
        }
        yield Log(str(ordered.generation_id), environment, database, Broadcast(redis), ordered, claimed)
    finally:
        await redis.aclose(close_connection_pool=True)
        await database.close()
        await valkey.stop()
