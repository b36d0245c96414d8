"""Log lines: on stderr, one JSON object each where no terminal is, and without what they should not hold."""

import io
import json
import logging
from collections.abc import Iterator
from pathlib import Path
from typing import Any, Literal

import pytest
import structlog

from service import logs
from service.settings import Settings

SECRET = "sk-ant-secret"


@pytest.fixture(autouse=True)
def _as_before() -> Iterator[None]:
    """Logging is the process's: what a test configures is taken back."""
    root = logging.getLogger()
    handlers, level = root.handlers[:], root.level
    yield
    structlog.reset_defaults()
    root.handlers[:] = handlers
    root.setLevel(level)


def configure(tmp_path: Path, log_format: Literal["console", "json", ""]) -> None:
    logs.configure(Settings(data_dir=tmp_path, log_format=log_format))


def fail() -> None:
    key = SECRET
    raise RuntimeError(f"broken with {len(key)} characters")


def json_lines(written: str) -> list[dict[str, Any]]:
    return [json.loads(line) for line in written.splitlines()]


@pytest.mark.parametrize("log_format", ["console", "json"])
def test_lines_go_to_stderr_so_that_stdout_stays_for_answers(
    tmp_path: Path, capsys: pytest.CaptureFixture[str], log_format: Literal["console", "json"]
) -> None:
    configure(tmp_path, log_format)
    structlog.get_logger().warning("ours")
    logging.getLogger("library").warning("theirs")
    written = capsys.readouterr()
    assert written.out == ""
    assert "ours" in written.err
    assert "theirs" in written.err


def test_where_no_terminal_is_lines_are_json(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    configure(tmp_path, "")
    structlog.get_logger().info("worker started", worker="w1", count=3)
    [line] = json_lines(capsys.readouterr().err)
    assert (line["event"], line["level"], line["worker"], line["count"]) == ("worker started", "info", "w1", 3)
    assert line["timestamp"].endswith("Z")


def test_a_line_is_one_write_so_that_those_of_several_processes_do_not_mix(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    writes: list[str] = []

    class Stderr(io.StringIO):
        def write(self, text: str) -> int:
            writes.append(text)
            return len(text)

    monkeypatch.setattr("sys.stderr", Stderr())
    configure(tmp_path, "json")
    structlog.get_logger().warning("ours")
    assert [line["event"] for line in json_lines("".join(writes))] == ["ours"]
    assert writes[-1].endswith("}\n"), "the line and its end at once"


def test_lines_of_libraries_look_like_ours(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    configure(tmp_path, "json")
    logging.getLogger("uvicorn.error").error("port %d is taken", 8000)
    [line] = json_lines(capsys.readouterr().err)
    assert (line["event"], line["level"]) == ("port 8000 is taken", "error")
    assert set(line) == {"event", "level", "timestamp"}


def test_what_libraries_say_at_length_is_left_out(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    configure(tmp_path, "json")
    logging.getLogger("anthropic").debug("request with key %s", SECRET)
    logging.getLogger("httpx").info("POST https://api.example %s", SECRET)
    structlog.get_logger().debug("ours too")
    assert capsys.readouterr().err == ""


def test_a_trace_is_part_of_its_line(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    configure(tmp_path, "json")
    for log in (structlog.get_logger(), logging.getLogger("library")):
        try:
            fail()
        except RuntimeError:
            log.exception("it broke")
        [line] = json_lines(capsys.readouterr().err)
        assert line["event"] == "it broke"
        assert "RuntimeError: broken with 13 characters" in line["exception"]
        assert SECRET not in line["exception"]


def test_a_trace_on_a_terminal_shows_no_values(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    configure(tmp_path, "console")
    for log in (structlog.get_logger(), logging.getLogger("library")):
        try:
            fail()
        except RuntimeError:
            log.exception("it broke")
        written = capsys.readouterr().err
        assert "RuntimeError: broken with 13 characters" in written
        assert SECRET not in written


def test_configuring_twice_writes_once(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    configure(tmp_path, "json")
    configure(tmp_path, "json")
    logging.getLogger("library").warning("once")
    structlog.get_logger().warning("once")
    assert len(json_lines(capsys.readouterr().err)) == 2


def test_what_every_batch_meets_is_told_once_and_then_counted(
    tmp_path: Path, capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    configure(tmp_path, "json")
    log = structlog.get_logger()
    for _ in range(50):
        log.warning("database is away", error="disk is full")
    log.warning("database is away", error="connection refused")
    # Ten seconds are too long for a test.
    monkeypatch.setattr(logs, "REPEAT_SECONDS", 0.0)
    log.warning("database is away", error="disk is full")
    lines = json_lines(capsys.readouterr().err)
    assert [(line["error"], line.get("left_out")) for line in lines] == [
        ("disk is full", None),
        ("connection refused", None),
        ("disk is full", 49),
    ]


def test_warnings_about_one_thing_each_are_all_told(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    configure(tmp_path, "json")
    for number in range(3):
        structlog.get_logger().warning("took a batch back", batch_id=str(number))
    assert len(json_lines(capsys.readouterr().err)) == 3
