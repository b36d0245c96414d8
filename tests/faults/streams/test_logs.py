"""What was heard is held against what is stored."""

import json

import pytest
import sqlalchemy as sa

from schemas.events import QuestionRejected
from service.store import events, generations
from service.store.tables import events as event_rows
from tests.factories import Ordered
from tests.faults.streams.findings import Findings, Wrong
from tests.faults.streams.logs import Entry, Log, compare
from tests.workbench import Workbench

COUNT = 4


@pytest.fixture
async def ordered(bench: Workbench) -> Ordered:
    """With a log of four events."""
    ordered = await bench.order(3)
    rejected = QuestionRejected(batch_id=ordered.batch_ids[0], code="schema", message="bad")
    async with bench.database.write() as tx:
        await generations.lock(tx, ordered.generation_id)
        await events.append(tx, ordered.generation_id, [rejected] * COUNT)
    return ordered


async def heard(bench: Workbench, ordered: Ordered) -> Log:
    """As it is stored."""
    async with bench.database.read() as tx:
        stored = await events.since(tx, ordered.generation_id, 0, limit=COUNT)
    entries = {event.seq: Entry(event.type.encode(), event.data.encode()) for event in stored}
    return Log(str(ordered.generation_id), entries)


async def test_what_is_stored_so_is_right(bench: Workbench, ordered: Ordered) -> None:
    findings, log = Findings(), await heard(bench, ordered)
    assert await compare(bench.database, [log], findings) == {log.generation_id: COUNT}
    assert findings.lines() == ()


async def test_what_was_heard_otherwise_is_noticed(bench: Workbench, ordered: Ordered) -> None:
    findings, log = Findings(), await heard(bench, ordered)
    log.entries[2] = Entry(log.entries[2].type, log.entries[2].data.replace(b"bad", b"sad"))
    await compare(bench.database, [log], findings)
    assert findings.counts == {Wrong.CHANGED: 1}


async def test_what_was_never_stored_is_noticed(bench: Workbench, ordered: Ordered) -> None:
    findings, log = Findings(), await heard(bench, ordered)
    log.entries[COUNT + 1] = log.entries[COUNT]
    await compare(bench.database, [log], findings)
    assert findings.counts == {Wrong.CHANGED: 1}


async def test_a_log_with_a_hole_is_noticed(bench: Workbench, ordered: Ordered) -> None:
    findings, log = Findings(), Log(str(ordered.generation_id))
    async with bench.database.write() as tx:
        await tx.execute(sa.delete(event_rows).where(event_rows.c.seq == 2))
    await compare(bench.database, [log], findings)
    assert findings.counts == {Wrong.LOG: 1}


@pytest.mark.parametrize(("held", "expected"), [(0, {}), (1, {Wrong.SNAPSHOT: 1})])
async def test_a_snapshot_must_fit_the_event_with_its_id(
    bench: Workbench, ordered: Ordered, held: int, expected: dict[Wrong, int]
) -> None:
    findings, log = Findings(), await heard(bench, ordered)
    batch = {"target_count": 3, "saved_count": 0, "held_count": held, "status": "pending"}
    log.snapshots[json.dumps({"batches": [batch]}).encode()] = COUNT
    await compare(bench.database, [log], findings)
    assert findings.counts == expected
