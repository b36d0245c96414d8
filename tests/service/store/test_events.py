"""The log: numbered without gaps, each entry with the totals of its moment."""

import json
from datetime import datetime
from uuid import UUID, uuid4

import pytest

from schemas.events import GenerationPaused, GenerationResumed, QuestionRejected
from service.store import events, generations
from service.store.database import Database
from tests import factories


async def numbers(database: Database, generation_id: UUID, seq: int, limit: int = 100) -> list[int]:
    async with database.read() as tx:
        return [event.seq for event in await events.since(tx, generation_id, seq, limit=limit)]


async def test_entries_are_numbered_on_from_the_last(database: Database) -> None:
    ordered = await factories.make_order(database, 2)
    for seq in (2, 4):
        async with database.write() as tx:
            await generations.lock(tx, ordered.generation_id)
            wakeup = await events.append(tx, ordered.generation_id, [GenerationPaused(), GenerationResumed()])
        assert (wakeup.generation_id, wakeup.seq) == (ordered.generation_id, seq)
    assert await numbers(database, ordered.generation_id, 0) == [1, 2, 3, 4]


async def test_the_logs_of_two_generations_are_numbered_apart(database: Database) -> None:
    first, second = await factories.make_order(database, 2), await factories.make_order(database, 2)
    await factories.claim(database, first.batch_ids[0])
    await factories.claim(database, second.batch_ids[0])
    assert [event["seq"] for event in await factories.log(database, first)] == [1, 2]
    assert [event["seq"] for event in await factories.log(database, second)] == [1, 2]


async def test_every_entry_carries_its_frame_and_the_totals_of_its_moment(database: Database) -> None:
    ordered = await factories.make_order(database, 1, 3)
    await factories.complete(database, await factories.claim(database, ordered.batch_ids[0]))
    claimed = await factories.claim(database, ordered.batch_ids[1])
    rejected = QuestionRejected(batch_id=claimed.batch_id, code="near_duplicate", message="again")
    await factories.hold(database, claimed, 3, rejected=[rejected])
    await factories.fail(database, claimed)
    log = await factories.log(database, ordered)
    assert [(event["type"], *event["totals"].values()) for event in log] == [
        ("generation.started", 4, 0, 0, 2, 0, 0),
        ("batch.started", 4, 0, 0, 2, 0, 0),
        ("question.accepted", 4, 0, 1, 2, 0, 0),
        ("batch.completed", 4, 1, 0, 2, 1, 0),
        ("batch.started", 4, 1, 0, 2, 1, 0),
        ("question.rejected", 4, 1, 0, 2, 1, 0),
        ("question.accepted", 4, 1, 1, 2, 1, 0),
        ("question.accepted", 4, 1, 2, 2, 1, 0),
        ("question.accepted", 4, 1, 3, 2, 1, 0),
        ("batch.failed", 4, 1, 3, 2, 1, 1),
        ("generation.partial", 4, 1, 3, 2, 1, 1),
    ]
    assert list(log[0]["totals"]) == ["target", "saved", "held", "batches", "batches_completed", "batches_failed"]
    moments = [datetime.fromisoformat(event["at"]) for event in log]
    assert moments == sorted(moments)
    assert all(event["at"].endswith("Z") for event in log)
    assert {event["generation_id"] for event in log} == {str(ordered.generation_id)}


async def test_an_entry_is_one_line_of_ascii(database: Database) -> None:
    ordered = await factories.make_order(database, 2)
    text = "Zeile 1\nZeile 2\r\u2028Größe \U0001f600"
    rejected = QuestionRejected(batch_id=ordered.batch_ids[0], code="x", message=text)
    async with database.write() as tx:
        await events.append(tx, ordered.generation_id, [rejected])
        [event] = await events.since(tx, ordered.generation_id, 0, limit=10)
    assert event.data.isascii()
    assert event.data.isprintable()
    assert json.loads(event.data)["message"] == text


async def test_the_log_is_read_in_pages_after_any_number(database: Database) -> None:
    ordered = await factories.make_partial(database)
    assert await numbers(database, ordered.generation_id, 0, limit=4) == [1, 2, 3, 4]
    assert await numbers(database, ordered.generation_id, 4, limit=4) == [5, 6, 7, 8]
    assert await numbers(database, ordered.generation_id, 8) == [9, 10, 11]
    assert await numbers(database, ordered.generation_id, 11) == []
    assert await numbers(database, uuid4(), 0) == []


@pytest.mark.parametrize("seq", [2**31 - 1, 2**31, 2**63, 10**20 - 1])
async def test_nothing_comes_after_a_number_larger_than_any(database: Database, seq: int) -> None:
    ordered = await factories.make_partial(database)
    assert await numbers(database, ordered.generation_id, seq) == []


async def test_an_entry_knows_whether_it_ends_the_log(database: Database) -> None:
    ordered = await factories.make_partial(database)
    async with database.read() as tx:
        found = await events.since(tx, ordered.generation_id, 0, limit=100)
    assert [event.is_terminal for event in found] == [False] * 10 + [True]


async def test_the_newest_entries_come_oldest_first(database: Database) -> None:
    ordered = await factories.make_partial(database)
    async with database.read() as tx:
        newest = await events.newest(tx, ordered.generation_id, limit=3)
        assert newest == (await events.since(tx, ordered.generation_id, 0, limit=100))[-3:]
        assert await events.newest(tx, uuid4(), limit=3) == []


async def test_a_wakeup_carries_what_was_written(database: Database) -> None:
    ordered = await factories.make_order(database, 2)
    async with database.write() as tx:
        await generations.lock(tx, ordered.generation_id)
        wakeup = await events.append(tx, ordered.generation_id, [GenerationPaused(), GenerationResumed()])
    async with database.read() as tx:
        assert wakeup.events == tuple(await events.since(tx, ordered.generation_id, 0, limit=100))


async def test_heads_say_how_far_each_log_goes(database: Database) -> None:
    quiet, busy = await factories.make_order(database, 2), await factories.make_partial(database)
    async with database.read() as tx:
        found = await events.heads(tx, [quiet.generation_id, busy.generation_id, uuid4()])
    assert {wakeup.generation_id: wakeup.seq for wakeup in found} == {quiet.generation_id: 0, busy.generation_id: 11}
