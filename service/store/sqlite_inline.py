"""A connection to SQLite whose statements run on the event loop, and only what may wait runs in aiosqlite's thread.

A statement takes a tenth of a millisecond, handing it to the thread and back several times that, and a transaction
keeps every other writer waiting meanwhile. What waits is BEGIN IMMEDIATE (for the file's lock), COMMIT (for the disk),
and whatever runs outside a transaction.
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


class InlineConnection(aiosqlite.Connection):
    """Overrides the one method of aiosqlite 0.22 through which all its calls go."""

    async def _execute(
        self, fn: Callable[Arguments, Result], *args: Arguments.args, **kwargs: Arguments.kwargs
    ) -> Result:
        connection = self._connection
        if connection and connection.in_transaction and fn not in {connection.commit, connection.rollback}:
            return fn(*args, **kwargs)
        result: Result = await super()._execute(fn, *args, **kwargs)  # type: ignore[no-untyped-call] # as aiosqlite has it
        return result


async def connect(path: str) -> InlineConnection:
    connection = InlineConnection(lambda: sqlite3.connect(path, check_same_thread=False), ROWS_FETCHED_MAX)
    # Nobody waits for the thread of a process that ends in the middle.
    connection._thread.daemon = True  # noqa: SLF001 # aiosqlite gives no other way, and SQLAlchemy's dialect does so too
    await connection
    return connection
