"""Periodic work that one process of many must do."""

import asyncio

import pytest

from service.store import chores
from service.store.database import Database


async def take(database: Database, name: str = "sweep", every_seconds: float = 3600) -> bool:
    async with database.write() as tx:
        return await chores.take(tx, name, every_seconds=every_seconds)


async def test_a_chore_is_done_once_per_period(database: Database) -> None:
    assert await take(database)
    assert not await take(database)


async def test_a_chore_is_due_again_when_its_period_is_over(database: Database) -> None:
    assert await take(database, every_seconds=0)
    assert await take(database)
    assert not await take(database)


async def test_chores_of_different_names_do_not_wait_for_each_other(database: Database) -> None:
    assert await take(database, "sweep")
    assert await take(database, "retention")


@pytest.mark.parametrize("is_first", [True, False])
async def test_of_twenty_processes_one_does_the_chore(
    database: Database, other_database: Database, is_first: bool
) -> None:
    if not is_first:
        await take(database, every_seconds=0)
    taken = await asyncio.gather(*(take(store) for _ in range(10) for store in (database, other_database)))
    assert sum(taken) == 1
