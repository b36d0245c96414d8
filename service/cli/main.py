"""The `quizmill` command: wiring only."""

import asyncio
import gc
import sys
from contextlib import suppress
from pathlib import Path
from typing import Annotated

import typer
import uvloop

from service import failpoints, logs, settings
from service.cli import generation, operations
from service.errors import QuizmillError, SettingsInvalid

app = typer.Typer(
    no_args_is_help=True,
    pretty_exceptions_enable=False,
    help="Course material in, exam questions out, live.",
    context_settings={"help_option_names": ["-h", "--help"]},
)
app.add_typer(generation.app, name="generation")
operations.add_to(app)

Host = Annotated[str | None, typer.Option(help="address to listen on (default 127.0.0.1)")]
Port = Annotated[int | None, typer.Option(help="port to listen on, 0 = any free one (default 8000)")]
DataDir = Annotated[
    Path | None, typer.Option(help="where SQLite and Valkey keep their files (default ./quizmill-data)")
]


@app.command()
def up(
    host: Host = None,
    port: Port = None,
    data_dir: DataDir = None,
    workers: Annotated[int, typer.Option(min=1, max=64, help="worker processes")] = 1,
    until_eof: Annotated[bool, typer.Option(hidden=True)] = False,
) -> None:
    """Run the whole system: database, Valkey, web service and supervised workers."""
    from service.cli import up as command  # noqa: PLC0415 # each command loads only what it needs: `--help` stays quick

    chosen = settings.load(host=host, port=port, data_dir=data_dir)
    _prepare(chosen)
    with suppress(asyncio.CancelledError):  # a signal before it served
        uvloop.run(command.up(chosen, workers, until_eof=until_eof))


@app.command()
def serve(host: Host = None, port: Port = None) -> None:
    """Run only the web service; workers and database are elsewhere."""
    from service.cli import serve as command  # noqa: PLC0415 # as above

    chosen = settings.load(host=host, port=port)
    _prepare(chosen)
    uvloop.run(command.serve(chosen))


@app.command()
def work(supervised_as: Annotated[str | None, typer.Option(hidden=True)] = None) -> None:
    """Run only a worker."""
    from service.cli import work as command  # noqa: PLC0415 # as above

    chosen = settings.load()
    _prepare(chosen)
    uvloop.run(command.work(chosen, supervised_as))


def _prepare(chosen: settings.Settings) -> None:
    logs.configure(chosen)
    try:
        failpoints.arm(chosen.failpoint)
    except ValueError as error:
        raise SettingsInvalid(f"QUIZMILL_FAILPOINT={chosen.failpoint!r} is not allowed: {error}") from None
    # What is loaded by now stays. Looking through it again and again held everything up for 0.2 s each time.
    gc.collect()
    gc.freeze()


def run() -> None:
    """Errors of ours are one plain line and exit code 1."""
    try:
        app()
    except QuizmillError as error:
        print(f"Error: {error}", file=sys.stderr)  # noqa: T201 # the command line is where it belongs
        sys.exit(1)


if __name__ == "__main__":
    run()
