"""SQLite without threads: statements run on the loop, and stop at places where a process can be hit."""

from collections.abc import Awaitable, Callable, Iterator, Sequence
from contextlib import contextmanager
from typing import Any

# Two builds of SQLite on one file would not see each other's locks.
from service.store import sqlite_build  # noqa: F401 # isort: skip
import sqlite3  # isort: skip

import aiosqlite  # noqa: F401 # so that the dialect finds it under the SQLite that Quizmill has chosen
from sqlalchemy.dialects.sqlite.aiosqlite import AsyncAdapt_aiosqlite_dbapi
from sqlalchemy.util import await_only

Pause = Callable[[str], Awaitable[None]]
"""Called with the name of the place; may take time, and may never return."""


class Disk:
    """The file that all processes share, and who is told of it."""

    def __init__(self, path: str, *, pause: Pause, clock: Callable[[], float]) -> None:
        self.path = path
        self.pause = pause
        self.clock = clock
        self.on_open: Callable[[InlineConnection], None] = lambda _: None
        self.on_commit: Callable[[InlineConnection], None] = lambda _: None
        self.on_acknowledge: Callable[[InlineConnection], None] = lambda _: None


class _Cursor(sqlite3.Cursor):
    connection: "InlineConnection"

    async def _async_soft_close(self) -> None:
        """Asked for by SQLAlchemy of cursors that it adapts: there is nothing to wait for."""

    def execute(self, sql: str, *parameters: Any) -> "_Cursor":
        self.connection.enter(sql)
        super().execute(sql, *parameters)
        return self

    def executemany(self, sql: str, rows: Any) -> "_Cursor":
        self.connection.enter(sql)
        self.connection.note(sql, rows)
        super().executemany(sql, rows)
        return self


class InlineConnection(sqlite3.Connection):
    """In the place of the dialect's adapted aiosqlite connection."""

    disk: Disk
    entered: list[str]
    is_broken = False

    @property
    def _connection(self) -> "InlineConnection":
        return self

    def cursor(self, **_options: Any) -> _Cursor:  # type: ignore[override] # the dialect asks for server_side
        return super().cursor(_Cursor)

    def enter(self, sql: str) -> None:
        """Before a statement. The dialect wants to see something awaited in each."""
        verb = sql[:6].strip()
        if verb == "BEGIN":
            self.entered = []
        await_only(self.disk.pause(verb))

    def note(self, sql: str, rows: Sequence[Any]) -> None:
        """What of this transaction must be there once it is acknowledged."""
        if sql.startswith("INSERT INTO questions "):
            names = sql[len("INSERT INTO questions (") :].split(")", maxsplit=1)[0].split(", ")
            place = names.index("id")
            self.entered += [row[place] for row in rows]

    def commit(self) -> None:
        if not self.in_transaction:
            return
        await_only(self.disk.pause("COMMIT"))
        super().commit()
        self.disk.on_commit(self)
        await_only(self.disk.pause("COMMITTED"))
        self.disk.on_acknowledge(self)

    def rollback(self) -> None:
        if not self.is_broken:
            super().rollback()

    def close(self) -> None:
        if not self.is_broken:
            self.is_broken = True
            super().close()

    def terminate(self) -> None:
        self.close()


@contextmanager
def installed(disk: Disk) -> Iterator[None]:
    """Whatever opens an SQLite database through SQLAlchemy opens this disk."""

    def connect(_dbapi: object, *_arguments: object, **_options: object) -> InlineConnection:
        connection = sqlite3.connect(disk.path, factory=InlineConnection, cached_statements=256)
        connection.disk = disk
        connection.entered = []
        connection.create_function("unixepoch", -1, lambda *_: disk.clock())
        disk.on_open(connection)
        return connection

    before = AsyncAdapt_aiosqlite_dbapi.connect
    AsyncAdapt_aiosqlite_dbapi.connect = connect  # type: ignore[method-assign,assignment] # the seam
    try:
        yield
    finally:
        AsyncAdapt_aiosqlite_dbapi.connect = before  # type: ignore[method-assign]
