"""Recomputes what must be true of the rows and says what is not (facts kept by no constraint of the database)."""

import json
from collections import Counter
from collections.abc import Sequence
from uuid import UUID

import sqlalchemy as sa

from schemas.events import ENDINGS, TERMINAL_TYPES, Event
from schemas.plans import Tally
from schemas.reports import Finding, Verification
from schemas.states import BatchState, GenerationState, QuestionState
from service.rules import progress
from service.store import batches as batch_store
from service.store import events as event_store
from service.store.database import Tx
from service.store.tables import attempts, batches, generations, questions

EVENTS_MAX = 1_000_000
FINDINGS_MAX = 1000


async def verify(tx: Tx, generation_id: UUID | None) -> Verification:
    """Check one generation, or all of them and the database file. Raises nothing for what it finds."""
    found = sa.select(generations.c.id, generations.c.state, generations.c.last_seq)
    if generation_id:
        found = found.where(generations.c.id == generation_id)
    rows = (await tx.execute(found)).all()
    findings = [] if generation_id else await _database(tx)
    for row in rows:
        findings += await _generation(tx, row.id, GenerationState(row.state), row.last_seq)
    return Verification(generations=len(rows), findings=tuple(findings[:FINDINGS_MAX]))


async def _database(tx: Tx) -> list[Finding]:
    if tx.dialect.name != "sqlite":
        return []
    findings = []
    for check in ("integrity_check", "foreign_key_check"):
        rows = (await tx.execute(sa.text(f"PRAGMA {check}"))).all()
        problems = [row for row in rows if tuple(row) != ("ok",)]
        findings += [Finding(check=check, subject="database", message=str(tuple(row))) for row in problems]
    return findings


async def _generation(tx: Tx, generation_id: UUID, state: GenerationState, last_seq: int) -> list[Finding]:
    tallies = await batch_store.tallies(tx, generation_id)
    log = await event_store.since(tx, generation_id, 0, limit=EVENTS_MAX)
    subject = f"generation {generation_id}"
    messages = {
        "batch_counts": await _batch_counts(tx, generation_id),
        "slots": await _slots(tx, generation_id),
        "fences": await _fences(tx, generation_id),
        "state": _state(state, tallies),
        "log_numbers": _numbers(log, last_seq),
        "log_fold": _fold(log, state, tallies),
    }
    return [
        Finding(check=check, subject=subject, message=message)
        for check, problems in messages.items()
        for message in problems
    ]


async def _batch_counts(tx: Tx, generation_id: UUID) -> list[str]:
    """requested = saved + held + missing: what a batch counts is what it has."""

    def counted(state: QuestionState) -> sa.ColumnElement[int]:
        return sa.func.coalesce(sa.func.sum(sa.case((questions.c.state == state, 1), else_=0)), 0)

    held, saved = counted(QuestionState.HELD), counted(QuestionState.SAVED)
    found = (
        sa.select(batches.c.id, batches.c.held_count, batches.c.saved_count, held.label("held"), saved.label("saved"))
        .outerjoin(questions, questions.c.batch_id == batches.c.id)
        .where(batches.c.generation_id == generation_id)
        .group_by(batches.c.id, batches.c.held_count, batches.c.saved_count)
        .having(sa.or_(batches.c.held_count != held, batches.c.saved_count != saved))
    )
    return [
        f"batch {row.id} counts {row.held_count} held and {row.saved_count} saved, but has {row.held} and {row.saved}"
        for row in await tx.execute(found)
    ]


async def _slots(tx: Tx, generation_id: UUID) -> list[str]:
    """Slots are taken from 0 on without a hole."""
    found = (
        sa.select(questions.c.batch_id, sa.func.count().label("count"), sa.func.max(questions.c.slot).label("last"))
        .where(questions.c.generation_id == generation_id)
        .group_by(questions.c.batch_id)
        .having(sa.func.max(questions.c.slot) != sa.func.count() - 1)
    )
    return [f"batch {row.batch_id} has {row.count} questions up to slot {row.last}" for row in await tx.execute(found)]


async def _fences(tx: Tx, generation_id: UUID) -> list[str]:
    """No attempt and no question can carry a fence that its batch has not reached."""
    newest = sa.func.max(sa.func.coalesce(questions.c.fence, 0))
    found = (
        sa.select(batches.c.id, batches.c.fence, sa.func.max(attempts.c.fence).label("attempt"), newest.label("held"))
        .outerjoin(attempts, attempts.c.batch_id == batches.c.id)
        .outerjoin(questions, questions.c.batch_id == batches.c.id)
        .where(batches.c.generation_id == generation_id)
        .group_by(batches.c.id, batches.c.fence)
        .having(sa.or_(sa.func.max(attempts.c.fence) > batches.c.fence, newest > batches.c.fence))
    )
    return [
        f"batch {row.id} is at fence {row.fence}, but was worked on under {max(row.attempt or 0, row.held)}"
        for row in await tx.execute(found)
    ]


def _state(state: GenerationState, tallies: Sequence[Tally]) -> list[str]:
    ending = progress.ending(tallies)
    if state is GenerationState.CANCELLED:
        is_open = any(tally.state in progress.OPEN for tally in tallies)
        return ["it is cancelled, but has open batches"] if is_open else []
    if state.is_terminal or ending:
        return [] if state is ending else [f"it is {state}, but its batches say {ending or 'not ended'}"]
    return []


def _numbers(log: Sequence[Event], last_seq: int) -> list[str]:
    """1, 2, 3 ... without a gap (from the oldest retained on)."""
    numbers = [event.seq for event in log]
    first = numbers[0] if numbers else last_seq + 1
    if numbers != list(range(first, last_seq + 1)):
        return [f"its log holds {len(numbers)} events from {first}, but counts to {last_seq}"]
    return []


def _fold(log: Sequence[Event], state: GenerationState, tallies: Sequence[Tally]) -> list[str]:
    """The log tells the same as the rows."""
    if not log:
        return []
    problems = []
    last = json.loads(log[-1].data)
    if last["totals"] != progress.totals(tallies).model_dump():
        problems.append(f"its last event says {last['totals']}, but the rows {progress.totals(tallies).model_dump()}")
    if state.is_terminal != (log[-1].type in TERMINAL_TYPES):
        problems.append(f"it is {state}, but its last event is {log[-1].type}")
    elif state.is_terminal and log[-1].type != ENDINGS[state].type:
        problems.append(f"it ended as {state}, but its log as {log[-1].type}")
    completed = Counter(json.loads(event.data)["batch_id"] for event in log if event.type == "batch.completed")
    problems += [f"batch {batch_id} completed {count} times" for batch_id, count in completed.items() if count > 1]
    saved = sum(tally.state is BatchState.COMPLETED for tally in tallies)
    if log[0].seq == 1 and len(completed) != saved:
        problems.append(f"{saved} batches are completed, but the log tells of {len(completed)}")
    return problems
