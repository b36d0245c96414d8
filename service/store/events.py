"""Every SQL statement about the event log. Entries are numbered 1, 2, 3 ... under the generation's row lock."""

import itertools
import json
from collections.abc import Sequence
from datetime import datetime
from uuid import UUID

import sqlalchemy as sa

from schemas.events import (
    BatchCompleted,
    BatchFailed,
    BatchRequeued,
    BatchRetrying,
    BatchStarted,
    Event,
    Happening,
    QuestionAccepted,
    Totals,
)
from schemas.plans import Wakeup
from schemas.states import BatchState, ErrorCode, RequeueReason
from service.store.database import Tx, db_now
from service.store.tables import batches, events, generations

SEQ_MAX = 2**31 - 1
"""The largest number the column holds."""

_SUMMED: dict[str, sa.ColumnElement[int]] = {
    "target": batches.c.target_count,
    "saved": batches.c.saved_count,
    "held": batches.c.held_count,
    "batches": sa.literal_column("1", sa.Integer),
    "batches_completed": sa.case((batches.c.state == BatchState.COMPLETED, 1), else_=0),
    "batches_failed": sa.case((batches.c.state == BatchState.FAILED, 1), else_=0),
}
assert list(_SUMMED) == list(Totals.model_fields), "the totals of an entry are sums over the batches"

# Numbers, time and sums in one statement that is built once: every hold comes through here.
_RAISED = (
    sa.update(generations)
    .where(generations.c.id == sa.bindparam("generation"))
    .values(last_seq=generations.c.last_seq + sa.bindparam("count"))
    .returning(
        generations.c.last_seq,
        db_now().label("at"),
        *(
            sa.select(sa.func.coalesce(sa.func.sum(figure), 0))
            .where(batches.c.generation_id == sa.bindparam("generation"))
            .scalar_subquery()
            .label(name)
            for name, figure in _SUMMED.items()
        ),
    )
)

_INSERT = sa.insert(events)


async def append(tx: Tx, generation_id: UUID, happenings: Sequence[Happening]) -> Wakeup:
    """Write what happened, after the state change it tells of. The caller holds the generation's lock."""
    assert happenings, "nothing happened"
    row = (await tx.execute(_RAISED, {"generation": generation_id, "count": len(happenings)})).one()
    totals = Totals.model_validate({name: getattr(row, name) for name in Totals.model_fields})
    first = row.last_seq - len(happenings) + 1
    at = row.at.isoformat(timespec="milliseconds").replace("+00:00", "Z")
    rows = []
    for seq, happening, totals_then in zip(
        itertools.count(first), happenings, _totals_at_each(totals, happenings), strict=False
    ):
        data = {
            "type": happening.type,
            "generation_id": str(generation_id),
            "seq": seq,
            "at": at,
            "totals": totals_then,
            **happening.model_dump(mode="json"),
        }
        line = json.dumps(data, ensure_ascii=True, separators=(",", ":"))
        rows.append({"generation_id": generation_id, "seq": seq, "type": happening.type, "data": line, "at": row.at})
    await tx.execute(_INSERT, rows)
    written = tuple(
        Event.model_construct(generation_id=generation_id, seq=entry["seq"], type=entry["type"], data=entry["data"])
        for entry in rows
    )
    return Wakeup(generation_id=generation_id, seq=row.last_seq, events=written)


def _totals_at_each(totals: Totals, happenings: Sequence[Happening]) -> list[dict[str, int]]:
    """Totals are those after all; what later entries of the same transaction tell has not happened yet."""
    then = totals.model_dump()
    found = []
    for happening in reversed(happenings):
        found.append(dict(then))
        match happening:
            case QuestionAccepted():
                then["held"] -= 1
            case BatchCompleted():
                then["saved"] -= happening.saved_count
                then["held"] += happening.saved_count
                then["batches_completed"] -= 1
            case BatchFailed():
                then["batches_failed"] -= 1
            case BatchRequeued(reason=RequeueReason.RETRY):
                then["batches_failed"] += 1
            case _:
                pass  # changes no count
    return found[::-1]


async def since(tx: Tx, generation_id: UUID, seq: int, *, limit: int) -> list[Event]:
    """Entries after `seq` (whatever a client sent), oldest first."""
    found = sa.select(events.c.seq, events.c.type, events.c.data)
    found = found.where(events.c.generation_id == generation_id, events.c.seq > min(seq, SEQ_MAX))
    rows = await tx.execute(found.order_by(events.c.seq).limit(limit))
    return [Event(generation_id=generation_id, seq=row.seq, type=row.type, data=row.data) for row in rows]


async def last_at(tx: Tx, generation_id: UUID, happening: type[Happening]) -> datetime | None:
    """When the log last told of such a thing, None for never."""
    found = sa.select(sa.func.max(events.c.at)).where(
        events.c.generation_id == generation_id, events.c.type == happening.type
    )
    at: datetime | None = (await tx.execute(found)).scalar_one()
    return at


async def waiting_for(tx: Tx, generation_id: UUID) -> ErrorCode | None:
    """Why its batches wait, if nothing that counts has happened since one of them began to wait."""
    found = sa.select(events.c.type, events.c.data).where(
        events.c.generation_id == generation_id, events.c.type != BatchStarted.type
    )
    last = (await tx.execute(found.order_by(events.c.seq.desc()).limit(1))).first()
    if last is None or last.type != BatchRetrying.type:
        return None
    return ErrorCode(json.loads(last.data)["code"])


async def newest(tx: Tx, generation_id: UUID, *, limit: int) -> list[Event]:
    """The last entries that are retained, oldest first."""
    found = sa.select(events.c.seq, events.c.type, events.c.data).where(events.c.generation_id == generation_id)
    rows = (await tx.execute(found.order_by(events.c.seq.desc()).limit(limit))).all()
    return [Event(generation_id=generation_id, seq=row.seq, type=row.type, data=row.data) for row in reversed(rows)]


async def heads(tx: Tx, generation_ids: Sequence[UUID]) -> list[Wakeup]:
    """How far each of these logs goes."""
    found = sa.select(generations.c.id, generations.c.last_seq).where(generations.c.id.in_(generation_ids))
    return [
        Wakeup(generation_id=row.id, seq=row.last_seq) for row in await tx.execute(found.limit(len(generation_ids)))
    ]
