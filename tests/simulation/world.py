"""One simulated machine room: the disk, the broker, the provider, and the processes on them."""

import asyncio
import atexit
import shutil
import tempfile
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from functools import cache
from pathlib import Path
from random import Random

# Two builds of SQLite on one file would not see each other's locks.
from service.store import sqlite_build  # noqa: F401 # isort: skip
import sqlite3  # isort: skip

from schemas.plans import Wakeup
from service.broadcast import Broadcast
from service.settings import Settings
from service.store import schema
from service.store.database import Database
from tests.simulation import processes, watch
from tests.simulation.broker import Broker
from tests.simulation.chance import EPOCH
from tests.simulation.processes import Crashed, Process, VirtualLoop
from tests.simulation.sqlite_inline import Disk, InlineConnection, installed
from tests.simulation.watch import Watch
from tests.simulation.weather import Weather

LEASE_SECONDS = 6.0
MEMORY = Path("/dev/shm")


class UnhurriedSettings(Settings):
    """Sweeps and heartbeats are most of what an idle worker does: fewer of them make a seed cheaper."""

    @property
    def sweep_seconds(self) -> float:
        return self.lease_seconds * 4 / 3


SETTINGS = UnhurriedSettings(
    _env_file=None,
    provider="offline",
    lease_seconds=LEASE_SECONDS,
    batches_per_worker=3,
    llm_calls_max=2,
    provider_wait_seconds=4,
    generation_retries_max=2,
    corrections_max=1,
)


@cache
def directory() -> Path:
    """Where this process keeps its disks: in memory, where there is such a place."""
    path = Path(tempfile.mkdtemp(prefix="quizmill-simulation-", dir=MEMORY if MEMORY.is_dir() else None))
    atexit.register(shutil.rmtree, path, ignore_errors=True)
    return path


@cache
def template() -> bytes:
    """A migrated, empty database with the rules of the watch."""
    path = directory() / "template.db"

    async def migrate() -> None:
        database = Database(f"sqlite+aiosqlite:///{path}")
        await schema.migrate(database)
        await database.close()

    with installed(Disk(str(path), pause=_pass, clock=time.time)):
        asyncio.run(migrate())
    connection = sqlite3.connect(path)
    connection.executescript(watch.rules())
    connection.execute("PRAGMA wal_checkpoint(TRUNCATE)")
    connection.close()
    return path.read_bytes()


async def _pass(_place: str) -> None:
    """Nothing happens here."""


_spare: list[Database] = []
"""Databases of earlier seeds: what their engines have compiled is worth keeping."""


class WatchedBroadcast(Broadcast):
    def __init__(self, world: "World") -> None:
        super().__init__(world.broker.client())
        self._watch = world.watch

    async def announce(self, wakeup: Wakeup | None) -> None:
        if wakeup:
            self._watch.announced(wakeup)
        await super().announce(wakeup)


class World:
    """What the processes share. `chance` is the seed's."""

    def __init__(self, seed: int, loop: VirtualLoop, chance: Random, *, is_loud: bool) -> None:
        self.seed = seed
        self.loop = loop
        self.chance = chance
        self.disk = Disk(str(_new_file()), pause=self.pause, clock=lambda: EPOCH + loop.now)
        self.watch = Watch(self.disk.path, loop.time, is_loud=is_loud)
        self.broker = Broker(chance, self.pause)
        self.weather = Weather(chance)
        self.trouble = 0.0
        """How often the database does not answer, per commit."""
        self.disk.on_open = self._opened
        self.disk.on_acknowledge = lambda connection: self.watch.acknowledge(connection.entered)
        self._databases: list[Database] = []
        self._connections: list[InlineConnection] = []

    def process(self, name: str) -> Process:
        process = self.loop.add(Process(name, clock_skew_seconds=self.chance.uniform(-3600, 3600)))
        process.on_death.append(lambda: self.broker.hang_up(process))
        return process

    def database(self) -> Database:
        """As a process opens it."""
        database = _spare.pop() if _spare else Database(f"sqlite+aiosqlite:///{directory() / 'unused.db'}")
        self._databases.append(database)
        return database

    async def pause(self, place: str) -> None:
        """A place where the process may be hit, where it may take long, and where others may come in between."""
        if self.loop.is_clearing:
            raise Crashed
        process = processes.current()
        if process.name == "driver" or place == "PRAGMA":
            return
        self.watch.note(place)
        if process.doom and process.doom(place):
            process.doom = None
            await self._hit(process)
        if self.chance.random() < _SHARE_OF_WAITS.get(place, 0.03):
            await asyncio.sleep(self.chance.uniform(0.0001, 0.003))
        if self.trouble and place in {"BEGIN", "COMMIT", "COMMITTED"} and self.chance.random() < self.trouble:
            self.watch.note("the database does not answer")
            raise sqlite3.OperationalError("simulated: the database does not answer")

    async def _hit(self, process: Process) -> None:
        if not process.is_dead:
            await asyncio.sleep(0)
            return
        self.watch.note("dies")
        await self.loop.create_future()

    def _opened(self, connection: InlineConnection) -> None:
        self._connections.append(connection)
        if processes.is_in_process():
            processes.current().on_death.append(connection.close)

    def close(self) -> None:
        """After the loop has ended everything."""
        for connection in self._connections:
            connection.close()
        for database in self._databases:
            for engine in (database._writer, database._reader):
                engine.sync_engine.dispose(close=False)
        _spare.extend(self._databases)
        self.watch.close()


_SHARE_OF_WAITS = {"BEGIN": 0.3, "COMMIT": 0.3, "COMMITTED": 0.3, "redis": 0.3, "call": 0.2, "answer": 0.1}


def _new_file() -> Path:
    path = directory() / "disk.db"
    for suffix in ("", "-wal", "-shm"):
        path.with_name(path.name + suffix).unlink(missing_ok=True)
    path.write_bytes(template())
    return path


@contextmanager
def closing(world: World, clear: Callable[[], None]) -> Iterator[World]:
    """Ends the world's tasks and files, however the block ends."""
    try:
        yield world
    finally:
        clear()
        world.close()
