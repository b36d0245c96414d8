"""The database's schema: bringing it up to date, and refusing to work on one that is not."""

from pathlib import Path

import sqlalchemy as sa
from alembic import command
from alembic.config import Config
from alembic.runtime.migration import MigrationContext
from alembic.script import ScriptDirectory

from service.errors import SettingsInvalid
from service.store.database import Database, Tx, damaged

SCRIPTS = Path(__file__).parent / "migrations"
MIGRATION_LOCK = 7_164_900_211
"""Any number, the same in every process (PostgreSQL advisory lock)."""


async def migrate(database: Database) -> None:
    """Bring the schema up to date, keeping all data. Safe for several processes at once: one transaction, one lock.

    Raises SettingsInvalid when it is newer than this program, DatabaseDamaged when SQLite finds its file unsound.
    """
    async with database.write() as tx:
        if database.is_sqlite:
            await _require_sound(tx)
        else:
            await tx.execute(sa.select(sa.func.pg_advisory_xact_lock(MIGRATION_LOCK)))
        await tx.run_sync(_upgrade)


async def _require_sound(tx: Tx) -> None:
    """Half a second a gigabyte; a damaged file that is written to loses more with every write."""
    finding = (await tx.exec_driver_sql("PRAGMA quick_check(1)")).scalar_one()
    if finding != "ok":
        raise damaged(" ".join(str(finding).split()))


async def require_current(database: Database) -> None:
    """Raises SettingsInvalid when the schema is older or newer than this program."""
    async with database.read() as tx:
        found = await tx.run_sync(_revision)
    wanted = ScriptDirectory(str(SCRIPTS)).get_current_head()
    _refuse_newer(found)
    if found != wanted:
        raise SettingsInvalid(
            f"the database is at schema {found or 'none'}, this program needs {wanted}: run `quizmill migrate`"
        )


def _upgrade(connection: sa.Connection) -> None:
    _refuse_newer(_revision(connection))
    config = Config()
    config.set_main_option("script_location", str(SCRIPTS))
    config.attributes["connection"] = connection
    command.upgrade(config, "head")


def _revision(connection: sa.Connection) -> str | None:
    return MigrationContext.configure(connection).get_current_revision()


def _refuse_newer(found: str | None) -> None:
    known = {script.revision for script in ScriptDirectory(str(SCRIPTS)).walk_revisions()}
    if found is not None and found not in known:
        raise SettingsInvalid(f"the database is at schema {found}, which this program does not know: use a newer one")
