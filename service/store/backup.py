"""Copies a running SQLite database into one file that can be put back; for PostgreSQL, names the tool that does it."""

import asyncio
import os
import threading
from contextlib import closing, suppress
from pathlib import Path
from urllib.parse import quote

from service.store import sqlite_build  # isort: skip # before sqlite3 is imported
import sqlite3

import sqlalchemy as sa

from service.errors import Conflict, NotFound, QuizmillError, SettingsInvalid

PAGES_PER_STEP = 512
"""2 MiB at SQLite's page size: between two steps the copying can be stopped."""

LOCK_WAIT_SECONDS_MAX = 30.0


class Stopped(Exception):
    """Whoever wanted the copy does not want it any more."""


async def backup(database_url: str, target: Path) -> int:
    """Copy the database, as it is at this moment, into the new file `target`; returns its size in bytes.

    Nobody waits for it: readers don't block writers. Until the copy is whole and checked it is called TARGET.part.
    Raises SettingsInvalid for PostgreSQL, NotFound, Conflict when one of the files exists, QuizmillError when it can't
    be written.
    """
    source = _source(database_url)
    part = target.with_name(f"{target.name}.part")
    _refuse_existing(target, part)
    stop = threading.Event()
    copying = asyncio.create_task(asyncio.to_thread(_copy, source, part, target, stop))
    try:
        return await asyncio.shield(copying)
    except asyncio.CancelledError:
        stop.set()
        with suppress(Stopped, QuizmillError):
            await copying
        raise


def _source(database_url: str) -> Path:
    url = sa.make_url(database_url)
    if url.get_backend_name() != "sqlite":
        raise SettingsInvalid(f"PostgreSQL has its own tool for this: {_pg_dump(url)}")
    sqlite_build.require_sound()
    assert url.database is not None, "an SQLite URL names a file"
    if not Path(url.database).is_file():
        raise NotFound(f"there is no database at {url.database}: check QUIZMILL_DATA_DIR and QUIZMILL_DATABASE_URL")
    return Path(url.database)


def _pg_dump(url: sa.URL) -> str:
    """The command with everything it needs but the password, for which it asks."""
    host = url.host or url.query.get("host")
    named = {"host": host, "port": url.port, "username": url.username}
    options = [f"--{name}={value}" for name, value in named.items() if value]
    return " ".join(["pg_dump", "--format=custom", "--file=FILE", *options, str(url.database)])


def _refuse_existing(target: Path, part: Path) -> None:
    if target.exists():
        raise Conflict(f"{target} exists already: choose another name")
    if part.exists():
        raise Conflict(f"{part} exists already: another backup writes it, or one was killed; delete it if none runs")


def _copy(source: Path, part: Path, target: Path, stop: threading.Event) -> int:
    try:
        with part.open("xb"):
            pass
        try:
            _copy_pages(source, part, stop)
            _persist(part)
            part.rename(target)
        except BaseException:
            part.unlink(missing_ok=True)
            raise
        _persist(target.parent)
        return target.stat().st_size
    except sqlite3.Error as error:
        raise QuizmillError(f"the backup of {source} to {target} failed: {error}") from error
    except OSError as error:
        raise QuizmillError(f"{target} can't be written: {error.strerror}") from error


def _copy_pages(source: Path, part: Path, stop: threading.Event) -> None:
    def carry_on(_status: int, _remaining: int, _total: int) -> None:
        if stop.is_set():
            raise Stopped

    # mode=rw: what is not there is not made. In a database in WAL mode even a reader writes (its place in the log).
    address = f"file:{quote(str(source))}?mode=rw"
    with (
        closing(sqlite3.connect(address, uri=True, isolation_level=None, timeout=LOCK_WAIT_SECONDS_MAX)) as running,
        closing(sqlite3.connect(part, isolation_level=None)) as copy,
    ):
        running.execute("PRAGMA query_only=ON")
        # One transaction around all steps: without it, each write of others would make the copying start again.
        running.execute("BEGIN")
        running.execute("SELECT count(*) FROM sqlite_master")
        running.backup(copy, pages=PAGES_PER_STEP, progress=carry_on)
        running.execute("ROLLBACK")
        # One file, without a log beside it.
        copy.execute("PRAGMA journal_mode=DELETE")
        problems = [str(row[0]) for row in copy.execute("PRAGMA integrity_check(1)") if row != ("ok",)]
    if problems:
        raise sqlite3.DatabaseError(f"the copy is damaged, and so is what it was made of: {problems[0]}")


def _persist(path: Path) -> None:
    """To the disk; of a directory, its names."""
    handle = os.open(path, os.O_RDONLY)
    try:
        os.fsync(handle)
    finally:
        os.close(handle)
