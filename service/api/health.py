"""/livez and /readyz."""

import asyncio

from redis import RedisError
from starlette.requests import Request
from starlette.responses import JSONResponse, Response

from service.api import backend
from service.errors import QuizmillError
from service.queue import REDIS_SECONDS_MAX
from service.store import schema


async def live(_request: Request) -> Response:
    """The process answers."""
    return JSONResponse({"status": "ok"})


async def ready(request: Request) -> Response:
    """200 while orders can be taken and watched. A Redis that is away delays work but loses none: still ready."""
    parts = backend.of(request)
    checks = {"database": "ok", "redis": "ok", "stream": "ok" if parts.hub.is_alive else "stopped"}
    try:
        await schema.require_current(parts.database)
    except QuizmillError as error:
        checks["database"] = str(error)
    try:
        async with asyncio.timeout(REDIS_SECONDS_MAX):
            await parts.redis.ping()
    except (RedisError, OSError):
        checks["redis"] = "away"
    is_ready = checks["database"] == checks["stream"] == "ok"
    status = "ready" if is_ready else "not ready"
    return JSONResponse({"status": status, "checks": checks}, status_code=200 if is_ready else 503)
