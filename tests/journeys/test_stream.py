"""The event stream as clients meet it (CONTRACT 5)."""

import asyncio
import json
from collections.abc import Callable
from uuid import UUID

import pytest
from arq.connections import ArqRedis
from httpx_sse import aconnect_sse

from jobs.providers.offline import OfflineProvider
from schemas.events import GenerationCancelled, QuestionRejected
from service.settings import Settings
from service.store import events, generations
from tests.conftest import fake_clients
from tests.journeys.orders import module
from tests.messages_api import MessagesApi
from tests.messages_faults import Fault
from tests.system import WAIT_SECONDS, System
from tests.workbench import eventually

CHOICE = "multiple_choice"


async def raw(system: System, generation_id: str, **headers: str) -> tuple[int, dict[str, str], bytes]:
    """One connection's bytes until the server ends it."""
    path = f"/api/generations/{generation_id}/events"
    async with system.http.stream("GET", path, headers=headers) as response:
        body = b"".join([chunk async for chunk in response.aiter_raw()])
    return response.status_code, dict(response.headers), body


async def completed(system: System) -> dict[str, object]:
    system.add_worker()
    ordered = await system.order([module("Leaves", (CHOICE, 3))])
    generation: dict[str, object] = await system.ended(ordered["id"])
    return generation


async def test_a_new_client_first_gets_a_snapshot_and_then_what_follows(
    system: System, messages_api: MessagesApi
) -> None:
    messages_api.hold()
    system.add_worker()
    ordered = await system.order([module("Leaves", (CHOICE, 3))])
    await messages_api.held()
    listening = asyncio.create_task(system.listen(ordered["id"]))
    await system.heard_until(ordered["id"], lambda heard: heard.type == "batch.started")
    messages_api.release()

    heard = await listening

    assert heard[0].type == "snapshot"
    assert heard[0].data["id"] == ordered["id"]
    first = int(heard[0].id)
    assert [int(event.id) for event in heard] == list(range(first, first + len(heard)))
    assert heard[-1].type == "generation.completed"


async def test_a_client_that_comes_back_gets_exactly_what_it_missed(system: System) -> None:
    generation = await completed(system)
    whole = await system.listen(str(generation["id"]), query="?from=0")
    for seen in range(len(whole)):
        rest = await system.listen(str(generation["id"]), last_event_id=str(seen))
        assert rest == whole[seen:]


async def test_the_header_wins_over_the_query(system: System) -> None:
    generation = await completed(system)
    heard = await system.listen(str(generation["id"]), last_event_id="3", query="?from=0")
    assert heard[0].id == "4"


async def test_the_query_resumes_for_clients_that_can_send_no_header(system: System) -> None:
    generation = await completed(system)
    heard = await system.listen(str(generation["id"]), query="?last_event_id=2")
    assert heard[0].id == "3"


async def test_after_the_terminal_event_a_reconnect_is_told_to_stop(system: System) -> None:
    generation = await completed(system)
    status, _, body = await raw(system, str(generation["id"]), **{"Last-Event-ID": str(generation["last_event_id"])})
    assert (status, body) == (204, b"")


async def test_an_id_ahead_of_the_log_gets_a_fresh_start(system: System) -> None:
    generation = await completed(system)
    heard = await system.listen(str(generation["id"]), last_event_id="999")
    assert [event.type for event in heard] == ["resync"]
    assert heard[0].id == str(generation["last_event_id"])
    assert heard[0].data["status"] == "completed"


@pytest.mark.parametrize("bad", ["-1", "abc", "1.5", "9" * 21, "\u0663", "1 2"])
async def test_an_id_that_is_none_is_refused(system: System, bad: str) -> None:
    generation = await completed(system)
    response = await system.http.get(f"/api/generations/{generation['id']}/events", params={"last_event_id": bad})
    assert response.status_code == 400
    assert response.headers["content-type"] == "application/problem+json"


async def test_the_bytes_suit_every_parser(system: System) -> None:
    generation = await completed(system)
    status, headers, body = await raw(system, str(generation["id"]), **{"Last-Event-ID": "0"})
    assert status == 200
    assert headers["content-type"] == "text/event-stream; charset=utf-8"
    assert headers["cache-control"] == "no-store"
    assert headers["x-accel-buffering"] == "no"
    assert body.isascii()
    assert b"\r" not in body
    blocks = body.decode().removesuffix("\n\n").split("\n\n")
    for number, block in enumerate(blocks, start=1):
        lines = block.split("\n")
        names = [line.split(":")[0] for line in lines]
        assert names == (["event", "retry", "data", "id"] if number == 1 else ["event", "data", "id"])
        assert lines[-1] == f"id: {number}"
        data = json.loads(lines[-2].removeprefix("data: "))
        assert data["seq"] == number
        assert data["type"] == lines[0].removeprefix("event: ")
        assert set(data["totals"]) == {"target", "saved", "held", "batches", "batches_completed", "batches_failed"}


async def test_the_json_twin_lists_the_same_events(system: System) -> None:
    generation = await completed(system)
    whole = await system.listen(str(generation["id"]), query="?from=0")
    path = f"/api/generations/{generation['id']}/events"
    items, cursor = [], "0"
    while cursor:
        response = await system.http.get(
            path, params={"after": "0", "cursor": cursor, "limit": "2"}, headers={"Accept": "application/json"}
        )
        page = response.json()
        items += page["items"]
        cursor = page["next_cursor"]
    assert items == [event.data for event in whole]


async def test_the_log_goes_on_after_a_retry_without_a_gap(system: System, messages_api: MessagesApi) -> None:
    messages_api.fail("Leaves", Fault.UNAUTHORIZED, times=1)
    generation = await completed(system)
    assert generation["status"] == "failed"
    await system.post(f"/api/generations/{generation['id']}/retry")

    after = await system.listen(str(generation["id"]), last_event_id=str(generation["last_event_id"]))

    assert after[0].type == "batch.requeued"
    assert after[0].data["reason"] == "retry"
    assert after[0].id == str(int(str(generation["last_event_id"])) + 1)
    assert after[-1].type == "generation.completed"
    whole = await system.listen(str(generation["id"]), query="?from=0")
    assert [int(event.id) for event in whole] == list(range(1, len(whole) + 1))


async def test_a_stream_moves_on_when_every_wake_up_call_is_lost(system: System) -> None:
    # The worker has a Redis of its own: nothing it publishes reaches the service, and no job reaches the worker.
    system.add_worker(connect=fake_clients())
    ordered = await system.order([module("Leaves", (CHOICE, 3))])
    async with asyncio.timeout(WAIT_SECONDS):
        heard = await system.listen(ordered["id"])
    assert heard[-1].type == "generation.completed"
    await system.assert_sound()


async def several(system: System, *positions: str) -> tuple[int, list[tuple[str, int]]]:
    """Which events of which generations one stream tells, until it ends."""
    query = "&".join(f"after={position}" for position in positions)
    async with aconnect_sse(system.http, "GET", f"/api/events?{query}") as source:
        if source.response.status_code != 200:
            return source.response.status_code, []
        heard = [event async for event in source.aiter_sse() if event.event != "heartbeat"]
    return 200, [(json.loads(event.data)["generation_id"], int(event.id)) for event in heard]


async def test_several_generations_are_told_in_one_stream_each_without_a_gap(
    system: System, messages_api: MessagesApi
) -> None:
    messages_api.hold()
    system.add_worker()
    first, second = [await system.order([module("Leaves", (CHOICE, count))]) for count in (2, 3)]
    await messages_api.held(2)
    listening = asyncio.create_task(several(system, f"{first['id']}:1", f"{second['id']}:0"))
    await eventually(lambda: len(system.app.state.backend.hub._streams) == 1)
    messages_api.release()
    status, heard = await asyncio.wait_for(listening, WAIT_SECONDS)
    assert status == 200
    for generation, seen in ((first, 1), (second, 0)):
        last = (await system.get(f"/api/generations/{generation['id']}"))["last_event_id"]
        told = [seq for generation_id, seq in heard if generation_id == generation["id"]]
        assert told == list(range(seen + 1, last + 1))


async def test_a_stream_of_several_that_have_ended_is_told_to_stop(system: System) -> None:
    first, second = await completed(system), await completed(system)
    seen = [f"{generation['id']}:{generation['last_event_id']}" for generation in (first, second)]
    assert await several(system, *seen) == (204, [])
    status, heard = await several(system, seen[0], f"{second['id']}:{int(str(second['last_event_id'])) - 1}")
    assert (status, heard) == (200, [(second["id"], second["last_event_id"])])


async def test_a_stream_of_several_goes_on_with_one_that_had_ended_and_is_retried(
    system: System, messages_api: MessagesApi
) -> None:
    messages_api.hold()
    system.add_worker()
    ended, open_still = [await system.order([module("Leaves", (CHOICE, count))]) for count in (2, 3)]
    await messages_api.held(2)
    listening = asyncio.create_task(several(system, f"{ended['id']}:0", f"{open_still['id']}:0"))
    await eventually(lambda: len(system.app.state.backend.hub._streams) == 1)
    rejected = QuestionRejected(batch_id=UUID(ended["batches"][0]["id"]), code="schema", message="x")
    ending = GenerationCancelled(generated_count=0, requested_count=2, failed_batches=())
    for happening in (ending, rejected):
        async with system.database.write() as tx:
            await generations.lock(tx, UUID(ended["id"]))
            wakeup = await events.append(tx, UUID(ended["id"]), [happening])
        await system.app.state.backend.broadcast.announce(wakeup)
    messages_api.release()
    _, heard = await asyncio.wait_for(listening, WAIT_SECONDS)
    last = (await system.get(f"/api/generations/{ended['id']}"))["last_event_id"]
    assert [seq for generation_id, seq in heard if generation_id == ended["id"]] == list(range(1, last + 1))


@pytest.mark.parametrize("query", ["", "?after=", "?after=x:1", "?after={id}", "?after={id}:-1", "?after={id}:x"])
async def test_a_stream_of_several_needs_to_know_which_and_from_where(system: System, query: str) -> None:
    answer = await system.http.get("/api/events" + query.format(id=UUID(int=1)))
    assert answer.status_code == 400
    assert answer.headers["content-type"] == "application/problem+json"


async def test_a_stream_of_more_than_a_hundred_is_refused_and_an_unknown_one_is_not_found(system: System) -> None:
    many = "&".join(f"after={UUID(int=number)}:0" for number in range(101))
    assert (await system.http.get(f"/api/events?{many}")).status_code == 400
    assert (await system.http.get(f"/api/events?after={UUID(int=1)}:0")).status_code == 404


async def test_who_comes_when_all_streams_are_taken_is_told_to_come_back_later(
    settings: Settings, connect_redis: Callable[[], ArqRedis]
) -> None:
    system = System(settings.model_copy(update={"streams_max": 1}), connect_redis, OfflineProvider)
    await system.start()
    ordered = await system.order([module("Leaves", ("flashcard", 1))])
    path = f"/api/generations/{ordered['id']}/events"
    async with aconnect_sse(system.http, "GET", path) as source:
        assert (await anext(source.aiter_sse())).event == "snapshot"
        status, _, body = await raw(system, ordered["id"])
        assert (status, body) == (200, b'event: bye\nretry: 30000\ndata: {"retry_milliseconds":30000}\n\n')
    system.add_worker()
    assert (await system.ended(ordered["id"]))["status"] == "completed"
    await system.stop()
