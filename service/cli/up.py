"""`quizmill up`: the whole system as one process tree."""

import asyncio
import os
import socket
import sys
from collections.abc import Callable
from functools import partial
from typing import TextIO

import structlog

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

log = structlog.get_logger()


async def up(settings: Settings, workers: int, *, until_eof: bool) -> None:
    """Serve until SIGTERM or Ctrl-C, then drain and leave no process behind. Raises SettingsInvalid.

    `until_eof`: also until the other end of stdin is closed, so that whoever started it can't leave it behind.
    """
    starting = asyncio.current_task()
    assert starting is not None, "a coroutine runs in a task"
    # Until it serves, a signal cancels the start; what was started is stopped on the way out.
    stop_on_signals(partial(_cancel_start, starting))
    with lock.held(settings.data_dir) as claim, listen(settings) as listening:
        valkey = None if settings.redis_url else EmbeddedValkey(settings.data_dir)
        if valkey is None:
            await _run(settings, workers, listening, claim, until_eof=until_eof)
            return
        await valkey.start()
        keeping = asyncio.create_task(valkey.keep())
        try:
            settings = settings.model_copy(update={"redis_url": valkey.url})
            await _run(settings, workers, listening, claim, until_eof=until_eof)
        finally:
            await _cancel(keeping)
            await valkey.stop()


def _cancel_start(starting: asyncio.Task[object]) -> None:
    starting.cancel()


async def _run(settings: Settings, workers: int, listening: socket.socket, claim: TextIO, *, until_eof: bool) -> None:
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

    def stop() -> None:
        for task, keeper in zip(keeping, keepers, strict=True):
            task.cancel()
            keeper.terminate()
        server.stop()

    stop_on_signals(stop)
    if until_eof:
        _stop_at_eof(stop)
    for task in keeping:
        task.add_done_callback(partial(_stop_if_broken, stop))
    try:
        await server.serve(sockets=[listening])
    finally:
        await _cancel(*keeping)
        await asyncio.gather(*(keeper.stop() for keeper in keepers))
        await redis.aclose(close_connection_pool=True)
        await database.close()


def _stop_if_broken(stop: Callable[[], None], keeping: asyncio.Task[None]) -> None:
    """Without supervision a dead worker would stay dead: whoever runs `up` starts it again."""
    if not keeping.cancelled():
        log.critical("the supervision broke and everything stops", exc_info=keeping.exception())
        stop()


def _stop_at_eof(stop: Callable[[], None]) -> None:
    loop, pipe = asyncio.get_running_loop(), sys.stdin.fileno()

    def ended() -> None:
        loop.remove_reader(pipe)
        stop()

    loop.add_reader(pipe, ended)


async def _release(database: Database, jobs: queue.Queue, broadcast: Broadcast, worker: str) -> bool:
    return await recovery.release(database, jobs, broadcast, worker=worker)


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
