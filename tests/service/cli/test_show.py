"""What the commands print."""

import json

import pytest
from rich.console import Console
from rich.progress import Task

from schemas.calls import Usage
from schemas.estimates import Estimate, Span
from schemas.exports import LeftOut, Manifest
from schemas.generations import BatchError
from schemas.states import BatchState, ErrorCode, GenerationState, QuestionType
from schemas.topics import ModuleTopic, QuizTopics, TopicsUsage
from service.cli import show
from service.cli.stream import StreamEvent
from tests.web import samples

MARKUP = "Lists [red]a[/red], [/] and [0]"


def event(kind: str, number: int = 1, **data: object) -> StreamEvent:
    return StreamEvent(id=number, type=kind, data={"batch_id": str(samples.batch(number).id), **data})


def bar(bars: show.Bars, position: int = 0) -> tuple[float, float | None, str]:
    """How far, of how much, and what is said beside it."""
    task: Task = bars._progress.tasks[position]
    return task.completed, task.total, task.fields["state"]


def pending(*, held: int = 0) -> show.Bars:
    batches = [samples.batch(1, held=held), samples.batch(2, target=5)]
    return show.Bars(samples.generation(GenerationState.PROCESSING, *batches))


@pytest.fixture(autouse=True)
def wide_terminal(monkeypatch: pytest.MonkeyPatch) -> None:
    # How wide a terminal is, rich finds out in more than one way: a test says it.
    monkeypatch.setattr(show, "console", Console(width=200))


def test_topics_stand_beside_their_module_once(capsys: pytest.CaptureFixture[str]) -> None:
    place = {"quote": "a", "start": 0, "end": 1}
    listed = tuple(
        ModuleTopic(module_id=module_id, module_name=name, name=f"{topic} {MARKUP}", **place)
        for module_id, name, topic in ((samples.FIRST, "Basics", "Stems"), (samples.FIRST, "Basics", "Bark"))
    )
    show.topics(QuizTopics(topics=listed, count=2, usage=TopicsUsage()))
    rows = capsys.readouterr().out.splitlines()[3:-1]
    assert [row.replace("│", "|").count("Basics") for row in rows] == [1, 0]
    assert ["Stems" in rows[0], "Bark" in rows[1]] == [True, True]
    assert all(MARKUP in row for row in rows)


def test_a_generation_is_a_line_and_a_row_per_batch(capsys: pytest.CaptureFixture[str]) -> None:
    show.generation(samples.partial())
    lines = capsys.readouterr().out.splitlines()
    assert lines[0] == f"partial  15 of 35 questions created  {samples.partial().id}"
    assert sum("multiple_choice" in line for line in lines) == 2
    [failed] = [line for line in lines if "provider_overloaded" in line]
    assert "failed" in failed
    assert "the provider was overloaded for 10 minutes" in failed


def test_a_list_is_a_row_per_generation_with_its_whole_id(
    capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(show, "console", Console(width=60))
    show.generations([samples.partial(), samples.generation(GenerationState.CANCELLED, samples.batch())])
    assert capsys.readouterr().out.count(str(samples.partial().id)) == 2


def test_names_and_reasons_are_shown_as_they_are(capsys: pytest.CaptureFixture[str]) -> None:
    error = samples.OVERLOADED.model_copy(update={"message": MARKUP})
    batch = samples.batch(1, BatchState.FAILED, error=error, name=MARKUP)
    generation = samples.generation(GenerationState.FAILED, batch, message=MARKUP)
    show.generation(generation)
    assert capsys.readouterr().out.count(MARKUP) == 3
    show.generations([generation])
    assert MARKUP in capsys.readouterr().out
    show.reasons(generation)
    assert capsys.readouterr().err.count(MARKUP) == 3
    show.line((MARKUP, "red"), MARKUP)
    assert capsys.readouterr().out.count(MARKUP) == 2
    with show.Bars(generation) as bars:
        bars.apply(event("batch.started", attempt=1))
    assert MARKUP in capsys.readouterr().err


def test_json_is_the_whole_model_and_nothing_else(capsys: pytest.CaptureFixture[str]) -> None:
    show.as_json(samples.partial())
    assert json.loads(capsys.readouterr().out) == json.loads(samples.partial().model_dump_json())


def test_a_bar_starts_with_what_is_there() -> None:
    bars = pending(held=3)
    assert bar(bars, 0) == (3, 20, "waiting")
    assert bar(bars, 1) == (0, 5, "waiting")


def test_a_bar_follows_its_batch() -> None:
    bars = pending()
    for told, shown in [
        (event("batch.started", attempt=2), (0, 20, "attempt 2")),
        (event("question.accepted", held_count=7), (7, 20, "attempt 2")),
        (event("question.rejected", code="schema", message="bad"), (7, 20, "attempt 2")),
        (event("batch.retrying", code="timeout"), (7, 20, "[yellow]waits: timeout[/]")),
        (event("batch.requeued", reason="worker_lost"), (7, 20, "waiting")),
        (event("batch.failed", error={"code": "timeout", "message": "m"}), (7, 20, "[red]failed: timeout[/]")),
        (event("batch.completed", saved_count=20), (20, 20, "[green]saved[/]")),
    ]:
        bars.apply(told)
        assert bar(bars) == shown, told.type
    assert bar(bars, 1) == (0, 5, "waiting"), "the other batch's bar stays as it was"


@pytest.mark.parametrize("kind", ["snapshot", "resync"])
def test_a_snapshot_sets_every_bar(kind: str) -> None:
    bars = pending()
    done = samples.generation(
        GenerationState.PROCESSING, samples.batch(1, BatchState.COMPLETED), samples.batch(2, target=5, held=2)
    )
    bars.apply(StreamEvent(id=1, type=kind, data=json.loads(done.model_dump_json())))
    assert bar(bars, 0) == (20, 20, show.MARKS[BatchState.COMPLETED])
    assert bar(bars, 1) == (2, 5, "waiting")


@pytest.mark.parametrize(
    "told", [StreamEvent(id=1, type="generation.started", data={}), event("batch.started", 9, attempt=1)]
)
def test_what_is_about_no_bar_changes_none(told: StreamEvent) -> None:
    bars = pending()
    bars.apply(told)
    assert [bar(bars, 0), bar(bars, 1)] == [(0, 20, "waiting"), (0, 5, "waiting")]


def test_every_state_of_a_batch_has_its_word() -> None:
    assert set(show.MARKS) == set(BatchState)


def test_bars_are_drawn_beside_the_answer(capsys: pytest.CaptureFixture[str]) -> None:
    with pending():
        pass
    written = capsys.readouterr()
    assert written.out == ""
    assert "Advanced Topics: multiple_choice, hard" in written.err


def test_what_a_generation_has_cost_is_a_line(capsys: pytest.CaptureFixture[str]) -> None:
    usage = Usage(llm_calls=9, wasted_calls=2, cost_usd=1.25, cost_per_accepted_usd=0.05)
    generation = samples.partial().model_copy(update={"usage": usage, "cost_max_usd": 2.0})
    show.generation(generation)
    line = capsys.readouterr().out.splitlines()[-1]
    assert line == "cost $1.2500 of at most $2.00, $0.0500 a question; 9 calls, 2 of them wasted"
    show.generation(samples.partial())
    assert "cost" not in capsys.readouterr().out, "what has asked no model costs nothing"


def test_who_stopped_at_the_limit_is_told_how_to_go_on(capsys: pytest.CaptureFixture[str]) -> None:
    error = BatchError(code=ErrorCode.BUDGET_EXCEEDED, message="paused: it has cost too much")
    generation = samples.generation(GenerationState.PAUSED, samples.batch()).model_copy(update={"error": error})
    show.reasons(generation)
    assert f"too much: quizmill generation resume {generation.id}" in capsys.readouterr().err


@pytest.mark.parametrize(
    ("cost_usd", "price"),
    [(Span(low=0.01, expected=0.02, high=0.04), "about $0.0200 ($0.0100 to $0.0400)"), (None, "price unknown")],
)
def test_an_estimate_is_a_line_and_what_it_assumes(
    capsys: pytest.CaptureFixture[str], cost_usd: Span | None, price: str
) -> None:
    estimate = Estimate(
        provider="anthropic",
        model="m",
        questions=20,
        calls=2,
        input_tokens=1,
        output_tokens=1,
        cache_read_tokens=0,
        cache_write_tokens=0,
        cost_usd=cost_usd,
        seconds=Span(low=4, expected=9, high=20),
        prices_as_of=None,
        assumptions=("one worker",),
    )
    show.estimate(estimate)
    lines = capsys.readouterr().out.splitlines()
    assert lines == [f"20 questions in 2 calls: {price}, about 9 s (4 to 20)", "  one worker"]


def test_what_is_left_out_is_named_with_its_reason_on_stderr(capsys: pytest.CaptureFixture[str]) -> None:
    left_out = LeftOut(
        id=samples.FIRST, question_type=QuestionType.FLASHCARD, preview=MARKUP, reason="no cards [there]"
    )
    manifest = Manifest(
        quiz_id=samples.SECOND,
        format="gift",
        file_name="quiz.gift",
        review=None,
        question_count=3,
        exported_count=2,
        left_out=(left_out,),
        omits=(),
    )
    show.left_out(manifest)
    assert capsys.readouterr().err.splitlines() == [
        "1 of 3 questions left out, because gift can't express them:",
        f"  flashcard {samples.FIRST} ({MARKUP}): no cards [there]",
    ]
    show.left_out(manifest.model_copy(update={"left_out": ()}))
    assert capsys.readouterr() == ("", "")
