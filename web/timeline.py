"""The picture of who worked on which batch when, and the same as a table. static/timeline.js lays it out live."""

from collections import defaultdict
from collections.abc import Sequence
from datetime import datetime, timedelta
from itertools import pairwise
from uuid import UUID

from schemas.base import Frozen
from schemas.generations import Batch, BatchAttempt, Generation, GenerationAttempt
from schemas.states import AttemptOutcome, BatchState, GenerationState
from web.scale import Scale, Span, milliseconds, moment_of, percent
from web.told import name_of
from web.wording import WORDS, clock, duration, plural

LANES_MAX = 24
RUNNING_FIRST, TROUBLED_FIRST, DONE_FIRST = 12, 6, 6
WIDTH_MIN = 40
"""Hundredths of a percent: what took no time at all is seen as well."""
GIVEN_BACK = frozenset({AttemptOutcome.RETRYING, AttemptOutcome.WORKER_LOST, AttemptOutcome.RELEASED})

Tries = dict[UUID, list[BatchAttempt]]


class Bar(Frozen):
    """`kind`: an attempt's outcome, or `wait` for what lies between two."""

    kind: str
    x: str
    width: str
    title: str


class Lane(Frozen):
    """`who`: the workers that had the batch, by number."""

    batch: Batch
    name: str
    who: str
    bars: tuple[Bar, ...]


class Tick(Frozen):
    x: str
    anchor: str
    label: str


class Row(Frozen):
    name: str
    number: int
    worker: str
    started_at: datetime
    took: str
    outcome: str


class Timeline(Frozen):
    """`left_out`: what is not drawn, empty if nothing is."""

    summary: str
    left_out: str
    lanes: tuple[Lane, ...]
    ticks: tuple[Tick, ...]
    breaks: tuple[Bar, ...]
    rows: tuple[Row, ...]


def timeline(generation: Generation, runs: Sequence[GenerationAttempt], now: datetime) -> Timeline:
    tries: Tries = defaultdict(list)
    for run in runs:
        for attempt in run.batches:
            tries[attempt.batch_id].append(attempt)
    workers = _workers(runs)
    drawn = _drawn(generation.batches, tries)
    now_ms = None if generation.status.is_terminal else milliseconds(now)
    waits = {
        batch.id: _waits(batch, tries[batch.id], now_ms if generation.status is GenerationState.PROCESSING else None)
        for batch in drawn
    }
    spans = [_span(attempt, now_ms) for batch in drawn for attempt in tries[batch.id]]
    scale = Scale([*spans, *(wait for found in waits.values() for wait in found)])
    return Timeline(
        summary=_summary(tries, workers),
        left_out=_left_out(generation.batches, tries, len(drawn)),
        lanes=tuple(_lane(batch, tries[batch.id], waits[batch.id], workers, scale, now_ms) for batch in drawn),
        ticks=tuple(_tick(scale, ms) for ms in scale.ticks()),
        breaks=tuple(_break(*cut) for cut in scale.breaks()),
        rows=tuple(_row(batch, attempt, workers) for batch in drawn for attempt in tries[batch.id]),
    )


def _workers(runs: Sequence[GenerationAttempt]) -> dict[str, str]:
    """Their names are long: they are numbered as they come."""
    begun = sorted((attempt for run in runs for attempt in run.batches), key=lambda attempt: attempt.started_at)
    names = dict.fromkeys(attempt.worker for attempt in begun)
    return {name: f"worker {number}" for number, name in enumerate(names, start=1)}


def _drawn(batches: Sequence[Batch], tries: Tries) -> list[Batch]:
    """The lanes that matter: some of those that run, have failed, and ended last; then the others. In plan order."""
    tried = [batch for batch in batches if batch.id in tries]
    running = [batch for batch in tried if batch.status is BatchState.PROCESSING]
    running.sort(key=lambda batch: tries[batch.id][-1].started_at)
    troubled = [batch for batch in tried if batch.status in {BatchState.FAILED, BatchState.PENDING}]
    troubled.sort(key=lambda batch: tries[batch.id][-1].started_at, reverse=True)
    done = [batch for batch in tried if batch.status in {BatchState.COMPLETED, BatchState.CANCELLED}]
    done.sort(key=lambda batch: tries[batch.id][-1].started_at, reverse=True)
    first = [*running[:RUNNING_FIRST], *troubled[:TROUBLED_FIRST], *done[:DONE_FIRST]]
    then = [*running[RUNNING_FIRST:], *troubled[TROUBLED_FIRST:], *done[DONE_FIRST:]]
    chosen = {batch.id for batch in [*first, *then][:LANES_MAX]}
    return [batch for batch in tried if batch.id in chosen]


def _span(attempt: BatchAttempt, now_ms: int | None) -> Span:
    start = milliseconds(attempt.started_at)
    end = milliseconds(attempt.ended_at) if attempt.ended_at else now_ms
    return start, max(start, start if end is None else end)


def _waits(batch: Batch, tries: Sequence[BatchAttempt], now_ms: int | None) -> list[Span]:
    """Between an attempt that gave its batch back and the next one, or now if it waits still."""
    found = [
        (_span(one, now_ms)[1], milliseconds(other.started_at))
        for one, other in pairwise(tries)
        if one.outcome in GIVEN_BACK
    ]
    last = tries[-1]
    if now_ms is not None and batch.status is BatchState.PENDING and last.outcome in GIVEN_BACK:
        found.append((_span(last, now_ms)[1], now_ms))
    return [(start, end) for start, end in found if end > start]


def _lane(
    batch: Batch,
    tries: Sequence[BatchAttempt],
    waits: Sequence[Span],
    workers: dict[str, str],
    scale: Scale,
    now_ms: int | None,
) -> Lane:
    between = [
        _bar("wait", scale, span, f"waits {duration(timedelta(milliseconds=span[1] - span[0]))}") for span in waits
    ]
    bars = [_bar(attempt.outcome, scale, _span(attempt, now_ms), _title(attempt, workers)) for attempt in tries]
    return Lane(batch=batch, name=name_of(batch), who=_who(tries, workers), bars=(*between, *bars))


def _who(tries: Sequence[BatchAttempt], workers: dict[str, str]) -> str:
    names = dict.fromkeys(workers[attempt.worker] for attempt in tries)
    if len(names) == 1:
        return next(iter(names))
    return f"workers {', '.join(name.removeprefix('worker ') for name in names)}"


def _bar(kind: str, scale: Scale, span: tuple[int, int], title: str) -> Bar:
    start, end = scale.at(span[0]), scale.at(span[1])
    width = max(WIDTH_MIN, end - start)
    return Bar(kind=kind, x=percent(min(start, 10_000 - width)), width=percent(width), title=title)


def _title(attempt: BatchAttempt, workers: dict[str, str]) -> str:
    took = f", {_took(attempt)}" if attempt.ended_at else ""
    begun = f"from {clock(attempt.started_at)}{took}"
    return f"Attempt {attempt.number}, {workers[attempt.worker]}, {begun}: {_outcome(attempt)}"


def _took(attempt: BatchAttempt) -> str:
    return duration(attempt.ended_at - attempt.started_at) if attempt.ended_at else "runs"


def _outcome(attempt: BatchAttempt) -> str:
    told = WORDS.outcomes[attempt.outcome]
    return f"{told} ({attempt.error.code})" if attempt.error else told


def _tick(scale: Scale, ms: int) -> Tick:
    place = scale.at(ms)
    anchor = "start" if place < 400 else "end" if place > 9_600 else "middle"
    return Tick(x=percent(place), anchor=anchor, label=clock(moment_of(ms)))


def _break(place: Span, cut: Span) -> Bar:
    title = f"{duration(timedelta(milliseconds=cut[1] - cut[0]))} without work"
    return Bar(kind="break", x=percent(place[0]), width=percent(place[1] - place[0]), title=title)


def _row(batch: Batch, attempt: BatchAttempt, workers: dict[str, str]) -> Row:
    return Row(
        name=name_of(batch),
        number=attempt.number,
        worker=workers[attempt.worker],
        started_at=attempt.started_at,
        took=_took(attempt),
        outcome=_outcome(attempt),
    )


def _summary(tries: Tries, workers: dict[str, str]) -> str:
    if not tries:
        return "No batch has begun yet."
    attempts = sum(len(found) for found in tries.values())
    again = attempts - len(tries)
    among = f", {plural(again, 'retry', 'retries')} among them" if again else ""
    of = f"{plural(len(tries), 'batch', 'batches')} by {plural(len(workers), 'worker')}"
    return f"{plural(attempts, 'attempt')} of {of}{among}."


def _left_out(batches: Sequence[Batch], tries: Tries, drawn: int) -> str:
    idle = len(batches) - len(tries)
    rest = len(tries) - drawn
    told = []
    if rest:
        told.append(
            f"Drawn are {drawn} batches: those that run, failed or began last. {rest:,} more have been at work."
        )
    if idle and tries:
        told.append(f"{plural(idle, 'batch has', 'batches have')} not begun.")
    return " ".join(told)
