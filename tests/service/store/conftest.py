"""A migrated, empty database of each kind for every test of the store."""

from collections.abc import AsyncIterator

import pytest
import pytest_asyncio
import sqlalchemy as sa

from service.store import schema, tables
from service.store.database import Database


@pytest_asyncio.fixture(scope="session", loop_scope="session", params=["sqlite", "postgres"])
async def migrated_url(request: pytest.FixtureRequest, tmp_path_factory: pytest.TempPathFactory) -> str:
    """One database of each kind for all tests: making and migrating one takes longer than most of them."""
    if request.param == "sqlite":
        url = f"sqlite+aiosqlite:///{tmp_path_factory.mktemp('store') / 'quizmill.db'}"
    else:
        # The server's first database; `database_url` makes its own ones beside it.
        url = request.getfixturevalue("postgres_url").replace("postgresql://", "postgresql+asyncpg://")
    database = Database(url)
    await schema.migrate(database)
    await database.close()
    return url


@pytest.fixture
async def database(migrated_url: str) -> AsyncIterator[Database]:
    """Migrated and empty."""
    database = Database(migrated_url)
    yield database
    async with database.write() as tx:
        # Everything else hangs on a quiz and goes with it.
        await tx.execute(sa.delete(tables.quizzes))
        await tx.execute(sa.delete(tables.chores))
    await database.close()


@pytest.fixture
async def other_database(database: Database) -> AsyncIterator[Database]:
    """The same database as another process would open it."""
    other = Database(database.url)
    yield other
    await other.close()
