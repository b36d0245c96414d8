"""The commands in a shell, against a running service and alone."""

import asyncio
import csv
import io
import json
import os
import signal
import sys
from asyncio.subprocess import PIPE
from dataclasses import dataclass
from pathlib import Path

import pytest

from tests.journeys.orders import module
from tests.messages_api import MessagesApi
from tests.messages_faults import Fault
from tests.system import System

CHOICE = "multiple_choice"
FIXTURES = Path(__file__).parent.parent / "fixtures"


@pytest.fixture
def database_url(sqlite_url: str) -> str:
    """A command can't tell the databases apart."""
    return sqlite_url


pytestmark = pytest.mark.parametrize("connect_redis", ["fakeredis"], indirect=True)


@dataclass(frozen=True)
class Said:
    code: int
    out: str
    err: str


async def run(*arguments: str, cwd: Path | None = None, **environment: str) -> Said:
    process = await asyncio.create_subprocess_exec(
        *command(*arguments), stdout=PIPE, stderr=PIPE, cwd=cwd, env={**os.environ, "COLUMNS": "200", **environment}
    )
    out, err = await asyncio.wait_for(process.communicate(), 60)
    assert process.returncode is not None, "communicate waits for the end"
    return Said(process.returncode, out.decode(), err.decode())


def command(*arguments: str) -> tuple[str, ...]:
    return (sys.executable, "-m", "service.cli.main", *arguments)


async def test_a_generation_can_be_watched_looked_at_retried_and_listed(
    system: System, messages_api: MessagesApi
) -> None:
    messages_api.fail("Roots", Fault.UNAUTHORIZED, times=1)
    system.add_worker()
    ordered = await system.order([module("Leaves", (CHOICE, 2)), module("Roots", (CHOICE, 2))])
    at = ("--url", system.url)

    watched = await run("generation", "watch", ordered["id"], "--json", "--from-start", *at)
    assert watched.code == 1, "it did not complete"
    events = [json.loads(line) for line in watched.out.splitlines()]
    assert [event["data"]["seq"] for event in events] == list(range(1, len(events) + 1))
    assert events[-1]["type"] == "generation.partial"

    got = await run("generation", "get", ordered["id"], *at)
    assert got.code == 0
    assert "2 of 4 questions created" in got.out
    assert "provider_rejected" in got.out

    dry = await run("generation", "retry", ordered["id"], "--dry-run", *at)
    assert "1 batches would be done again, 1 stay" in dry.out
    retried = await run("generation", "retry", ordered["id"], "--json", *at)
    assert len(json.loads(retried.out)["retried"]) == 1
    completed = await run("generation", "watch", ordered["id"], *at)
    assert completed.code == 0, completed.err
    assert "4 of 4 questions created" in completed.out

    listed = await run("generation", "list", "--json", "--status", "completed", *at)
    assert [entry["id"] for entry in json.loads(listed.out)["items"]] == [ordered["id"]]
    refused = await run("generation", "cancel", ordered["id"], *at)
    assert refused.code == 1
    assert "can't be cancelled: it is completed" in refused.err
    assert "Traceback" not in refused.err


async def test_saved_questions_can_be_exported_to_a_file(system: System, tmp_path: Path) -> None:
    system.add_worker()
    ordered = await system.order([module("Leaves", (CHOICE, 3))])
    await system.ended(ordered["id"])
    out = tmp_path / "quiz.csv"
    exported = await run("export", ordered["quiz_id"], "--format", "csv", "--out", str(out), "--url", system.url)
    assert exported.code == 0, exported.err
    rows = list(csv.DictReader(io.StringIO(out.read_text(encoding="utf-8-sig"))))
    saved = (await system.get(f"/api/generations/{ordered['id']}/questions"))["items"]
    assert [row["id"] for row in rows] == [question["id"] for question in saved]


async def test_a_service_that_is_not_there_is_named(system: System) -> None:
    said = await run("generation", "list", "--url", "http://127.0.0.1:9")
    assert said.code == 1
    assert "no Quizmill answers at http://127.0.0.1:9" in said.err


@pytest.mark.timeout(180)
async def test_generate_makes_a_file_in_one_go_and_the_rows_are_sound(connect_redis: object, tmp_path: Path) -> None:
    out = tmp_path / "deck.json"
    data = str(tmp_path / "data")
    chapter = str(FIXTURES / "photosynthesis.md")
    made = await run(
        "generate", chapter, "--type", CHOICE, "--type", "flashcard", "--count", "8", "--out", str(out),
        "--data-dir", data,
    )  # fmt: skip
    assert made.code == 0, made.err
    questions = json.loads(out.read_text())["questions"]
    assert [question["question_type"] for question in questions].count(CHOICE) == 8
    assert len(questions) == 16

    verified = await run("verify", "--json", QUIZMILL_DATA_DIR=data)
    assert verified.code == 0, verified.err
    assert json.loads(verified.out) == {"generations": 1, "findings": []}
    diagnosed = await run("doctor", QUIZMILL_DATA_DIR=data)
    assert diagnosed.code == 0
    assert "schema is current" in diagnosed.out


@pytest.mark.timeout(180)
async def test_generate_says_what_could_not_be_made_and_keeps_the_rest(connect_redis: object, tmp_path: Path) -> None:
    short = tmp_path / "short.md"
    short.write_text("# Short\n\nA stoma is a pore in the surface of a leaf. The leaf is green.\n", encoding="utf-8")
    made = await run("generate", str(short), "--count", "30", "--data-dir", str(tmp_path / "data"))
    assert made.code == 1
    assert "failed: 0 of 30 questions created" in made.err
    assert "offline" in made.err
    assert json.loads(made.out)["questions"] == []


@pytest.mark.timeout(180)
async def test_ctrl_c_in_generate_keeps_what_is_done_and_says_how_to_go_on(
    connect_redis: object, tmp_path: Path, messages_api: MessagesApi
) -> None:
    messages_api.hold(after_questions=1)
    environment = {
        **os.environ,
        "ANTHROPIC_API_KEY": "test-key",
        "ANTHROPIC_BASE_URL": messages_api.base_url,
        "COLUMNS": "200",
    }
    chapter = str(FIXTURES / "photosynthesis.md")
    process = await asyncio.create_subprocess_exec(
        *command("generate", chapter, "--count", "5", "--data-dir", str(tmp_path)),
        stdout=PIPE,
        stderr=PIPE,
        env=environment,
    )
    await messages_api.held()
    process.send_signal(signal.SIGINT)
    out, err = await asyncio.wait_for(process.communicate(), 60)
    assert process.returncode == 130
    assert "What is done is kept" in out.decode() + err.decode()
    assert "quizmill generation watch" in out.decode() + err.decode()
    assert "Traceback" not in err.decode()


async def test_topics_are_listed_or_told_in_json(offline_system: System) -> None:
    offline_system.add_worker()
    chapter = (FIXTURES / "photosynthesis.md").read_text(encoding="utf-8")
    body = {"title": "Plants", "modules": [{"name": "Photosynthesis", "text": chapter}]}
    quiz = await offline_system.post("/api/quizzes", body, expect=201)
    listed = await run("topics", quiz["id"], "--url", offline_system.url)
    assert listed.code == 0, listed.err
    assert "The Calvin cycle" in listed.out
    told = json.loads((await run("topics", quiz["id"], "--json", QUIZMILL_URL=offline_system.url)).out)
    assert told["count"] == 10
    assert all(chapter[topic["start"] : topic["end"]] == topic["quote"] for topic in told["topics"])
    unknown = await run("topics", quiz["modules"][0]["id"], "--url", offline_system.url)
    assert (unknown.code, unknown.err) == (1, f"Error: 404: there is no quiz {quiz['modules'][0]['id']}\n")


async def test_a_bad_option_is_refused_before_anything_starts(connect_redis: object, tmp_path: Path) -> None:
    chapter = str(FIXTURES / "photosynthesis.md")
    refused = await run("generate", chapter, "--format", "docx", "--data-dir", str(tmp_path / "data"))
    assert refused.code == 2
    assert "csv, json" in refused.err
    assert not (tmp_path / "data").exists()
