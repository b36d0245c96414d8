"""`quizmill generation ...`: look at, watch, retry and cancel generations of a running service."""

import sys
from collections.abc import Iterator
from typing import Annotated, Final
from uuid import UUID

import typer

from schemas.generations import Generation
from schemas.states import GenerationState
from service.cli import show
from service.cli.client import Client
from service.cli.stream import StreamEvent

app = typer.Typer(no_args_is_help=True, help="Look at, watch, retry and cancel generations of a running service.")

Id = Annotated[UUID, typer.Argument(help="the generation's id")]
Url = Annotated[str, typer.Option(help="where the service is", envvar="QUIZMILL_URL")]
CostMaxUsd = Annotated[
    float | None, typer.Option(min=0.0001, help="what it may cost in all from now on, in US dollars")
]
Json = Annotated[bool, typer.Option("--json", help="print JSON")]

PATIENCE_SECONDS: Final = 60.0
"""How long the last look waits for a service that is started anew."""

DEFAULT_URL = "http://127.0.0.1:8000"


@app.command()
def get(generation_id: Id, url: Url = DEFAULT_URL, json: Json = False) -> None:
    """Show a generation and its batches."""
    _print(Client(url).generation(generation_id), json=json)


@app.command(name="list")
def list_(
    url: Url = DEFAULT_URL,
    status: Annotated[GenerationState | None, typer.Option(help="only those in this state")] = None,
    limit: Annotated[int, typer.Option(min=1, max=100)] = 20,
    json: Json = False,
) -> None:
    """List generations, newest first."""
    page = Client(url).generations(status=status, limit=limit)
    if json:
        show.as_json(page)
    else:
        show.generations(list(page.items))


@app.command()
def watch(
    generation_id: Id,
    url: Url = DEFAULT_URL,
    from_start: Annotated[bool, typer.Option(help="replay the whole log first (with --json)")] = False,
    json: Annotated[bool, typer.Option("--json", help="print one JSON object per event")] = False,
) -> None:
    """Follow a generation live until it ends; exit code 0 only when it completed."""
    client = Client(url, patience_seconds=PATIENCE_SECONDS)
    events = client.watch(generation_id, say=show.say, from_start=from_start and json)
    state = _told(events) if json else _shown(events)
    if not json:
        show.generation(client.generation(generation_id))
    if state is not GenerationState.COMPLETED:
        raise typer.Exit(1)


def _told(events: Iterator[StreamEvent]) -> GenerationState | None:
    """One JSON object a line; returns the state in which it all ended."""
    state = None
    for event in events:
        sys.stdout.write(event.model_dump_json() + "\n")
        sys.stdout.flush()
        state = event.state or state
    return state


def _shown(events: Iterator[StreamEvent]) -> GenerationState | None:
    """As `_told`, for people."""
    first = next(events)
    state = first.state
    with show.progress(Generation.model_validate(first.data)) as progress:
        progress.apply(first)
        for event in events:
            progress.apply(event)
            state = event.state or state
    return state


@app.command()
def retry(
    generation_id: Id,
    batch: Annotated[list[UUID] | None, typer.Option(help="only this batch (repeat for more)")] = None,
    model: Annotated[str | None, typer.Option(help="ask this model instead")] = None,
    dry_run: Annotated[bool, typer.Option(help="only say what would be done")] = False,
    cost_max_usd: CostMaxUsd = None,
    url: Url = DEFAULT_URL,
    json: Json = False,
) -> None:
    """Put failed batches back; what is saved is not touched."""
    answer = Client(url).retry(generation_id, batch or [], model=model, dry_run=dry_run, cost_max_usd=cost_max_usd)
    if json:
        show.as_json(answer)
        return
    verb = "would be" if dry_run else "are"
    show.console.print(f"{len(answer.retried)} batches {verb} done again, {answer.untouched} stay as they are.")


@app.command()
def cancel(generation_id: Id, url: Url = DEFAULT_URL, json: Json = False) -> None:
    """End a generation; finished batches and held questions stay."""
    _print(Client(url).step(generation_id, "cancel"), json=json)


@app.command()
def pause(generation_id: Id, url: Url = DEFAULT_URL, json: Json = False) -> None:
    """Stop working on a generation for now; what passed is kept."""
    _print(Client(url).step(generation_id, "pause"), json=json)


@app.command()
def resume(generation_id: Id, cost_max_usd: CostMaxUsd = None, url: Url = DEFAULT_URL, json: Json = False) -> None:
    """Go on with a paused generation."""
    _print(Client(url).resume(generation_id, cost_max_usd=cost_max_usd), json=json)


def _print(found: Generation, *, json: bool) -> None:
    if json:
        show.as_json(found)
    else:
        show.generation(found)
