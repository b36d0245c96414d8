"""An arq worker that waits for a call instead of polling, and outlives its Redis.

It overrides and calls hooks of arq 0.28 (pinned in pyproject.toml), private ones too: `main`, `close`, `start_jobs`,
`_poll_iteration` and `_release_sem_dec_counter_on_complete`.
"""

import asyncio
from collections.abc import AsyncIterator, Sequence

import structlog
from arq.constants import in_progress_key_prefix
from arq.worker import Worker
from redis import RedisError

from service.broadcast import Broadcast
from service.queue import WAKE_CHANNEL

REPORT_SECONDS_MAX = 1.0
PICKED_AT_ONCE_MAX = 20
"""So that the first are at work before the last are picked."""

POLL_SECONDS = 0.5
"""How long a lost wake-up call may cost."""

log = structlog.get_logger()


class WakeWorker(Worker):
    """Runs until its main task is cancelled; a Redis that is away is waited for."""

    _wake: asyncio.Event

    async def main(self) -> None:
        self._wake = asyncio.Event()
        self.ctx["redis"] = self.pool
        if self.on_startup:
            await self.on_startup(self.ctx)
        listening = asyncio.create_task(self._listen())
        try:
            while True:
                await self._look_and_wait()
        finally:
            listening.cancel()

    async def close(self) -> None:
        """Let every job report its end, as far as Redis is there to hear it."""
        jobs = set(self.tasks.values())
        if jobs:
            await asyncio.wait(jobs, timeout=REPORT_SECONDS_MAX)
        for job in jobs:
            job.cancel()
        for report in await asyncio.gather(*jobs, return_exceptions=True):
            if isinstance(report, BaseException):
                log.warning("a job's end was not reported", error=repr(report))
        if self.on_shutdown:
            await self.on_shutdown(self.ctx)
        await self.pool.aclose(close_connection_pool=True)

    async def start_jobs(self, job_ids: list[bytes]) -> None:
        """As many as there is room for, in one round trip to Redis, where arq makes four for each.

        A job that was put into the queue again while we work on it is not ours to start twice.
        """
        waiting = [name for name in map(bytes.decode, job_ids) if name not in self.tasks]
        while waiting and (free := self.max_jobs - self.job_counter) > 0:
            count = min(free, PICKED_AT_ONCE_MAX)
            for job_id, score in await self._pick(waiting[:count]):
                await self.sem.acquire()
                self.job_counter += 1
                self.tasks[job_id] = running = self.loop.create_task(self.run_job(job_id, score))
                running.add_done_callback(lambda _: self._release_sem_dec_counter_on_complete())
            waiting = waiting[count:]

    async def _pick(self, job_ids: Sequence[str]) -> list[tuple[str, int]]:
        """Mark those as running that nobody else has begun; returns them with their scores."""
        async with self.pool.pipeline(transaction=True) as pipe:
            for job_id in job_ids:
                pipe.zscore(self.queue_name, job_id)
                pipe.set(in_progress_key_prefix + job_id, b"1", px=int(self.in_progress_timeout_s * 1000), nx=True)
            replies = await pipe.execute()
        marked = [
            (job_id, score)
            for job_id, score, is_ours in zip(job_ids, replies[::2], replies[1::2], strict=True)
            if is_ours
        ]
        if ended := [in_progress_key_prefix + job_id for job_id, score in marked if score is None]:
            await self._forget(ended)
        return [(job_id, int(score)) for job_id, score in marked if score is not None]

    async def _forget(self, marks: Sequence[str]) -> None:
        """Of jobs that had ended meanwhile. Those that were picked with them are to be run whatever happens here."""
        try:
            await self.pool.delete(*marks)
        except (RedisError, OSError) as error:
            log.warning("marks of ended jobs are left to expire", error=repr(error))

    async def _look_and_wait(self) -> None:
        self._wake.clear()
        try:
            await self._poll_iteration()
        except (RedisError, OSError) as error:
            log.warning("redis is away", error=repr(error))
        try:
            # Not wait_for: before Python 3.12 it swallows a cancellation that comes together with the call.
            async with asyncio.timeout(POLL_SECONDS):
                await self._wake.wait()
        except TimeoutError:
            return

    async def _listen(self) -> None:
        async for _ in self._calls():
            self._wake.set()

    def _calls(self) -> AsyncIterator[bytes | None]:
        return Broadcast(self.pool).messages(WAKE_CHANNEL)

    def _release_sem_dec_counter_on_complete(self) -> None:
        super()._release_sem_dec_counter_on_complete()
        self._wake.set()
