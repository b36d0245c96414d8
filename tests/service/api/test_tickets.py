"""Tickets: one stream of one generation, once, for a minute, and nobody else learns of them."""

import asyncio
from datetime import UTC, datetime, timedelta
from typing import Any
from uuid import uuid4

import httpx
import pytest
from starlette.applications import Starlette
from structlog.testing import capture_logs

from service import auth
from service.api import frames
from service.app import create_app
from service.auth import LOCAL_OWNER
from tests.factories import OWNER, Ordered
from tests.troubled import TroubledDatabase
from tests.workbench import Workbench

LAST_ID = 1
LET_IN = 204
"""What who has heard everything is told. How the rest goes on: tests/journeys/test_recipes.py, with ticket.mjs."""

DETAIL = (
    "this ticket does not open this stream: it was used, is older than 60 seconds, or is for another generation."
    " Ask for a new one."
)


@pytest.fixture
async def ended(bench: Workbench) -> Ordered:
    """A generation that is over."""
    return await end(bench, LOCAL_OWNER)


async def end(bench: Workbench, owner: str) -> Ordered:
    ordered = await bench.order(2, owner=owner)
    await bench.cancel(ordered)
    return ordered


async def ask(http: httpx.AsyncClient, ordered: Ordered) -> str:
    answer = await http.post("/api/stream-tickets", json={"generation_id": str(ordered.generation_id)})
    assert answer.status_code == 201, answer.text
    return str(answer.json()["ticket"])


async def stream(http: httpx.AsyncClient, ordered: Ordered, ticket: str) -> httpx.Response:
    """As a client that has heard everything."""
    seen = {"last_event_id": str(LAST_ID)}
    return await http.get(f"/api/generations/{ordered.generation_id}/events", params={"ticket": ticket, **seen})


async def test_a_ticket_opens_the_stream_of_its_generation_once(http: httpx.AsyncClient, ended: Ordered) -> None:
    ticket = await ask(http, ended)
    assert (await stream(http, ended, ticket)).status_code == LET_IN
    again = await stream(http, ended, ticket)
    assert (again.status_code, again.json()["detail"]) == (403, DETAIL)
    assert again.headers["content-type"] == "application/problem+json"


async def test_a_ticket_is_for_one_stream_also_among_several_services(
    http: httpx.AsyncClient, ended: Ordered, bench: Workbench
) -> None:
    ticket = await ask(http, ended)
    other = create_app(bench.settings, bench.connect())
    async with (
        other.router.lifespan_context(other),
        httpx.AsyncClient(transport=httpx.ASGITransport(other), base_url="http://127.0.0.1:8000") as elsewhere,
    ):
        tries = [stream(client, ended, ticket) for client in (http, elsewhere) * 8]
        codes = [answer.status_code for answer in await asyncio.gather(*tries)]
    assert sorted(codes) == [LET_IN] + [403] * 15


async def test_a_ticket_lasts_for_a_minute(http: httpx.AsyncClient, ended: Ordered, bench: Workbench) -> None:
    answer = await http.post("/api/stream-tickets", json={"generation_id": str(ended.generation_id)})
    left = datetime.fromisoformat(answer.json()["expires_at"]) - datetime.now(UTC)
    assert timedelta(seconds=50) < left <= timedelta(seconds=60)
    [key] = await bench.redis.keys("quizmill:ticket:*")
    assert 50 < await bench.redis.ttl(key) <= 60
    await bench.redis.expire(key, 0)
    expired = await stream(http, ended, answer.json()["ticket"])
    assert (expired.status_code, expired.json()["detail"]) == (403, DETAIL)


async def test_a_ticket_shown_at_another_generation_is_refused_there_and_still_good(
    http: httpx.AsyncClient, ended: Ordered, bench: Workbench
) -> None:
    other = await end(bench, LOCAL_OWNER)
    ticket = await ask(http, ended)
    assert (await stream(http, other, ticket)).status_code == 403
    assert (await stream(http, ended, ticket)).status_code == LET_IN


@pytest.mark.parametrize("ticket", ["", "nonsense", "\udcff", "x" * 3000, "*"])
async def test_what_is_no_ticket_is_refused(http: httpx.AsyncClient, ended: Ordered, ticket: str) -> None:
    await ask(http, ended)
    shown = ticket.replace(chr(0xDCFF), "%ff")
    path = f"/api/generations/{ended.generation_id}/events?last_event_id={LAST_ID}&ticket={shown}"
    assert (await http.get(path)).status_code == 403


async def test_the_stream_of_a_ticket_is_its_owners(
    http: httpx.AsyncClient, bench: Workbench, monkeypatch: pytest.MonkeyPatch
) -> None:
    theirs = await end(bench, OWNER)
    with monkeypatch.context() as patch:
        # There are no accounts yet: everyone is the same owner.
        patch.setattr(auth, "owner_of", lambda _: OWNER)
        ticket = await ask(http, theirs)
    path = f"/api/generations/{theirs.generation_id}/events?last_event_id={LAST_ID}"
    assert (await http.get(path)).status_code == 404
    assert (await stream(http, theirs, ticket)).status_code == LET_IN


@pytest.mark.parametrize(
    ("body", "status"),
    [({"generation_id": str(uuid4())}, 404), ({}, 422), ({"generation_id": "1"}, 422), ({"id": str(uuid4())}, 422)],
)
async def test_there_is_no_ticket_for_what_is_not_there(
    http: httpx.AsyncClient, bench: Workbench, body: dict[str, Any], status: int
) -> None:
    theirs = await end(bench, OWNER)
    for wanted in (body, {"generation_id": str(theirs.generation_id)} if status == 404 else body):
        assert (await http.post("/api/stream-tickets", json=wanted)).status_code == status
    assert await bench.redis.keys("quizmill:ticket:*") == []


async def test_without_redis_nobody_is_refused_for_ever(
    http: httpx.AsyncClient, ended: Ordered, bench: Workbench
) -> None:
    ticket = await ask(http, ended)
    bench.redis_server.connected = False
    refused = await http.post("/api/stream-tickets", json={"generation_id": str(ended.generation_id)})
    assert (refused.status_code, refused.headers["retry-after"]) == (503, "5")
    # A browser would give up after a 503.
    opened = await stream(http, ended, ticket)
    assert (opened.status_code, opened.content) == (
        200,
        frames.farewell(retry_milliseconds=frames.AWAY_MILLISECONDS),
    )
    bench.redis_server.connected = True
    assert (await stream(http, ended, ticket)).status_code == LET_IN


async def test_nobody_learns_of_a_ticket(
    http: httpx.AsyncClient, ended: Ordered, bench: Workbench, app: Starlette, away: TroubledDatabase
) -> None:
    away.is_away = False
    with capture_logs() as told:
        ticket = await ask(http, ended)
        kept = [(key, await bench.redis.get(key)) for key in await bench.redis.keys("*")]
        away.is_away = True
        await stream(http, ended, ticket)
        away.is_away = False
        refused = await stream(http, ended, ticket)
    assert refused.status_code == 403
    assert kept
    assert ticket not in f"{told}{kept}{refused.text}{refused.headers}"
