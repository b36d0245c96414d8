"""The event stream as one would write it first: `python -m bench.streaming.naive_app DATABASE REDIS_URL`.

Each client has a subscription of its own, events are encoded for each client, and a query of its own serves each that
comes back.
"""

import asyncio
import json
import socket
import sys
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from uuid import UUID

import sqlalchemy as sa
import uvicorn
from redis.asyncio import Redis
from sqlalchemy.ext.asyncio import AsyncEngine, create_async_engine
from sse_starlette import EventSourceResponse
from starlette.applications import Starlette
from starlette.requests import Request
from starlette.routing import Route

READY = "Quizmill is ready at "
BACKLOG = 2048

Message = dict[str, str]


class Streams:
    def __init__(self, engine: AsyncEngine, redis: Redis) -> None:
        self._engine = engine
        self._redis = redis

    async def stream(self, request: Request) -> EventSourceResponse:
        generation_id: UUID = request.path_params["generation_id"]
        last = request.headers.get("last-event-id")
        return EventSourceResponse(self._told(generation_id, None if last is None else int(last)), ping=15)

    async def _told(self, generation_id: UUID, last: int | None) -> AsyncIterator[Message]:
        async with self._redis.pubsub(ignore_subscribe_messages=True) as pubsub:
            await pubsub.subscribe(f"naive:{generation_id}")
            if last is None:
                yield {"event": "hello", "data": "{}"}
            else:
                for data in await self._missed(generation_id, last):
                    yield _encoded(data)
            async for message in pubsub.listen():
                yield _encoded(message["data"])

    async def _missed(self, generation_id: UUID, last: int) -> list[str]:
        async with self._engine.connect() as connection:
            found = await connection.execute(
                sa.text("SELECT data FROM events WHERE generation_id = :id AND seq > :last ORDER BY seq"),
                {"id": generation_id.hex, "last": last},
            )
            return list(found.scalars())


def _encoded(data: str | bytes) -> Message:
    event = json.loads(data)
    return {"event": event["type"], "id": str(event["seq"]), "data": json.dumps(event)}


async def main(database: str, redis_url: str) -> None:
    engine = create_async_engine(f"sqlite+aiosqlite:///{database}")
    redis: Redis = Redis.from_url(redis_url)

    @asynccontextmanager
    async def lifespan(_app: Starlette) -> AsyncIterator[None]:
        print(f"{READY}http://127.0.0.1:{listening.getsockname()[1]}", flush=True)
        yield
        await redis.aclose()
        await engine.dispose()

    streams = Streams(engine, redis)
    app = Starlette(routes=[Route("/{generation_id:uuid}", streams.stream)], lifespan=lifespan)
    with socket.create_server(("127.0.0.1", 0), backlog=BACKLOG) as listening:
        await uvicorn.Server(uvicorn.Config(app, log_level="warning", access_log=False)).serve(sockets=[listening])


if __name__ == "__main__":
    asyncio.run(main(sys.argv[1], sys.argv[2]))
