"""One process carries each log to all who watch it: in order, without a gap, however wake-up calls come."""

import asyncio
import re
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager

import pytest
import sqlalchemy as sa
from structlog.testing import capture_logs

from schemas.events import GenerationEnded, GenerationFailed, Happening, QuestionRejected
from schemas.plans import Wakeup
from service.api import hub as hubs
from service.api.feed import PAGE_EVENTS_MAX
from service.api.hub import Hub
from service.api.tail import EVENTS_MAX
from service.broadcast import GREW_CHANNEL, Broadcast
from service.errors import Unavailable
from service.store import events, generations
from service.store.tables import events as events_table
from service.store.tables import generations as generations_table
from tests.factories import Ordered
from tests.following import Follower
from tests.scripted import Gate
from tests.troubled import TroubledDatabase
from tests.workbench import WAIT_SECONDS, Workbench, eventually

FAILED: GenerationEnded = GenerationFailed(generated_count=0, requested_count=1, failed_batches=())


class Client(Follower):
    """Whoever follows a log from the moment it is made."""

    def __init__(self, hub: Hub, ordered: Ordered, seq: int | None = 0) -> None:
        super().__init__(ordered.generation_id, seq)
        self.task = asyncio.create_task(self.follow(hub))

    async def leave(self) -> None:
        self.task.cancel()
        await asyncio.gather(self.task, return_exceptions=True)


@pytest.fixture
def database(bench: Workbench) -> TroubledDatabase:
    return bench.database


@pytest.fixture
async def hub(database: TroubledDatabase, bench: Workbench, monkeypatch: pytest.MonkeyPatch) -> AsyncIterator[Hub]:
    """Listening. Only wake-up calls move it: what heals lost ones would hide those that do not work."""
    monkeypatch.setattr(hubs, "HEAL_SECONDS", 3600.0)
    async with running(database, bench) as hub:
        yield hub


@pytest.fixture
async def deaf_hub(database: TroubledDatabase, bench: Workbench, monkeypatch: pytest.MonkeyPatch) -> AsyncIterator[Hub]:
    """No wake-up call reaches it, and it heals quickly."""
    monkeypatch.setattr(hubs, "HEAL_SECONDS", 0.02)
    bench.redis_server.connected = False
    async with running(database, bench, is_deaf=True) as hub:
        yield hub


@asynccontextmanager
async def running(database: TroubledDatabase, bench: Workbench, *, is_deaf: bool = False) -> AsyncIterator[Hub]:
    hub = Hub(database, Broadcast(bench.connect()))
    hub.start()
    if not is_deaf:
        await eventually(lambda: bench.subscribers(GREW_CHANNEL) == 1)
    yield hub
    await hub.stop()


async def grow(bench: Workbench, ordered: Ordered, *, count: int = 1, by: Happening | None = None) -> Wakeup:
    """The log grows; nobody is called."""
    rejected = QuestionRejected(batch_id=ordered.batch_ids[0], code="schema", message="bad")
    async with bench.database.write() as tx:
        await generations.lock(tx, ordered.generation_id)
        return await events.append(tx, ordered.generation_id, [by or rejected] * count)


async def forget(bench: Workbench, ordered: Ordered, which: sa.ColumnElement[bool], *, last_seq: int) -> None:
    async with bench.database.write() as tx:
        mine = sa.and_(events_table.c.generation_id == ordered.generation_id, which)
        await tx.execute(sa.delete(events_table).where(mine))
        this = generations_table.c.id == ordered.generation_id
        await tx.execute(sa.update(generations_table).where(this).values(last_seq=last_seq))


async def announce(bench: Workbench, *wakeups: Wakeup) -> None:
    await Broadcast(bench.redis).announce_all(wakeups)


async def test_what_comes_is_heard_in_order(hub: Hub, bench: Workbench) -> None:
    ordered = await bench.order(1)
    client = Client(hub, ordered)
    for _ in range(5):
        await announce(bench, await grow(bench, ordered))
    await eventually(client.has(1, 2, 3, 4, 5))
    await client.leave()


async def test_a_call_that_comes_late_brings_what_was_missed(hub: Hub, bench: Workbench) -> None:
    ordered = await bench.order(1)
    client = Client(hub, ordered)
    for _ in range(3):
        last = await grow(bench, ordered)
    await announce(bench, last)
    await eventually(client.has(1, 2, 3))
    await client.leave()


async def test_a_call_that_comes_twice_or_out_of_order_brings_nothing_twice(hub: Hub, bench: Workbench) -> None:
    ordered = await bench.order(1)
    client = Client(hub, ordered)
    first, second, third = [await grow(bench, ordered) for _ in range(3)]
    await announce(bench, third, third, first, second, first)
    await eventually(client.has(1, 2, 3))
    await announce(bench, await grow(bench, ordered))
    await eventually(client.has(1, 2, 3, 4))
    await client.leave()


async def test_calls_that_never_come_cost_the_time_to_heal(deaf_hub: Hub, bench: Workbench) -> None:
    ordered = await bench.order(1)
    client = Client(deaf_hub, ordered)
    await grow(bench, ordered, count=3)
    await eventually(client.has(1, 2, 3))
    await grow(bench, ordered)
    await eventually(client.has(1, 2, 3, 4))
    await client.leave()


async def test_a_call_that_can_not_be_read_makes_it_look_at_everything(hub: Hub, bench: Workbench) -> None:
    ordered = await bench.order(1)
    client = Client(hub, ordered)
    await announce(bench, await grow(bench, ordered))
    await eventually(client.has(1))
    await grow(bench, ordered)
    with capture_logs():
        await bench.redis.publish(GREW_CHANNEL, b"\xff{ no json")
        await eventually(client.has(1, 2))
    assert hub.is_alive
    await client.leave()


async def test_what_grows_while_the_first_client_comes_is_not_overlooked(
    hub: Hub, bench: Workbench, database: TroubledDatabase
) -> None:
    ordered = await bench.order(1)
    gate = database.read_gate = Gate()
    client = Client(hub, ordered)
    await asyncio.wait_for(gate.reached.wait(), WAIT_SECONDS)
    await announce(bench, await grow(bench, ordered))
    gate.opened.set()
    await eventually(client.has(1))
    await client.leave()


async def test_what_a_call_carries_is_not_read_again(hub: Hub, bench: Workbench, database: TroubledDatabase) -> None:
    ordered = await bench.order(1)
    clients = [Client(hub, ordered) for _ in range(50)]
    await announce(bench, await grow(bench, ordered))
    await eventually(lambda: all(client.ids == [1] for client in clients))
    reads = database.reads
    await announce(bench, await grow(bench, ordered, count=20))
    await eventually(lambda: all(client.ids == [*range(1, 22)] for client in clients))
    assert database.reads == reads
    for client in clients:
        await client.leave()


async def test_many_clients_cost_one_read_when_a_call_was_lost(
    hub: Hub, bench: Workbench, database: TroubledDatabase
) -> None:
    ordered = await bench.order(1)
    clients = [Client(hub, ordered) for _ in range(50)]
    await announce(bench, await grow(bench, ordered))
    await eventually(lambda: all(client.ids == [1] for client in clients))
    reads = database.reads
    await grow(bench, ordered)
    await announce(bench, await grow(bench, ordered, count=19))
    await eventually(lambda: all(client.ids == [*range(1, 22)] for client in clients))
    assert database.reads - reads == 1
    assert len({client.blocks[-1] for client in clients}) == 1
    for client in clients:
        await client.leave()


async def test_a_log_nobody_watches_is_not_read(hub: Hub, bench: Workbench, database: TroubledDatabase) -> None:
    watched, unwatched = await bench.order(1), await bench.order(1)
    client = Client(hub, watched)
    await announce(bench, await grow(bench, watched))
    await eventually(client.has(1))
    reads = database.reads
    await grow(bench, watched)
    await announce(bench, await grow(bench, unwatched), await grow(bench, watched))
    await eventually(client.has(1, 2, 3))
    assert database.reads - reads == 1
    await client.leave()


async def test_a_client_resumes_after_what_it_has_seen(hub: Hub, bench: Workbench) -> None:
    ordered = await bench.order(1)
    await grow(bench, ordered, count=5)
    client = Client(hub, ordered, seq=3)
    await eventually(client.has(4, 5))
    await announce(bench, await grow(bench, ordered))
    await eventually(client.has(4, 5, 6))
    await client.leave()


async def test_a_client_that_is_close_behind_costs_no_read(
    hub: Hub, bench: Workbench, database: TroubledDatabase
) -> None:
    ordered = await bench.order(1)
    first = Client(hub, ordered)
    await eventually(lambda: database.reads >= 1)
    await announce(bench, await grow(bench, ordered, count=10))
    await eventually(first.has(*range(1, 11)))
    reads = database.reads
    second = Client(hub, ordered, seq=4)
    await eventually(second.has(*range(5, 11)))
    assert database.reads == reads
    await first.leave()
    await second.leave()


async def test_a_client_that_is_far_behind_gets_everything_once(hub: Hub, bench: Workbench) -> None:
    ordered = await bench.order(1)
    total = 2 * PAGE_EVENTS_MAX + EVENTS_MAX + 3
    await grow(bench, ordered, count=total - 10)
    client = Client(hub, ordered)
    await announce(bench, await grow(bench, ordered, count=10))
    await eventually(client.has(*range(1, total + 1)))
    await client.leave()


async def test_a_log_that_grows_by_more_than_a_page_is_carried_whole(hub: Hub, bench: Workbench) -> None:
    ordered = await bench.order(1)
    client = Client(hub, ordered)
    total = 2 * PAGE_EVENTS_MAX + 1
    await announce(bench, await grow(bench, ordered, count=total))
    await eventually(client.has(*range(1, total + 1)))
    await client.leave()


async def test_only_the_first_block_tells_how_soon_to_come_back(hub: Hub, bench: Workbench) -> None:
    ordered = await bench.order(1)
    client = Client(hub, ordered)
    for number in range(1, 4):
        await announce(bench, await grow(bench, ordered))
        await eventually(lambda number=number: len(client.ids) == number)  # type: ignore[misc] # this turn's
    assert client.heard.count(b"retry: ") == 1
    assert client.heard.split(b"\n\n")[0].count(b"retry: 1000") == 1
    await client.leave()


async def test_the_terminal_event_ends_a_stream(hub: Hub, bench: Workbench) -> None:
    ordered = await bench.order(1)
    client = Client(hub, ordered)
    await announce(bench, await grow(bench, ordered))
    await bench.cancel(ordered)
    await announce(bench, Wakeup(generation_id=ordered.generation_id, seq=2))
    await asyncio.wait_for(client.task, WAIT_SECONDS)
    assert client.ids == [1, 2]
    assert b"event: bye" not in client.heard
    assert hub._feeds == {}


async def test_a_terminal_event_in_the_middle_of_a_log_ends_nothing(hub: Hub, bench: Workbench) -> None:
    ordered = await bench.order(1)
    await grow(bench, ordered)
    await grow(bench, ordered, by=FAILED)
    await grow(bench, ordered)
    client = Client(hub, ordered)
    await eventually(client.has(1, 2, 3))
    assert not client.task.done()
    await announce(bench, await grow(bench, ordered, by=FAILED))
    await asyncio.wait_for(client.task, WAIT_SECONDS)
    assert client.ids == [1, 2, 3, 4]


async def test_a_terminal_event_at_the_end_of_a_page_ends_nothing_while_the_log_goes_on(
    hub: Hub, bench: Workbench
) -> None:
    ordered = await bench.order(1)
    await grow(bench, ordered, count=PAGE_EVENTS_MAX - 1)
    await grow(bench, ordered, by=FAILED)
    await grow(bench, ordered)
    client = Client(hub, ordered)
    await eventually(client.has(*range(1, PAGE_EVENTS_MAX + 2)))
    await client.leave()


async def test_the_last_client_that_leaves_frees_the_feed(hub: Hub, bench: Workbench) -> None:
    ordered = await bench.order(1)
    clients = [Client(hub, ordered) for _ in range(3)]
    await announce(bench, await grow(bench, ordered))
    await eventually(lambda: all(client.ids == [1] for client in clients))
    await clients[0].leave()
    await clients[1].leave()
    assert list(hub._feeds) == [ordered.generation_id]
    await announce(bench, await grow(bench, ordered))
    await eventually(clients[2].has(1, 2))
    await clients[2].leave()
    assert hub._feeds == {}


async def test_closing_ends_every_stream_with_a_farewell(hub: Hub, bench: Workbench) -> None:
    ordered = await bench.order(1)
    clients = [Client(hub, ordered) for _ in range(20)]
    await announce(bench, await grow(bench, ordered))
    await eventually(lambda: all(client.ids == [1] for client in clients))
    hub.close()
    async with asyncio.timeout(WAIT_SECONDS):
        await asyncio.gather(*(client.task for client in clients))
    waits = set()
    for client in clients:
        farewell = re.fullmatch(rb'event: bye\nretry: (\d+)\ndata: {"retry_milliseconds":\1}\n\n', client.blocks[-1])
        assert farewell is not None
        waits.add(int(farewell[1]))
    assert all(500 <= wait <= 5000 for wait in waits)
    assert len(waits) > 1, "they do not come back all at once"
    assert hub._feeds == {}


async def test_who_comes_while_it_closes_is_sent_on(hub: Hub, bench: Workbench) -> None:
    ordered = await bench.order(1)
    hub.close()
    client = Client(hub, ordered)
    await asyncio.wait_for(client.task, WAIT_SECONDS)
    assert client.heard.startswith(b"event: bye\n")


async def test_a_database_that_is_away_for_a_moment_costs_no_event(
    deaf_hub: Hub, bench: Workbench, database: TroubledDatabase
) -> None:
    ordered = await bench.order(1)
    client = Client(deaf_hub, ordered)
    await grow(bench, ordered)
    await eventually(client.has(1))
    await grow(bench, ordered)
    database.is_away = True
    with capture_logs():
        await eventually(lambda: database.refused >= 3)
        database.is_away = False
        await eventually(client.has(1, 2))
    assert deaf_hub.is_alive
    await client.leave()


async def test_who_comes_while_the_database_is_away_is_let_go_and_leaves_nothing(
    hub: Hub, bench: Workbench, database: TroubledDatabase
) -> None:
    ordered = await bench.order(1)
    database.is_away = True
    client = Client(hub, ordered)
    with pytest.raises(Unavailable):
        await asyncio.wait_for(client.task, WAIT_SECONDS)
    assert hub._feeds == {}
    database.is_away = False
    again = Client(hub, ordered)
    await announce(bench, await grow(bench, ordered))
    await eventually(again.has(1))
    await again.leave()


async def test_it_lives_until_it_is_stopped(database: TroubledDatabase, bench: Workbench) -> None:
    hub = Hub(database, Broadcast(bench.redis))
    assert not hub.is_alive
    hub.start()
    assert hub.is_alive
    await hub.stop()
    assert not hub.is_alive


async def test_a_slow_database_holds_up_only_those_who_need_it(
    hub: Hub, bench: Workbench, database: TroubledDatabase
) -> None:
    behind, other = await bench.order(1), await bench.order(1)
    waiting, served = Client(hub, behind), Client(hub, other)
    await announce(bench, await grow(bench, behind), await grow(bench, other))
    await eventually(lambda: waiting.ids == served.ids == [1])
    gate = database.read_gate = Gate()
    await grow(bench, behind)
    await announce(bench, await grow(bench, behind))
    await asyncio.wait_for(gate.reached.wait(), WAIT_SECONDS)
    await announce(bench, await grow(bench, other))
    await eventually(served.has(1, 2))
    assert waiting.ids == [1]
    gate.opened.set()
    await eventually(waiting.has(1, 2, 3))
    await waiting.leave()
    await served.leave()


async def test_who_has_seen_more_than_this_process_has_heard_of_misses_nothing(hub: Hub, bench: Workbench) -> None:
    ordered = await bench.order(1)
    first = Client(hub, ordered)
    await announce(bench, await grow(bench, ordered))
    await eventually(first.has(1))
    await grow(bench, ordered, count=3)
    moved = Client(hub, ordered, seq=3)
    await eventually(moved.has(4))
    await eventually(first.has(1, 2, 3, 4))
    await first.leave()
    await moved.leave()


async def test_one_broken_routine_starts_again_and_meanwhile_the_hub_is_not_alive(
    database: TroubledDatabase, bench: Workbench, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(hubs, "HEAL_SECONDS", 3600.0)
    ordered = await bench.order(1)
    async with running(database, bench) as hub:
        client = Client(hub, ordered)
        await announce(bench, await grow(bench, ordered))
        await eventually(client.has(1))
        hear, hub._feeds[ordered.generation_id].hear = hub._feeds[ordered.generation_id].hear, broken
        with capture_logs() as logs:
            await announce(bench, await grow(bench, ordered))
            await eventually(lambda: not hub.is_alive)
            hub._feeds[ordered.generation_id].hear = hear
            await eventually(lambda: hub.is_alive)
            await eventually(client.has(1, 2))
        assert "a routine of the hub failed" in [entry["event"] for entry in logs]
        await client.leave()


def broken(_wakeup: Wakeup) -> None:
    raise RuntimeError("nobody foresaw this")


async def test_a_log_that_went_back_is_read_anew(deaf_hub: Hub, bench: Workbench) -> None:
    """As after a backup that was put in place of a database that had gone on."""
    ordered = await bench.order(1)
    await grow(bench, ordered, count=5)
    client = Client(deaf_hub, ordered)
    await eventually(client.has(1, 2, 3, 4, 5))
    with capture_logs():
        await forget(bench, ordered, events_table.c.seq > 2, last_seq=2)
        await asyncio.wait_for(client.task, WAIT_SECONDS)
        assert client.blocks[-1].startswith(b"event: bye")
        again = Client(deaf_hub, ordered, seq=5)
        await eventually(lambda: b"event: resync" in again.heard)
    assert again.ids == [2]
    await grow(bench, ordered)
    await eventually(again.has(2, 3))
    await again.leave()


async def test_what_is_not_retained_any_more_is_replaced_by_the_state(hub: Hub, bench: Workbench) -> None:
    ordered = await bench.order(1)
    await grow(bench, ordered, count=5)
    await forget(bench, ordered, events_table.c.seq < 4, last_seq=5)
    client = Client(hub, ordered, seq=1)
    await eventually(client.has(5))
    assert client.heard.startswith(b"event: resync\nretry: 1000\n")
    near = Client(hub, ordered, seq=3)
    await eventually(near.has(4, 5))
    await client.leave()
    await near.leave()
