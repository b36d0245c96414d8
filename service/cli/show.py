"""What the commands print: tables, bars and JSON."""

import sys
from collections import Counter
from types import TracebackType

from pydantic import BaseModel
from rich.console import Console
from rich.progress import BarColumn, MofNCompleteColumn, Progress, TaskID, TextColumn
from rich.table import Column, Table
from rich.text import Text

from schemas.estimates import Estimate
from schemas.exports import Manifest
from schemas.generations import Generation
from schemas.quizzes import Quiz
from schemas.states import BatchState, ErrorCode
from schemas.topics import QuizTopics
from service.cli.lines import Lines, batch_name
from service.cli.stream import StreamEvent

MARKS = {
    BatchState.PENDING: "waiting",
    BatchState.PROCESSING: "working",
    BatchState.COMPLETED: "[green]saved[/]",
    BatchState.FAILED: "[red]failed[/]",
    BatchState.CANCELLED: "cancelled",
}

PIPE_COLUMNS = 200
"""Of a table that no terminal bounds."""

console = Console(width=None if Console().is_terminal else PIPE_COLUMNS)
errors = Console(stderr=True)


def as_json(value: BaseModel) -> None:
    sys.stdout.write(value.model_dump_json(indent=2) + "\n")


def generation(found: Generation) -> None:
    console.print(Text.assemble((found.status, "bold"), "  ", found.message, "  ", (str(found.id), "dim")))
    table = Table("module", "type", "difficulty", "state", "saved", "held", "of", "tries", "reason")
    for batch in found.batches:
        reason = f"{batch.error.code}: {batch.error.message}" if batch.error else ""
        counts = (str(batch.saved_count), str(batch.held_count), str(batch.target_count), str(batch.attempts))
        # As texts: what users and providers wrote is no markup.
        name = Text(batch.module_name)
        table.add_row(name, batch.question_type, batch.difficulty or "", MARKS[batch.status], *counts, Text(reason))
    console.print(table)
    if found.usage.llm_calls:
        console.print(Text(cost(found)), soft_wrap=True)


def cost(found: Generation) -> str:
    """What it has cost so far, in one line."""
    usage = found.usage
    limit = f" of at most ${found.cost_max_usd:,.2f}" if found.cost_max_usd is not None else ""
    unpriced = f" and {usage.unpriced_calls} calls of unknown price" if usage.unpriced_calls else ""
    each = usage.cost_per_accepted_usd
    per_question = f", ${each:.4f} a question" if each is not None else ""
    return (
        f"cost ${usage.cost_usd:,.4f}{limit}{unpriced}{per_question};"
        f" {usage.llm_calls} calls, {usage.wasted_calls} of them wasted"
    )


def left_out(found: Manifest) -> None:
    """What a file does not hold, and why, on stderr; nothing when it holds everything."""
    if not found.left_out:
        return
    count = len(found.left_out)
    errors.print(
        f"{count} of {found.question_count} questions left out, because {found.format} can't express them:",
        soft_wrap=True,
        highlight=False,
    )
    for question in found.left_out:
        told = f"  {question.question_type} {question.id} ({question.preview}): {question.reason}"
        errors.print(Text(told), soft_wrap=True)


def publication(quiz: Quiz) -> None:
    """What became of a quiz's newest publication."""
    found = quiz.publication
    if found is None:
        return
    counts = f"{found.sent_count} of {found.question_count} questions are in Canvas"
    where = f": {found.canvas_quiz_url}" if found.canvas_quiz_url else ""
    console.print(Text(counts + where), soft_wrap=True)
    for reason, count in Counter(left_out.reason for left_out in found.left_out).items():
        console.print(Text(f"{count} left out: {reason}"), soft_wrap=True)
    if found.error:
        errors.print(Text(f"Not published: {found.error}"), soft_wrap=True)


def estimate(found: Estimate) -> None:
    """What an order would cost and how long it would take; figures on stdout."""
    price = "price unknown"
    if found.cost_usd:
        low, expected, high = (
            f"${usd:.4f}" for usd in (found.cost_usd.low, found.cost_usd.expected, found.cost_usd.high)
        )
        price = f"about {expected} ({low} to {high})"
    seconds = found.seconds
    console.print(
        f"{found.questions} questions in {found.calls} calls: {price},"
        f" about {seconds.expected:.0f} s ({seconds.low:.0f} to {seconds.high:.0f})",
        soft_wrap=True,
        highlight=False,
    )
    for assumption in found.assumptions:
        console.print(Text(f"  {assumption}", "dim"), soft_wrap=True)
    if found.prices_as_of:
        console.print(Text(f"  prices of {found.prices_as_of}", "dim"))


def generations(found: list[Generation]) -> None:
    table = Table(Column("id", no_wrap=True), "status", "message", "requested")
    for entry in found:
        requested = entry.requested_at.strftime("%Y-%m-%d %H:%M")
        table.add_row(str(entry.id), entry.status, Text(entry.message), requested)
    console.print(table)


def topics(found: QuizTopics) -> None:
    table = Table("module", "topic")
    shown = None
    for topic in found.topics:
        # As texts: what stands in the material is no markup.
        table.add_row(Text("" if topic.module_id == shown else topic.module_name), Text(topic.name))
        shown = topic.module_id
    console.print(table)


def line(mark: tuple[str, str], text: str) -> None:
    """A word in its colour and a text of any length on one line."""
    console.print(Text.assemble(mark, text), soft_wrap=True)


def reasons(found: Generation) -> None:
    """How a generation ended, and why each batch that failed did; on stderr."""
    errors.print(Text(f"{found.status}: {found.message}"))
    if found.error and found.error.code is ErrorCode.BUDGET_EXCEEDED:
        errors.print(Text(f"  {found.error.message}: quizmill generation resume {found.id}"), soft_wrap=True)
    if found.usage.llm_calls:
        errors.print(Text(f"  {cost(found)}"), soft_wrap=True)
    for batch in found.batches:
        if batch.error:
            errors.print(Text(f"  {batch.module_name}, {batch.question_type}: {batch.error.message}"), soft_wrap=True)


def say(sentence: str) -> None:
    """Beside the answer, on stderr."""
    errors.print(Text(sentence), soft_wrap=True)


def progress(found: Generation) -> "Bars | Lines":
    """Bars on a terminal, else a line per change; on stderr, since stdout is for answers."""
    return Bars(found) if errors.is_terminal else Lines(found, say)


class Bars:
    """One live bar per batch, fed by a generation's events."""

    def __init__(self, found: Generation) -> None:
        self._progress = Progress(
            TextColumn("{task.description}", markup=False),
            BarColumn(),
            MofNCompleteColumn(),
            TextColumn("{task.fields[state]}"),
            console=errors,
        )
        self._bars: dict[str, TaskID] = {}
        for batch in found.batches:
            self._bars[str(batch.id)] = self._progress.add_task(
                batch_name(batch),
                total=batch.target_count,
                completed=batch.held_count + batch.saved_count,
                state="waiting",
            )

    def __enter__(self) -> "Bars":
        self._progress.start()
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self._progress.stop()

    def apply(self, event: StreamEvent) -> None:
        """Show what happened. Events about no batch change nothing, but for a snapshot."""
        bar = self._bars.get(str(event.data.get("batch_id")))
        if event.type in {"snapshot", "resync"}:
            self._set(Generation.model_validate(event.data))
        elif bar is not None:
            self._advance(bar, event)

    def _advance(self, bar: TaskID, event: StreamEvent) -> None:
        match event.type:
            case "batch.started":
                self._progress.update(bar, state=f"attempt {event.data['attempt']}")
            case "question.accepted":
                self._progress.update(bar, completed=_number(event, "held_count"))
            case "batch.completed":
                self._progress.update(bar, completed=_number(event, "saved_count"), state="[green]saved[/]")
            case "batch.retrying":
                self._progress.update(bar, state=f"[yellow]waits: {event.data['code']}[/]")
            case "batch.failed":
                error = event.data["error"]
                assert isinstance(error, dict), "CONTRACT 5: error is {code, message}"
                self._progress.update(bar, state=f"[red]failed: {error['code']}[/]")
            case "batch.requeued":
                self._progress.update(bar, state="waiting")

    def _set(self, found: Generation) -> None:
        for batch in found.batches:
            done = batch.held_count + batch.saved_count
            self._progress.update(self._bars[str(batch.id)], completed=done, state=MARKS[batch.status])


def _number(event: StreamEvent, name: str) -> int:
    value = event.data[name]
    assert isinstance(value, int), f"CONTRACT 5: {name} is a number"
    return value
