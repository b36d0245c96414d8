"""Every SQL statement about materials: uploaded files on their way to becoming modules."""

from collections.abc import Sequence
from uuid import UUID, uuid4

import sqlalchemy as sa

from schemas.materials import Material, MaterialReport
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


async def go_on(tx: Tx, material_id: UUID, *, tries: int, place: tuple[int, int], seconds_max: float) -> bool:
    """Tell how far the reading is, as (page, pages), and keep others away for as long again. False: it is not ours."""
    told = _mine(material_id, tries).values(page=place[0], pages=place[1], wanted_at=seconds_from_now(seconds_max))
    return (await tx.execute(told)).rowcount == 1


async def release(tx: Tx, material_id: UUID, *, tries: int) -> None:
    """Let go of a file that could not be finished for no fault of its own: it is wanted at once."""
    await tx.execute(_mine(material_id, tries).values(tries=tries - 1, wanted_at=db_now()))


async def spend(tx: Tx, material_id: UUID, *, input_tokens: int, output_tokens: int, cost_usd: float | None) -> None:
    """Add what a look at one of its pictures has cost."""
    added = sa.update(materials).where(materials.c.id == material_id)
    await tx.execute(
        added.values(
            llm_calls=materials.c.llm_calls + 1,
            input_tokens=materials.c.input_tokens + input_tokens,
            output_tokens=materials.c.output_tokens + output_tokens,
            cost_usd=materials.c.cost_usd + (cost_usd or 0.0),
        )
    )


async def mark_extracted(tx: Tx, material_id: UUID, *, tries: int, message: str | None = None) -> bool:
    """`message`: what was left out. False: someone else has begun with the file since."""
    return await _end(tx, material_id, MaterialState.EXTRACTED, tries=tries, message=message)


async def mark_failed(
    tx: Tx, quiz_id: UUID, material_id: UUID, reason: FailureReason, message: str, *, tries: int
) -> bool:
    """The quiz fails with it; the caller has locked that. False: someone else has begun with the file since."""
    if not await _end(tx, material_id, MaterialState.FAILED, tries=tries, message=message):
        return False
    await tx.execute(sa.update(quizzes).where(quizzes.c.id == quiz_id).values(failure_reason=reason))
    return True


async def reports(tx: Tx, quiz_id: UUID) -> list[MaterialReport]:
    """What became of each file of the quiz, in their order."""
    rows = await tx.execute(
        sa.select(
            materials.c.id,
            materials.c.name,
            materials.c.state,
            materials.c.error_message,
            materials.c.page,
            materials.c.pages,
            materials.c.llm_calls,
            materials.c.cost_usd,
        )
        .where(materials.c.quiz_id == quiz_id)
        .order_by(materials.c.position)
    )
    return [
        MaterialReport(
            id=row.id,
            name=row.name,
            status=MaterialState(row.state),
            message=row.error_message,
            page=row.page,
            pages=row.pages,
            llm_calls=row.llm_calls,
            cost_usd=row.cost_usd,
        )
        for row in rows
    ]


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
    # The text lives on in the modules; the file's bytes are not needed again.
    ended = _mine(material_id, tries).values(state=state, error_message=message, wanted_at=None, content=b"")
    return (await tx.execute(ended)).rowcount == 1


def _mine(material_id: UUID, tries: int) -> sa.Update:
    """The file, as long as nobody else has begun with it."""
    return sa.update(materials).where(
        materials.c.id == material_id, materials.c.state == MaterialState.WAITING, materials.c.tries == tries
    )
