"""`quizmill up`: the whole system as one process tree."""

import asyncio
import os
import socket
from functools import partial
from typing import TextIO

from jobs import recovery
from service import queue
from service.app import create_app
from service.broadcast import Broadcast
from service.cli import lock
from service.server import Server, address, listen, stop_on_signals
from service.settings import PREFIX, Settings
from service.store import schema
from service.store.database import Database
from service.supervisor import WorkerKeeper
from service.valkey import EmbeddedValkey


async def up(settings: Settings, workers: int) -> None:
    """Serve until SIGTERM or Ctrl-C, then drain and leave no process behind. Raises SettingsInvalid."""
    with lock.held(settings.data_dir) as claim, listen(settings) as listening:
        valkey = None if settings.redis_url else EmbeddedValkey(settings.data_dir)
        if valkey is None:
            await _run(settings, workers, listening, claim)
            return
        await valkey.start()
        keeping = asyncio.create_task(valkey.keep())
        try:
            await _run(settings.model_copy(update={"redis_url": valkey.url}), workers, listening, claim)
        finally:
            await _cancel(keeping)
            await valkey.stop()


async def _run(settings: Settings, workers: int, listening: socket.socket, claim: TextIO) -> None:
    database = Database(settings.resolved_database_url)
    await schema.migrate(database)
    redis = queue.connect(settings.redis_url)
    release = partial(_release, database, queue.Queue(redis), Broadcast(redis))
    keepers = [WorkerKeeper(_child_environment(settings), release) for _ in range(workers)]
    keeping = [asyncio.create_task(keeper.keep()) for keeper in keepers]

    def say_ready() -> None:
        lock.publish(claim, address(listening))
        print(f"Quizmill is ready at {address(listening)}", flush=True)  # noqa: T201 # the line that scripts wait for

    server = Server(create_app(settings, queue.connect(settings.redis_url)), on_ready=say_ready)
    stop_on_signals(server.stop)
    try:
        await server.serve(sockets=[listening])
    finally:
        await _cancel(*keeping)
        await asyncio.gather(*(keeper.stop() for keeper in keepers))
        await redis.aclose(close_connection_pool=True)
        await database.close()


async def _release(database: Database, jobs: queue.Queue, broadcast: Broadcast, worker: str) -> None:
    await recovery.release(database, jobs, broadcast, worker=worker)


def _child_environment(settings: Settings) -> dict[str, str]:
    """What the parent was told by options and defaults, as variables for its workers."""
    given = {
        "DATA_DIR": str(settings.data_dir.resolve()),
        "DATABASE_URL": settings.resolved_database_url,
        "REDIS_URL": settings.redis_url,
        "PROVIDER": settings.resolved_provider,
        "HOST": "127.0.0.1",
    }
    return {**os.environ, **{PREFIX + name: value for name, value in given.items()}}


async def _cancel(*tasks: asyncio.Task[None]) -> None:
    for task in tasks:
        task.cancel()
    await asyncio.gather(*tasks, return_exceptions=True)
