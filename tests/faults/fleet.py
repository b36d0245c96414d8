"""Processes that are started again whenever they end, as an init system would, and what clients need to find them."""

import asyncio
import os
import socket
import sys
from asyncio.subprocess import DEVNULL
from collections.abc import Awaitable, Callable, Mapping, Sequence
from functools import partial
from pathlib import Path
from types import TracebackType
from typing import Protocol, Self

import httpx

from tests.processes import children_of, kill

START_SECONDS_MAX = 60.0
LOOK_SECONDS = 0.02
RESTART_SECONDS = 0.2


class Child(Protocol):
    @property
    def pid(self) -> int: ...
    async def wait(self) -> int: ...


Start = Callable[[], Awaitable[Child]]


class Keeper:
    """One process that has to run."""

    def __init__(self, start: Start) -> None:
        self._start = start
        self._child: Child | None = None
        self.codes: list[int] = []
        """With which it has ended so far."""

    @property
    def pid(self) -> int | None:
        """None: it is about to be started again."""
        return self._child.pid if self._child else None

    async def keep(self) -> None:
        while True:
            self._child = await self._start()
            self.codes.append(await self._child.wait())
            self._child = None
            # So that a process that can't start does not eat the machine.
            await asyncio.sleep(RESTART_SECONDS)

    async def end(self) -> None:
        """With all that it has started. Call after `keep` was cancelled."""
        if self._child:
            for pid in (*children_of(self._child.pid), self._child.pid):
                kill(pid)
            await self._child.wait()


class Fleet:
    """Keepers by name; all that they keep is killed when the block ends. `ports`: where its services listen."""

    def __init__(self, ports: Sequence[int], starts: Mapping[str, Start]) -> None:
        self.ports = ports
        self.url = f"http://127.0.0.1:{ports[0]}"
        self.keepers = {name: Keeper(start) for name, start in starts.items()}
        self._keeping: list[asyncio.Task[None]] = []

    def pids(self, role: str = "") -> list[int]:
        """Of what runs now; `role`: how the names of its kind begin."""
        named = ((name, keeper.pid) for name, keeper in self.keepers.items())
        return [pid for name, pid in named if pid is not None and name.startswith(role)]

    async def __aenter__(self) -> Self:
        self._keeping = [asyncio.create_task(keeper.keep()) for keeper in self.keepers.values()]
        await self.serving()
        return self

    async def __aexit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        for task in self._keeping:
            task.cancel()
        await asyncio.gather(*self._keeping, return_exceptions=True)
        await asyncio.gather(*(keeper.end() for keeper in self.keepers.values()))

    async def serving(self) -> None:
        """Returns once every service answers."""
        async with asyncio.timeout(START_SECONDS_MAX), httpx.AsyncClient(verify=False) as http:
            for port in self.ports:
                while not await _answers(http, port):  # noqa: ASYNC110 # a port does not tell when someone listens
                    await asyncio.sleep(LOOK_SECONDS)


async def _answers(http: httpx.AsyncClient, port: int) -> bool:
    try:
        return (await http.get(f"http://127.0.0.1:{port}/livez")).is_success
    except httpx.HTTPError:
        return False


def free_port() -> int:
    """One that a service can have again and again, so that its clients find it after each restart."""
    with socket.create_server(("127.0.0.1", 0)) as listening:
        port: int = listening.getsockname()[1]
    return port


class Spawn(Protocol):
    def __call__(self, *arguments: str, log: Path, **environment: str) -> Awaitable[Child]: ...


async def launch(*arguments: str, log: Path, **environment: str) -> Child:
    """`quizmill ARGUMENTS` as an init system starts it, with its output in `log`."""
    return await launch_command(sys.executable, "-m", "service.cli.main", *arguments, log=log, **environment)


async def launch_command(*command: str, log: Path, **environment: str) -> Child:
    with log.open("ab") as file:
        return await asyncio.create_subprocess_exec(
            *command, stdin=DEVNULL, stdout=file, stderr=file, env={**os.environ, **environment}
        )


SERVICE, WORKER = "service", "worker"


def apart(spawn: Spawn, log: Path, environment: Mapping[str, str], *, workers: int = 2, services: int = 1) -> Fleet:
    """Services and workers as separate processes, as on many machines."""
    ports = [free_port() for _ in range(services)]
    start = partial(spawn, log=log, **environment)
    starts: dict[str, Start] = {
        f"{SERVICE}-{number}": partial(start, "serve", "--port", str(port))
        for number, port in enumerate(ports, start=1)
    }
    starts.update({f"{WORKER}-{number}": partial(start, "work") for number in range(1, workers + 1)})
    return Fleet(ports, starts)
