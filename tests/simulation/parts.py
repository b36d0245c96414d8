"""The processes of the machine room: workers, which run the product's jobs and chores, and the service."""

import asyncio
from collections.abc import Callable, Coroutine
from contextlib import suppress
from random import Random
from typing import Any
from uuid import UUID

from arq.constants import default_queue_name, in_progress_key_prefix, job_key_prefix
from redis import RedisError

from jobs import recovery
from jobs.batch import run_batch
from jobs.workshop import Workshop
from service.api.backend import Backend
from service.api.bell import Bell
from service.api.hub import Hub
from service.api.seats import Seats
from service.broadcast import IDENTIFIED_CHANNEL
from service.errors import LeaseLost, QuizmillError, Unavailable
from service.queue import WAKE_CHANNEL, Queue, deserialize
from tests.following import ID, Follower
from tests.simulation.weather import WeatherProvider
from tests.simulation.world import SETTINGS, WatchedBroadcast, World

POLL_SECONDS = 2.0
PICK_MAX = 20
PICKED_MILLISECONDS = 60_000


class SimulatedWorker:
    """A worker process: what `jobs.worker` starts, with a small consumer in the place of arq's."""

    def __init__(self, world: World, name: str) -> None:
        self.world = world
        self.process = world.process(name)
        self.is_stopping = False
        self._tasks: dict[str, asyncio.Task[None]] = {}
        self.process.call(self._start)

    @property
    def is_alive(self) -> bool:
        return not self.process.is_dead and not self.is_stopping

    def _start(self) -> None:
        world = self.world
        self._redis = world.broker.client()
        provider = WeatherProvider(
            world.weather,
            pause=world.pause,
            on_call=world.watch.asked,
            is_metered=world.chance.random() < 0.8,
        )
        self.workshop = Workshop(
            SETTINGS,
            database=world.database(),
            redis=self._redis,
            provider=provider,
            name=self.process.name,
        )
        self.workshop.broadcast = WatchedBroadcast(world)
        self._wake = asyncio.Event()
        self._chores = [
            self._chore(recovery.keep_leases(self.workshop)),
            self._chore(recovery.keep_sweeping(self.workshop)),
            self._chore(recovery.obey_stops(self.workshop)),
            self._chore(self._listen()),
            self._chore(self._consume()),
        ]

    async def stop(self) -> None:
        """SIGTERM."""
        self._chores[-1].cancel()
        await self.workshop.stop(grace_seconds=self.world.chance.choice((0.0, 0.5)))
        await asyncio.gather(*self._tasks.values(), return_exceptions=True)
        if held := [row for row in self.world.watch.batches("processing") if self._holds(row[0])]:
            self.world.watch.note("stopped holding", *held)
        for chore in self._chores:
            chore.cancel()
        self.process.die()

    def _holds(self, batch_id: str) -> bool:
        return any(claim.batch_id.hex == batch_id for claim in self.workshop.in_hand)

    def _chore(self, routine: Coroutine[Any, Any, None]) -> "asyncio.Task[None]":
        """What never ends: without it a worker is broken (jobs.worker stops it then)."""
        chore = asyncio.get_running_loop().create_task(routine)
        chore.add_done_callback(self._chore_ended)
        return chore

    def _chore_ended(self, chore: "asyncio.Task[None]") -> None:
        if not chore.cancelled() and not self.world.loop.is_clearing:
            self.world.watch.report(f"a chore of {self.process.name} ended: {chore.exception()!r}")

    async def _listen(self) -> None:
        async for _ in self.workshop.broadcast.messages(WAKE_CHANNEL):
            self._wake.set()

    async def _consume(self) -> None:
        while True:
            self._wake.clear()
            try:
                await self._pick()
            except (RedisError, OSError) as error:
                self.world.watch.note("redis is away", type(error).__name__)
            try:
                await asyncio.wait_for(self._wake.wait(), POLL_SECONDS)
            except TimeoutError:
                continue

    async def _pick(self) -> None:
        for line in await self._redis.zrangebyscore(default_queue_name, "-inf", "+inf", start=0, num=PICK_MAX):
            job_id = line.decode()
            if len(self._tasks) >= SETTINGS.batches_per_worker:
                return
            if job_id in self._tasks or not await self._redis.set(
                in_progress_key_prefix + job_id, b"1", nx=True, px=PICKED_MILLISECONDS
            ):
                continue
            payload = await self._redis.get(job_key_prefix + job_id)
            if payload is None:
                await self._redis.zrem(default_queue_name, job_id)
                continue
            arguments = deserialize(payload)["a"]
            assert isinstance(arguments, list), "the queue writes a list"
            self._tasks[job_id] = asyncio.create_task(self._run(job_id, *arguments))

    async def _run(self, job_id: str, batch_id: str, fence: int) -> None:
        try:
            await run_batch({"workshop": self.workshop}, batch_id, fence)
        except Unavailable:
            self.world.watch.note("the claim failed")
        except Exception as error:  # noqa: BLE001 # it is reported
            self.world.watch.report(f"a job ended with {error!r}")
        finally:
            self._tasks.pop(job_id, None)
            self._wake.set()
        try:
            await self._redis.delete(in_progress_key_prefix + job_id, job_key_prefix + job_id)
            await self._redis.zrem(default_queue_name, job_id)
        except (RedisError, OSError):
            self.world.watch.note("redis did not hear of a job's end")


class Client(Follower):
    """Follows one generation through all reconnects and remembers how far it came."""

    def __init__(self, world: World, generation_id: UUID) -> None:
        super().__init__(generation_id)
        self.seq = 0
        self._world = world
        self._chance = Random(f"client {world.seed} {generation_id}")

    async def come_and_go(self, hub: Hub) -> None:
        while True:
            self._is_leaving = False
            with suppress(TimeoutError):
                async with asyncio.timeout(None) as self._stay:
                    await self.follow(hub)
            await asyncio.sleep(self._chance.uniform(0.05, 1.0))

    def take(self, blocks: bytes) -> None:
        for number in ID.findall(blocks):
            if int(number) != self.seq + 1:
                self._world.watch.report(f"a client got event {int(number)} after {self.seq}")
            self.seq = int(number)
        if self._chance.random() < 0.1 and not self._is_leaving:
            self._is_leaving = True
            self._stay.reschedule(0.0)


class SimulatedService:
    """A service process: what users call, and the hub with its streams."""

    def __init__(self, world: World, name: str, clients: list[Client]) -> None:
        self.world = world
        self.process = world.process(name)
        self.unanswered = 0
        self._clients = clients
        self.process.call(self._start)

    def _start(self) -> None:
        world = self.world
        redis = world.broker.client()
        database, broadcast = world.database(), WatchedBroadcast(world)
        self.backend = Backend(
            settings=SETTINGS,
            database=database,
            redis=redis,
            queue=Queue(redis),
            broadcast=broadcast,
            hub=Hub(database, broadcast),
            bell=Bell(broadcast, IDENTIFIED_CHANNEL),
            seats=Seats(SETTINGS.streams_max, SETTINGS.streams_per_owner_max),
        )
        self.backend.hub.start()
        for client in self._clients:
            self.watch(client)

    def watch(self, client: Client) -> None:
        self.process.run(self.world.loop, self._followed(client))

    def do(self, name: str, operation: Callable[[Backend], Coroutine[Any, Any, object]]) -> None:
        """What a user asks for; nobody waits for the answer."""
        self.unanswered += 1
        self.process.run(self.world.loop, self._answered(name, operation))

    def release(self, worker: SimulatedWorker) -> None:
        """What `up` does about a worker that it saw die."""
        backend = self.backend
        self.process.run(
            self.world.loop,
            recovery.release(backend.database, backend.queue, backend.broadcast, worker=worker.process.name),
        )

    async def _followed(self, client: Client) -> None:
        try:
            await client.come_and_go(self.backend.hub)
        except Unavailable:
            self.world.watch.note("a stream broke")
            self.watch(client)
        except Exception as error:  # noqa: BLE001 # it is reported
            self.world.watch.report(f"a stream ended with {error!r}")

    async def _answered(self, name: str, operation: Callable[[Backend], Coroutine[Any, Any, object]]) -> None:
        try:
            await operation(self.backend)
        except LeaseLost as error:
            self.world.watch.report(f"{name} ended with {error!r}")
        except QuizmillError as error:
            self.world.watch.note(name, "is refused:", type(error).__name__)
        except Exception as error:  # noqa: BLE001 # it is reported
            self.world.watch.report(f"{name} ended with {error!r}")
        else:
            self.world.watch.note(name, "is answered")
        finally:
            self.unanswered -= 1
