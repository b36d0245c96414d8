"""The disk is full in the middle of work: a clear error, reads go on, and work resumes when there is room again."""

import os
import shutil
import sys
from functools import partial
from pathlib import Path

import httpx

from service.store.database import Database
from tests.faults import proof
from tests.faults.fleet import Fleet, free_port, launch_command
from tests.faults.load import MODULES, TARGETS
from tests.faults.test_outages import ended
from tests.faults.witness import Witness, client, order
from tests.messages_api import MessagesApi
from tests.processes import children_of
from tests.workbench import eventually

DISK = "8m"
QUIZZES_MAX = 200
FULL_SECONDS_MAX = 20.0

# A disk of its own, which only these processes see and which goes with them. Root needs no name space of users.
AS_ROOT = () if os.geteuid() == 0 else ("--map-root-user",)
ON_A_SMALL_DISK = ("unshare", *AS_ROOT, "--mount", "sh", "-c", f'mount -t tmpfs -o size={DISK} disk "$0" && exec "$@"')


async def test_a_full_disk_stops_writes_only_and_only_until_there_is_room(
    tmp_path: Path, messages_api: MessagesApi
) -> None:
    disk, log, port = tmp_path / "disk", tmp_path / "log", free_port()
    disk.mkdir()
    command = (*ON_A_SMALL_DISK, str(disk), sys.executable, "-m", "service.cli.main")
    up = (*command, "up", "--port", str(port), "--data-dir", str(disk))
    environment = {"ANTHROPIC_API_KEY": "test-key", "ANTHROPIC_BASE_URL": messages_api.base_url}
    start = partial(launch_command, *up, log=log, **environment)
    messages_api.hold(after_questions=2)
    async with Fleet([port], {"up": start}) as fleet:
        witness = Witness(fleet.url, await order(fleet.url, MODULES))
        await messages_api.held(2)
        seen = as_seen_by(fleet, disk)
        fill(seen / "ballast")
        async with client(fleet.url, timeout=httpx.Timeout(60)) as http:
            refused = await first_refusal(http)
            assert refused.headers["retry-after"]
            assert "full" in refused.json()["detail"]
            assert (await http.get(f"/api/generations/{witness.generation_id}")).status_code == 200
            assert (await http.get("/api/quizzes")).status_code == 200
            messages_api.release()
            before = log.stat().st_size
            await eventually(lambda: b"full" in log.read_bytes()[before:], seconds=FULL_SECONDS_MAX)
            (seen / "ballast").unlink()
            await ended(witness)
            assert (await store_quiz(http)).status_code == 201
        # SQLite would look for the path where it leads to, outside of the name space.
        for name in ("quizmill.db", "quizmill.db-wal"):
            shutil.copy(seen / name, tmp_path / name)
        database = Database(f"sqlite+aiosqlite:///{tmp_path / 'quizmill.db'}")
        found = await proof.examine(database, [witness], messages_api.requests, TARGETS)
        await database.close()
    assert found.problems == ()
    assert found.wasted_calls == 0


def as_seen_by(fleet: Fleet, disk: Path) -> Path:
    pid = fleet.keepers["up"].pid
    assert pid is not None, "it runs"
    assert children_of(pid), "it has taken the place of the shell"
    return Path(f"/proc/{pid}/root{disk}")


def fill(ballast: Path) -> None:
    """To the last byte."""
    with ballast.open("wb", buffering=0) as file:
        for size in (65536, 4096, 1):
            try:
                while True:
                    file.write(b"x" * size)
            except OSError:
                continue


async def first_refusal(http: httpx.AsyncClient) -> httpx.Response:
    """What SQLite has left in its own files takes some quizzes yet."""
    for _ in range(QUIZZES_MAX):
        response = await store_quiz(http)
        if response.status_code != 201:
            assert response.status_code == 503, response.text
            return response
    raise AssertionError("the disk is not full")


async def store_quiz(http: httpx.AsyncClient) -> httpx.Response:
    return await http.post(
        "/api/quizzes", json={"title": "Big", "modules": [{"name": "Big", "text": "word " * 20_000}]}
    )
