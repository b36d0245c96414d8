"""The reverse proxies of docs/proxies, in front of a service of a test."""

import asyncio
import os
import subprocess
from asyncio.subprocess import DEVNULL
from collections.abc import AsyncIterator, Callable, Mapping
from contextlib import AbstractAsyncContextManager, asynccontextmanager
from pathlib import Path
from urllib.parse import urlsplit

from tests import programs
from tests.faults.fleet import free_port
from tests.workbench import eventually

FILES = Path(__file__).parent.parent / "docs" / "proxies"
NAME = "quizmill.example.org"
USER, PASSWORD = "anna", "secret"
START_SECONDS_MAX = 20.0
SERVICE = "127.0.0.1:8000"


@asynccontextmanager
async def nginx(service_url: str, directory: Path) -> AsyncIterator[int]:
    """The port that it listens on."""
    port = free_port()
    _certify(directory)
    (directory / "users").write_text(f"{USER}:{{PLAIN}}{PASSWORD}\n")
    site = _changed(
        "nginx.conf",
        {
            "listen 443 ssl http2": f"listen 127.0.0.1:{port} ssl http2",
            SERVICE: urlsplit(service_url).netloc,
            "/etc/ssl/quizmill.example.org": str(directory / "site"),
            "/etc/nginx/quizmill.htpasswd": str(directory / "users"),
        },
    )
    # Its workers must reach the test's files, which belong to whoever runs the test.
    user = "user root;" if os.geteuid() == 0 else ""
    kinds = ("client_body", "proxy", "fastcgi", "uwsgi", "scgi")
    places = "".join(f"{kind}_temp_path {directory / kind};" for kind in kinds)
    frame = f"{user} daemon off; worker_processes 1; pid {directory / 'pid'}; error_log stderr; events {{}}"
    (directory / "nginx.conf").write_text(f"{frame} http {{ access_log off; {places}\n{site}\n}}\n")
    command = (programs.path("nginx"), "-p", str(directory), "-e", "stderr", "-c", str(directory / "nginx.conf"))
    async with _serving(command, port, directory):
        yield port


@asynccontextmanager
async def caddy(service_url: str, directory: Path) -> AsyncIterator[int]:
    """As `nginx`. It certifies itself."""
    port = free_port()
    program = programs.path("caddy")
    hashing = await asyncio.to_thread(_hashed, program)
    site = _changed(
        "Caddyfile",
        {
            "HASH_FROM_caddy_hash-password": hashing,
            "reverse_proxy 127.0.0.1:8000": f"reverse_proxy {urlsplit(service_url).netloc}",
            f"{NAME} {{": f"{NAME} {{\n\tbind 127.0.0.1",
        },
    )
    alone = "admin off\nlocal_certs\nskip_install_trust\nauto_https disable_redirects\nservers {\nprotocols h1 h2\n}"
    (directory / "Caddyfile").write_text(f"{{\n{alone}\nhttps_port {port}\n}}\n{site}")
    command = (program, "run", "--config", str(directory / "Caddyfile"), "--adapter", "caddyfile")
    async with _serving(command, port, directory):
        yield port


KINDS: Mapping[str, Callable[[str, Path], AbstractAsyncContextManager[int]]] = {"nginx": nginx, "caddy": caddy}


def _hashed(program: str) -> str:
    command = (program, "hash-password", "--plaintext", PASSWORD)
    return subprocess.run(command, check=True, capture_output=True, text=True).stdout.strip()


def _changed(name: str, changes: Mapping[str, str]) -> str:
    """A file as it is documented, but for what every installation has of its own."""
    text = (FILES / name).read_text(encoding="utf-8")
    for documented, own in changes.items():
        assert documented in text, f"{name} does not say {documented}"
        text = text.replace(documented, own)
    return text


def _certify(directory: Path) -> None:
    request = ("req", "-x509", "-newkey", "ec", "-pkeyopt", "ec_paramgen_curve:prime256v1", "-nodes", "-days", "2")
    files = ("-keyout", str(directory / "site.key"), "-out", str(directory / "site.crt"))
    subprocess.run([programs.path("openssl"), *request, *files, "-subj", f"/CN={NAME}"], check=True, stderr=DEVNULL)


@asynccontextmanager
async def _serving(command: tuple[str, ...], port: int, directory: Path) -> AsyncIterator[None]:
    home = {"HOME": str(directory), "XDG_DATA_HOME": str(directory), "XDG_CONFIG_HOME": str(directory)}
    with (directory / "proxy.log").open("wb") as log:
        process = await asyncio.create_subprocess_exec(
            *command, stdin=DEVNULL, stdout=log, stderr=log, env={**os.environ, **home}
        )

    async def listens() -> bool:
        assert process.returncode is None, (directory / "proxy.log").read_text()
        try:
            _, writer = await asyncio.open_connection("127.0.0.1", port)
        except ConnectionError:
            return False
        writer.close()
        return True

    try:
        await eventually(listens, seconds=START_SECONDS_MAX)
        yield
    finally:
        if process.returncode is None:
            process.terminate()
        await process.wait()
