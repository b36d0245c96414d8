"""The commands that follow a generation, while its service stops, is killed and comes back."""

import asyncio
import json
import os
import re
import signal
import sys
from asyncio.subprocess import Process
from collections.abc import AsyncIterator
from contextlib import AsyncExitStack, asynccontextmanager
from functools import partial
from pathlib import Path
from uuid import uuid4

import pytest

from tests import told
from tests.faults.fleet import free_port
from tests.messages_api import MessagesApi
from tests.processes import quizmill
from tests.told import Log
from tests.workbench import eventually, template

__all__ = ["template"]

CHAPTER = Path(__file__).parent.parent / "fixtures" / "photosynthesis.md"
WAIT_SECONDS = 40.0


class Command:
    """A quizmill command at work, and what it has said so far."""

    def __init__(self, process: Process, directory: Path) -> None:
        self.process = process
        self._directory = directory

    @property
    def out(self) -> str:
        return (self._directory / "out").read_text(encoding="utf-8")

    @property
    def err(self) -> str:
        return (self._directory / "err").read_text(encoding="utf-8")

    def ids(self) -> list[int]:
        return [json.loads(line)["id"] for line in self.out.splitlines() if line.endswith("}")]

    async def ended(self) -> int:
        return await asyncio.wait_for(self.process.wait(), WAIT_SECONDS)


@asynccontextmanager
async def running(directory: Path, *arguments: str) -> AsyncIterator[Command]:
    directory.mkdir()  # noqa: ASYNC240 # a file system that a test waits for
    with (directory / "out").open("wb") as out, (directory / "err").open("wb") as err:
        process = await asyncio.create_subprocess_exec(
            sys.executable, "-m", "service.cli.main", *arguments,
            stdout=out, stderr=err, env={**os.environ, "COLUMNS": "200"},
        )  # fmt: skip
    try:
        yield Command(process, directory)
    finally:
        if process.returncode is None:
            process.kill()
            await process.wait()


@pytest.fixture
async def log(template: Path, tmp_path: Path) -> AsyncIterator[Log]:
    async with told.log(template, tmp_path) as log:
        yield log


async def test_a_watch_hears_everything_once_through_a_goodbye_a_kill_and_silence(log: Log, tmp_path: Path) -> None:
    port = str(free_port())
    serving = partial(quizmill, "serve", "--port", port, log=tmp_path / "log", **log.environment)
    watch = ("generation", "watch", log.generation_id, "--url", f"http://127.0.0.1:{port}")
    async with (
        running(tmp_path / "json", *watch, "--json", "--from-start") as script,
        running(tmp_path / "people", *watch) as people,
    ):
        async with serving() as service:
            await eventually(lambda: bool(script.ids()) and "processing: " in people.err, seconds=WAIT_SECONDS)
            seq = await log.hold(3)
            await eventually(lambda: seq in script.ids() and ": 3 of 24" in people.err, seconds=WAIT_SECONDS)
            await service.stop()
        await log.hold(1)
        async with serving():
            seq = await log.hold(1)
            await eventually(lambda: seq in script.ids() and ": 5 of 24" in people.err, seconds=WAIT_SECONDS)
        before = script.err
        await log.hold(1)
        await eventually(lambda: script.err != before, seconds=WAIT_SECONDS)
        async with serving():
            await log.complete()
            assert (await script.ended(), await people.ended()) == (0, 0)
    events = await log.events()
    heard = [json.loads(line) for line in script.out.splitlines()]
    assert [(event["id"], event["type"]) for event in heard] == events
    assert all(event["data"]["seq"] == event["id"] for event in heard)
    for said in (script.err, people.err):
        # At most before the first service, between two, and after the last but one: not with every try.
        assert 1 <= said.count("is away or full: waiting until it is back.") <= 3
        assert "Traceback" not in said
    # A line per question, none twice and none missing.
    counts = [int(count) for count in re.findall(r": (\d+) of 24$", people.err, re.MULTILINE)]
    assert counts == list(range(1, 25))
    assert "26 of 26 questions created" in people.out
    assert "\x1b" not in people.out + people.err, "no colours and no bars where there is no terminal"


async def test_a_watch_of_nothing_ends_at_once_and_ctrl_c_ends_any(log: Log, tmp_path: Path) -> None:
    async with quizmill("serve", "--port", "0", log=tmp_path / "log", **log.environment) as service:
        at = ("--url", service.url)
        async with (
            running(tmp_path / "nothing", "generation", "watch", str(uuid4()), *at) as nothing,
            running(tmp_path / "people", "generation", "watch", log.generation_id, *at) as people,
            running(tmp_path / "json", "generation", "watch", log.generation_id, "--json", *at) as script,
        ):
            assert await nothing.ended() == 1
            assert nothing.err.startswith("Error: 404: there is no generation")
            await eventually(lambda: "processing: " in people.err and bool(script.ids()), seconds=WAIT_SECONDS)
            for command in (people, script):
                command.process.send_signal(signal.SIGINT)
                assert await command.ended() == 130
                assert "Traceback" not in command.err
        assert [json.loads(line)["type"] for line in script.out.splitlines()] == ["snapshot"]


async def test_generate_goes_on_when_the_service_that_it_uses_is_killed_and_started_again(
    tmp_path: Path, messages_api: MessagesApi
) -> None:
    messages_api.hold(after_questions=1)
    port = str(free_port())
    environment = {"ANTHROPIC_API_KEY": "test-key", "ANTHROPIC_BASE_URL": messages_api.base_url}
    up = ("up", "--port", port, "--data-dir", str(tmp_path / "data"))
    serving = partial(quizmill, *up, log=tmp_path / "log", QUIZMILL_LEASE_SECONDS="1.5", **environment)
    out = tmp_path / "quiz.json"
    order = ("generate", str(CHAPTER), "--count", "6", "--out", str(out), "--url", f"http://127.0.0.1:{port}")
    async with AsyncExitStack() as stack:
        async with serving():
            command = await stack.enter_async_context(running(tmp_path / "generate", *order))
            await messages_api.held()
            await eventually(lambda: ": 1 of " in command.err, seconds=WAIT_SECONDS)
        messages_api.release()
        async with serving():
            assert await command.ended() == 0, command.err
    assert len(json.loads(out.read_text(encoding="utf-8"))["questions"]) == 6
    assert command.err.count("is away or full") <= 1
    assert "completed: 6 of 6 questions created" in command.err
