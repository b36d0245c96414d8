"""/livez and /readyz."""

import httpx
from starlette.applications import Starlette

from tests.troubled import TroubledDatabase
from tests.workbench import Workbench


async def test_a_process_that_answers_lives(http: httpx.AsyncClient) -> None:
    answer = await http.get("/livez")
    assert (answer.status_code, answer.json()) == (200, {"status": "ok"})


async def test_a_service_that_can_take_orders_is_ready(http: httpx.AsyncClient) -> None:
    answer = await http.get("/readyz")
    assert answer.status_code == 200
    assert answer.json() == {"status": "ready", "checks": {"database": "ok", "redis": "ok", "stream": "ok"}}


async def test_without_redis_it_is_still_ready_since_nothing_is_lost(http: httpx.AsyncClient, bench: Workbench) -> None:
    bench.redis_server.connected = False
    answer = await http.get("/readyz")
    assert answer.status_code == 200
    assert answer.json()["checks"]["redis"] == "away"


async def test_without_its_database_it_is_not_ready(
    app: Starlette, http: httpx.AsyncClient, away: TroubledDatabase
) -> None:
    answer = await http.get("/readyz")
    assert answer.status_code == 503
    assert answer.json()["status"] == "not ready"
    assert "does not answer" in answer.json()["checks"]["database"]
    assert (await http.get("/livez")).status_code == 200
    assert app.state.backend.database is away


async def test_without_its_stream_it_is_not_ready(app: Starlette, http: httpx.AsyncClient) -> None:
    await app.state.backend.hub.stop()
    answer = await http.get("/readyz")
    assert answer.status_code == 503
    assert answer.json()["checks"] == {"database": "ok", "redis": "ok", "stream": "stopped"}
