"""A whole Quizmill in one event loop: the real app behind a real socket, real arq workers, real databases."""

import asyncio
import json
from collections.abc import Callable
from dataclasses import dataclass
from typing import Any
from uuid import UUID

import httpx
from arq.connections import ArqRedis
from httpx_sse import aconnect_sse

from jobs import worker
from jobs.providers.base import Provider
from jobs.wake import WakeWorker
from jobs.workshop import Workshop
from service.app import create_app
from service.server import Server, address, listen
from service.settings import Settings
from service.store import schema, verification
from service.store.database import Database

WAIT_SECONDS = 30.0
TERMINAL = {"completed", "partial", "failed", "cancelled"}


@dataclass
class Heard:
    """One event as a client heard it."""

    id: str
    type: str
    data: dict[str, Any]


class System:
    """Start with `start()`; `add_worker()` as often as wanted; everything ends with `stop()`."""

    def __init__(self, settings: Settings, connect: Callable[[], ArqRedis], provider: Callable[[], Provider]) -> None:
        self.settings = settings
        self.database = Database(settings.resolved_database_url)
        self._connect = connect
        self._provider = provider
        self._workers: list[tuple[WakeWorker, asyncio.Event, asyncio.Task[None]]] = []

    async def start(self) -> None:
        await schema.migrate(self.database)
        self.redis = self._connect()
        self._listening = listen(self.settings)
        started = asyncio.Event()
        self.app = create_app(self.settings, self._connect())
        self._server = Server(self.app, on_ready=started.set)
        self._serving = asyncio.create_task(self._server.serve(sockets=[self._listening]))
        await asyncio.wait_for(started.wait(), WAIT_SECONDS)
        self.url = address(self._listening)
        self.http = httpx.AsyncClient(base_url=self.url, timeout=WAIT_SECONDS)

    async def stop(self) -> None:
        await self.stop_workers()
        await self.http.aclose()
        self._server.stop()
        await self._serving
        await self.redis.aclose(close_connection_pool=True)
        await self.database.close()

    def cut_connections(self) -> None:
        """As a network does that goes away: nobody is told."""
        for connection in tuple(self._server.server_state.connections):
            connection.transport.abort()

    async def stop_workers(self) -> None:
        for _, until, running in self._workers:
            until.set()
            await running
        self._workers.clear()

    def workshop(self, redis: ArqRedis, provider: Provider | None = None) -> Workshop:
        """What a worker of this system works with."""
        return Workshop(
            self.settings,
            database=Database(self.settings.resolved_database_url),
            redis=redis,
            provider=provider or self._provider(),
        )

    def add_worker(
        self, provider: Provider | None = None, *, connect: Callable[[], ArqRedis] | None = None
    ) -> WakeWorker:
        """A worker that runs until the system stops. `connect`: with another broker than the service has."""
        redis = (connect or self._connect)()
        created = worker.create(self.settings, redis, workshop=self.workshop(redis, provider))
        until = asyncio.Event()
        self._workers.append((created, until, asyncio.create_task(worker.run(created, until=until))))
        return created

    async def post(self, path: str, body: object = None, *, expect: int = 202) -> Any:
        response = await self.http.post(path, json=body) if body is not None else await self.http.post(path)
        assert response.status_code == expect, response.text
        return response.json()

    async def get(self, path: str, **query: str) -> Any:
        response = await self.http.get(path, params=query)
        assert response.status_code == 200, response.text
        return response.json()

    async def order(self, modules: list[dict[str, Any]], *, language: str = "en", **options: Any) -> Any:
        """`POST /api/generations`; returns the generation."""
        body = {"title": "A quiz", "language": language, "modules": modules, **options}
        return await self.post("/api/generations", body)

    async def listen(self, generation_id: str, *, last_event_id: str | None = None, query: str = "") -> list[Heard]:
        """Everything one connection hears until the server ends it; heartbeats left out."""
        headers = {"Last-Event-ID": last_event_id} if last_event_id is not None else {}
        path = f"/api/generations/{generation_id}/events{query}"
        async with aconnect_sse(self.http, "GET", path, headers=headers) as source:
            assert source.response.status_code == 200, await source.response.aread()
            return [
                Heard(id=event.id, type=event.event, data=json.loads(event.data))
                async for event in source.aiter_sse()
                if event.event != "heartbeat"
            ]

    async def ended(self, generation_id: str) -> Any:
        """The generation once it is terminal, awaited through its stream."""
        async with asyncio.timeout(WAIT_SECONDS):
            heard = await self.listen(generation_id)
            while heard[-1].type.removeprefix("generation.") not in TERMINAL | {"snapshot", "resync"}:
                heard += await self.listen(generation_id)
        return await self.get(f"/api/generations/{generation_id}")

    async def heard_until(self, generation_id: str, wanted: Callable[[Heard], bool], *, after: str = "0") -> Heard:
        """The first event that is wanted, heard live."""
        path = f"/api/generations/{generation_id}/events"
        async with (
            asyncio.timeout(WAIT_SECONDS),
            aconnect_sse(self.http, "GET", path, headers={"Last-Event-ID": after}) as source,
        ):
            async for event in source.aiter_sse():
                heard = Heard(id=event.id, type=event.event, data=json.loads(event.data))
                if wanted(heard):
                    return heard
        raise AssertionError("the stream ended before the wanted event")

    async def assert_sound(self, generation_id: str | None = None) -> None:
        """Every invariant holds: what `quizmill verify` checks."""
        async with self.database.read() as tx:
            report = await verification.verify(tx, UUID(generation_id) if generation_id else None)
        assert report.generations > 0
        assert report.findings == ()
