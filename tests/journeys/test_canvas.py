"""Real processes publish to a local Canvas; the worker that does it is killed between any two of its calls."""

import asyncio
import os
import random
import signal
from collections.abc import AsyncIterator
from pathlib import Path
from typing import Any
from uuid import UUID

import httpx
import pytest
import sqlalchemy as sa

from service.auth import LOCAL_OWNER
from service.store import tables
from service.store.database import Database
from tests import published
from tests.canvas_api import TOKEN, Call, CanvasApi
from tests.faults import sites
from tests.faults.forked import fork
from tests.faults.sites import Kind, Site
from tests.published import COURSE, SAID

WAIT_SECONDS = 90.0
LOOK_SECONDS = 0.05
CALLS = 13
"""What publishing takes without any trouble: at least."""

KILLS = 4
ENVIRONMENT = {"QUIZMILL_PROVIDER": "offline", "QUIZMILL_LEASE_SECONDS": "1.5"}


@pytest.fixture
async def canvas() -> AsyncIterator[CanvasApi]:
    async with CanvasApi() as canvas:
        yield canvas


@pytest.fixture
async def site(tmp_path: Path) -> AsyncIterator[Site]:
    """A service and two workers, each started again whenever it ends."""
    async with sites.swift(tmp_path, ENVIRONMENT) as site:
        yield site


async def make_quiz(database: Database) -> UUID:
    quiz_id = await published.make_quiz(database)
    async with database.write() as tx:
        await tx.execute(sa.update(tables.quizzes).values(owner=LOCAL_OWNER))
    return quiz_id


async def publish(site: Site, quiz_id: UUID, canvas: CanvasApi) -> Any:
    """The quiz once that has ended."""
    body = {"canvas_url": canvas.url, "course_id": COURSE, "token": TOKEN}
    async with httpx.AsyncClient(base_url=site.fleet.url, timeout=WAIT_SECONDS) as http:
        answer = await http.post(f"/api/quizzes/{quiz_id}/publish", json=body)
        assert answer.status_code == 202, answer.text
        quiz = answer.json()
        async with asyncio.timeout(WAIT_SECONDS):
            while quiz["status"] == "exporting_to_canvas":
                await asyncio.sleep(LOOK_SECONDS)  # a quiz has no stream
                quiz = (await http.get(f"/api/quizzes/{quiz_id}")).json()
    return quiz


class Killer:
    """Kills whoever sends one of these calls: when it has arrived, or when it was done and is not answered yet."""

    def __init__(self, site: Site, chance: random.Random) -> None:
        self._site = site
        self._places = {number: chance.choice(["arrived", "done"]) for number in chance.sample(range(CALLS), KILLS)}
        self.kills: list[str] = []

    async def before(self, call: Call) -> None:
        self._strike(call, "arrived")

    async def after(self, call: Call) -> None:
        self._strike(call, "done")

    def _strike(self, call: Call, place: str) -> None:
        if self._places.get(call.number) != place:
            return
        for victim in self._site.victims(Kind.WORKER):
            if is_connected(victim.pid, call.port):
                os.kill(victim.pid, signal.SIGKILL)
                self.kills.append(f"{call.method} {call.path} {place}")


def is_connected(pid: int, port: int) -> bool:
    """Whether the process has the socket with this port at its own end."""
    rows = [line.split() for line in Path("/proc/net/tcp").read_text().splitlines()[1:]]
    sockets = {f"socket:[{row[9]}]" for row in rows if int(row[1].rpartition(":")[2], 16) == port}
    opened = set()
    for entry in Path(f"/proc/{pid}/fd").iterdir():
        try:
            opened.add(str(entry.readlink()))
        except FileNotFoundError:  # closed meanwhile
            continue
    return bool(sockets & opened)


@pytest.mark.parametrize("seed", range(3))
async def test_a_publisher_that_is_killed_leaves_nothing_out_and_nothing_twice(
    tmp_path: Path, site: Site, canvas: CanvasApi, seed: int
) -> None:
    killer = Killer(site, random.Random(seed))
    canvas.before, canvas.after = killer.before, killer.after
    quiz = await publish(site, await make_quiz(site.database), canvas)
    assert (quiz["status"], quiz["failure_reason"]) == ("published", None), quiz["publication"]
    assert len(killer.kills) == KILLS
    assert published.types_in(canvas.quiz) == SAID, killer.kills
    assert canvas.quiz.fields["published"]
    assert TOKEN.encode() not in stored(tmp_path)


def stored(directory: Path) -> bytes:
    """Whatever the database and the log have on disk."""
    return b"".join(path.read_bytes() for path in (*directory.glob("quizmill.db*"), directory / "log"))


async def test_the_command_publishes_and_says_what_was_left_out(tmp_path: Path, site: Site, canvas: CanvasApi) -> None:
    quiz_id = await make_quiz(site.database)
    arguments = ("publish", str(quiz_id), "--canvas-url", canvas.url, "--course", str(COURSE), "--url", site.fleet.url)

    async def told(token: str) -> tuple[int, str]:
        log = tmp_path / f"told-{token}"
        command = await fork(*arguments, "--token-env", "MY_TOKEN", log=log, MY_TOKEN=token)
        return await asyncio.wait_for(command.wait(), WAIT_SECONDS), log.read_text()

    code, words = await told("wrong")
    assert code == 1
    assert "Not published: Canvas does not accept the token" in words
    code, words = await told("")
    assert code == 1
    assert "MY_TOKEN is empty" in words
    code, words = await told(TOKEN)
    assert code == 0
    assert f"7 of 7 questions are in Canvas: {canvas.url}/courses/42/quizzes/{canvas.quiz.id}" in words
    assert "2 left out: Canvas quizzes have no cards to learn from" in words
    assert published.types_in(canvas.quiz) == SAID
