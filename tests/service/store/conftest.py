"""A migrated, empty database of each kind for every test of the store."""

from collections.abc import AsyncIterator

import pytest
import pytest_asyncio
import sqlalchemy as sa

from service.store import schema, tables
from service.store.database import Database


def pytest_collection_modifyitems(items: list[pytest.Item]) -> None:
    """Tests on the shared database run in its loop: with one engine for all, each statement is compiled once."""
    for item in items:
        if "shared_database" in getattr(item, "fixturenames", ()):
            item.add_marker(pytest.mark.asyncio(loop_scope="session"), append=False)


@pytest_asyncio.fixture(scope="session", loop_scope="session", params=["sqlite", "postgres"])
async def shared_database(
    request: pytest.FixtureRequest, tmp_path_factory: pytest.TempPathFactory
) -> AsyncIterator[Database]:
    """One database of each kind for all tests: making and migrating one takes longer than most of them."""
    if request.param == "sqlite":
        url = f"sqlite+aiosqlite:///{tmp_path_factory.mktemp('store') / 'quizmill.db'}"
    else:
        # The server's first database; `database_url` makes its own ones beside it.
        url = request.getfixturevalue("postgres_url").replace("postgresql://", "postgresql+asyncpg://")
    database = Database(url)
    await schema.migrate(database)
    yield database
    await database.close()


@pytest_asyncio.fixture(loop_scope="session")
async def database(shared_database: Database) -> AsyncIterator[Database]:
    """Migrated and empty."""
    yield shared_database
    async with shared_database.write() as tx:
        # Everything else hangs on a quiz and goes with it.
        await tx.execute(sa.delete(tables.quizzes))
        await tx.execute(sa.delete(tables.chores))


@pytest_asyncio.fixture(loop_scope="session")
async def other_database(database: Database) -> AsyncIterator[Database]:
    """The same database as another process would open it."""
    other = Database(database.url)
    yield other
    await other.close()
