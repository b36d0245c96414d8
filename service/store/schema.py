"""The database's schema: bringing it up to date, and refusing to work on one that is not."""

from pathlib import Path

import sqlalchemy as sa
from alembic import command
from alembic.config import Config
from alembic.runtime.migration import MigrationContext
from alembic.script import ScriptDirectory

from service.errors import SettingsInvalid
from service.store.database import Database

SCRIPTS = Path(__file__).parent / "migrations"
MIGRATION_LOCK = 7_164_900_211
"""Any number, the same in every process (PostgreSQL advisory lock)."""


async def migrate(database: Database) -> None:
    """Bring the schema up to date, keeping all data. Safe for several processes at once: one transaction, one lock."""
    async with database.write() as tx:
        if not database.is_sqlite:
            await tx.execute(sa.select(sa.func.pg_advisory_xact_lock(MIGRATION_LOCK)))
        await tx.run_sync(_upgrade)


async def require_current(database: Database) -> None:
    """Raises SettingsInvalid when the schema is older or newer than this program."""
    async with database.read() as tx:
        found = await tx.run_sync(lambda connection: MigrationContext.configure(connection).get_current_revision())
    wanted = ScriptDirectory(str(SCRIPTS)).get_current_head()
    if found != wanted:
        raise SettingsInvalid(
            f"the database is at schema {found or 'none'}, this program needs {wanted}: run `quizmill migrate`"
        )


def _upgrade(connection: sa.Connection) -> None:
    config = Config()
    config.set_main_option("script_location", str(SCRIPTS))
    config.attributes["connection"] = connection
    command.upgrade(config, "head")
