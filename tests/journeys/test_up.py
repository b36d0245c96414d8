"""`quizmill up` as an operator meets it: real processes, killed at bad moments."""

import asyncio
import json
import os
import signal
import socket
from pathlib import Path

import httpx
import pytest

from service.settings import Settings
from service.store import verification
from service.store.database import Database
from tests.journeys.orders import module
from tests.messages_api import MessagesApi
from tests.processes import Running, gone, parent_of, quizmill, spawn
from tests.system import TERMINAL

CHOICE = "multiple_choice"


async def order(running: Running, *modules: object) -> str:
    async with httpx.AsyncClient(base_url=running.url) as http:
        response = await http.post("/api/generations", json={"title": "A quiz", "modules": modules})
        assert response.status_code == 202, response.text
        return str(response.json()["id"])


async def ended(running: Running, generation_id: str) -> dict[str, object]:
    """The generation once it is terminal, followed through its stream as a client would."""
    async with asyncio.timeout(60), httpx.AsyncClient(base_url=running.url, timeout=60) as http:
        while True:
            async with http.stream("GET", f"/api/generations/{generation_id}/events") as response:
                async for _ in response.aiter_bytes():
                    pass
            generation: dict[str, object] = (await http.get(f"/api/generations/{generation_id}")).json()
            if generation["status"] in TERMINAL:
                return generation


async def assert_sound(data_dir: Path) -> None:
    database = Database(Settings(data_dir=data_dir).resolved_database_url)
    async with database.read() as tx:
        report = await verification.verify(tx, None)
    await database.close()
    assert report.generations > 0
    assert report.findings == ()


def anthropic(api: MessagesApi) -> dict[str, str]:
    return {"ANTHROPIC_API_KEY": "test-key", "ANTHROPIC_BASE_URL": api.base_url}


async def test_up_makes_questions_and_stops_without_leaving_a_process(tmp_path: Path) -> None:
    async with quizmill("up", "--port", "0", "--data-dir", str(tmp_path), log=tmp_path / "log") as running:
        generation = await ended(running, await order(running, module("Leaves", (CHOICE, 2), ("true_false", 2))))
        assert generation["status"] == "completed"
        family = running.children()
        assert len(family) == 2, "a worker and a valkey"
        assert await running.stop() == 0
    assert all(parent_of(pid) is None for pid in family)
    await assert_sound(tmp_path)


async def test_a_killed_worker_is_replaced_and_its_batch_done_with_what_it_held(
    tmp_path: Path, messages_api: MessagesApi
) -> None:
    messages_api.hold(after_questions=2)
    arguments = ("up", "--port", "0", "--data-dir", str(tmp_path))
    async with quizmill(*arguments, log=tmp_path / "log", **anthropic(messages_api)) as running:
        generation_id = await order(running, module("Leaves", (CHOICE, 5)))
        await messages_api.held()
        await held(running, generation_id, 2)
        os.kill(running.worker(), signal.SIGKILL)
        messages_api.release()

        generation = await ended(running, generation_id)

        assert generation["status"] == "completed"
        assert [request.count for request in messages_api.requests] == [5, 3], "only the missing ones are asked for"
        assert await running.stop() == 0
    await assert_sound(tmp_path)


async def test_a_killed_up_leaves_work_that_the_next_up_finishes(tmp_path: Path, messages_api: MessagesApi) -> None:
    messages_api.hold(after_questions=1)
    arguments = ("up", "--port", "0", "--data-dir", str(tmp_path))
    async with quizmill(*arguments, log=tmp_path / "log", **anthropic(messages_api)) as running:
        generation_id = await order(running, module("Leaves", (CHOICE, 4)))
        await messages_api.held()
        await held(running, generation_id, 1)
        family = running.children()
        os.kill(running.pid, signal.SIGKILL)
        await gone(*family, within_seconds=15)
    messages_api.release()
    async with quizmill(*arguments, log=tmp_path / "log", **anthropic(messages_api)) as running:
        assert (await ended(running, generation_id))["status"] == "completed"
        assert await running.stop() == 0
    await assert_sound(tmp_path)


async def test_a_new_up_takes_over_a_valkey_that_still_runs(tmp_path: Path) -> None:
    arguments = ("up", "--port", "0", "--data-dir", str(tmp_path))
    async with quizmill(*arguments, log=tmp_path / "log") as running:
        worker = running.worker()
        [valkey] = set(running.children()) - {worker}
        os.kill(worker, signal.SIGSTOP)
        os.kill(running.pid, signal.SIGKILL)
        os.kill(worker, signal.SIGKILL)
        await gone(worker, within_seconds=5)
        # Only then is the server no child of its own any more: the end of this block would kill it, too.
        await running.process.wait()
    assert parent_of(valkey) is not None
    async with quizmill(*arguments, log=tmp_path / "log") as running:
        generation = await ended(running, await order(running, module("Leaves", (CHOICE, 2))))
        assert generation["status"] == "completed"
        assert parent_of(valkey) is not None
        assert await running.stop() == 0
    await gone(valkey, within_seconds=5)


async def test_work_goes_on_through_sigterm_in_the_middle(tmp_path: Path, messages_api: MessagesApi) -> None:
    messages_api.hold(after_questions=2)
    arguments = ("up", "--port", "0", "--data-dir", str(tmp_path))
    async with quizmill(*arguments, log=tmp_path / "log", **anthropic(messages_api)) as running:
        generation_id = await order(running, module("Leaves", (CHOICE, 5)))
        await messages_api.held()
        await held(running, generation_id, 2)
        assert await running.stop() == 0
    messages_api.release()
    async with quizmill(*arguments, log=tmp_path / "log", **anthropic(messages_api)) as running:
        generation = await ended(running, generation_id)
        assert generation["status"] == "completed"
        assert messages_api.requests[-1].count == 3
        assert await running.stop() == 0
    await assert_sound(tmp_path)


async def test_sigterm_ends_everything_also_while_valkey_hangs(tmp_path: Path, messages_api: MessagesApi) -> None:
    messages_api.hold(after_questions=2)
    arguments = ("up", "--port", "0", "--data-dir", str(tmp_path))
    async with quizmill(*arguments, log=tmp_path / "log", **anthropic(messages_api)) as running:
        await order(running, module("Leaves", (CHOICE, 5)))
        await messages_api.held()
        worker = running.worker()
        [valkey] = set(running.children()) - {worker}
        os.kill(valkey, signal.SIGSTOP)
        assert await running.stop() == 0
    await gone(worker, valkey, within_seconds=1)
    await assert_sound(tmp_path)


@pytest.mark.parametrize(
    ("arguments", "environment", "words"),
    [
        (("--host", "0.0.0.0"), {}, ["QUIZMILL_AUTH=none", "0.0.0.0", "loopback"]),
        ((), {"QUIZMILL_BATCHES_PER_WORKER": "many"}, ["QUIZMILL_BATCHES_PER_WORKER='many'", "integer"]),
        ((), {"QUIZMILL_PROVIDER": "oracle"}, ["QUIZMILL_PROVIDER='oracle'", "'anthropic'", "'offline'"]),
        ((), {"QUIZMILL_DATABASE_URL": "mysql://x"}, ["DATABASE_URL", "postgresql+asyncpg://"]),
    ],
)
async def test_a_start_that_can_not_work_says_why(
    tmp_path: Path, arguments: tuple[str, ...], environment: dict[str, str], words: list[str]
) -> None:
    log = tmp_path / "log"
    process = await spawn("up", "--port", "0", "--data-dir", str(tmp_path / "data"), *arguments, log=log, **environment)
    assert await asyncio.wait_for(process.wait(), 20) == 1
    said = log.read_text()
    assert all(word in said for word in words), said
    assert "Traceback" not in said


async def test_a_damaged_database_is_refused_with_what_to_do(tmp_path: Path) -> None:
    (tmp_path / "data").mkdir()
    (tmp_path / "data" / "quizmill.db").write_bytes(b"no database at all" * 1000)
    log = tmp_path / "log"
    process = await spawn("up", "--port", "0", "--data-dir", str(tmp_path / "data"), log=log)
    assert await asyncio.wait_for(process.wait(), 20) == 1
    said = log.read_text()
    assert "the database file is damaged" in said
    assert "quizmill backup" in said
    assert "Traceback" not in said


async def test_a_port_that_is_taken_is_named(tmp_path: Path) -> None:
    with socket.create_server(("127.0.0.1", 0)) as taken:
        port = str(taken.getsockname()[1])
        log = tmp_path / "log"
        process = await spawn("up", "--port", port, "--data-dir", str(tmp_path / "data"), log=log)
        assert await asyncio.wait_for(process.wait(), 20) == 1
    assert f"port {port}" in log.read_text()


async def test_a_second_up_in_one_directory_is_sent_to_the_first(tmp_path: Path) -> None:
    arguments = ("up", "--port", "0", "--data-dir", str(tmp_path))
    async with quizmill(*arguments, log=tmp_path / "log") as running:
        process = await spawn(*arguments, log=tmp_path / "second")
        assert await asyncio.wait_for(process.wait(), 20) == 1
        assert running.url in (tmp_path / "second").read_text()
        assert await running.stop() == 0


async def held(running: Running, generation_id: str, count: int) -> None:
    """Returns when the generation holds this many questions."""
    async with (
        asyncio.timeout(30),
        httpx.AsyncClient(base_url=running.url, timeout=30) as http,
        http.stream("GET", f"/api/generations/{generation_id}/events?from=0") as response,
    ):
        async for line in response.aiter_lines():
            if line.startswith("data: ") and json.loads(line[6:]).get("totals", {}).get("held", 0) >= count:
                return
