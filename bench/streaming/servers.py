"""The servers that are compared, each started on a core of its own: ours, a first design, and Nchan."""

import asyncio
import os
import shutil
import signal
import socket
import sys
from asyncio.subprocess import PIPE, Process, create_subprocess_exec
from collections.abc import AsyncIterator, Mapping, Sequence
from contextlib import AbstractAsyncContextManager, asynccontextmanager
from pathlib import Path
from typing import Protocol
from urllib.parse import urlsplit

import httpx

from bench.streaming import cores
from bench.streaming.bed import Bed
from schemas.base import Frozen
from tests.processes import children_of, ready

BACKLOG = 2048
STOP_SECONDS_MAX = 20.0
NCHAN_MODULES = (
    Path("/usr/lib/nginx/modules/ngx_nchan_module.so"),
    Path("/usr/share/nginx/modules/ngx_nchan_module.so"),
)
NCHAN_CONFIG = """\
load_module {module};
daemon off;
worker_processes 1;
worker_rlimit_nofile 20000;
error_log {directory}/error.log;
pid {directory}/nginx.pid;
events {{ worker_connections 8192; }}
http {{
  access_log off;
  keepalive_requests 1000000000;
  client_body_temp_path {directory}/body;
  proxy_temp_path {directory}/proxy;
  fastcgi_temp_path {directory}/fastcgi;
  uwsgi_temp_path {directory}/uwsgi;
  scgi_temp_path {directory}/scgi;
  nchan_shared_memory_size 256M;
  nchan_message_buffer_length 512;
  nchan_message_timeout 1h;
  server {{
    listen 127.0.0.1:{port};
    location = /publish {{ nchan_publisher; nchan_channel_id log; }}
    location = /live {{ nchan_subscriber eventsource; nchan_channel_id log; nchan_subscriber_first_message newest; }}
    location = /replay {{ nchan_subscriber eventsource; nchan_channel_id log; nchan_subscriber_first_message oldest; }}
  }}
}}
"""


class Served(Frozen):
    """A server that runs."""

    port: int
    live_path: str
    replay_path: str
    pids: tuple[int, ...]
    has_our_ids: bool
    """Its ids are the numbers of the log, so that a client can ask for what it has missed."""


class Serving(Protocol):
    def __call__(self, bed: Bed) -> AbstractAsyncContextManager[Served]: ...


@asynccontextmanager
async def ours(bed: Bed) -> AsyncIterator[Served]:
    settings = {
        "QUIZMILL_DATABASE_URL": bed.database_url,
        "QUIZMILL_REDIS_URL": bed.redis_url,
        "QUIZMILL_DATA_DIR": str(bed.directory),
        "QUIZMILL_PROVIDER": "offline",
        "QUIZMILL_LOG_FORMAT": "json",
    }
    arguments = ("-m", "service.cli.main", "serve", "--port", "0")
    async with _started(bed, sys.executable, *arguments, environment=settings) as process:
        path = f"/api/generations/{bed.generation_id}/events"
        yield _python(process, await _ready(bed, process), path)


@asynccontextmanager
async def naive(bed: Bed) -> AsyncIterator[Served]:
    database = bed.database_url.partition("///")[2]
    arguments = ("-m", "bench.streaming.naive_app", database, bed.redis_url)
    async with _started(bed, sys.executable, *arguments) as process:
        yield _python(process, await _ready(bed, process), f"/{bed.generation_id}")


async def _ready(bed: Bed, process: Process) -> str:
    try:
        return await ready(process)
    except AssertionError as error:
        raise AssertionError(f"the server did not start: {_log(bed).read_text()[-2000:]}") from error


def _python(process: Process, url: str, path: str) -> Served:
    port = urlsplit(url).port
    assert port is not None, url
    return Served(port=port, live_path=path, replay_path=path, pids=(process.pid,), has_our_ids=True)


@asynccontextmanager
async def nchan(bed: Bed) -> AsyncIterator[Served]:
    config = bed.directory / "nginx.conf"
    with socket.create_server(("127.0.0.1", 0), backlog=BACKLOG) as listening:
        port = listening.getsockname()[1]
        config.write_text(NCHAN_CONFIG.format(module=_nchan_module(), directory=bed.directory, port=port))
        listening.set_inheritable(True)
        # nginx takes the socket over instead of opening one: nobody else gets the port, no connection is too early.
        inherited = {"NGINX": f"{listening.fileno()};"}
        command = ("nginx", "-c", str(config), "-e", str(bed.directory / "error.log"))
        async with _started(bed, *command, sockets=(listening.fileno(),), environment=inherited) as process:
            listening.close()
            # An answer comes from the worker, so there is one.
            async with httpx.AsyncClient(base_url=f"http://127.0.0.1:{port}") as http:
                await http.get("/")
            pids = (process.pid, *children_of(process.pid))
            yield Served(port=port, live_path="/live", replay_path="/replay", pids=pids, has_our_ids=False)


def is_nchan_installed() -> bool:
    return shutil.which("nginx") is not None and _nchan_module() is not None


def _nchan_module() -> Path | None:
    return next((path for path in NCHAN_MODULES if path.exists()), None)


@asynccontextmanager
async def _started(
    bed: Bed, *command: str, sockets: Sequence[int] = (), environment: Mapping[str, str] | None = None
) -> AsyncIterator[Process]:
    """The process on the server's core, until the block ends."""
    with _log(bed).open("wb") as log:
        with cores.on(cores.SERVER):
            process = await create_subprocess_exec(
                *command, stdout=PIPE, stderr=log, pass_fds=sockets, env={**os.environ, **(environment or {})}
            )
        try:
            yield process
        finally:
            if process.returncode is None:
                process.send_signal(signal.SIGTERM)
            await asyncio.wait_for(process.wait(), STOP_SECONDS_MAX)


def _log(bed: Bed) -> Path:
    return bed.directory / "server.log"
