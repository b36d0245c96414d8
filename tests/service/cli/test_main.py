"""The command as a whole: help everywhere, errors in one line."""

import sys
from collections.abc import Iterator

import pytest
import typer
from typer.core import TyperGroup
from typer.testing import CliRunner

from service.cli import main
from service.cli.main import app


def commands(group: object, *names: str) -> Iterator[tuple[str, ...]]:
    """The words of every command, groups included."""
    yield names
    if isinstance(group, TyperGroup):
        for name, command in group.commands.items():
            yield from commands(command, *names, name)


COMMANDS = sorted(commands(typer.main.get_command(app)))


def test_the_commands_of_the_contract_are_there() -> None:
    assert {
        ("up",),
        ("serve",),
        ("work",),
        ("generate",),
        ("topics",),
        ("export",),
        ("verify",),
        ("migrate",),
        ("backup",),
        ("doctor",),
        *(("generation", name) for name in ("get", "list", "watch", "retry", "cancel", "pause", "resume")),
    } <= set(COMMANDS)


@pytest.mark.parametrize("names", COMMANDS, ids=" ".join)
@pytest.mark.parametrize("flag", ["--help", "-h"])
def test_every_command_has_help(names: tuple[str, ...], flag: str) -> None:
    shown = CliRunner().invoke(app, [*names, flag])
    assert shown.exit_code == 0
    assert "Usage:" in shown.output
    first = next(line for line in shown.output.splitlines()[2:] if line.strip())
    assert first.strip().endswith((".", ":")), "it says in a sentence what it does"


@pytest.mark.parametrize("arguments", [["nonsense"], ["up", "--nonsense"], ["generation", "get", "1"], ["up", "x"]])
def test_what_is_no_command_is_refused_with_exit_code_2(arguments: list[str]) -> None:
    assert CliRunner().invoke(app, arguments).exit_code == 2


def run(monkeypatch: pytest.MonkeyPatch, *arguments: str) -> int:
    """As the shell does; returns the exit code."""
    monkeypatch.setattr(sys, "argv", ["quizmill", *arguments])
    with pytest.raises(SystemExit) as ended:
        main.run()
    code = ended.value.code
    assert isinstance(code, int)
    return code


@pytest.mark.parametrize(
    ("variable", "value", "said"),
    [
        ("QUIZMILL_PORT", "none", "QUIZMILL_PORT='none' is not allowed: Input should be a valid integer"),
        ("QUIZMILL_PORT", "70000", "QUIZMILL_PORT='70000' is not allowed: Input should be less than or equal to 65535"),
        ("QUIZMILL_PROVIDER", "gpt", "QUIZMILL_PROVIDER='gpt' is not allowed: Input should be 'anthropic', 'offline'"),
        ("QUIZMILL_LEASE_SECONDS", "0", "QUIZMILL_LEASE_SECONDS='0' is not allowed: Input should be greater than"),
    ],
)
def test_a_bad_setting_is_one_line_that_names_variable_value_and_what_is_allowed(
    monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str], variable: str, value: str, said: str
) -> None:
    monkeypatch.setenv(variable, value)
    for command in ("doctor", "verify", "work", "serve", "up"):
        assert run(monkeypatch, command) == 1
        written = capsys.readouterr()
        assert written.out == ""
        assert written.err.startswith(f"Error: {said}")
        assert written.err.count("\n") == 1


def test_several_bad_settings_are_told_at_once(
    monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    monkeypatch.setenv("QUIZMILL_PORT", "none")
    monkeypatch.setenv("QUIZMILL_LLM_CALLS_MAX", "0")
    assert run(monkeypatch, "doctor") == 1
    said = capsys.readouterr().err
    assert "QUIZMILL_PORT='none'" in said
    assert "QUIZMILL_LLM_CALLS_MAX='0'" in said


@pytest.mark.parametrize("scheme", ["mysql", "sqlite", "postgresql"])
def test_a_database_of_another_kind_is_refused_without_telling_its_password(
    monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str], scheme: str
) -> None:
    monkeypatch.setenv("QUIZMILL_DATABASE_URL", f"{scheme}://ann:secret@db/quizmill")
    assert run(monkeypatch, "doctor") == 1
    said = capsys.readouterr().err
    assert said.startswith("Error: QUIZMILL_DATABASE_URL")
    assert "must start with sqlite+aiosqlite:/// or postgresql+asyncpg://" in said
    assert "secret" not in said


def test_a_service_nobody_runs_is_one_line(monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]) -> None:
    assert run(monkeypatch, "doctor") == 0
    capsys.readouterr()
    assert run(monkeypatch, "generation", "list", "--url", "http://127.0.0.1:9") == 1
    said = capsys.readouterr().err
    assert said.startswith("Error: no Quizmill answers at http://127.0.0.1:9")
    assert "Traceback" not in said
