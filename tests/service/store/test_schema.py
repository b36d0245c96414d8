"""The migrations make exactly the tables that the statements are written for, however often and by however many."""

import asyncio
import hashlib
import json
import os
import shutil
import sys
from asyncio.subprocess import PIPE
from collections.abc import AsyncIterator
from datetime import datetime
from pathlib import Path
from typing import Any
from uuid import UUID

import pytest
import sqlalchemy as sa
from alembic import command
from alembic.autogenerate import compare_metadata
from alembic.config import Config
from alembic.runtime.migration import MigrationContext
from alembic.script import ScriptDirectory

from service.errors import DatabaseDamaged, SettingsInvalid
from service.store import attempts, generations, quizzes, schema, tables
from service.store.database import Database, Timestamp
from tests import factories

PROCESSES = 4
PROCESS_SECONDS_MAX = 60
FIRST_ROWS = Path(__file__).parent.parent.parent / "fixtures" / "schema_0001.json"
HALTING = """
import asyncio, signal, sys
from alembic import op
from service.store import schema
from service.store.database import Database

create_table, made = op.create_table, []

def create_half(name, *arguments, **options):
    create_table(name, *arguments, **options)
    made.append(name)
    if len(made) == 5:
        print("half", flush=True)
        signal.pause()

op.create_table = create_half
asyncio.run(schema.migrate(Database(sys.argv[1])))
"""
HEAD = str(ScriptDirectory(str(schema.SCRIPTS)).get_current_head())
VERSION = sa.table("alembic_version", sa.column("version_num"))
BROKEN = f"""
import sqlalchemy as sa
from alembic import op

revision = "broken"
down_revision = "{HEAD}"


def upgrade():
    op.add_column("quizzes", sa.Column("color", sa.Text()))
    op.execute("SELECT 1 FROM nowhere")
"""


@pytest.fixture
async def empty(database_url: str) -> AsyncIterator[Database]:
    """Without any table."""
    database = Database(database_url)
    yield database
    await database.close()


async def tables_of(database: Database) -> set[str]:
    async with database.read() as tx:
        return set(await tx.run_sync(lambda connection: sa.inspect(connection).get_table_names()))


async def versions(database: Database) -> list[str]:
    async with database.read() as tx:
        return list((await tx.execute(sa.select(VERSION.c.version_num))).scalars())


def checks_and_defaults(connection: sa.Connection) -> dict[str, object]:
    """What alembic does not compare."""
    inspector = sa.inspect(connection)
    return {
        name: (
            {check["name"]: check["sqltext"] for check in inspector.get_check_constraints(name)},
            {column["name"]: column["default"] for column in inspector.get_columns(name)},
            {key["name"]: key["options"] for key in inspector.get_foreign_keys(name)},
        )
        for name in tables.metadata.tables
    }


def break_file(path: Path, damage: str) -> bytes:
    """Returns what is there now."""
    sound = path.read_bytes()
    fourth_page = sound[3 * 4096 : 4 * 4096]
    broken = {
        "not SQLite": b"no database at all" * 1000,
        "a page": sound.replace(fourth_page, b"\xff" * 4096),
        "the end": sound[: len(sound) // 2],
    }[damage]
    path.write_bytes(broken)
    return broken


def bytes_of(path: Path) -> bytes:
    return path.read_bytes()


async def test_migrating_makes_exactly_the_tables_of_the_metadata(empty: Database) -> None:
    await schema.migrate(empty)
    assert await tables_of(empty) == {*tables.metadata.tables, "alembic_version"}
    async with empty.read() as tx:
        differences = await tx.run_sync(
            lambda connection: compare_metadata(MigrationContext.configure(connection), tables.metadata)
        )
    assert differences == []


async def test_migrating_makes_the_checks_defaults_and_cascades_of_the_metadata(empty: Database) -> None:
    await schema.migrate(empty)
    async with empty.write() as tx:
        migrated = await tx.run_sync(checks_and_defaults)
        await tx.run_sync(tables.metadata.drop_all)
        await tx.run_sync(tables.metadata.create_all)
        assert migrated == await tx.run_sync(checks_and_defaults)


async def test_migrating_twice_keeps_all_data(empty: Database) -> None:
    await schema.migrate(empty)
    async with empty.write() as tx:
        quiz_id = await quizzes.insert(tx, owner="ann", title="Plants", language="en")
    await schema.migrate(empty)
    async with empty.read() as tx:
        assert (await quizzes.load(tx, "ann", quiz_id)).title == "Plants"
    assert await versions(empty) == [HEAD]


async def test_several_processes_may_migrate_at_once(empty: Database) -> None:
    others = [Database(empty.url) for _ in range(PROCESSES)]
    await asyncio.gather(*(schema.migrate(database) for database in others))
    assert await versions(empty) == [HEAD]
    assert await tables_of(empty) == {*tables.metadata.tables, "alembic_version"}
    for database in others:
        await schema.require_current(database)
        await database.close()


async def test_of_a_migration_that_fails_nothing_is_there(
    empty: Database, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    scripts = tmp_path / "migrations"
    shutil.copytree(schema.SCRIPTS, scripts)
    await schema.migrate(empty)
    (scripts / "versions" / "broken.py").write_text(BROKEN, encoding="utf-8")
    # There is only one way to have a broken migration: to bring it along.
    monkeypatch.setattr(schema, "SCRIPTS", scripts)
    with pytest.raises(Exception, match="nowhere"):
        await schema.migrate(empty)
    assert await versions(empty) == [HEAD]
    async with empty.read() as tx:
        columns = await tx.run_sync(lambda connection: sa.inspect(connection).get_columns("quizzes"))
    assert "color" not in {column["name"] for column in columns}


async def test_a_database_that_was_never_migrated_is_refused(empty: Database) -> None:
    with pytest.raises(SettingsInvalid, match=f"is at schema none, this program needs {HEAD}: run `quizmill migrate`"):
        await schema.require_current(empty)
    await schema.migrate(empty)
    await schema.require_current(empty)


async def test_a_database_newer_than_the_program_is_refused_and_left_alone(empty: Database) -> None:
    await schema.migrate(empty)
    async with empty.write() as tx:
        await tx.execute(sa.update(VERSION).values(version_num="9999"))
    for use in (schema.require_current, schema.migrate):
        with pytest.raises(SettingsInvalid, match="is at schema 9999, which this program does not know"):
            await use(empty)
    assert await versions(empty) == ["9999"]


@pytest.mark.parametrize("damage", ["not SQLite", "a page", "the end"])
async def test_a_damaged_file_is_refused_and_left_alone(tmp_path: Path, sqlite_url: str, damage: str) -> None:
    database = Database(sqlite_url)
    await schema.migrate(database)
    await database.close()
    path = Path(sqlite_url.partition(":///")[2])
    broken = break_file(path, damage)
    with pytest.raises(DatabaseDamaged, match="put a copy made by `quizmill backup` in its place"):
        await schema.migrate(database)
    await database.close()
    assert bytes_of(path) == broken


async def test_two_processes_may_migrate_at_once(empty: Database) -> None:
    environment = {**os.environ, "QUIZMILL_DATABASE_URL": empty.url}
    arguments = (sys.executable, "-m", "service.cli.main", "migrate")
    processes = [
        await asyncio.create_subprocess_exec(*arguments, env=environment, stdout=PIPE, stderr=PIPE) for _ in range(2)
    ]
    for process in processes:
        out, err = await asyncio.wait_for(process.communicate(), PROCESS_SECONDS_MAX)
        assert process.returncode == 0, err.decode()
        assert out.decode() == "The database is up to date.\n"
    await schema.require_current(empty)
    assert await tables_of(empty) == {*tables.metadata.tables, "alembic_version"}


async def test_what_a_process_killed_in_the_middle_left_is_completed_by_the_next(empty: Database) -> None:
    process = await asyncio.create_subprocess_exec(sys.executable, "-c", HALTING, empty.url, stdout=PIPE)
    assert process.stdout is not None, "stdout is a pipe"
    assert await asyncio.wait_for(process.stdout.readline(), PROCESS_SECONDS_MAX) == b"half\n"
    waiting = asyncio.create_task(schema.migrate(empty))
    process.kill()
    await process.wait()
    await asyncio.wait_for(waiting, PROCESS_SECONDS_MAX)
    await schema.require_current(empty)
    async with empty.read() as tx:
        differences = await tx.run_sync(
            lambda connection: compare_metadata(MigrationContext.configure(connection), tables.metadata)
        )
    assert differences == []
    await factories.make_partial(empty)
    assert await factories.findings(empty) == ()


async def test_all_data_of_the_first_schema_is_kept(empty: Database) -> None:
    rows: dict[str, list[dict[str, Any]]] = json.loads(FIRST_ROWS.read_text(encoding="utf-8"))
    assert {"quizzes", "modules", "generations", "batches", "questions", "attempts", "events"} <= set(rows)
    async with empty.write() as tx:
        await tx.run_sync(upgrade_to, "0001")
        for name, entered in rows.items():
            table = as_first(name)
            await tx.execute(sa.insert(table), [read(table, row) for row in entered])
    await schema.migrate(empty)
    await schema.require_current(empty)
    async with empty.read() as tx:
        for name, entered in rows.items():
            table = tables.metadata.tables[name]
            columns = [table.c[column] for column in entered[0] if column in table.c]
            kept = [{column.name: row[column.name] for column in columns} for row in entered]
            found = (await tx.execute(sa.select(*columns))).mappings().all()
            assert sorted(map(str, found)) == sorted(str(read(table, row)) for row in kept), name
    assert await factories.findings(empty) == ()


async def test_modules_from_before_are_known_by_their_text(empty: Database) -> None:
    rows: dict[str, list[dict[str, Any]]] = json.loads(FIRST_ROWS.read_text(encoding="utf-8"))
    async with empty.write() as tx:
        await tx.run_sync(upgrade_to, "0001")
        for name in ("quizzes", "modules"):
            await tx.execute(
                sa.insert(tables.metadata.tables[name]), [read(tables.metadata.tables[name], row) for row in rows[name]]
            )
    await schema.migrate(empty)
    async with empty.read() as tx:
        found = (await tx.execute(sa.select(tables.modules.c.text, tables.modules.c.content_hash))).all()
    assert len(found) == len(rows["modules"]) > 0
    assert all(row.content_hash == hashlib.sha256(row.text.encode()).hexdigest() for row in found)


async def test_what_attempts_had_cost_by_the_first_schema_is_what_their_calls_cost_now(empty: Database) -> None:
    rows: dict[str, list[dict[str, Any]]] = json.loads(FIRST_ROWS.read_text(encoding="utf-8"))
    # One of them asked a model of unknown price, whose cost was written as nothing.
    rows["attempts"][1] |= {"cost_usd": 0.0, "llm_calls": 2, "wasted_calls": 2}
    async with empty.write() as tx:
        await tx.run_sync(upgrade_to, "0001")
        for name, entered in rows.items():
            table = as_first(name)
            await tx.execute(sa.insert(table), [read(table, row) for row in entered])
    await schema.migrate(empty)
    generation_id = UUID(rows["generations"][0]["id"])
    async with empty.read() as tx:
        [tries] = (await attempts.of_generation(tx, generation_id)).values()
        usage = (await generations.load(tx, "ann", generation_id)).usage
    for tried, old in zip(tries, rows["attempts"], strict=True):
        names = ("llm_calls", "wasted_calls", "input_tokens", "output_tokens", "cache_read_tokens", "cost_usd")
        assert {name: getattr(tried, name) for name in names} == {name: old[name] for name in names}
    assert [tried.unpriced_calls for tried in tries] == [0, 1]
    assert (usage.llm_calls, usage.wasted_calls, usage.input_tokens, usage.unpriced_calls) == (5, 3, 1800, 1)
    assert [(waste.reason, waste.calls) for waste in usage.waste] == [("unknown", 3)]


def as_first(name: str) -> sa.Table:
    """A table as it was: what attempts have cost stood beside them."""
    table = tables.metadata.tables[name].to_metadata(sa.MetaData())
    if name == "attempts":
        for column in ("llm_calls", "wasted_calls", "input_tokens", "output_tokens", "cache_read_tokens"):
            table.append_column(sa.Column(column, sa.Integer))
        table.append_column(sa.Column("cost_usd", sa.Double))
    return table


def upgrade_to(connection: sa.Connection, revision: str) -> None:
    config = Config()
    config.set_main_option("script_location", str(schema.SCRIPTS))
    config.attributes["connection"] = connection
    command.upgrade(config, revision)


def read(table: sa.Table, row: dict[str, Any]) -> dict[str, Any]:
    """A row as the table has it, from how JSON has it."""

    def value(column: sa.Column[Any], given: Any) -> Any:
        if given is None:
            return None
        if isinstance(column.type, sa.Uuid):
            return UUID(given)
        return datetime.fromisoformat(given) if isinstance(column.type, Timestamp) else given

    return {name: value(table.c[name], given) for name, given in row.items()}
