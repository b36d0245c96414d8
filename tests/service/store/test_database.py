"""Transactions, the database's clock, and what happens when the database is away."""

import asyncio
import socket
import sys
import threading
from datetime import UTC, datetime, timedelta, timezone
from pathlib import Path

import aiosqlite
import pytest
import sqlalchemy as sa

from service.errors import QuizmillError, Unavailable
from service.store import database as database_module
from service.store import quizzes, schema, sqlite_build, tables
from service.store.database import Database, Timestamp, db_now, seconds_from_now

SINCE_1970: sa.ColumnElement[float] = sa.type_coerce(db_now(), sa.Double())
CLOCK_LOOKS_MAX = 5000


async def add_quiz(database: Database, title: str = "Plants") -> None:
    async with database.write() as tx:
        await quizzes.insert(tx, owner="ann", title=title, language="en")


async def titles(database: Database) -> list[str]:
    async with database.read() as tx:
        return list((await tx.execute(sa.select(tables.quizzes.c.title))).scalars())


async def use(database: Database) -> None:
    """Reads and writes, as the first thing that a process does."""
    for opened in (database.read(), database.write()):
        async with opened as tx:
            await tx.execute(sa.select(sa.literal(1)))


async def connections_are_gone() -> None:
    """aiosqlite does not wait for the thread of a connection that could not be opened; a loop that ends must."""
    for thread in threading.enumerate():
        if "_connection_worker_thread" in thread.name:
            await asyncio.to_thread(thread.join, 10)


def free_port() -> int:
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        port: int = probe.getsockname()[1]
        return port


async def test_a_write_is_committed_when_its_block_ends(database: Database, other_database: Database) -> None:
    async with database.write() as tx:
        await quizzes.insert(tx, owner="ann", title="Plants", language="en")
        assert await titles(other_database) == []
    assert await titles(other_database) == ["Plants"]


async def test_nothing_of_a_write_that_raises_is_there(database: Database) -> None:
    async def interrupted() -> None:
        async with database.write() as tx:
            await quizzes.insert(tx, owner="ann", title="Plants", language="en")
            raise RuntimeError("the power goes out")

    with pytest.raises(RuntimeError, match="the power goes out"):
        await interrupted()
    assert await titles(database) == []
    await add_quiz(database)
    assert await titles(database) == ["Plants"], "the connection is as good as new"


async def test_nothing_of_a_write_that_is_cancelled_in_the_middle_is_there(database: Database) -> None:
    has_written = asyncio.Event()

    async def endless() -> None:
        async with database.write() as tx:
            await quizzes.insert(tx, owner="ann", title="Plants", language="en")
            has_written.set()
            await asyncio.Event().wait()

    writing = asyncio.create_task(endless())
    await has_written.wait()
    writing.cancel()
    await asyncio.gather(writing, return_exceptions=True)
    assert await titles(database) == []
    await add_quiz(database)


async def test_a_read_can_change_nothing(database: Database) -> None:
    await add_quiz(database)

    async def reading() -> None:
        async with database.read() as tx:
            await tx.execute(sa.update(tables.quizzes).values(title="changed"))

    # SQLite refuses; PostgreSQL forgets, since a read is never committed.
    await asyncio.gather(reading(), return_exceptions=True)
    assert await titles(database) == ["Plants"]


async def test_a_reader_is_not_blocked_by_an_open_write(database: Database) -> None:
    await add_quiz(database)
    async with database.write() as tx:
        await tx.execute(sa.update(tables.quizzes).values(title="changed"))
        async with asyncio.timeout(5):
            assert await titles(database) == ["Plants"], "it sees what was committed before"
    assert await titles(database) == ["changed"]


async def test_a_read_sees_one_moment_from_beginning_to_end(database: Database, other_database: Database) -> None:
    await add_quiz(database)
    found = sa.select(tables.quizzes.c.title)
    async with database.read() as tx:
        first = (await tx.execute(found)).scalars().all()
        async with other_database.write() as other:
            await other.execute(sa.update(tables.quizzes).values(title="changed"))
        assert (await tx.execute(found)).scalars().all() == first == ["Plants"]
    assert await titles(database) == ["changed"]


async def test_writers_of_two_processes_lose_no_update(database: Database, other_database: Database) -> None:
    await add_quiz(database, "0")

    async def count_up(store: Database) -> None:
        async with store.write() as tx:
            found = sa.select(tables.quizzes.c.title).with_for_update()
            title = (await tx.execute(found)).scalar_one()
            await tx.execute(sa.update(tables.quizzes).values(title=str(int(title) + 1)))

    await asyncio.gather(*(count_up(store) for _ in range(10) for store in (database, other_database)))
    assert await titles(database) == ["20"]


async def test_a_refused_row_is_no_unavailable_database(database: Database) -> None:
    await add_quiz(database)

    async def refused() -> None:
        async with database.write() as tx:
            await tx.execute(sa.update(tables.quizzes).values(title=None))

    with pytest.raises(sa.exc.IntegrityError):
        await refused()


async def test_moments_are_aware_utc_to_the_microsecond(database: Database) -> None:
    moment = datetime(2026, 2, 3, 4, 5, 6, 789_012, tzinfo=UTC)
    elsewhere = moment.astimezone(timezone(timedelta(hours=5, minutes=30)))
    async with database.read() as tx:
        for given in (moment, elsewhere):
            found = (await tx.execute(sa.select(sa.literal(given, Timestamp())))).scalar_one()
            assert found == moment
            assert found.utcoffset() == timedelta(0)
        assert (await tx.execute(sa.select(sa.literal(None, Timestamp())))).scalar_one() is None


async def test_the_clock_goes_on_within_a_transaction(database: Database) -> None:
    async with database.write() as tx:
        first = (await tx.execute(sa.select(db_now()))).scalar_one()
        for _ in range(CLOCK_LOOKS_MAX):
            if (await tx.execute(sa.select(db_now()))).scalar_one() > first:
                return
    raise AssertionError("the clock stands still")


@pytest.mark.parametrize("seconds", [0, 0.25, 90, -90])
async def test_seconds_from_now_are_added_to_the_clock_of_the_database(database: Database, seconds: float) -> None:
    difference: sa.ColumnElement[float] = sa.type_coerce(seconds_from_now(seconds), sa.Double()) - SINCE_1970
    async with database.read() as tx:
        assert (await tx.execute(sa.select(difference))).scalar_one() == pytest.approx(seconds, abs=0.2)


async def test_a_server_that_is_not_there_is_unavailable() -> None:
    database = Database(f"postgresql+asyncpg://postgres@127.0.0.1:{free_port()}/quizmill")
    for opened in (database.read, database.write):
        with pytest.raises(Unavailable, match=r"the database does not answer: .+"):
            async with opened():
                pass
    await database.close()


@pytest.mark.parametrize(("part", "wrong"), [("/postgres?", "/nowhere?"), ("postgres:@", "nobody:@")])
async def test_a_server_that_lets_nobody_in_is_unavailable(postgres_url: str, part: str, wrong: str) -> None:
    url = postgres_url.replace("postgresql://", "postgresql+asyncpg://").replace(part, wrong)
    database = Database(url)
    with pytest.raises(Unavailable, match="does not exist"):
        await use(database)
    await database.close()


@pytest.mark.parametrize("state", ["57P03", "57P01", "53300", "08006", "40P01"])
async def test_a_server_that_starts_or_stops_or_is_too_busy_is_unavailable(postgres_url: str, state: str) -> None:
    database = Database(postgres_url.replace("postgresql://", "postgresql+asyncpg://"))
    for opened in (database.read, database.write):
        with pytest.raises(Unavailable):
            async with opened() as tx:
                await tx.execute(sa.text(f"DO $$ BEGIN RAISE EXCEPTION 'not now' USING ERRCODE = '{state}'; END $$"))
    await use(database)
    await database.close()


async def test_a_file_that_can_not_be_opened_is_unavailable(tmp_path: Path) -> None:
    database = Database(f"sqlite+aiosqlite:///{tmp_path}")
    for opened in (database.read, database.write):
        with pytest.raises(Unavailable, match="the database does not answer: unable to open database file"):
            async with opened():
                pass
    await database.close()
    await connections_are_gone()


async def test_a_connection_that_the_server_closes_is_unavailable_and_the_next_one_works(postgres_url: str) -> None:
    url = postgres_url.replace("postgresql://", "postgresql+asyncpg://")
    database, operator = Database(url), Database(url)

    async def cut_off() -> None:
        async with database.write() as tx:
            process = (await tx.execute(sa.select(sa.func.pg_backend_pid()))).scalar_one()
            async with operator.write() as other:
                await other.execute(sa.select(sa.func.pg_terminate_backend(process)))
            await tx.execute(sa.select(sa.literal(1)))

    with pytest.raises(Unavailable):
        await cut_off()
    await use(database)
    await database.close()
    await operator.close()


async def test_a_file_that_stays_locked_is_unavailable(sqlite_url: str, monkeypatch: pytest.MonkeyPatch) -> None:
    # The half minute that writers are patient for is too long for a test.
    monkeypatch.setattr(database_module, "LOCK_WAIT_SECONDS_MAX", 0.05)
    holder, waiter = Database(sqlite_url), Database(sqlite_url)
    await use(waiter)
    async with holder.write() as tx:
        await tx.execute(sa.text("CREATE TABLE held (number INTEGER)"))
        with pytest.raises(Unavailable, match="locked"):
            async with waiter.write():
                pass
    await use(waiter)
    await holder.close()
    await waiter.close()


async def test_the_directory_of_a_new_database_is_made(tmp_path: Path) -> None:
    path = tmp_path / "new" / "deeper" / "quizmill.db"
    database = Database(f"sqlite+aiosqlite:///{path}")
    await use(database)
    await database.close()
    assert path.is_file()


async def test_sqlite_is_new_enough_not_to_corrupt_what_several_processes_write(sqlite_url: str) -> None:
    async with aiosqlite.connect(":memory:") as connection:
        [[driver]] = await connection.execute_fetchall("SELECT sqlite_version()")
    database = Database(sqlite_url)
    async with database.write() as tx:
        writer = (await tx.execute(sa.select(sa.func.sqlite_version()))).scalar_one()
    async with database.read() as tx:
        reader = (await tx.execute(sa.select(sa.func.sqlite_version()))).scalar_one()
    await database.close()
    for version in (driver, writer, reader):
        assert tuple(map(int, version.split("."))) >= sqlite_build.SOUND_FROM
    assert sys.modules["sqlite3"].sqlite_version == driver


async def test_sqlite_writes_survive_a_power_cut_and_keep_their_references(sqlite_url: str) -> None:
    database = Database(sqlite_url)
    await schema.migrate(database)
    async with database.write() as tx:
        found = {
            pragma: (await tx.execute(sa.text(f"PRAGMA {pragma}"))).scalar_one()
            for pragma in ("journal_mode", "synchronous", "foreign_keys")
        }
    await database.close()
    full = 2
    assert found == {"journal_mode": "wal", "synchronous": full, "foreign_keys": 1}


async def test_an_unavailable_database_is_one_of_our_errors_and_means_503() -> None:
    assert issubclass(Unavailable, QuizmillError)
    assert Unavailable.status == 503
