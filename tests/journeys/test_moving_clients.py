"""A client that is sent to another service at every turn hears one log: behind one address, nothing is sticky."""

import asyncio
import json
from collections.abc import AsyncIterator, Callable
from itertools import cycle
from typing import Any
from uuid import UUID

import httpx
import pytest
from httpx_sse import aconnect_sse

from jobs.providers.offline import OfflineProvider
from schemas.events import TERMINAL_TYPES
from service.api import hub as hubs
from service.settings import Settings
from tests.conftest import fake_clients
from tests.journeys.orders import module
from tests.system import WAIT_SECONDS, Heard, System
from tests.workbench import eventually

CHOICE = "multiple_choice"
HEAL_SECONDS = 0.2


@pytest.fixture
async def pair(settings: Settings, monkeypatch: pytest.MonkeyPatch) -> AsyncIterator[Callable[..., Any]]:
    """Starts two services on one database. `is_deaf`: no wake-up call reaches the second."""
    monkeypatch.setattr(hubs, "HEAL_SECONDS", HEAL_SECONDS)
    started: list[System] = []

    async def start(*, is_deaf: bool = False) -> tuple[System, System]:
        clients = fake_clients()
        for connect in (clients, fake_clients() if is_deaf else clients):
            started.append(System(settings, connect, OfflineProvider))
            await started[-1].start()
        return started[0], started[1]

    yield start
    for system in reversed(started):
        await system.stop()


async def next_event(system: System, generation_id: str, seen: int) -> Heard:
    """The first that a new connection hears."""
    path, headers = f"/api/generations/{generation_id}/events", {"Last-Event-ID": str(seen)}
    async with asyncio.timeout(WAIT_SECONDS), aconnect_sse(system.http, "GET", path, headers=headers) as source:
        assert source.response.status_code == 200, await source.response.aread()
        async for event in source.aiter_sse():
            if event.event != "heartbeat":
                return Heard(id=event.id, type=event.event, data=json.loads(event.data))
    raise AssertionError("the stream ended without an event")


async def moving(systems: tuple[System, System], generation_id: str) -> list[Heard]:
    """What a client hears that is at the other service after every event."""
    heard: list[Heard] = []
    for system in cycle(systems):
        heard.append(await next_event(system, generation_id, len(heard)))
        if heard[-1].type in TERMINAL_TYPES:
            return heard
    raise AssertionError("a cycle has no end")


async def status_of(system: System, generation_id: str, seen: str) -> int:
    path, headers = f"/api/generations/{generation_id}/events", {"Last-Event-ID": seen}
    response = await system.http.get(path, headers=headers, timeout=httpx.Timeout(WAIT_SECONDS))
    return response.status_code


@pytest.mark.parametrize("is_deaf", [False, True], ids=["both hear", "one is deaf"])
async def test_a_client_that_moves_at_every_event_misses_nothing(pair: Callable[..., Any], is_deaf: bool) -> None:
    systems: tuple[System, System] = await pair(is_deaf=is_deaf)
    ordered = await systems[0].order([module("Leaves", (CHOICE, 3)), module("Roots", (CHOICE, 3))])
    # It keeps the second service's memory of this log, which is behind when that does not hear.
    standing = asyncio.create_task(systems[1].listen(ordered["id"], last_event_id="0"))
    going = asyncio.create_task(moving(systems, ordered["id"]))
    systems[0].add_worker()
    heard = await going
    whole = await systems[0].listen(ordered["id"], query="?from=0")
    assert heard == whole
    assert [event.id for event in heard] == [str(number) for number in range(1, len(heard) + 1)]
    assert await standing == whole
    assert [await status_of(system, ordered["id"], heard[-1].id) for system in systems] == [204, 204]


@pytest.mark.parametrize("seen", [1, 4])
async def test_a_service_that_has_not_heard_of_an_id_yet_goes_on_after_it(
    pair: Callable[..., Any], monkeypatch: pytest.MonkeyPatch, seen: int
) -> None:
    """The wake-up calls that would tell it of the client's id, and of more, never come."""
    monkeypatch.setattr(hubs, "HEAL_SECONDS", 3600.0)
    first, second = await pair(is_deaf=True)
    ordered = await first.order([module("Leaves", (CHOICE, 3))])
    standing = asyncio.create_task(second.listen(ordered["id"], last_event_id="0"))
    await eventually(lambda: is_followed(second, ordered["id"]))
    first.add_worker()
    whole = await first.listen(ordered["id"], last_event_id="0")
    assert await second.listen(ordered["id"], last_event_id=str(seen)) == whole[seen:]
    assert await standing == whole


async def test_a_service_that_has_not_heard_of_the_end_yet_knows_it(
    pair: Callable[..., Any], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(hubs, "HEAL_SECONDS", 3600.0)
    first, second = await pair(is_deaf=True)
    ordered = await first.order([module("Leaves", (CHOICE, 3))])
    standing = asyncio.create_task(second.listen(ordered["id"], last_event_id="0"))
    await eventually(lambda: is_followed(second, ordered["id"]))
    first.add_worker()
    whole = await first.listen(ordered["id"], last_event_id="0")
    assert await status_of(second, ordered["id"], whole[-1].id) == 204
    assert await standing == whole


async def test_a_service_that_has_not_heard_of_a_retry_yet_sends_nobody_away(
    pair: Callable[..., Any], monkeypatch: pytest.MonkeyPatch
) -> None:
    """204 is for ever. The other log of the same stream keeps the ended one in the service's memory."""
    monkeypatch.setattr(hubs, "HEAL_SECONDS", 3600.0)
    first, second = await pair(is_deaf=True)
    first.add_worker()
    exhausted = await first.order([module("Leaves", (CHOICE, 50), text="A leaf is an organ.")])
    whole = await first.listen(exhausted["id"], last_event_id="0")
    await first.stop_workers()
    waiting = await first.order([module("Roots", (CHOICE, 3))])
    query = f"after={exhausted['id']}:0&after={waiting['id']}:0"
    async with aconnect_sse(second.http, "GET", f"/api/events?{query}") as source:
        heard = source.aiter_sse()
        while (await anext(heard)).event != whole[-1].type:
            pass
        await first.post(f"/api/generations/{exhausted['id']}/retry")
        again = await next_event(second, exhausted["id"], len(whole))
    assert again.type == "batch.requeued"


def is_followed(system: System, generation_id: str) -> bool:
    feed = system.app.state.backend.hub._feeds.get(UUID(generation_id))
    return feed is not None and feed.head is not None
