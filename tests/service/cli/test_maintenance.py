"""Migrate, verify, doctor: on a directory of their own, in words and in JSON."""

import asyncio
import json
import shutil
import sqlite3
from pathlib import Path
from uuid import uuid4

import pytest
from typer.testing import CliRunner, Result

from service.cli import lock
from service.cli.main import app
from service.errors import NotFound, SettingsInvalid
from service.store.database import Database
from tests import factories
from tests.factories import Ordered


def quizmill(*arguments: str, **environment: str) -> Result:
    return CliRunner().invoke(app, list(arguments), env=environment)


@pytest.fixture
def data_dir(tmp_path: Path, template: Path) -> Path:
    """With a database that is up to date."""
    directory = tmp_path / "data"
    directory.mkdir()
    shutil.copy(template, directory / "quizmill.db")
    return directory


def fill(data_dir: Path) -> Ordered:
    """A generation that ended partial."""

    async def make() -> Ordered:
        database = Database(f"sqlite+aiosqlite:///{data_dir / 'quizmill.db'}")
        ordered = await factories.make_partial(database)
        await database.close()
        return ordered

    return asyncio.run(make())


def damage(data_dir: Path, statement: str) -> None:
    connection = sqlite3.connect(data_dir / "quizmill.db")
    connection.execute(statement)
    connection.commit()
    connection.close()


def test_migrating_makes_a_database_and_doing_it_again_changes_nothing(tmp_path: Path) -> None:
    for _ in range(2):
        done = quizmill("migrate", "--data-dir", str(tmp_path / "new"))
        assert (done.exit_code, done.output) == (0, "The database is up to date.\n")
    assert quizmill("verify", "--data-dir", str(tmp_path / "new")).exit_code == 0


def test_what_is_sound_is_verified_with_exit_code_0(data_dir: Path) -> None:
    ordered = fill(data_dir)
    for arguments in ((), (str(ordered.generation_id),)):
        done = quizmill("verify", *arguments, "--data-dir", str(data_dir))
        assert (done.exit_code, done.output) == (0, "1 generations, 0 findings.\n")
        done = quizmill("verify", *arguments, "--json", "--data-dir", str(data_dir))
        assert (done.exit_code, json.loads(done.stdout)) == (0, {"generations": 1, "findings": []})


def test_what_does_not_agree_is_said_with_exit_code_1(data_dir: Path) -> None:
    ordered = fill(data_dir)
    damage(data_dir, "UPDATE batches SET held_count = held_count + 1 WHERE state = 'failed'")
    done = quizmill("verify", "--data-dir", str(data_dir))
    assert done.exit_code == 1
    assert f"batch_counts generation {ordered.generation_id}: batch {ordered.batch_ids[1]} counts 4 held" in done.output
    done = quizmill("verify", "--json", "--data-dir", str(data_dir))
    assert done.exit_code == 1
    assert "batch_counts" in {finding["check"] for finding in json.loads(done.stdout)["findings"]}


def test_verifying_a_generation_that_is_not_there_is_no_success(data_dir: Path) -> None:
    done = quizmill("verify", str(uuid4()), "--data-dir", str(data_dir))
    assert done.exit_code == 1
    assert isinstance(done.exception, NotFound)


def test_verifying_a_database_that_is_not_migrated_says_what_to_do(tmp_path: Path) -> None:
    done = quizmill("verify", "--data-dir", str(tmp_path / "new"))
    assert done.exit_code == 1
    assert isinstance(done.exception, SettingsInvalid)
    assert "run `quizmill migrate`" in str(done.exception)


def test_a_doctor_finds_a_new_directory_fine_and_leaves_it_alone(tmp_path: Path) -> None:
    done = quizmill("doctor", "--data-dir", str(tmp_path / "new"))
    assert done.exit_code == 0
    assert "is new; `quizmill up` will set it up" in done.output
    assert "embedded Valkey" in done.output
    assert "offline: recall-level questions" in done.output
    assert "would serve on 127.0.0.1 port 8000" in done.output
    assert "wrong" not in done.output
    assert not (tmp_path / "new").exists()


def test_a_doctor_reminds_of_public_names(tmp_path: Path) -> None:
    done = quizmill("doctor", "--data-dir", str(tmp_path), QUIZMILL_HOSTS="quiz.example,two.example")
    assert done.exit_code == 0
    assert "also as quiz.example, two.example: whoever the proxy lets in may read and write everything" in done.output


def test_a_doctor_says_where_it_runs(data_dir: Path) -> None:
    with lock.held(data_dir) as file:
        lock.publish(file, "http://127.0.0.1:8123")
        done = quizmill("doctor", "--json", "--data-dir", str(data_dir))
    assert done.exit_code == 0
    lines = {line["subject"]: line for line in json.loads(done.stdout)["lines"]}
    assert lines["address"]["message"] == "running at http://127.0.0.1:8123"
    assert "schema is current" in lines["database"]["message"]
    assert all(line["is_fine"] for line in lines.values())


@pytest.mark.parametrize(
    ("environment", "subject", "said"),
    [
        ({"QUIZMILL_HOST": "0.0.0.0"}, "address", "QUIZMILL_AUTH=none is refused on host '0.0.0.0'"),
        ({"QUIZMILL_REDIS_URL": "redis://:secret@127.0.0.1:9/0"}, "redis", "127.0.0.1:9/0 does not answer"),
        (
            {"QUIZMILL_DATABASE_URL": "postgresql+asyncpg://ann:secret@127.0.0.1:9/quizmill"},
            "database",
            "127.0.0.1:9/quizmill: the database does not answer",
        ),
    ],
    ids=["host", "redis", "database"],
)
def test_a_doctor_names_what_is_wrong_with_exit_code_1_and_no_secret(
    tmp_path: Path, environment: dict[str, str], subject: str, said: str
) -> None:
    done = quizmill("doctor", "--json", "--data-dir", str(tmp_path), **environment)
    assert done.exit_code == 1
    lines = {line["subject"]: line for line in json.loads(done.stdout)["lines"]}
    assert not lines[subject]["is_fine"]
    assert said in lines[subject]["message"]
    assert "secret" not in done.output
    words = quizmill("doctor", "--data-dir", str(tmp_path), **environment)
    assert words.exit_code == 1
    assert f"wrong  {subject}: " in words.output


def test_a_doctor_says_which_provider_will_be_asked(tmp_path: Path) -> None:
    environment = {"ANTHROPIC_API_KEY": "sk-secret", "ANTHROPIC_BASE_URL": "https://llm.example"}
    done = quizmill("doctor", "--data-dir", str(tmp_path), **environment)
    assert done.exit_code == 0
    assert "anthropic at https://llm.example" in done.output
    assert "sk-secret" not in done.output


def test_a_doctor_notices_an_old_schema(data_dir: Path) -> None:
    damage(data_dir, "UPDATE alembic_version SET version_num = '0000'")
    done = quizmill("doctor", "--data-dir", str(data_dir))
    assert done.exit_code == 1
    assert "the database is at schema 0000" in done.output
