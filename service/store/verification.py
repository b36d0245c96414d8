"""Recomputes what must be true of the rows and says what is not: loads them, row_checks and log_fold judge them."""

from collections import defaultdict
from collections.abc import Collection, Iterator, Sequence
from uuid import UUID

import sqlalchemy as sa

from schemas.events import Event
from schemas.reports import Finding, Verification
from schemas.states import GenerationState
from service.store import log_fold, row_checks
from service.store.database import Tx
from service.store.row_checks import Row, Rows
from service.store.tables import attempts, batches, calls, events, generations, metadata, modules, questions

EVENTS_PER_PORTION = 20_000
GENERATIONS_PER_PORTION = 500
"""How much is in memory at once, unless one generation alone has more."""

FINDINGS_MAX = 1000


async def verify(tx: Tx, generation_id: UUID | None) -> Verification:
    """Check one generation, or all of them and the database itself. The first thing that the transaction does.

    Raises nothing for what it finds. Of a file that is damaged, the rows are not looked at.
    """
    if tx.dialect.name == "postgresql":
        # All statements must see one moment. SQLite's transactions do so by themselves.
        await tx.execute(sa.text("SET TRANSACTION ISOLATION LEVEL REPEATABLE READ, READ ONLY"))
    findings = [] if generation_id else await _database(tx)
    if any(finding.check == "integrity_check" for finding in findings):
        return Verification(generations=0, findings=tuple(findings[:FINDINGS_MAX]))
    found = sa.select(generations).order_by(generations.c.requested_at, generations.c.id)
    if generation_id:
        found = found.where(generations.c.id == generation_id)
    rows = (await tx.execute(found)).all()
    for portion in _portions(rows):
        findings += await _portion(tx, portion)
    return Verification(generations=len(rows), findings=tuple(findings[:FINDINGS_MAX]))


async def _database(tx: Tx) -> list[Finding]:
    if tx.dialect.name != "sqlite":
        return await _torn_references(tx)
    findings = []
    for check in ("integrity_check", "foreign_key_check"):
        try:
            rows = (await tx.execute(sa.text(f"PRAGMA {check}"))).all()
        except sa.exc.DatabaseError as error:
            # So damaged that not even this works.
            findings.append(Finding(check="integrity_check", subject="database", message=str(error.orig)))
            continue
        problems = [row for row in rows if tuple(row) != ("ok",)]
        findings += [Finding(check=check, subject="database", message=str(tuple(row))) for row in problems]
    return findings


async def _torn_references(tx: Tx) -> list[Finding]:
    """What SQLite's foreign_key_check does, for PostgreSQL: its constraints hold only what was written under them."""
    findings = []
    for key in [key for table in metadata.sorted_tables for key in table.foreign_keys]:
        parent = key.column.table.alias("parent")
        is_there = sa.exists().where(parent.c[key.column.name] == key.parent)
        torn = (
            await tx.execute(sa.select(sa.func.count()).select_from(key.parent.table).where(~is_there))
        ).scalar_one()
        if torn:
            message = f"{torn} rows of {key.parent.table.name} lead to {key.column.table.name} that are not there"
            findings.append(Finding(check="foreign_key_check", subject="database", message=message))
    return findings


def _portions(rows: Sequence[Row]) -> Iterator[list[Row]]:
    portion: list[Row] = []
    count = 0
    for row in rows:
        if portion and (count + row.last_seq > EVENTS_PER_PORTION or len(portion) == GENERATIONS_PER_PORTION):
            yield portion
            portion, count = [], 0
        portion.append(row)
        count += row.last_seq
    if portion:
        yield portion


async def _portion(tx: Tx, portion: Sequence[Row]) -> list[Finding]:
    ids = [row.id for row in portion]
    plans, logs = await _batches(tx, ids), await _logs(tx, ids)
    held, tries, asked = await _questions(tx, ids), await _attempts(tx, ids), await _calls(tx, ids)
    texts = await _texts(tx, {question.module_id for questions in held.values() for question in questions})
    findings = []
    for row in portion:
        plan = plans[row.id]
        tallies = [
            log_fold.BatchRow.model_validate({name: getattr(batch, name) for name in log_fold.BatchRow.model_fields})
            for batch in plan
        ]
        rows = Rows(
            generation=row, batches=plan, tallies=tallies, questions=held, attempts=tries, calls=asked, texts=texts
        )
        findings += list(_findings(rows, logs[row.id], tallies))
    return findings


def _findings(rows: Rows, log: Sequence[Event], tallies: Sequence[log_fold.BatchRow]) -> Iterator[Finding]:
    generation = rows.generation
    state = GenerationState(generation.state)
    messages = {name: list(check(rows)) for name, check in row_checks.CHECKS.items()}
    messages["log_numbers"] = _numbers(log, generation.last_seq)
    messages["log_fold"] = log_fold.problems(log, generation.id, state, tallies)
    for check, problems in messages.items():
        for problem in problems:
            yield Finding(check=check, subject=f"generation {generation.id}", message=problem)


def _numbers(log: Sequence[Event], last_seq: int) -> list[str]:
    """1, 2, 3 ... without a gap (from the oldest retained on)."""
    numbers = [event.seq for event in log]
    first = numbers[0] if numbers else last_seq + 1
    if numbers != list(range(first, last_seq + 1)):
        return [f"its log holds {len(numbers)} events from {first}, but counts to {last_seq}"]
    return []


async def _batches(tx: Tx, generation_ids: Collection[UUID]) -> dict[UUID, list[Row]]:
    """By generation, in their order."""
    found = (
        sa.select(batches, modules.c.quiz_id.label("module_quiz_id"))
        .outerjoin(modules, modules.c.id == batches.c.module_id)
        .where(batches.c.generation_id.in_(generation_ids))
        .order_by(batches.c.position)
    )
    return _grouped((await tx.execute(found)).all(), "generation_id")


async def _logs(tx: Tx, generation_ids: Collection[UUID]) -> dict[UUID, list[Event]]:
    """By generation, oldest first."""
    names = ("generation_id", "seq", "type", "data")
    found = sa.select(*(events.c[name] for name in names)).where(events.c.generation_id.in_(generation_ids))
    logs: dict[UUID, list[Event]] = defaultdict(list)
    for row in await tx.execute(found.order_by(events.c.generation_id, events.c.seq)):
        logs[row.generation_id].append(
            Event(generation_id=row.generation_id, seq=row.seq, type=row.type, data=row.data)
        )
    return logs


async def _questions(tx: Tx, generation_ids: Collection[UUID]) -> dict[UUID, list[Row]]:
    """By batch, in the order of their slots, without what no check looks at."""
    unread = {"content", "explanation", "tags", "flaws", "fingerprint_text", "fingerprint_key"}
    found = (
        sa.select(*(column for column in questions.c if column.name not in unread))
        .join(batches, batches.c.id == questions.c.batch_id)
        .where(batches.c.generation_id.in_(generation_ids))
        .order_by(questions.c.slot)
    )
    return _grouped((await tx.execute(found)).all(), "batch_id")


async def _attempts(tx: Tx, generation_ids: Collection[UUID]) -> dict[UUID, list[Row]]:
    """By batch, in the order of their numbers."""
    found = (
        sa.select(attempts)
        .join(batches, batches.c.id == attempts.c.batch_id)
        .where(batches.c.generation_id.in_(generation_ids))
        .order_by(attempts.c.number)
    )
    return _grouped((await tx.execute(found)).all(), "batch_id")


async def _calls(tx: Tx, generation_ids: Collection[UUID]) -> dict[UUID, list[Row]]:
    """By batch, in the order of their fences and numbers."""
    found = (
        sa.select(calls.c.generation_id, calls.c.batch_id, calls.c.fence, calls.c.number)
        .join(batches, batches.c.id == calls.c.batch_id)
        .where(batches.c.generation_id.in_(generation_ids))
        .order_by(calls.c.fence, calls.c.number)
    )
    return _grouped((await tx.execute(found)).all(), "batch_id")


async def _texts(tx: Tx, module_ids: Collection[UUID]) -> dict[UUID, str]:
    found = sa.select(modules.c.id, modules.c.text).where(modules.c.id.in_(module_ids))
    texts = {row.id: row.text for row in await tx.execute(found)}
    return {module_id: texts.get(module_id, "") for module_id in module_ids}


def _grouped(rows: Sequence[Row], name: str) -> dict[UUID, list[Row]]:
    groups: dict[UUID, list[Row]] = defaultdict(list)
    for row in rows:
        groups[getattr(row, name)].append(row)
    return groups
