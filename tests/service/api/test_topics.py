"""The request that waits for topics: how long, and for whom."""

from typing import Any
from uuid import UUID

import httpx
import pytest
import sqlalchemy as sa
from starlette.applications import Starlette

from schemas.states import ErrorCode
from service.api import topics
from service.auth import LOCAL_OWNER
from service.errors import NotFound, Unavailable
from service.store import tables
from tests.troubled import TroubledDatabase
from tests.workbench import Workbench


async def make_quiz(http: httpx.AsyncClient) -> UUID:
    body = {"title": "Plants", "modules": [{"name": name, "text": f"{name} grow."} for name in ("Leaves", "Roots")]}
    answer = await http.post("/api/quizzes", json=body)
    return UUID(answer.json()["id"])


async def change(bench: Workbench, **values: Any) -> None:
    async with bench.database.write() as tx:
        await tx.execute(sa.update(tables.topics).values(**values))


async def test_what_takes_too_long_goes_on_without_the_request(
    app: Starlette, http: httpx.AsyncClient, bench: Workbench
) -> None:
    quiz_id = await make_quiz(http)
    with pytest.raises(Unavailable, match="the topics of 2 of 2 modules are still being identified: ask again"):
        await topics.identified(app.state.backend, LOCAL_OWNER, quiz_id, seconds_max=0.05)
    assert len(await bench.queued()) == 2
    growth = {"name": "Growth", "quote": "grow", "start": 7, "end": 11}
    await change(bench, topics=[growth], identified_at=await bench.now(), wanted_at=None)
    told = (await http.post(f"/api/quizzes/{quiz_id}/topics")).json()
    assert [(topic["module_name"], topic["name"]) for topic in told["topics"]] == [
        ("Leaves", "Growth"),
        ("Roots", "Growth"),
    ]


async def test_it_says_when_to_come_back(http: httpx.AsyncClient, bench: Workbench, app: Starlette) -> None:
    quiz_id = await make_quiz(http)
    with pytest.raises(Unavailable):
        await topics.identified(app.state.backend, LOCAL_OWNER, quiz_id, seconds_max=0.01)
    app.state.backend.bell.close()
    refused = await http.post(f"/api/quizzes/{quiz_id}/topics")
    assert (refused.status_code, refused.headers["retry-after"]) == (503, "5")


@pytest.mark.parametrize("code", list(ErrorCode))
def test_only_what_may_pass_is_told_to_come_back(code: ErrorCode) -> None:
    passes = code in {"provider_overloaded", "provider_rate_limited", "provider_unavailable", "timeout"}
    assert (code in topics.PASSING) is passes


async def test_another_owners_quiz_is_unknown(app: Starlette, http: httpx.AsyncClient) -> None:
    quiz_id = await make_quiz(http)
    with pytest.raises(NotFound, match=f"there is no quiz {quiz_id}"):
        await topics.identified(app.state.backend, "somebody else", quiz_id)


async def test_a_database_that_is_away_is_told(http: httpx.AsyncClient, away: TroubledDatabase) -> None:
    assert away.is_away
    assert (await http.post(f"/api/quizzes/{UUID(int=1)}/topics")).status_code == 503


async def test_a_redis_that_is_away_delays_the_work_and_the_sweep_brings_it(
    app: Starlette, http: httpx.AsyncClient, bench: Workbench
) -> None:
    quiz_id = await make_quiz(http)
    bench.redis_server.connected = False
    with pytest.raises(Unavailable, match="still being identified"):
        await topics.identified(app.state.backend, LOCAL_OWNER, quiz_id, seconds_max=0.01)
    bench.redis_server.connected = True
    async with bench.database.read() as tx:
        wanted = (await tx.execute(sa.select(tables.topics.c.wanted_at))).scalars().all()
    assert len(wanted) == 2
    assert all(moment is not None for moment in wanted)
