"""Worker processes: started again when they end, and gone when they should be."""

import asyncio
import os
import signal
from asyncio.subprocess import PIPE, Process
from collections.abc import AsyncIterator, Awaitable, Callable
from contextlib import asynccontextmanager
from itertools import pairwise

import pytest
from structlog.testing import capture_logs

from service import queue, supervisor
from service.queue import WAKE_CHANNEL
from service.supervisor import WorkerKeeper
from service.valkey import EmbeddedValkey
from tests.processes import command_of, parent_of
from tests.workbench import Workbench, eventually

START_SECONDS_MAX = 30.0
OnDeath = Callable[[str], Awaitable[bool]]


class ShellKeeper(WorkerKeeper):
    """Its workers are a line of shell: what they do does not matter, and they start at once."""

    def __init__(self, script: str, on_death: OnDeath) -> None:
        super().__init__({}, on_death)
        self._script = script

    async def _spawn(self, name: str) -> Process:
        command = ("/bin/sh", "-c", self._script, name)
        return await asyncio.create_subprocess_exec(*command, stdin=PIPE, stdout=PIPE)


class Deaths:
    """The names under which workers died."""

    def __init__(self) -> None:
        self.names: list[str] = []
        self.had_work = False

    async def note(self, name: str) -> bool:
        self.names.append(name)
        return self.had_work


def process_of(keeper: WorkerKeeper) -> Process:
    assert keeper._process is not None, "it has started one"
    return keeper._process


def name_of(process: Process) -> str:
    """A worker's name is the last argument of its command."""
    return command_of(process.pid).split(b"\0")[-2].decode()


@asynccontextmanager
async def keeping(keeper: WorkerKeeper) -> AsyncIterator[None]:
    task = asyncio.create_task(keeper.keep())
    try:
        await eventually(lambda: keeper._process is not None)
        yield
        assert not task.done(), "it keeps on"
    finally:
        task.cancel()
        await asyncio.gather(task, return_exceptions=True)
        await keeper.stop()
    assert parent_of(process_of(keeper).pid) is None


async def test_a_worker_that_dies_is_told_by_name_and_replaced() -> None:
    deaths = Deaths()
    keeper = ShellKeeper("read line", deaths.note)
    with capture_logs() as logs:
        async with keeping(keeper):
            first = process_of(keeper)
            name = name_of(first)
            first.kill()
            await eventually(lambda: process_of(keeper) is not first)
            assert deaths.names == [name]
            assert name_of(process_of(keeper)) != name
    assert [(entry["worker"], entry["code"]) for entry in logs] == [(name, -signal.SIGKILL)]


async def test_workers_that_end_at_once_are_started_again_ever_more_slowly(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(supervisor, "BACKOFF_SECONDS_FIRST", 0.02)
    deaths, times = Deaths(), list[float]()

    async def note(name: str) -> bool:
        times.append(asyncio.get_running_loop().time())
        return await deaths.note(name)

    with capture_logs() as logs:
        async with keeping(ShellKeeper("exit 3", note)):
            await eventually(lambda: len(times) == 5)
    assert len(set(deaths.names)) == 5, "each start has a name of its own"
    assert {entry["code"] for entry in logs} == {3}
    pauses = [later - earlier for earlier, later in pairwise(times)]
    assert all(pause >= 0.02 * 2**number for number, pause in enumerate(pauses))


async def test_workers_that_die_at_work_are_replaced_without_delay(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(supervisor, "BACKOFF_SECONDS_FIRST", 0.02)
    deaths = Deaths()
    deaths.had_work = True
    began = asyncio.get_running_loop().time()
    with capture_logs():
        async with keeping(ShellKeeper("exit 137", deaths.note)):
            await eventually(lambda: len(deaths.names) == 9)
    growing = sum(0.02 * 2**number for number in range(8))
    assert asyncio.get_running_loop().time() - began < growing


async def test_a_worker_that_does_not_stop_is_killed(monkeypatch: pytest.MonkeyPatch) -> None:
    # Ten seconds are too long for a test.
    monkeypatch.setattr(supervisor, "STOP_SECONDS_MAX", 0.1)
    keeper = ShellKeeper("trap '' TERM; echo ready; read line", Deaths().note)
    with capture_logs() as logs:
        async with keeping(keeper):
            output = process_of(keeper).stdout
            assert output is not None
            assert await output.readline() == b"ready\n"
    assert [entry["event"] for entry in logs] == ["a worker did not stop in time and was killed"]
    assert process_of(keeper).returncode == -signal.SIGKILL


async def test_stopping_before_anything_was_started_is_fine() -> None:
    await ShellKeeper("exit 0", Deaths().note).stop()


async def test_stopping_what_ended_already_is_fine() -> None:
    keeper = ShellKeeper("exit 0", Deaths().note)
    task = asyncio.create_task(keeper.keep())
    await eventually(lambda: keeper._process is not None and keeper._process.returncode is not None)
    task.cancel()
    await asyncio.gather(task, return_exceptions=True)
    await keeper.stop()


async def test_a_real_worker_starts_under_its_name_and_is_let_go_in_good_order(
    bench: Workbench, valkey: EmbeddedValkey
) -> None:
    environment = {
        **os.environ,
        "QUIZMILL_DATABASE_URL": bench.settings.resolved_database_url,
        "QUIZMILL_REDIS_URL": valkey.url,
        "QUIZMILL_PROVIDER": "offline",
        "QUIZMILL_DATA_DIR": str(bench.settings.data_dir),
    }
    keeper = WorkerKeeper(environment, Deaths().note)
    redis = queue.connect(valkey.url)

    async def is_listening() -> bool:
        [(_, count)] = await redis.pubsub_numsub(WAKE_CHANNEL)
        return int(count) == 1

    async with keeping(keeper):
        await eventually(is_listening, seconds=START_SECONDS_MAX)
        assert name_of(process_of(keeper)).startswith("up-")
    assert process_of(keeper).returncode == 0
    await redis.aclose(close_connection_pool=True)


class PoorKeeper(ShellKeeper):
    """The system has no room for the first two processes."""

    refused = 0

    async def _spawn(self, name: str) -> Process:
        if self.refused < 2:
            self.refused += 1
            raise BlockingIOError("resource temporarily unavailable")
        return await super()._spawn(name)


async def test_a_system_without_room_for_a_process_is_asked_again(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(supervisor, "BACKOFF_SECONDS_FIRST", 0.02)
    keeper = PoorKeeper("read line", Deaths().note)
    with capture_logs() as logs:
        async with keeping(keeper):
            assert keeper.refused == 2
    assert [entry["event"] for entry in logs] == ["a worker can't be started"] * 2


async def test_a_worker_is_asked_to_stop_only_once() -> None:
    keeper = ShellKeeper(
        "trap 'trap \"exit 7\" TERM; echo asked' TERM; echo ready; read line; read line", Deaths().note
    )
    async with keeping(keeper):
        process = process_of(keeper)
        assert process.stdout is not None
        assert process.stdin is not None
        assert await process.stdout.readline() == b"ready\n"
        keeper.terminate()
        process.stdin.write(b"\n")
        assert await process.stdout.readline() == b"asked\n"
        keeper.terminate()
        process.stdin.close()
        await process.wait()
    assert process.returncode != 7, "a second signal means: at once"
