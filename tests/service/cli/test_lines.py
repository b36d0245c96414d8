"""Progress where there is no terminal: a line a change."""

import json

import pytest
from rich.console import Console

from schemas.generations import Generation
from schemas.states import GenerationState
from service.cli import show
from service.cli.lines import Lines
from service.cli.stream import StreamEvent
from tests.web import samples


def processing() -> Generation:
    return samples.generation(GenerationState.PROCESSING, samples.batch(1), samples.batch(2, target=5))


def told(kind: str, number: int | None = None, **data: object) -> list[str]:
    """What is written about one event."""
    about = {} if number is None else {"batch_id": str(samples.batch(number).id)}
    lines: list[str] = []
    with Lines(processing(), lines.append) as progress:
        progress.apply(StreamEvent(id=1, type=kind, data={**about, **data}))
    return lines


@pytest.mark.parametrize(
    ("kind", "data", "line"),
    [
        ("batch.started", {"attempt": 2}, "attempt 2"),
        ("question.accepted", {"held_count": 3, "target_count": 20}, "3 of 20"),
        ("batch.retrying", {"code": "timeout", "delay_seconds": 1.5}, "waits 1.5 s: timeout"),
        ("batch.completed", {"saved_count": 20, "target_count": 20}, "saved 20 of 20"),
        ("batch.failed", {"error": {"code": "timeout", "message": "Too slow."}}, "failed: timeout: Too slow."),
        ("batch.requeued", {"reason": "worker_lost"}, "waiting (worker_lost)"),
    ],
)
def test_what_happens_to_a_batch_is_a_line_with_its_name(kind: str, data: dict[str, object], line: str) -> None:
    assert told(kind, 1, **data) == [f"Advanced Topics: multiple_choice, hard: {line}"]


@pytest.mark.parametrize(
    ("kind", "data", "line"),
    [
        ("generation.started", {}, "started"),
        ("generation.paused", {"reason": "cost_cap"}, "paused (cost_cap)"),
        ("generation.resumed", {}, "resumed"),
        ("snapshot", {"status": "processing", "message": "15 of 35"}, "processing: 15 of 35"),
        ("resync", {"status": "completed", "message": "35 of 35"}, "completed: 35 of 35"),
    ],
)
def test_what_happens_to_the_whole_is_a_line(kind: str, data: dict[str, object], line: str) -> None:
    assert told(kind, **data) == [line]


@pytest.mark.parametrize(
    ("kind", "number"),
    [("question.rejected", 1), ("batch.started", 9), ("unheard.of", None), ("generation.partial", None)],
)
def test_what_changes_nothing_or_is_told_otherwise_is_no_line(kind: str, number: int | None) -> None:
    assert told(kind, number, attempt=1) == []


def test_bars_are_for_terminals_and_lines_for_everything_else(
    monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    snapshot = StreamEvent(id=1, type="snapshot", data=json.loads(processing().model_dump_json()))
    with show.progress(processing()) as progress:
        progress.apply(snapshot)
    written = capsys.readouterr()
    assert (written.out, written.err) == ("", f"processing: {processing().message}\n")
    monkeypatch.setattr(show, "errors", Console(stderr=True, force_terminal=True))
    assert isinstance(show.progress(processing()), show.Bars)
