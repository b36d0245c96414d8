"""A connection is used by one thread at a time, whatever is cancelled."""

import asyncio
import threading
from pathlib import Path

from service.store import sqlite_inline
from service.store.sqlite_inline import InlineConnection
from tests.workbench import WAIT_SECONDS, eventually


async def test_after_a_cancelled_statement_nothing_touches_the_connection_before_it_has_ended(tmp_path: Path) -> None:
    connection = await sqlite_inline.connect(str(tmp_path / "any.db"), InlineConnection)
    has_begun, may_end = threading.Event(), threading.Event()

    def hold() -> int:
        has_begun.set()
        assert may_end.wait(WAIT_SECONDS)
        return 1

    await connection.create_function("hold", 0, hold)
    cursor = await connection.cursor()
    statement = asyncio.create_task(cursor.execute("SELECT hold()"))
    await eventually(has_begun.is_set)
    statement.cancel()
    await asyncio.gather(statement, return_exceptions=True)

    closing = asyncio.create_task(cursor.close())
    still_open = await asyncio.wait([closing], timeout=0.05)
    assert closing in still_open[1]
    may_end.set()
    await asyncio.wait_for(closing, WAIT_SECONDS)
    await connection.close()


async def test_what_does_not_wait_stays_on_the_loop(tmp_path: Path) -> None:
    connection = await sqlite_inline.connect(str(tmp_path / "any.db"), InlineConnection)
    cursor = await connection.cursor()
    await cursor.execute("SELECT 1")
    handed_over = connection._begun
    assert await cursor.fetchall() == [(1,)]
    await cursor.close()
    assert connection._begun == handed_over
    await connection.close()
