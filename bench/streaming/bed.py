"""What every run begins with: a Valkey, a database and a generation whose log is empty."""

import tempfile
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from pathlib import Path
from uuid import UUID

from bench.streaming import cores
from schemas.base import Frozen
from schemas.events import Event, QuestionAccepted
from schemas.orders import OrderOptions
from schemas.plans import BatchPlan, Wakeup
from schemas.states import QuestionType
from service.store import events, generations, modules, quizzes, schema, steps
from service.store.database import Database
from service.valkey import EmbeddedValkey

OWNER = "local"
TARGET = 1_000_000
PREVIEW = "Which part of a plant turns light into sugar, and what does it need for that? "


class Bed(Frozen):
    """Where it all is, for this process and others."""

    directory: Path
    database_url: str
    redis_url: str
    redis_pid: int
    generation_id: UUID
    batch_id: UUID


@asynccontextmanager
async def made() -> AsyncIterator[Bed]:
    with tempfile.TemporaryDirectory(prefix="quizmill-stream-") as name:
        directory = Path(name)
        valkey = EmbeddedValkey(directory)
        with cores.on(cores.LOAD):
            await valkey.start()
        try:
            url = f"sqlite+aiosqlite:///{directory}/quizmill.db"
            generation_id, batch_id = await _ordered(url)
            yield Bed(
                directory=directory,
                database_url=url,
                redis_url=valkey.url,
                redis_pid=int((directory / "valkey.pid").read_text()),
                generation_id=generation_id,
                batch_id=batch_id,
            )
        finally:
            await valkey.stop()


async def _ordered(url: str) -> tuple[UUID, UUID]:
    database = Database(url)
    await schema.migrate(database)
    async with database.write() as tx:
        quiz_id = await quizzes.insert(tx, owner=OWNER, title="Bench", language="en")
        [module_id] = await modules.insert(tx, quiz_id, [("Module 1", "Leaves turn light into sugar.")])
        plan = BatchPlan(
            module_id=module_id,
            batch_key=f"{module_id}_short_answer",
            question_type=QuestionType.SHORT_ANSWER,
            difficulty=None,
            target_count=TARGET,
        )
        generation_id = await steps.order(tx, quiz_id, OWNER, [plan], OrderOptions())
        generation = await generations.load(tx, OWNER, generation_id)
    await database.close()
    assert generation.last_event_id == 0, "nothing has happened yet"
    return generation_id, generation.batches[0].id


async def append(database: Database, bed: Bed, count: int, preview_characters: int) -> tuple[Wakeup, list[Event]]:
    """Write that questions were accepted; returns what to announce, and the entries as they are in the log."""
    preview = (PREVIEW * (preview_characters // len(PREVIEW) + 1))[:preview_characters]
    accepted = QuestionAccepted(batch_id=bed.batch_id, held_count=1, target_count=TARGET, preview=preview)
    async with database.write() as tx:
        await generations.lock(tx, bed.generation_id)
        wakeup = await events.append(tx, bed.generation_id, [accepted] * count)
        return wakeup, await events.since(tx, bed.generation_id, wakeup.seq - count, limit=count)
