"""Every SQL statement about materials: uploaded files on their way to becoming modules."""

from collections.abc import Sequence
from uuid import UUID, uuid4

import sqlalchemy as sa

from schemas.materials import Material
from schemas.states import FailureReason, MaterialState
from service.store.database import Tx, db_now, seconds_from_now
from service.store.tables import materials, quizzes


async def insert(tx: Tx, quiz_id: UUID, files: Sequence[tuple[str, bytes]]) -> None:
    """Append files, given as (name, content), wanted in the queue at once."""
    count = sa.select(sa.func.count()).where(materials.c.quiz_id == quiz_id)
    first = (await tx.execute(count)).scalar_one()
    rows = [
        {
            "id": uuid4(),
            "quiz_id": quiz_id,
            "position": first + offset,
            "name": name,
            "content": content,
            "state": MaterialState.WAITING,
        }
        for offset, (name, content) in enumerate(files)
    ]
    await tx.execute(sa.insert(materials).values(wanted_at=db_now(), created_at=db_now()), rows)


async def waiting(tx: Tx, quiz_id: UUID, *, limit: int) -> list[Material]:
    """The quiz's files that are still to be extracted, in their order."""
    found = sa.select(materials.c.id, materials.c.name, materials.c.content).where(
        materials.c.quiz_id == quiz_id, materials.c.state == MaterialState.WAITING
    )
    rows = await tx.execute(found.order_by(materials.c.position).limit(limit))
    return [Material(id=row.id, name=row.name, content=row.content) for row in rows]


async def are_waiting(tx: Tx, quiz_id: UUID) -> bool:
    found = sa.select(materials.c.id).where(materials.c.quiz_id == quiz_id, materials.c.state == MaterialState.WAITING)
    return (await tx.execute(found.limit(1))).first() is not None


async def begin(tx: Tx, material_id: UUID, *, seconds_max: float, queued_seconds_max: float) -> int | None:
    """Count a try, and keep others away for as long as it may take; returns its number, the fence of what follows.

    None: the file waits no more, or someone has begun with it. What was only queued is wanted again within
    `queued_seconds_max`, what was begun not before `seconds_max`.
    """
    begun = sa.update(materials).where(
        materials.c.id == material_id,
        materials.c.state == MaterialState.WAITING,
        materials.c.wanted_at <= seconds_from_now(queued_seconds_max),
    )
    begun = begun.values(tries=materials.c.tries + 1, wanted_at=seconds_from_now(seconds_max))
    tries: int | None = (await tx.execute(begun.returning(materials.c.tries))).scalar_one_or_none()
    return tries


async def mark_extracted(tx: Tx, material_id: UUID, *, tries: int) -> bool:
    """False: someone else has begun with the file since."""
    return await _end(tx, material_id, MaterialState.EXTRACTED, tries=tries, message=None)


async def mark_failed(
    tx: Tx, quiz_id: UUID, material_id: UUID, reason: FailureReason, message: str, *, tries: int
) -> bool:
    """The quiz fails with it; the caller has locked that. False: someone else has begun with the file since."""
    if not await _end(tx, material_id, MaterialState.FAILED, tries=tries, message=message):
        return False
    await tx.execute(sa.update(quizzes).where(quizzes.c.id == quiz_id).values(failure_reason=reason))
    return True


async def wanted(tx: Tx, *, limit: int) -> list[UUID]:
    """The outbox: quizzes whose extraction must be in the queue by now."""
    found = sa.select(materials.c.quiz_id).where(materials.c.wanted_at <= db_now()).distinct()
    return list((await tx.execute(found.limit(limit))).scalars())


async def look_again(tx: Tx, quiz_ids: Sequence[UUID], *, in_seconds: float) -> None:
    """They were just put into the queue: want them again only when they still wait after a while.

    A worker may have begun already: its files are not due any more and stay as they are.
    """
    moved = sa.update(materials).where(materials.c.quiz_id.in_(quiz_ids), materials.c.wanted_at <= db_now())
    await tx.execute(moved.values(wanted_at=seconds_from_now(in_seconds)))


async def _end(tx: Tx, material_id: UUID, state: MaterialState, *, tries: int, message: str | None) -> bool:
    ended = sa.update(materials).where(
        materials.c.id == material_id, materials.c.state == MaterialState.WAITING, materials.c.tries == tries
    )
    # The text lives on in the modules; the file's bytes are not needed again.
    ended = ended.values(state=state, error_message=message, wanted_at=None, content=b"")
    return (await tx.execute(ended)).rowcount == 1
