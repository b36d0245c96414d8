"""`quizmill work`: one worker process, alone or under `quizmill up`."""

import asyncio
import os
import sys

import structlog

from jobs import worker
from service import queue
from service.cli import lock
from service.errors import SettingsInvalid
from service.server import stop_on_signals
from service.settings import Settings
from service.valkey import EmbeddedValkey

log = structlog.get_logger()


async def work(settings: Settings, supervised_as: str | None) -> None:
    """Be a worker until SIGTERM, Ctrl-C, or the death of the `up` that started it. Raises SettingsInvalid."""
    if not settings.redis_url:
        raise SettingsInvalid("a worker needs QUIZMILL_REDIS_URL: the same that `quizmill serve` uses")
    stopping = asyncio.Event()
    stop_on_signals(lambda: _stop(stopping))
    loop, pipe = asyncio.get_running_loop(), sys.stdin.fileno()
    is_orphan = False

    def orphaned() -> None:
        nonlocal is_orphan
        is_orphan = True
        loop.remove_reader(pipe)
        stopping.set()

    if supervised_as:
        loop.add_reader(pipe, orphaned)
    await worker.run(worker.create(settings, queue.connect(settings.redis_url), name=supervised_as), until=stopping)
    if is_orphan:
        await _clear_up(settings)


def _stop(stopping: asyncio.Event) -> None:
    if stopping.is_set():
        os._exit(1)
    stopping.set()


async def _clear_up(settings: Settings) -> None:
    """The `up` that started us was killed: take its Valkey down with us, unless a new `up` has it."""
    valkey = EmbeddedValkey(settings.data_dir)
    if settings.redis_url == valkey.url and lock.is_free(settings.data_dir):
        log.warning("the quizmill that started this worker is gone: valkey is shut down with it")
        await valkey.stop()
