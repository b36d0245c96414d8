"""Where Quizmill runs for the kills: `quizmill up` with SQLite, or separate processes with PostgreSQL."""

import asyncio
import os
import signal
from collections.abc import AsyncIterator, Awaitable, Callable
from contextlib import asynccontextmanager
from dataclasses import dataclass, replace
from datetime import UTC, datetime
from enum import StrEnum
from pathlib import Path

from service.store import schema
from service.store.database import Database
from service.valkey import EmbeddedValkey
from tests.faults.fleet import SERVICE, WORKER, Fleet, Spawn, apart, free_port, launch
from tests.faults.forked import fork
from tests.faults.postgres import Postgres
from tests.processes import children_of, command_of, parent_of

WORKERS = 2


class Kind(StrEnum):
    """What is killed. `all`: everything at the same moment, followed by a cold start."""

    WORKER = "worker"
    SERVICE = "service"
    VALKEY = "valkey"
    POSTGRES = "postgres"
    ALL = "all"


@dataclass(frozen=True)
class Victim:
    """A process; `worker` is a pattern (SQL LIKE) of the name under which a worker holds its leases."""

    pid: int
    started_at: datetime
    worker: str = ""


@dataclass(frozen=True)
class Site:
    """`living` tells which processes there are now; `revive` starts again what nobody else would."""

    fleet: Fleet
    database: Database
    living: Callable[[], dict[Kind, list[Victim]]]
    revive: Callable[[], Awaitable[None]]

    def victims(self, kind: Kind) -> list[Victim]:
        """What of a kind lives now; a keeper may not know yet that its process is dead."""
        found = [victim for its, victims in self.living().items() for victim in victims if kind in {its, Kind.ALL}]
        return [victim for victim in found if parent_of(victim.pid) is not None]


@asynccontextmanager
async def single(directory: Path, environment: dict[str, str]) -> AsyncIterator[Site]:
    """One machine: `quizmill up` with its workers and its Valkey; an init system starts `up` again."""
    data_dir, port = directory / "data", free_port()
    valkey = EmbeddedValkey(data_dir)
    arguments = ("up", "--port", str(port), "--data-dir", str(data_dir), "--workers", str(WORKERS))
    fleet = Fleet([port], {"up": lambda: launch(*arguments, log=directory / "log", **environment)})

    def living() -> dict[Kind, list[Victim]]:
        up = fleet.keepers["up"].pid
        named = {} if up is None else {pid: _option(pid, "--supervised-as") for pid in children_of(up)}
        return {
            Kind.WORKER: [_victim(pid, worker=name) for pid, name in named.items() if name],
            Kind.SERVICE: _victims(up),
            Kind.VALKEY: [_victim(pid) for pid in servers_of(valkey)],
        }

    database = Database(f"sqlite+aiosqlite:///{data_dir.resolve() / 'quizmill.db'}")
    try:
        async with fleet:
            yield Site(fleet, database, living, _nothing)
    finally:
        await database.close()
        for pid in servers_of(valkey):
            os.kill(pid, signal.SIGKILL)


@asynccontextmanager
async def spread(
    directory: Path, environment: dict[str, str], *, start: Spawn = launch, services: int = 1
) -> AsyncIterator[Site]:
    """Many machines: service, workers, Valkey and PostgreSQL are started again by whoever runs each."""
    postgres = Postgres()
    try:
        await postgres.create_database()
        async with _parts(directory, postgres.url, start, environment, services) as parts:
            yield replace(
                parts,
                living=lambda: {**parts.living(), Kind.POSTGRES: _victims(postgres.pid)},
                revive=postgres.start,
            )
    finally:
        await postgres.stop()


@asynccontextmanager
async def swift(directory: Path, environment: dict[str, str], *, services: int = 1) -> AsyncIterator[Site]:
    """Separate processes on one SQLite file, forked instead of started: what a short test can afford."""
    url = f"sqlite+aiosqlite:///{directory / 'quizmill.db'}"
    async with _parts(directory, url, fork, environment, services) as site:
        yield site


@asynccontextmanager
async def _parts(
    directory: Path, database_url: str, start: Spawn, environment: dict[str, str], services: int
) -> AsyncIterator[Site]:
    valkey, database = EmbeddedValkey(directory / "valkey"), Database(database_url)
    await schema.migrate(database)
    await valkey.start()
    keeping = asyncio.create_task(valkey.keep())
    shared = {"QUIZMILL_DATABASE_URL": database_url, "QUIZMILL_REDIS_URL": valkey.url, **environment}
    fleet = apart(start, directory / "log", shared, workers=WORKERS, services=services)

    def living() -> dict[Kind, list[Victim]]:
        return {
            Kind.WORKER: [_victim(pid, worker=f"%:{pid}:%") for pid in fleet.pids(WORKER)],
            Kind.SERVICE: [_victim(pid) for pid in fleet.pids(SERVICE)],
            Kind.VALKEY: [_victim(pid) for pid in servers_of(valkey)],
        }

    try:
        async with fleet:
            yield Site(fleet, database, living, _nothing)
    finally:
        keeping.cancel()
        await asyncio.gather(keeping, return_exceptions=True)
        await valkey.stop()
        await database.close()


async def _nothing() -> None:
    """Whoever runs it starts it again."""


def _victims(pid: int | None) -> list[Victim]:
    return [] if pid is None else [_victim(pid)]


def _victim(pid: int, *, worker: str = "") -> Victim:
    return Victim(pid, started_at=started_at(pid), worker=worker)


def started_at(pid: int) -> datetime:
    """Rather a second too late than too early: the system tells the time of its own start in whole seconds."""
    try:
        ticks = int(Path(f"/proc/{pid}/stat").read_text().rpartition(")")[2].split()[19])
    except (FileNotFoundError, ProcessLookupError):
        return datetime.max.replace(tzinfo=UTC)
    booted = next(line for line in Path("/proc/stat").read_text().splitlines() if line.startswith("btime"))
    return datetime.fromtimestamp(int(booted.split()[1]) + 1 + ticks / os.sysconf("SC_CLK_TCK"), UTC)


def _option(pid: int, name: str) -> str:
    """The value of an option in the command of a process; empty: it has none."""
    words = _words(pid)
    return words[words.index(name) + 1] if name in words else ""


def servers_of(valkey: EmbeddedValkey) -> list[int]:
    """Its server, whoever the parent is by now. A running one shows its address instead of its command."""
    address = valkey.url.removeprefix("unix://")
    pids = [int(entry.name) for entry in Path("/proc").iterdir() if entry.name.isdigit()]
    return [pid for pid in pids if address in " ".join(_words(pid)) and parent_of(pid) is not None]


def _words(pid: int) -> list[str]:
    try:
        return command_of(pid).decode(errors="replace").split("\0")
    except (FileNotFoundError, ProcessLookupError):
        return []
