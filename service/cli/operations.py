"""The commands that are not about one generation: from generate and publish to backup and doctor."""

import asyncio
import sys
from pathlib import Path
from typing import TYPE_CHECKING, Annotated
from uuid import UUID

import typer

from schemas.states import Difficulty, GenerationState, QuestionType, Review
from service import logs, settings
from service.cli import show
from service.errors import QuizmillError
from service.exports import formats
from service.exports.formats import FORMATS

if TYPE_CHECKING:
    from service.cli.client import Client

DataDir = Annotated[Path | None, typer.Option(help="where SQLite keeps its file (default ./quizmill-data)")]
Json = Annotated[bool, typer.Option("--json", help="print JSON")]


def add_to(app: typer.Typer) -> None:
    for command in (generate, topics, export, publish, migrate, verify, backup, doctor):
        app.command()(command)


def generate(
    files: Annotated[list[Path], typer.Argument(exists=True, dir_okay=False, help="course material")],
    question_type: Annotated[list[QuestionType] | None, typer.Option("--type", help="repeat for more types")] = None,
    count: Annotated[int, typer.Option(min=1, help="questions per type over all the files")] = 10,
    difficulty: Annotated[Difficulty | None, typer.Option()] = None,
    language: Annotated[str, typer.Option(help="language of the questions")] = "en",
    out: Annotated[Path | None, typer.Option(help="file to write; without it, JSON goes to stdout")] = None,
    export_format: Annotated[str | None, typer.Option("--format", help=" | ".join(FORMATS))] = None,
    cost_max_usd: Annotated[
        float | None, typer.Option(min=0.0001, help="pause when it has cost this many US dollars")
    ] = None,
    estimate: Annotated[bool, typer.Option("--estimate", help="only say what it would cost and take")] = False,
    url: Annotated[str | None, typer.Option(help="a running service; without it, one is started")] = None,
    data_dir: Annotated[Path | None, typer.Option(help="where a service of its own keeps its files")] = None,
) -> None:
    """Make questions out of files and write them to a file. Exit code 0 only when all were made."""
    from service.cli import generate as command  # noqa: PLC0415 # `--help` stays quick
    from service.cli.client import Client  # noqa: PLC0415 # as above

    chosen = settings.load(data_dir=data_dir)
    logs.configure(chosen)
    name = _format(export_format, out)
    with command.service(chosen, url) as address:
        client = Client(address, patience_seconds=command.PATIENCE_SECONDS)
        quiz = client.upload(title=files[0].stem, language=language, files=files)
        quiz = command.extracted(client, quiz)
        types = question_type or [QuestionType.MULTIPLE_CHOICE]
        order = command.plan(quiz, types, count, difficulty, chosen.questions_per_batch_max, cost_max_usd=cost_max_usd)
        if estimate:
            show.estimate(client.estimate(quiz.id, order))
            return
        ended = command.generate(client, quiz, order, data_dir=chosen.data_dir)
        _write(client, quiz.id, name, out)
    show.reasons(ended)
    show.errors.print(f"The quiz is {quiz.id}{f', its questions are in {out}' if out else ''}.", soft_wrap=True)
    if ended.status is not GenerationState.COMPLETED:
        raise typer.Exit(1)


def topics(
    quiz_id: Annotated[UUID, typer.Argument(help="the quiz's id")],
    url: Annotated[str, typer.Option(help="where the service is", envvar="QUIZMILL_URL")] = "http://127.0.0.1:8000",
    json: Json = False,
) -> None:
    """Find out what a quiz's modules are about; orders spread their questions over it."""
    from service.cli.client import Client  # noqa: PLC0415 # `--help` stays quick

    found = Client(url).topics(quiz_id)
    if json:
        show.as_json(found)
    else:
        show.topics(found)


def export(
    quiz_id: Annotated[UUID, typer.Argument(help="the quiz's id")],
    export_format: Annotated[str | None, typer.Option("--format", help=" | ".join(FORMATS))] = None,
    out: Annotated[Path | None, typer.Option(help="file to write; without it, stdout")] = None,
    review: Annotated[Review | None, typer.Option(help="only questions with this review")] = None,
    url: Annotated[str, typer.Option(envvar="QUIZMILL_URL")] = "http://127.0.0.1:8000",
) -> None:
    """Write a quiz's saved questions to a file. What its format can't express is told."""
    from service.cli.client import Client  # noqa: PLC0415 # `--help` stays quick

    _write(Client(url), quiz_id, _format(export_format, out), out, review=review)


def publish(
    quiz_id: Annotated[UUID, typer.Argument(help="the quiz's id")],
    canvas_url: Annotated[str, typer.Option(help="such as https://school.instructure.com")],
    course: Annotated[str, typer.Option(help="the number after /courses/ in the course's address")],
    token_env: Annotated[str, typer.Option(help="the variable that holds the access token")] = "CANVAS_TOKEN",  # noqa: S107 # its name
    url: Annotated[str, typer.Option(help="where the service is", envvar="QUIZMILL_URL")] = "http://127.0.0.1:8000",
    json: Json = False,
) -> None:
    """Publish a quiz in a course in Canvas. Exit code 0 only when it is there."""
    from service.cli import publish as command  # noqa: PLC0415 # `--help` stays quick
    from service.cli.client import Client  # noqa: PLC0415 # as above

    quiz = command.publish(Client(url), quiz_id, canvas_url=canvas_url, course_id=course, token_env=token_env)
    if json:
        show.as_json(quiz)
    else:
        show.publication(quiz)
    if quiz.failure_reason:
        raise typer.Exit(1)


def migrate(data_dir: DataDir = None) -> None:
    """Bring the database's schema up to date. Data is kept; running it twice does nothing."""
    from service.cli import maintenance  # noqa: PLC0415 # `--help` stays quick

    asyncio.run(maintenance.migrate(settings.load(data_dir=data_dir)))
    show.console.print("The database is up to date.")


def verify(
    generation_id: Annotated[UUID | None, typer.Argument(help="only this generation")] = None,
    data_dir: DataDir = None,
    json: Json = False,
) -> None:
    """Recompute every counter and invariant from the rows; exit code 1 if anything does not agree."""
    from service.cli import maintenance  # noqa: PLC0415 # `--help` stays quick

    report = asyncio.run(maintenance.verify(settings.load(data_dir=data_dir), generation_id))
    if json:
        show.as_json(report)
    else:
        for finding in report.findings:
            show.line((finding.check, "red"), f" {finding.subject}: {finding.message}")
        show.console.print(f"{report.generations} generations, {len(report.findings)} findings.")
    if report.findings:
        raise typer.Exit(1)


def backup(file: Annotated[Path, typer.Argument(help="the new file to write")]) -> None:
    """Copy the SQLite database into one file, while everything runs. PostgreSQL: names the command to use."""
    from service.cli import maintenance  # noqa: PLC0415 # `--help` stays quick

    size = asyncio.run(maintenance.backup(settings.load(), file))
    show.console.print(f"{file} holds the whole database ({size:,} bytes).", soft_wrap=True, highlight=False)


def doctor(data_dir: DataDir = None, json: Json = False) -> None:
    """Say in plain words what is configured, what can be reached and what is missing."""
    from service.cli import maintenance  # noqa: PLC0415 # `--help` stays quick

    diagnosis = asyncio.run(maintenance.diagnose(settings.load(data_dir=data_dir)))
    if json:
        show.as_json(diagnosis)
    else:
        for line in diagnosis.lines:
            mark = ("ok    ", "green") if line.is_fine else ("wrong ", "red")
            show.line(mark, f" {line.subject}: {line.message}")
    if not diagnosis.is_fine:
        raise typer.Exit(1)


def _format(name: str | None, out: Path | None) -> str:
    """The format that is named, or that the file's suffix tells, else JSON. Raises BadParameter."""
    known = ", ".join(FORMATS)
    if out and not out.parent.is_dir():
        raise typer.BadParameter(f"{out.parent} is no directory", param_hint="--out")
    if name is None and out is not None:
        name = formats.of_suffix(out.suffix.removeprefix("."))
        if name is None:
            raise typer.BadParameter(f"what format is {out.name}? Use one of {known}", param_hint="--format")
    if name not in {None, *FORMATS}:
        raise typer.BadParameter(f"unknown format {name!r}: use one of {known}", param_hint="--format")
    return name or "json"


def _write(client: "Client", quiz_id: UUID, name: str, out: Path | None, *, review: Review | None = None) -> None:
    content = client.export(quiz_id, name, review=review)
    if out is None:
        sys.stdout.buffer.write(content)
    else:
        try:
            out.write_bytes(content)
        except OSError as error:
            raise QuizmillError(f"{out} can't be written: {error.strerror}") from None
    show.left_out(client.manifest(quiz_id, name, review=review))
