"""The arq worker: what it runs, how it starts and stops. `arq jobs.worker.WorkerSettings` works as well."""

import asyncio
import signal
from typing import Any, ClassVar

import structlog
from arq.connections import ArqRedis, RedisSettings
from arq.worker import func

from jobs import recovery
from jobs.batch import run_batch
from jobs.materials import extract_materials
from jobs.providers.anthropic import AnthropicProvider
from jobs.providers.base import Provider
from jobs.providers.offline import OfflineProvider
from jobs.publications import publish_quiz
from jobs.topics import identify_topics
from jobs.wake import WakeWorker
from jobs.workshop import Workshop
from service import queue, settings
from service.settings import Settings
from service.store import schema
from service.store.database import Database

READ_LIMIT = 10_000
"""More than all workers together can have picked but not yet claimed: what stands first must not hide the rest."""

GRACE_SECONDS = 3
"""How long running batches may go on after SIGTERM; then they hold what passed and are released."""

log = structlog.get_logger()


Context = dict[str, Any]
"""arq's ctx: `redis`, and ours: `settings`, `name`, `workshop`, `chores`."""


def create_provider(chosen: Settings) -> Provider:
    if chosen.resolved_provider == "offline":
        return OfflineProvider()
    assert chosen.anthropic_api_key is not None, "Settings refuses anthropic without a key"
    return AnthropicProvider(
        api_key=chosen.anthropic_api_key.get_secret_value(),
        base_url=chosen.anthropic_base_url,
        model=chosen.model,
        llm_timeout_seconds=chosen.llm_timeout_seconds,
    )


async def start(context: Context) -> None:
    """Open the workshop. A workshop that is there already (tests) is used as it is."""
    if "workshop" not in context:
        chosen = context.get("settings") or settings.load()
        context["workshop"] = Workshop(
            chosen,
            database=Database(chosen.resolved_database_url),
            redis=context["redis"],
            provider=create_provider(chosen),
            name=context.get("name"),
        )
    workshop = context["workshop"]
    await schema.require_current(workshop.database)
    routines = (
        recovery.keep_leases,
        recovery.keep_sweeping,
        recovery.obey_stops,
        recovery.keep_turns,
        recovery.hear_of_ended_calls,
    )
    context["chores"] = [asyncio.create_task(routine(workshop), name=routine.__name__) for routine in routines]
    for chore in context["chores"]:
        chore.add_done_callback(_stop_if_broken)
    log.info("worker started", worker=workshop.worker, provider=workshop.provider.name)


def _stop_if_broken(chore: asyncio.Task[None]) -> None:
    """A worker without heartbeat or sweep is worse than none: it ends, and whoever supervises it starts another."""
    error = None if chore.cancelled() else chore.exception()
    log.critical("the worker is broken and stops", chore=chore.get_name(), exc_info=error)
    signal.raise_signal(signal.SIGTERM)


async def stop(context: Context) -> None:
    """Release what is in hand and close the workshop, as far as it was opened."""
    if "workshop" not in context:
        return
    workshop = context["workshop"]
    await workshop.stop(grace_seconds=0)
    chores = context.get("chores", ())
    for chore in chores:
        chore.remove_done_callback(_stop_if_broken)
        chore.cancel()
    await asyncio.gather(*chores, return_exceptions=True)
    await workshop.provider.close()
    await workshop.database.close()
    log.info("worker stopped", worker=workshop.worker)


class WorkerSettings:
    """What the `arq` command reads. It polls, where `quizmill work` is woken; all else is the same."""

    functions: ClassVar = [
        func(run_batch, name=queue.RUN_BATCH),  # type: ignore[arg-type] # arq types its ctx as a plain dict
        func(extract_materials, name=queue.EXTRACT),  # type: ignore[arg-type] # as above
        func(identify_topics, name=queue.IDENTIFY),  # type: ignore[arg-type] # as above
        func(publish_quiz, name=queue.PUBLISH),  # type: ignore[arg-type] # as above
    ]
    on_startup = start
    on_shutdown = stop
    redis_settings = RedisSettings.from_dsn(settings.load().redis_url or "redis://127.0.0.1:6379")
    max_jobs = settings.load().batches_per_worker
    job_serializer = queue.serialize
    job_deserializer = queue.deserialize
    # A batch has bounds of its own; this one is only arq's.
    job_timeout = 86_400
    keep_result = 0
    max_tries = 1
    retry_jobs = False
    poll_delay = 0.1
    queue_read_limit = READ_LIMIT
    health_check_interval = 5
    job_completion_wait = GRACE_SECONDS


def create(
    chosen: Settings, redis: ArqRedis, *, name: str | None = None, workshop: Workshop | None = None
) -> WakeWorker:
    """A worker of our own event loop. `workshop` replaces the one that `start` would open under the name."""
    context: dict[str, object] = {"settings": chosen, "name": name}
    if workshop:
        context["workshop"] = workshop
    return WakeWorker(
        functions=WorkerSettings.functions,
        redis_pool=redis,
        on_startup=start,  # type: ignore[arg-type] # arq's protocol asks for more than a function has
        on_shutdown=stop,  # type: ignore[arg-type] # as above
        handle_signals=False,
        max_jobs=chosen.batches_per_worker,
        job_serializer=queue.serialize,
        job_deserializer=queue.deserialize,
        job_timeout=WorkerSettings.job_timeout,
        keep_result=WorkerSettings.keep_result,
        max_tries=WorkerSettings.max_tries,
        retry_jobs=WorkerSettings.retry_jobs,
        queue_read_limit=WorkerSettings.queue_read_limit,
        health_check_interval=WorkerSettings.health_check_interval,
        ctx=context,
    )


async def run(worker: WakeWorker, *, until: asyncio.Event) -> None:
    """Be a worker until the event is set, then let go in good order. Raises what stopped the worker otherwise."""
    running = asyncio.create_task(worker.async_run())
    stopping = asyncio.create_task(until.wait())
    await asyncio.wait({running, stopping}, return_when=asyncio.FIRST_COMPLETED)
    stopping.cancel()
    worker.allow_pick_jobs = False
    if "workshop" in worker.ctx:
        await worker.ctx["workshop"].stop(grace_seconds=GRACE_SECONDS)
    failed = running.done()
    running.cancel()
    await asyncio.gather(running, return_exceptions=True)
    await worker.close()
    if failed:
        running.result()
