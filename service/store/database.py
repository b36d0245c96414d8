"""The connection to SQLite or PostgreSQL: transactions, and the database's own clock."""

import asyncio
import random
import time
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from datetime import UTC, datetime
from pathlib import Path

from service.store import sqlite_build  # isort: skip # before aiosqlite is imported

import sqlalchemy as sa
import structlog
from sqlalchemy.engine import Connection
from sqlalchemy.engine.interfaces import DBAPIConnection
from sqlalchemy.ext.asyncio import AsyncConnection, AsyncEngine, create_async_engine
from sqlalchemy.ext.compiler import compiles
from sqlalchemy.pool import ConnectionPoolEntry
from sqlalchemy.sql.compiler import SQLCompiler
from sqlalchemy.util import await_only

from service.errors import DatabaseDamaged, Unavailable
from service.store import sqlite_inline

log = structlog.get_logger()

Tx = AsyncConnection
"""An open transaction. The caller opens it, store functions never commit."""

LOCK_WAIT_SECONDS_MAX = 30.0
CLOSE_SECONDS_MAX = 2.0
READERS_MAX = 8
POSTGRES_CONNECTIONS_MAX = 10
AWAY = ("08", "28", "3D", "40", "53", "57P")
"""SQLSTATE classes that tell of the server and not of the statement.

Connection, log-in, no such database, deadlock, out of resources, and (57P03) starting up: the driver gives these no
class of their own.
"""

SQLITE_DAMAGED = (11, 26)
"""SQLITE_CORRUPT and SQLITE_NOTADB."""


class Timestamp(sa.types.TypeDecorator[datetime]):
    """An aware UTC datetime, kept as seconds since 1970 so that both databases compare and add alike."""

    impl = sa.Double
    cache_ok = True

    def process_bind_param(self, value: datetime | None, dialect: sa.Dialect) -> float | None:
        return None if value is None else value.timestamp()

    def process_result_value(self, value: float | None, dialect: sa.Dialect) -> datetime | None:
        return None if value is None else datetime.fromtimestamp(value, UTC)


class db_now(sa.sql.functions.FunctionElement[datetime]):  # noqa: N801 # reads like the SQL function it is
    """The database's clock: the only one that decides about leases and delays."""

    type = Timestamp()
    inherit_cache = True


def seconds_from_now(seconds: float | str) -> sa.ColumnElement[datetime]:
    """The database's clock plus `seconds`, or plus those that are given as the parameter of that name."""
    given: sa.ColumnElement[float] = (
        sa.bindparam(seconds, type_=sa.Double()) if isinstance(seconds, str) else sa.literal(seconds, sa.Double())
    )
    return sa.type_coerce(sa.type_coerce(db_now(), sa.Double()) + given, Timestamp())


@compiles(db_now, "sqlite")
def _sqlite_now(_element: db_now, _compiler: SQLCompiler, **_options: object) -> str:
    return "unixepoch('now', 'subsec')"


@compiles(db_now, "postgresql")
def _postgres_now(_element: db_now, _compiler: SQLCompiler, **_options: object) -> str:
    # Not now(): that one stands still within a transaction, which may have waited for a lock.
    return "CAST(extract(epoch FROM clock_timestamp()) AS double precision)"


class Database:
    """`write()` and `read()` open a transaction each; nothing else talks to the database."""

    def __init__(self, url: str) -> None:
        self.url = url
        self.is_sqlite = url.startswith("sqlite")
        self._writer = _sqlite_writer(url) if self.is_sqlite else _postgres(url)
        self._reader = _sqlite_reader(url) if self.is_sqlite else _snapshots(self._writer)

    @asynccontextmanager
    async def write(self) -> AsyncIterator[Tx]:
        """A transaction that commits when the block ends. Raises Unavailable when the database does not answer."""
        async with _translated(), self._writer.begin() as tx:
            yield tx

    @asynccontextmanager
    async def read(self) -> AsyncIterator[Tx]:
        """A short read-only transaction that sees one moment. Raises Unavailable when the database does not answer."""
        async with _translated(), self._reader.connect() as tx:
            yield tx

    async def close(self) -> None:
        """Bounded: a server that hangs would not even take leave. Its connections end with the process."""
        try:
            async with asyncio.timeout(CLOSE_SECONDS_MAX):
                await self._writer.dispose()
                await self._reader.dispose()
        except TimeoutError:
            log.warning("the database does not let go", error=f"waited for {CLOSE_SECONDS_MAX:g} seconds")


@asynccontextmanager
async def _translated() -> AsyncIterator[None]:
    try:
        yield
    except sa.exc.TimeoutError as error:
        raise Unavailable("the database is busy: too many are waiting for it") from error
    except (sa.exc.OperationalError, sa.exc.InterfaceError, OSError) as error:
        raise Unavailable(f"the database does not answer: {_first_line(error)}") from error
    except sa.exc.DBAPIError as error:
        if getattr(error.orig, "sqlite_errorcode", None) in SQLITE_DAMAGED:
            raise damaged(_first_line(error)) from error
        if error.connection_invalidated:
            raise Unavailable("the database closed the connection") from error
        if str(getattr(error.orig, "sqlstate", None)).startswith(AWAY):
            raise Unavailable(f"the database does not answer: {_first_line(error)}") from error
        raise


def damaged(finding: str) -> DatabaseDamaged:
    return DatabaseDamaged(
        f"the database file is damaged ({finding}): stop Quizmill, move the file, its -wal and its -shm away,"
        " and put a copy made by `quizmill backup` in its place"
    )


def _first_line(error: Exception) -> str:
    cause = getattr(error, "orig", None) or error
    return str(cause).splitlines()[0] if str(cause) else type(cause).__name__


def _postgres(url: str) -> AsyncEngine:
    settings = {"idle_in_transaction_session_timeout": "10000", "application_name": "quizmill"}
    return create_async_engine(
        url,
        pool_size=POSTGRES_CONNECTIONS_MAX,
        max_overflow=0,
        pool_pre_ping=True,
        connect_args={"server_settings": settings, "timeout": 10, "command_timeout": 60},
    )


def _snapshots(writer: AsyncEngine) -> AsyncEngine:
    """The same connections for readers: all statements of one transaction see the same moment, as in SQLite."""
    return writer.execution_options(isolation_level="REPEATABLE READ", postgresql_readonly=True)


def _sqlite_writer(url: str) -> AsyncEngine:
    """One connection a process: writers queue in the process and only then compete for the file."""
    sqlite_build.require_sound()
    path = sa.make_url(url).database
    assert path is not None, "an SQLite URL names a file"
    Path(path).parent.mkdir(parents=True, exist_ok=True)
    engine = create_async_engine(
        url,
        async_creator=lambda *_, **__: sqlite_inline.connect(path, sqlite_inline.WriterConnection),
        pool_size=1,
        max_overflow=0,
        pool_timeout=LOCK_WAIT_SECONDS_MAX,
        poolclass=sa.pool.AsyncAdaptedQueuePool,
    )
    sa.event.listen(engine.sync_engine, "connect", _prepare_writer)
    sa.event.listen(engine.sync_engine, "begin", _begin_immediate)
    return engine


def _sqlite_reader(url: str) -> AsyncEngine:
    """Readers have their own connections: through the writer's they would wait for every open transaction."""
    path = sa.make_url(url).database
    assert path is not None, "an SQLite URL names a file"
    engine = create_async_engine(
        url,
        async_creator=lambda *_, **__: sqlite_inline.connect(path, sqlite_inline.InlineConnection),
        pool_size=READERS_MAX,
        max_overflow=0,
        pool_timeout=10,
        poolclass=sa.pool.AsyncAdaptedQueuePool,
    )
    sa.event.listen(engine.sync_engine, "connect", _prepare_reader)
    sa.event.listen(engine.sync_engine, "begin", _begin_deferred)
    return engine


def _prepare_writer(connection: DBAPIConnection, _entry: ConnectionPoolEntry) -> None:
    # The driver's own BEGIN comes too late (its SELECTs run outside the transaction), so it is switched off.
    connection.isolation_level = None
    cursor = connection.cursor()
    for pragma in ("busy_timeout=5000", "journal_mode=WAL", "synchronous=FULL", "foreign_keys=ON", "busy_timeout=0"):
        cursor.execute(f"PRAGMA {pragma}")
    cursor.close()


def _prepare_reader(connection: DBAPIConnection, _entry: ConnectionPoolEntry) -> None:
    connection.isolation_level = None
    cursor = connection.cursor()
    for pragma in ("busy_timeout=30000", "query_only=ON"):
        cursor.execute(f"PRAGMA {pragma}")
    cursor.close()


def _begin_immediate(connection: Connection) -> None:
    """Take the write lock before the first read.

    SQLite can't tell when its lock is free, and its own busy handler sleeps unfairly: short jittered waits of ours cut
    the longest wait to a quarter. Raises OperationalError after LOCK_WAIT_SECONDS_MAX.
    """
    deadline = time.monotonic() + LOCK_WAIT_SECONDS_MAX
    while True:
        try:
            connection.exec_driver_sql("BEGIN IMMEDIATE")
        except sa.exc.OperationalError as error:
            if "locked" not in str(error) or time.monotonic() > deadline:
                raise
            await_only(asyncio.sleep(random.uniform(0.001, 0.005)))  # noqa: S311 # jitter, not a secret
        else:
            return


def _begin_deferred(connection: Connection) -> None:
    connection.exec_driver_sql("BEGIN DEFERRED")
