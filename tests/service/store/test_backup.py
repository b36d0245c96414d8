"""A backup of a database in use is whole, checked, and never in the way of what was there before."""

import asyncio
import os
import sqlite3
import sys
import threading
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from functools import partial
from itertools import count
from pathlib import Path
from typing import Any

import pytest

from service.cli import maintenance
from service.errors import Conflict, NotFound, QuizmillError, SettingsInvalid
from service.settings import Settings
from service.store import backup as backups
from service.store import schema, verification
from service.store.database import Database
from tests import factories

WRITERS = 4
POSTGRES = "postgresql+asyncpg://anna:secret@db.example.org:5433/quizmill?password=also-secret"


@pytest.fixture
async def running(sqlite_url: str) -> AsyncIterator[Database]:
    """An SQLite database in use."""
    database = Database(sqlite_url)
    await schema.migrate(database)
    yield database
    await database.close()


@asynccontextmanager
async def under_load(database: Database) -> AsyncIterator[asyncio.Event]:
    """Workers of several processes hold questions. The event is set anew by each commit."""
    committed = asyncio.Event()
    others = [Database(database.url) for _ in range(WRITERS)]

    async def hold_on(other: Database) -> None:
        for _ in count():
            ordered = await factories.make_order(other, 20)
            claimed = await factories.claim(other, ordered.batch_ids[0])
            for _ in range(10):
                await factories.hold(other, claimed, 2)
                committed.set()
            await factories.complete(other, claimed)

    writers = [asyncio.create_task(hold_on(other)) for other in others]
    await asyncio.wait_for(committed.wait(), 30)
    yield committed
    for writer in writers:
        writer.cancel()
    for ended in await asyncio.gather(*writers, return_exceptions=True):
        assert isinstance(ended, asyncio.CancelledError), ended
    for other in others:
        await other.close()


def left_in(directory: Path, name: str) -> list[str]:
    return sorted(path.name for path in directory.iterdir() if path.name.startswith(name))


def damage(path: Path) -> None:
    """Some pages of the file hold nothing that makes sense."""
    with path.open("r+b") as file:
        file.seek(4096 * 3)
        file.write(b"\xff" * 4096 * 4)


async def test_a_backup_under_load_holds_all_that_was_committed_and_verifies_clean(
    running: Database, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    # Steps so small that many writes come between them.
    monkeypatch.setattr(backups, "PAGES_PER_STEP", 1)
    known = await factories.make_partial(running)
    copy = tmp_path / "copy.db"
    async with under_load(running) as committed:
        backing_up = asyncio.create_task(backups.backup(running.url, copy))
        for _ in range(3):
            committed.clear()
            await asyncio.wait_for(committed.wait(), 30)
        size = await asyncio.wait_for(backing_up, 60)
    assert size == copy.stat().st_size > 0
    assert left_in(tmp_path, "copy") == ["copy.db"]
    settings = Settings(data_dir=tmp_path, database_url=f"sqlite+aiosqlite:///{copy}")
    report = await maintenance.verify(settings, None)
    assert report.findings == ()
    assert report.generations >= 2
    restored = Database(settings.resolved_database_url)
    assert await factories.load(restored, known) == await factories.load(running, known)
    await restored.close()


async def test_a_restored_copy_works_on(running: Database, tmp_path: Path) -> None:
    ordered = await factories.make_order(running, 3)
    held = await factories.hold(running, await factories.claim(running, ordered.batch_ids[0]), 2)
    await backups.backup(running.url, tmp_path / "copy.db")
    restored = Database(f"sqlite+aiosqlite:///{tmp_path / 'copy.db'}")
    await schema.require_current(restored)
    assert (await factories.batch_row(restored, ordered.batch_ids[0])).held_count == len(held)
    await factories.make_partial(restored)
    assert await factories.findings(restored) == ()
    await restored.close()


async def test_writers_do_not_wait_for_a_backup(
    running: Database, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    await factories.make_partial(running)
    loop = asyncio.get_running_loop()
    in_the_middle, go_on = asyncio.Event(), threading.Event()

    class Halting(sqlite3.Connection):
        def execute(self, statement: str, *arguments: Any) -> sqlite3.Cursor:
            cursor = super().execute(statement, *arguments)
            if "sqlite_master" in statement:
                loop.call_soon_threadsafe(in_the_middle.set)
                go_on.wait(30)
            return cursor

    # The driver offers no place between two steps at which to wait.
    monkeypatch.setattr(sqlite3, "connect", partial(sqlite3.connect, factory=Halting))
    copying = asyncio.create_task(backups.backup(running.url, tmp_path / "copy.db"))
    await asyncio.wait_for(in_the_middle.wait(), 30)
    later = await asyncio.wait_for(factories.make_partial(running), 5)
    go_on.set()
    await copying
    monkeypatch.undo()
    restored = Database(f"sqlite+aiosqlite:///{tmp_path / 'copy.db'}")
    assert await factories.findings(restored) == ()
    async with restored.read() as tx:
        report = await verification.verify(tx, later.generation_id)
    assert report.generations == 0, "the copy shows the moment at which it began"
    await restored.close()


@pytest.mark.parametrize("name", ["copy.db", "copy.db.part"])
async def test_a_file_that_exists_is_refused_and_left_alone(running: Database, tmp_path: Path, name: str) -> None:
    (tmp_path / name).write_text("precious", encoding="utf-8")
    with pytest.raises(Conflict, match=rf"{name} exists already"):
        await backups.backup(running.url, tmp_path / "copy.db")
    assert (tmp_path / name).read_text(encoding="utf-8") == "precious"
    assert left_in(tmp_path, "copy") == [name]


async def test_a_database_that_is_not_there_is_named_and_not_made(tmp_path: Path) -> None:
    with pytest.raises(NotFound, match=r"there is no database at .*none\.db"):
        await backups.backup(f"sqlite+aiosqlite:///{tmp_path / 'none.db'}", tmp_path / "copy.db")
    assert left_in(tmp_path, "") == []


async def test_a_directory_that_is_not_there_is_named(running: Database, tmp_path: Path) -> None:
    with pytest.raises(QuizmillError, match=r"nowhere/copy\.db can't be written: No such file or directory"):
        await backups.backup(running.url, tmp_path / "nowhere" / "copy.db")


async def test_a_damaged_database_yields_no_backup(running: Database, tmp_path: Path) -> None:
    await factories.make_partial(running)
    await running.close()
    damage(Path(running.url.removeprefix("sqlite+aiosqlite:///")))
    with pytest.raises(QuizmillError, match="failed: the copy is damaged, and so is what it was made of"):
        await backups.backup(running.url, tmp_path / "copy.db")
    assert left_in(tmp_path, "copy") == []


async def test_a_backup_that_is_stopped_leaves_nothing(
    running: Database, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(backups, "PAGES_PER_STEP", 1)
    copying = asyncio.create_task(backups.backup(running.url, tmp_path / "copy.db"))
    loop = asyncio.get_running_loop()
    copied = asyncio.Event()
    copy_pages = backups._copy_pages

    def tell(source: Path, part: Path, stop: threading.Event) -> None:
        loop.call_soon_threadsafe(copied.set)
        assert stop.wait(30)
        copy_pages(source, part, stop)

    # The moment of the stop is chosen here: in the middle.
    monkeypatch.setattr(backups, "_copy_pages", tell)
    await asyncio.wait_for(copied.wait(), 30)
    copying.cancel()
    with pytest.raises(asyncio.CancelledError):
        await copying
    assert left_in(tmp_path, "copy") == []


async def test_for_postgresql_the_command_is_named_without_any_password(tmp_path: Path) -> None:
    with pytest.raises(SettingsInvalid) as refused:
        await backups.backup(POSTGRES, tmp_path / "copy.dump")
    assert "pg_dump --format=custom --file=FILE --host=db.example.org --port=5433 --username=anna quizmill" in str(
        refused.value
    )
    assert "secret" not in str(refused.value)
    assert left_in(tmp_path, "") == []


async def test_for_postgresql_behind_a_socket_its_directory_is_the_host(tmp_path: Path) -> None:
    with pytest.raises(SettingsInvalid, match=r"pg_dump .* --host=/run/postgresql --username=anna quizmill$"):
        await backups.backup("postgresql+asyncpg://anna@/quizmill?host=/run/postgresql", tmp_path / "copy.dump")


async def run(*arguments: str, database_url: str) -> tuple[int, str]:
    """A command as a user would run it: exit code, and all that it says."""
    process = await asyncio.create_subprocess_exec(
        *(sys.executable, "-m", "service.cli.main", *arguments),
        stdout=asyncio.subprocess.PIPE,
        stderr=asyncio.subprocess.STDOUT,
        env={**os.environ, "QUIZMILL_DATABASE_URL": database_url},
    )
    said, _ = await asyncio.wait_for(process.communicate(), 60)
    assert process.returncode is not None, "communicate waits for the end"
    return process.returncode, said.decode()


async def test_the_command_says_what_it_wrote_and_what_it_refuses(running: Database, tmp_path: Path) -> None:
    await factories.make_partial(running)
    copy = str(tmp_path / "copy.db")
    code, said = await run("backup", copy, database_url=running.url)
    assert (code, said.startswith(f"{copy} holds the whole database (")) == (0, True), said
    assert await run("verify", database_url=f"sqlite+aiosqlite:///{copy}") == (0, "1 generations, 0 findings.\n")
    code, said = await run("backup", copy, database_url=running.url)
    assert (code, said) == (1, f"Error: {copy} exists already: choose another name\n")
    code, said = await run("backup", copy, database_url=POSTGRES)
    assert code == 1
    assert said.startswith("Error: PostgreSQL has its own tool for this: pg_dump --format=custom")
    assert "secret" not in said
