"""A running service whose generations a test moves step by step, like workers would: nothing has to be waited for."""

from collections.abc import AsyncIterator, Sequence
from contextlib import asynccontextmanager
from pathlib import Path
from uuid import UUID

from jobs.providers.offline import OfflineProvider
from schemas.events import BatchRetrying, QuestionRejected
from schemas.generations import BatchError
from schemas.plans import Claim
from schemas.states import ErrorCode
from service.auth import LOCAL_OWNER
from service.settings import Settings
from service.store import control, events, steps
from tests import factories
from tests.conftest import fake_clients
from tests.factories import OVERLOADED, Ordered
from tests.system import System

REFUSED = BatchError(code=ErrorCode.PROVIDER_REJECTED, message="the model refused to write about it")


class Stage:
    """Every step is told to who watches, as soon as it is committed."""

    def __init__(self, system: System) -> None:
        self.system = system
        self.database = system.database
        self.broadcast = system.app.state.backend.broadcast

    def address(self, ordered: Ordered) -> str:
        return f"{self.system.url}/generations/{ordered.generation_id}"

    async def order(self, *targets: int) -> Ordered:
        return await factories.make_order(self.database, *targets, owner=LOCAL_OWNER)

    async def claim(self, ordered: Ordered, number: int, *, worker: str = factories.WORKER) -> Claim:
        claimed = await factories.claim(self.database, ordered.batch_ids[number], worker=worker)
        await self.announce(claimed.generation_id)
        return claimed

    async def hold(self, claimed: Claim, count: int, *, rejected: int = 0) -> None:
        refused = [
            QuestionRejected(batch_id=claimed.batch_id, code="near_duplicate", message="it was asked before")
        ] * rejected
        await factories.hold(self.database, claimed, count, rejected=refused)
        await self.announce(claimed.generation_id)

    async def complete(self, *claims: Claim) -> None:
        for claimed in claims:
            await factories.complete(self.database, claimed)
            await self.announce(claimed.generation_id)

    async def fail(self, claimed: Claim, error: BatchError = REFUSED) -> None:
        await factories.fail(self.database, claimed, error=error)
        await self.announce(claimed.generation_id)

    async def delay(self, claimed: Claim) -> None:
        """Its attempt ends; another one may begin at once."""
        async with self.database.write() as tx:
            await steps.delay(tx, claimed, OVERLOADED, delay_seconds=0)
        await self.announce(claimed.generation_id)

    async def wait(self, claimed: Claim) -> None:
        waiting = BatchRetrying(batch_id=claimed.batch_id, code=OVERLOADED.code, delay_seconds=30)
        async with self.database.write() as tx:
            await steps.wait(tx, claimed, waiting, lease_seconds=factories.LEASE_SECONDS)
        await self.announce(claimed.generation_id)

    async def pause(self, ordered: Ordered) -> None:
        async with self.database.write() as tx:
            await control.pause(tx, ordered.generation_id)
        await self.announce(ordered.generation_id)

    async def announce(self, generation_id: UUID) -> None:
        async with self.database.read() as tx:
            heads = await events.heads(tx, [generation_id])
        await self.broadcast.announce_all(heads)

    async def partial(self, targets: Sequence[int] = (2, 5, 4), *, held: int = 3) -> Ordered:
        """Ended: the first batch is saved, the others failed, the second with what it holds."""
        ordered = await self.order(*targets)
        await self.complete(await self.claim(ordered, 0))
        failing = await self.claim(ordered, 1)
        await self.hold(failing, held)
        await self.fail(failing)
        for number in range(2, len(targets)):
            await self.fail(await self.claim(ordered, number))
        return ordered


@asynccontextmanager
async def staged(directory: Path) -> AsyncIterator[Stage]:
    url = f"sqlite+aiosqlite:///{directory / 'quizmill.db'}"
    settings = Settings(data_dir=directory, database_url=url, port=0, provider="offline")
    system = System(settings, fake_clients(), OfflineProvider)
    await system.start()
    yield Stage(system)
    await system.stop()
