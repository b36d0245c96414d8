"""How the steps of a worker are written together."""

import asyncio
from collections.abc import Awaitable, Callable, Sequence
from uuid import uuid4

import pytest
import sqlalchemy as sa

from jobs.desk import GROUP_MAX, Desk, each
from service.errors import LeaseLost, Unavailable
from service.store import tables
from service.store.database import Tx, db_now
from tests.scripted import Gate
from tests.troubled import TroubledDatabase
from tests.workbench import Workbench

ABOUT = uuid4()


def insert(name: str) -> Callable[[Tx], Awaitable[str]]:
    async def step(tx: Tx) -> str:
        await tx.execute(sa.insert(tables.chores).values(name=name, due_at=db_now()))
        return name

    return step


async def refused(tx: Tx) -> None:
    await insert("refused")(tx)
    raise LeaseLost("the batch is not ours any more")


async def names(database: TroubledDatabase) -> set[str]:
    async with database.read() as tx:
        return set((await tx.execute(sa.select(tables.chores.c.name))).scalars())


async def hold_up(database: TroubledDatabase, desk: Desk) -> tuple[Gate, asyncio.Task[str]]:
    """A step that is being written until the gate is opened: those that come meanwhile gather."""
    database.write_gate = gate = Gate()
    first = asyncio.create_task(desk.do(each, insert("first"), about=uuid4()))
    await gate.reached.wait()
    return gate, first


async def test_steps_about_one_generation_that_wait_together_are_one_transaction(bench: Workbench) -> None:
    desk = Desk(bench.database.write)
    gate, first = await hold_up(bench.database, desk)
    writes = bench.database.writes
    waiting = [asyncio.create_task(desk.do(each, insert(f"step {number}"), about=ABOUT)) for number in range(GROUP_MAX)]
    other = asyncio.create_task(desk.do(each, insert("other"), about=uuid4()))
    alone = [asyncio.create_task(desk.do(each, insert(f"alone {number}"), about=None)) for number in range(2)]
    await asyncio.sleep(0)
    gate.opened.set()
    assert await asyncio.gather(*waiting) == [f"step {number}" for number in range(GROUP_MAX)]
    await asyncio.gather(first, other, *alone)
    assert bench.database.writes - writes == 1 + 1 + 2
    assert len(await names(bench.database)) == 1 + GROUP_MAX + 1 + 2


async def test_orders_of_one_step_are_done_at_once(bench: Workbench) -> None:
    orders: list[tuple[str, ...]] = []

    async def together(tx: Tx, names: Sequence[str]) -> list[str]:
        orders.append(tuple(names))
        return [await insert(name)(tx) for name in names]

    desk = Desk(bench.database.write)
    gate, first = await hold_up(bench.database, desk)
    waiting = [
        asyncio.create_task(desk.do(together, "a", about=ABOUT)),
        asyncio.create_task(desk.do(each, insert("b"), about=ABOUT)),
        asyncio.create_task(desk.do(together, "c", about=ABOUT)),
    ]
    await asyncio.sleep(0)
    gate.opened.set()
    assert await asyncio.gather(*waiting) == ["a", "b", "c"], "each has its own outcome"
    await first
    assert orders == [("a", "c")]


async def test_a_step_that_is_refused_harms_no_other_of_its_group(bench: Workbench) -> None:
    desk = Desk(bench.database.write)
    gate, first = await hold_up(bench.database, desk)
    good = [asyncio.create_task(desk.do(each, insert(name), about=ABOUT)) for name in ("a", "b")]
    bad = asyncio.create_task(desk.do(each, refused, about=ABOUT))
    await asyncio.sleep(0)
    gate.opened.set()
    assert await asyncio.gather(*good) == ["a", "b"]
    with pytest.raises(LeaseLost):
        await bad
    await first
    assert await names(bench.database) == {"first", "a", "b"}


async def test_a_database_that_is_away_is_told_to_all_who_wait(bench: Workbench) -> None:
    desk = Desk(bench.database.write)
    gate, first = await hold_up(bench.database, desk)
    waiting = [asyncio.create_task(desk.do(each, insert(name), about=ABOUT)) for name in ("a", "b")]
    await asyncio.sleep(0)
    bench.database.commits_refused = 2
    gate.opened.set()
    outcomes = await asyncio.gather(first, *waiting, return_exceptions=True)
    assert [type(outcome) for outcome in outcomes] == [Unavailable] * 3
    assert await names(bench.database) == set()
    assert await desk.do(each, insert("later"), about=ABOUT) == "later"


async def test_who_is_cancelled_while_waiting_takes_the_step_back(bench: Workbench) -> None:
    desk = Desk(bench.database.write)
    gate, first = await hold_up(bench.database, desk)
    waiting = asyncio.create_task(desk.do(each, insert("never"), about=ABOUT))
    await asyncio.sleep(0)
    waiting.cancel()
    gate.opened.set()
    await first
    await asyncio.wait({waiting})
    assert await desk.do(each, insert("later"), about=ABOUT) == "later"
    assert await names(bench.database) == {"first", "later"}
