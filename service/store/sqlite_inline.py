"""Connections to SQLite that work on the event loop, and leave to aiosqlite's thread only what may wait.

A statement takes a tenth of a millisecond, handing it to the thread and back several times that, four times over.
What may wait is what takes a lock or writes to the disk: all of a reader's statements but not the fetching of their
rows; of the writer's only BEGIN IMMEDIATE and COMMIT, since in between it holds the lock that others wait for.
"""

from collections.abc import Callable
from typing import ParamSpec, TypeVar

# Two builds of SQLite on one file would not see each other's locks.
from service.store import sqlite_build  # noqa: F401 # isort: skip
import sqlite3  # isort: skip

import aiosqlite

Arguments = ParamSpec("Arguments")
Result = TypeVar("Result")

ROWS_FETCHED_MAX = 64
AT_ONCE = {"fetchone", "fetchmany", "fetchall", "close"}


class InlineConnection(aiosqlite.Connection):
    """Overrides the one method of aiosqlite 0.22 through which all its calls go."""

    _begun = _ended = 0
    """Calls of the thread; each is counted by one side only. Whoever was cancelled does not wait for its end."""

    async def _execute(
        self, fn: Callable[Arguments, Result], *args: Arguments.args, **kwargs: Arguments.kwargs
    ) -> Result:
        is_busy = self._begun != self._ended
        if not is_busy and not self._may_wait(fn):
            return fn(*args, **kwargs)

        def counted() -> Result:
            try:
                return fn(*args, **kwargs)
            finally:
                self._ended += 1

        self._begun += 1
        result: Result = await super()._execute(counted)  # type: ignore[no-untyped-call] # as aiosqlite
        return result

    def _may_wait(self, fn: Callable[..., object]) -> bool:
        owner = getattr(fn, "__self__", None)
        return fn != self._conn.cursor and not (isinstance(owner, sqlite3.Cursor) and fn.__name__ in AT_ONCE)


class WriterConnection(InlineConnection):
    """The one that writes."""

    def _may_wait(self, fn: Callable[..., object]) -> bool:
        connection = self._conn
        if connection.in_transaction and fn not in {connection.commit, connection.rollback}:
            return False
        return super()._may_wait(fn)


async def connect(path: str, kind: type[InlineConnection]) -> InlineConnection:
    connection = kind(lambda: sqlite3.connect(path, check_same_thread=False), ROWS_FETCHED_MAX)
    # Nobody waits for the thread of a process that ends in the middle.
    connection._thread.daemon = True  # noqa: SLF001 # aiosqlite gives no other way, and SQLAlchemy's dialect does so too
    await connection
    return connection
