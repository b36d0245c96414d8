"""A worker that waits for a call instead of polling, and outlives its Redis."""

import asyncio
import pickle
from collections.abc import AsyncIterator, Callable, MutableMapping, Sequence
from contextlib import asynccontextmanager
from pathlib import Path
from typing import Any
from uuid import UUID, uuid4

import pytest
from arq.constants import default_queue_name, in_progress_key_prefix, job_key_prefix
from arq.jobs import serialize_job
from arq.worker import func
from structlog.testing import capture_logs

from jobs import wake
from jobs.wake import WakeWorker
from service import queue
from service.queue import WAKE_CHANNEL, Queue
from tests.scripted import Gate
from tests.workbench import WAIT_SECONDS, Workbench, eventually

OUTAGES = 3


class Ran:
    """The job of these tests: notes that it ran, and waits at the gate of its name, if there is one."""

    def __init__(self) -> None:
        self.names: list[str] = []
        self.running = 0
        self.most_running = 0
        self.gates: dict[str, Gate] = {}

    async def job(self, _context: object, name: str) -> None:
        self.names.append(name)
        self.running += 1
        self.most_running = max(self.most_running, self.running)
        if name in self.gates:
            await self.gates[name].passed()
        self.running -= 1


class Trap:
    """Whoever unpickles this creates a file."""

    def __init__(self, path: Path) -> None:
        self._path = path

    def __reduce__(self) -> tuple[object, ...]:
        return Path.touch, (self._path,)


class CutWorker(WakeWorker):
    """Its Redis goes away in the middle of picking up, once `cut` is set."""

    cut: Callable[[], None] | None = None

    async def start_jobs(self, job_ids: list[bytes]) -> None:
        if self.cut and job_ids:
            self.cut()
            self.cut = None
        await super().start_jobs(job_ids)


class RacingWorker(WakeWorker):
    """Its Redis goes away in the very moment in which a job ends."""

    def __init__(self, **options: Any) -> None:
        super().__init__(**options)
        self.moment = asyncio.Event()

    async def run_job(self, job_id: str, score: int) -> None:
        await self.moment.wait()

    async def _poll_iteration(self) -> None:
        await super()._poll_iteration()
        if self.tasks:
            await self.moment.wait()
            raise ConnectionError("redis is gone")


def create(bench: Workbench, ran: Ran, *, max_jobs: int = 5, kind: type[WakeWorker] = WakeWorker) -> WakeWorker:
    return kind(
        functions=[func(ran.job, name=queue.EXTRACT)],  # type: ignore[arg-type] # arq types its ctx as a plain dict
        redis_pool=bench.connect(),
        handle_signals=False,
        max_jobs=max_jobs,
        job_serializer=queue.serialize,
        job_deserializer=queue.deserialize,
        keep_result=0,
        max_tries=1,
        retry_jobs=False,
        job_timeout=60,
    )


@asynccontextmanager
async def working(worker: WakeWorker) -> AsyncIterator[WakeWorker]:
    running = asyncio.create_task(worker.async_run())
    async with asyncio.timeout(WAIT_SECONDS):
        yield worker
    assert not running.done(), "the worker ended by itself"
    running.cancel()
    await asyncio.gather(running, return_exceptions=True)
    await worker.close()


async def put(bench: Workbench, *ids: UUID) -> None:
    await Queue(bench.redis).put_extractions(ids)


async def put_silently(bench: Workbench, job_id: str, name: str, line: bytes | None = None) -> None:
    """A job that nobody is called for."""
    payload = line or serialize_job(queue.EXTRACT, (name,), {}, None, 1, serializer=queue.serialize)
    await bench.redis.set(job_key_prefix + job_id, payload)
    await bench.redis.zadd(default_queue_name, {job_id: 1})


async def listens(bench: Workbench) -> None:
    await eventually(lambda: bench.subscribers(WAKE_CHANNEL) > 0)


@pytest.fixture
def only_calls(monkeypatch: pytest.MonkeyPatch) -> None:
    # The fallback would hide a call that does not work.
    monkeypatch.setattr(wake, "POLL_SECONDS", 3600.0)


def said(logs: Sequence[MutableMapping[str, object]]) -> list[object]:
    return [entry["event"] for entry in logs]


async def ran_all(ran: Ran, *ids: UUID) -> None:
    await eventually(lambda: {str(one) for one in ids} <= set(ran.names))


@pytest.mark.usefixtures("only_calls")
async def test_a_job_is_picked_up_when_it_is_put_there(bench: Workbench) -> None:
    ran, quiz_id = Ran(), uuid4()
    async with working(create(bench, ran)):
        await listens(bench)
        await put(bench, quiz_id)
        await ran_all(ran, quiz_id)


@pytest.mark.usefixtures("only_calls")
async def test_a_job_from_before_the_start_is_picked_up(bench: Workbench) -> None:
    ran, quiz_id = Ran(), uuid4()
    await put(bench, quiz_id)
    async with working(create(bench, ran)):
        await ran_all(ran, quiz_id)


@pytest.mark.usefixtures("only_calls")
async def test_a_slot_that_becomes_free_is_used_at_once(bench: Workbench) -> None:
    ran, ids = Ran(), [uuid4() for _ in range(4)]
    await put(bench, *ids)
    async with working(create(bench, ran, max_jobs=1)):
        await ran_all(ran, *ids)
    assert ran.most_running == 1


@pytest.mark.parametrize("turns", range(6))
@pytest.mark.usefixtures("only_calls")
async def test_a_worker_that_is_stopped_in_the_moment_it_is_called_stops(bench: Workbench, turns: int) -> None:
    worker = create(bench, Ran())
    running = asyncio.create_task(worker.async_run())
    await listens(bench)
    await eventually(lambda: not worker._wake.is_set())
    worker._wake.set()
    for _ in range(turns):
        await asyncio.sleep(0)
    running.cancel()
    async with asyncio.timeout(WAIT_SECONDS):
        await asyncio.gather(running, return_exceptions=True)
    await worker.close()


async def test_a_lost_call_costs_one_poll(bench: Workbench) -> None:
    ran = Ran()
    async with working(create(bench, ran)):
        await listens(bench)
        await put_silently(bench, "silent", "silent")
        await eventually(lambda: ran.names == ["silent"])


async def test_a_worker_starts_while_redis_is_away(bench: Workbench) -> None:
    ran, quiz_id = Ran(), uuid4()
    await put(bench, quiz_id)
    bench.redis_server.connected = False
    with capture_logs() as logs:
        async with working(create(bench, ran)):
            await eventually(lambda: "redis is away" in said(logs))
            bench.redis_server.connected = True
            await ran_all(ran, quiz_id)


async def test_a_job_whose_end_redis_did_not_hear_of_stops_nothing(bench: Workbench) -> None:
    ran, first, second = Ran(), uuid4(), uuid4()
    gate = ran.gates[str(first)] = Gate()
    worker = create(bench, ran, max_jobs=1)
    with capture_logs() as logs:
        async with working(worker):
            await put(bench, first)
            await gate.reached.wait()
            bench.redis_server.connected = False
            gate.opened.set()
            await eventually(lambda: "redis is away" in said(logs))
            bench.redis_server.connected = True
            await put(bench, second)
            await ran_all(ran, second)
    assert worker.job_counter == 0


async def test_no_slot_is_lost_when_redis_goes_away_in_the_middle_of_picking_up(bench: Workbench) -> None:
    ran = Ran()
    worker = create(bench, ran, max_jobs=2, kind=CutWorker)
    assert isinstance(worker, CutWorker)

    def cut() -> None:
        bench.redis_server.connected = False

    async with working(worker):
        for _ in range(OUTAGES):
            lost = uuid4()
            with capture_logs() as logs:
                worker.cut = cut
                await put(bench, lost)
                await eventually(lambda logs=logs: "redis is away" in said(logs))  # type: ignore[misc] # this turn's
                bench.redis_server.connected = True
                await ran_all(ran, lost)
        last = [uuid4() for _ in range(4)]
        gates = [ran.gates.setdefault(str(quiz_id), Gate()) for quiz_id in last]
        await put(bench, *last)
        await eventually(lambda: ran.running == 2)
        for gate in gates:
            gate.opened.set()
        await ran_all(ran, *last)
        await eventually(lambda: worker.job_counter == 0)
    assert ran.most_running == 2


async def test_no_slot_is_freed_twice_when_a_job_ends_in_the_moment_redis_goes_away(bench: Workbench) -> None:
    worker = create(bench, Ran(), max_jobs=3, kind=RacingWorker)
    assert isinstance(worker, RacingWorker)
    with capture_logs() as logs:
        async with working(worker):
            await put(bench, uuid4())
            await eventually(lambda: worker.job_counter == 1)
            worker.moment.set()
            await eventually(lambda: "redis is away" in said(logs))
            await eventually(lambda: worker.job_counter == 0)
            assert worker.sem._value == worker.max_jobs + 1


async def test_a_pickle_in_redis_is_never_loaded(bench: Workbench, tmp_path: Path) -> None:
    trap = tmp_path / "sprung"
    pickled = pickle.dumps({"t": None, "f": queue.EXTRACT, "a": (Trap(trap),), "k": {}, "et": 1})
    ran, quiz_id = Ran(), uuid4()
    await put_silently(bench, "evil", "evil", pickled)
    async with working(create(bench, ran)):
        await put(bench, quiz_id)
        await ran_all(ran, quiz_id)

        async def is_gone() -> bool:
            return "evil" not in await bench.queued()

        await eventually(is_gone)
    assert not trap.exists()
    assert ran.names == [str(quiz_id)]


async def test_a_function_nobody_knows_is_thrown_away(bench: Workbench) -> None:
    payload = serialize_job("no_such_function", (), {}, None, 1, serializer=queue.serialize)
    ran, quiz_id = Ran(), uuid4()
    await put_silently(bench, "unknown", "", payload)
    async with working(create(bench, ran)):
        await put(bench, quiz_id)
        await ran_all(ran, quiz_id)

        async def is_empty() -> bool:
            return await bench.queued() == []

        await eventually(is_empty)


async def test_nothing_of_a_job_stays_in_redis(bench: Workbench) -> None:
    ran, quiz_id = Ran(), uuid4()
    async with working(create(bench, ran)):
        await put(bench, quiz_id)
        await ran_all(ran, quiz_id)

        async def is_clean() -> bool:
            keys = {key.decode() for key in await bench.redis.keys("arq:*")}
            return not any(key.startswith((job_key_prefix, in_progress_key_prefix, "arq:result:")) for key in keys)

        await eventually(is_clean)


async def test_a_worker_ends_in_good_order_while_redis_is_away(bench: Workbench) -> None:
    ran, quiz_id = Ran(), uuid4()
    gate = ran.gates[str(quiz_id)] = Gate()
    worker = create(bench, ran)
    ended = asyncio.Event()

    async def note_end(_context: object) -> None:
        ended.set()

    worker.on_shutdown = note_end  # type: ignore[assignment] # arq's protocol asks for more than a function has
    async with working(worker):
        await put(bench, quiz_id)
        await gate.reached.wait()
        bench.redis_server.connected = False
        gate.opened.set()
    assert ended.is_set()
